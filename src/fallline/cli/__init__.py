"""The command line: the commands, and errors as one line on stderr."""

from __future__ import annotations

import sys
from typing import Annotated

import numpy as np
import typer

import fallline
from fallline.cli.basins import basins
from fallline.cli.chain import chain
from fallline.cli.check import check
from fallline.cli.compare import compare
from fallline.cli.conventions import conventions
from fallline.cli.demo import demo
from fallline.cli.epilogs import EPILOGS
from fallline.cli.fit import fit, model_settings
from fallline.cli.landscapes import landscapes
from fallline.cli.optimizers import optimizers
from fallline.cli.predict import predict
from fallline.cli.run import run
from fallline.cli.sweep import sweep
from fallline.cli.tune import tune
from fallline.errors import FalllineError

__all__ = ["app", "main"]

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    run,
    compare,
    basins,
    sweep,
    tune,
    fit,
    predict,
    check,
    chain,
    optimizers,
    landscapes,
    conventions,
    demo,
):
    app.command(epilog=EPILOGS[command.__name__])(command)

# The command line's names for arguments of the Python functions.
FLAGS = {
    name: "--" + name.replace("_", "-")
    for name in (
        "max_steps",
        "batch_size",
        "batch_order",
        "batch_remainder",
        "seed",
        "nearby",
        "gradient",
        "schedule",
        "optimizer",
        "target",
        "features",
        "sample_weight",
        "class_weight",
        "model",
        "reduction",
        "checkpoint",
        "categories",
        "separator",
        "decimal",
        "encoding",
        "header",
        "na",
        "missing",
        "constant",
        "holdout",
        "epochs",
        "l1",
        *(name for name, _, _ in model_settings()),
        "box",
        "resolution",
        "grid",
        "space",
        "trials",
        "store",
        "csv",
        "cluster",
    )
} | {
    "x0": "--start",
    "x": "--at",
    "data": "DATA",
    "objective": "OBJECTIVE",
    "formula": "OBJECTIVE",
    "optimizers": "--optimizer",
    "seeds": "--seed",
    "order": "--batch-order",
    "remainder": "--batch-remainder",
    "scheme": "--gradient: scheme",
    "Perturbation": "--gradient",
}


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fallline {fallline.__version__}")
        raise typer.Exit


@app.callback(epilog=EPILOGS["fallline"])
def _fallline(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """A workbench for gradient descent: run an update rule, record every step, see what happened and why."""


def main() -> None:
    """Run the command that `sys.argv` asks for and exit: 0, 2 after a user's mistake, 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        # No warnings when a run overflows: its table shows it.
        with np.errstate(all="ignore"):
            code = app(_formula_last(sys.argv[1:]) or ["--help"], prog_name="fallline", standalone_mode=False)
    except FalllineError as error:
        code = _complain(error.told(_flag))
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "fallline"
        code = _complain(f"{error.format_message().rstrip('.')}; see {path} --help")
    sys.exit(code)


def _formula_last(arguments: list[str]) -> list[str]:
    """The arguments, with an objective such as -x**2 moved behind --, so that it is not parsed as an option."""
    if arguments[:1] not in (["run"], ["compare"], ["basins"], ["sweep"], ["tune"], ["check"], ["chain"]):
        return arguments
    place = 1
    while place < len(arguments) and arguments[place].startswith("--"):
        place += 1 if arguments[place] in ("--", "--json", "--latex", "--help", "-h") or "=" in arguments[place] else 2
    formula = arguments[place : place + 1]
    if not formula or formula == ["-h"] or "--" in arguments or not formula[0].startswith("-"):
        return arguments
    return [*arguments[:place], *arguments[place + 1 :], "--", *formula]


def _complain(message: str) -> int:
    print("fallline:", " ".join(message.split()), file=sys.stderr)
    return 2


def _flag(parameter: str) -> str:
    """The command line's name for a parameter of the Python functions."""
    return FLAGS.get(parameter, parameter)
