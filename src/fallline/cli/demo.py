"""`fallline demo`: the worked examples, beside the figures they must show."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fallline.cli import options, report


def demo(
    out: Annotated[
        Path,
        typer.Option(parser=options.path, metavar="DIR", help="The folder for the results; made if it does not exist."),
    ],
) -> None:
    """Work through four tutorials and one real set of data, with tables, pictures and films.

    Every figure is printed beside the one it must show; one that is off makes the exit code 1.
    """
    from fallline.examples.demo import Demo
    from fallline.examples.results import Results

    demo = Demo(Results(out, report.say))
    demo.work_through()
    raise typer.Exit(0 if demo.finish() else 1)
