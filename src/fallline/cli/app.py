"""The commands of the command line, and errors as one line on stderr."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import numpy as np
import typer
import typer.core

import fallline
from fallline.errors import FalllineError

# Each is the function of this name in the module of this name.
COMMANDS = (
    "run",
    "compare",
    "basins",
    "sweep",
    "tune",
    "fit",
    "predict",
    "diagnose",
    "explain",
    "explore",
    "check",
    "chain",
    "optimizers",
    "landscapes",
    "conventions",
    "demo",
)

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
        "box",
        "resolution",
        "grid",
        "space",
        "trials",
        "store",
        "csv",
        "cluster",
        "engine",
        "device",
        "proof_seconds",
        "step",
        "most",
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


# \b keeps the line breaks.
EPILOG = '\b\nExample:\n  fallline run "x**2 + 8*sin(x)" --start 10 --optimizer momentum --learning-rate 0.05'


class Conversion:
    """The conversion of a parameter's value by its parser alone: Typer's own imports pydantic for it.

    Arguments:
        parser: the function that converts one text; None: a text stays what it is.
    """

    def __init__(self, parser: Callable[[str], Any] | None) -> None:
        self._parser = parser or str

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value of the parameter, or the list of its values if it may be repeated."""
        several = param.multiple or param.nargs == -1
        if value is None or isinstance(value, bool):
            return () if several else value
        return [self._parser(text) for text in value] if several else self._parser(value)


def _convert_by_parsers(parameters: Iterable[Any]) -> None:
    for parameter in parameters:
        parameter._runtime_param = Conversion(parameter.type_descriptor.parameter_info.parser)


class Program(typer.core.TyperGroup):
    """The commands together."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _convert_by_parsers(self.get_params(ctx))
        return super().parse_args(ctx, args)


class Command(typer.core.TyperCommand):
    """A command whose epilog is made when its help is shown, since it lists rules, schedules and landscapes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _convert_by_parsers(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        from fallline.cli.epilogs import EPILOGS

        self.epilog = EPILOGS[str(self.name)]
        super().format_epilog(ctx, formatter)


def app_of(commands: Iterable[str]) -> typer.Typer:
    """The application with these commands; only their modules are imported."""
    app = typer.Typer(
        cls=Program,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(epilog=EPILOG)(_fallline)
    for command in commands:
        app.command(cls=Command)(getattr(importlib.import_module(f"fallline.cli.{command}"), command))
    return app


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fallline {fallline.__version__}")
        raise typer.Exit


def _fallline(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """A workbench for gradient descent: run an update rule, record every step, see what happened and why."""


def main() -> None:
    """Run the command that `sys.argv` asks for and exit: 0, 2 after a user's mistake, 130 after Ctrl-C."""
    arguments = _formula_last(sys.argv[1:]) or ["--help"]
    app = app_of(arguments[:1] if arguments[0] in COMMANDS else COMMANDS)
    try:
        # No warnings when a run overflows: its table shows it. Others are told in one line.
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.showwarning = lambda message, *_: print(f"warning: {message}", file=sys.stderr)
            code = app(arguments, prog_name="fallline", standalone_mode=False)
    except FalllineError as error:
        code = _complain(error.told(_flag))
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "fallline"
        code = _complain(f"{error.format_message().rstrip('.')}; see {path} --help")
    sys.exit(code)


def _formula_last(arguments: list[str]) -> list[str]:
    """The arguments, with an objective such as -x**2 moved behind --, so that it is not parsed as an option."""
    if arguments[:1] not in (["run"], ["compare"], ["basins"], ["sweep"], ["tune"], ["check"], ["chain"], ["explore"]):
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
    if parameter in FLAGS:
        return FLAGS[parameter]
    from fallline.cli.fit import model_settings

    settings = (name for name, _, _ in model_settings())
    return f"--{parameter.replace('_', '-')}" if parameter in settings else parameter
