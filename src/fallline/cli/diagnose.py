"""`fallline diagnose`: why a saved run went as it did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fallline.cli import options, report
from fallline.diagnosis import diagnose as diagnosed
from fallline.errors import FalllineError
from fallline.fitting.result import Fit
from fallline.results.archive import loaded
from fallline.results.comparison import Comparison
from fallline.results.trajectory import Trajectory


def diagnose(
    file: Annotated[
        Path,
        typer.Argument(parser=options.path, metavar="FILE", help="What --save wrote: .npz of a run or of several."),
    ],
    *,
    proof: Annotated[
        bool, typer.Option("--proof/--no-proof", help="Run the remedies, and tell which of them are proved to help.")
    ] = True,
    proof_seconds: Annotated[float, options.number_option("--proof-seconds", "The time for that.")] = 5.0,
    json: options.JsonOption = False,
) -> None:
    """Say what went wrong in a saved run, comparison or fit, why, and what to do about it.

    Each remedy is run from five other starts, or with five other seeds, beside the unchanged run, at equal evaluations:
    the first that clearly wins is proved. A file holds neither Python functions nor large data: what needs them is
    named as not checked.
    """
    try:
        result = loaded(file, (Trajectory, Comparison, Fit))
    except FalllineError as error:
        raise error.under("FILE") from None
    diagnosis = diagnosed(result, proof=proof, proof_seconds=proof_seconds)
    report.say(diagnosis.to_json() if json else diagnosis.text)
