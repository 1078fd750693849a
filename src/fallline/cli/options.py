"""Single options that several commands share, and their parsers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from fallline.errors import FalllineError


def number(text: str) -> float:
    """Parse an option of type NUMBER; typer adds the option's name to the error."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number") from None


def count(text: str) -> int:
    """Parse an option of type COUNT."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number") from None


def path(text: str) -> Path:
    """Parse an option of type FILE or DIR."""
    if not text:
        raise typer.BadParameter("'' is no name of a file or folder")
    return Path(text)


def value_of(text: str) -> Any:
    """A number, true or false, or a word such as a convention's name."""
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text.strip()


def number_option(flag: str, text: str) -> Any:
    """An option that takes a number."""
    return typer.Option(flag, parser=number, metavar="NUMBER", help=text)


def count_option(flag: str, text: str) -> Any:
    """An option that takes a whole number."""
    return typer.Option(flag, parser=count, metavar="COUNT", help=text)


def file_option(flag: str, text: str) -> Any:
    """An option that takes the name of a file."""
    return typer.Option(flag, parser=path, metavar="FILE", help=text)


MaxStepsOption = Annotated[int, count_option("--max-steps", "Stop after this many steps.")]
TargetOption = Annotated[float | None, number_option("--target", "Stop when the value is at most this.")]
BatchSizeOption = Annotated[int | None, count_option("--batch-size", "Rows per step. [default: all]")]
GradientOption = Annotated[
    str,
    typer.Option(
        "--gradient",
        metavar="KIND",
        help="auto, symbolic, autodiff, perturbation:STEP:SCHEME, or FILE.py:NAME, a function in a file, which is run.",
    ),
]
SeedOption = Annotated[int, count_option("--seed", "The seed of the order in which batches take the data.")]
SeedsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--seed",
        metavar="COUNT",
        help="The seed of everything random, or several, FIRST-LAST; may be repeated. [default: 0]",
    ),
]
EveryOption = Annotated[int | None, count_option("--every", "Print every COUNT-th step. [default: about 20 rows]")]
SaveOption = Annotated[
    Path | None, file_option("--save", "Save the whole trajectory: .npz, for Trajectory.load; or the recipe: .toml.")
]
CheckpointOption = Annotated[
    Path | None,
    file_option("--checkpoint", "Save during the run; the same command continues from there, even after kill -9."),
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object instead; a number that is not finite is null."),
]


def seeds_of(texts: Sequence[str]) -> list[int]:
    """The seeds that --seed gives: whole numbers, or the first and the last of several.

    Raises:
        FalllineError: quoting a range that has none.

    >>> seeds_of(["7", "0-3"])
    [7, 0, 1, 2, 3]
    """
    seeds: list[int] = []
    for text in texts:
        ends = re.fullmatch(r"(\d+)-(\d+)", text)
        first, last = map(int, ends.groups()) if ends else (count(text),) * 2
        if last < first:
            raise FalllineError("--seed", text, f"write {last}-{first}, the first and the last")
        seeds += range(first, last + 1)
    return seeds


def parse_start(text: str, flag: str = "--start") -> list[float] | dict[str, float]:
    """Parse a start or another point: numbers in order, or each with its coordinate's name.

    Raises:
        FalllineError: quoting what is wrong.

    >>> parse_start("0,-1"), parse_start("x=0,y=-1")
    ([0.0, -1.0], {'x': 0.0, 'y': -1.0})
    """
    named: dict[str, float] = {}
    numbers: list[float] = []
    for part in text.split(","):
        name, equals, figure = part.rpartition("=")
        name = name.strip()
        try:
            value = float(figure)
        except ValueError:
            raise FalllineError(
                flag, text, "write 10, or 0,-1, or x=0,y=-1", problem=f"where {part!r} is not a number"
            ) from None
        if not equals:
            numbers.append(value)
        elif name in named:
            raise FalllineError(flag, text, "give each coordinate once", problem=f"which gives {name} twice")
        else:
            named[name] = value
    if named and numbers:
        raise FalllineError(flag, text, "name every coordinate, or none")
    return named or numbers
