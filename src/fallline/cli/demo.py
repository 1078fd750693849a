"""`fallline demo`: the worked examples and their expected figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fallline.cli import options, report


def demo(
    out: Annotated[
        Path,
        typer.Option(
            parser=options.path, metavar="DIR", help="The folder for the results; created if it does not exist."
        ),
    ],
) -> None:
    """Work through four tutorials and one real set of data, with tables, pictures and films.

    Every figure is printed beside the expected one; the exit code is 1 if any is off.
    """
    from fallline.examples.demo import Demo
    from fallline.examples.results import Results

    demo = Demo(Results(out, report.say))
    demo.work_through()
    raise typer.Exit(0 if demo.finish() else 1)
