"""The page reads formulas as Python does: accepted or refused alike, in the same words, with the same values."""

from __future__ import annotations

import math
import os
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.explorer.formulas import HOSTILE, TRAPS, corpus, texts
from tests.explorer.node import built, outcomes

from fallline.errors import FalllineError
from fallline.objectives.compiled import ON_ARRAYS
from fallline.objectives.formula import FormulaObjective
from fallline.objectives.grammar import parse
from fallline.objectives.landscapes import LANDSCAPES
from fallline.objectives.straight_line import StraightLine

# Two of them at kinks, where a root or a quotient has no finite slope.
POINTS = [[0.7, -0.4, 1.3], [1.9, 2.3, 0.2], [-1.2, 0.6, -0.8], [0.0, 0.0, 0.0], [1.0, -1.0, 0.0]]
# Functions whose last bits differ from library to library; by at most so many of them.
ROUNDED = ["sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "exp", "log", "log1p", "cbrt",
           "sigmoid", "erf", "power", "whole_power", "times_log"]  # fmt: skip
LAST_BITS = 4
TRIALS = 12


def textbook() -> list[str]:
    lines = Path(__file__).parents[1].joinpath("objectives", "formulas.txt").read_text(encoding="utf-8").split("\n")
    return [line.split("\t")[0] for line in lines if line and not line.startswith("# ")]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("programs"))


def fault_of(text: str) -> str | None:
    try:
        parse(text)
    except FalllineError as error:
        return str(error)
    return None


def points_of(objective: FormulaObjective) -> np.ndarray[Any, Any]:
    return np.array([[point[i % 3] for i in range(objective.dimension)] for point in POINTS])


def moved(objective: FormulaObjective, points: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """The value and gradient with the last bits of all functions changed, some times over."""
    draw = random.Random(0)

    def shaken(function: Any) -> Any:
        def shake(*parts: Any) -> Any:
            return function(*parts) * (1 + draw.randint(-LAST_BITS, LAST_BITS) * 2.0**-52)

        return shake

    def of_zeros(function: Any) -> Any:
        """Of two zeros of unlike signs, either may be the least or the largest."""

        def either(*parts: Any) -> Any:
            found = function(*parts)
            return np.where(found == 0, draw.choice([-0.0, 0.0]), found)

        return either

    code = StraightLine(objective.formula)
    shaky = {name: shaken(ON_ARRAYS[name]) for name in ROUNDED} | {"computed": shaken(float)}
    shaky |= {name: of_zeros(ON_ARRAYS[name]) for name in ("min", "max")}
    names = {**ON_ARRAYS, **shaky, "inf": np.inf, "nan": np.nan}
    # Functions of constants stand there as numbers of many digits.
    source = code.source([code.result, *code.gradient()])
    source = re.sub(r"(?<![\w.])\d+\.\d{9,}(e[+-]\d+)?", r"computed(\g<0>)", source)
    exec(source, names)  # noqa: S102 - our own code
    with np.errstate(all="ignore"):
        return [
            np.array([[np.ravel(number)[0] for number in names["f"](*point[:, None])] for point in points])
            for _ in range(TRIALS)
        ]


def check_values(objective: FormulaObjective, found: list[list[str]], text: str) -> None:
    """Equal to 1e-13 of the value or, where rounding moves Python's own result farther, to what it moves."""
    points = points_of(objective)
    values, gradients = objective.value(points), objective.gradient(points)
    right = np.column_stack([values, gradients])
    numbers = np.array([[float(number) for number in row] for row in found])
    assert numbers.shape == right.shape
    with np.errstate(all="ignore"):
        off = np.abs(numbers - right)
        wrong = ~((off <= 1e-13 * np.abs(right)) | (numbers == right) | (np.isnan(numbers) & np.isnan(right)))
    if not wrong.any():
        return
    trials = moved(objective, points)
    for place in zip(*np.nonzero(wrong), strict=True):
        tried = [trial[place] for trial in trials]
        if all(map(math.isfinite, [*tried, right[place], numbers[place]])):
            spread = max(abs(number - right[place]) for number in tried)
            # Below the normal floats, the last bit is no relative one.
            assert off[place] <= 1e-13 * abs(right[place]) + 10 * spread + 1e-300, (text, place)
        else:
            # Infinite or NaN on one side: it must be so for some rounding here.
            kinds = {str(number) for number in [*tried, right[place]] if not math.isfinite(number)} | (
                {"finite"} if any(map(math.isfinite, [*tried, right[place]])) else set()
            )
            kind = "finite" if math.isfinite(numbers[place]) else str(numbers[place])
            assert len(kinds) > 1, (text, place, numbers[place], right[place])
            assert kind in kinds, (text, place, numbers[place], right[place])


def compare(programs: Path, written: list[str]) -> tuple[int, int]:
    """Compare the page with Python on these texts; return how many it accepts and refuses."""
    found = outcomes(programs, [{"text": text, "points": POINTS} for text in written])
    accepted = 0
    for text, outcome in zip(written, found, strict=True):
        fault = fault_of(text)
        assert outcome.get("error") == fault, text
        if fault is not None:
            assert 0 <= outcome["start"] <= outcome["end"], text
            continue
        accepted += 1
        here = FormulaObjective.from_text(text)
        formula = here.formula
        assert outcome["names"] == list(formula.variables), text
        assert (outcome["text"], outcome["symbol"]) == (formula.text, formula.name), text
        assert outcome["reading"] == here.reading, text
        check_values(here, outcome["at"], text)
        assert outcome["taped"] == outcome["at"], text
    return accepted, len(written) - accepted


def test_the_page_reads_traps_and_textbooks_as_python_does(programs: Path) -> None:
    compare(programs, [*TRAPS, *textbook()])


@pytest.mark.long
def test_the_page_reads_the_corpus_as_python_does(programs: Path) -> None:
    written = list(dict.fromkeys([*corpus(), *textbook(), *(landscape.formula for landscape in LANDSCAPES.values())]))
    accepted, refused = compare(programs, written)
    assert accepted > 1_000
    assert refused > 1_000
    assert accepted + refused >= 3_000


@pytest.mark.long
def test_the_page_reads_what_nobody_has_written_yet_as_python_does(programs: Path) -> None:
    compare(programs, texts(int(os.environ["FALLLINE_FUZZ_SEED"]), 500))


@pytest.mark.long
def test_hostile_texts_are_read_in_time_and_as_python_reads_them(programs: Path) -> None:
    found = outcomes(programs, [{"text": text, "points": POINTS[:1]} for text in HOSTILE])
    for text, outcome in zip(HOSTILE, found, strict=True):
        assert outcome.get("error") == fault_of(text), text[:40]


def ulps(found: list[list[str]], right: list[float]) -> list[float]:
    return [abs(float(row[0]) - number) / math.ulp(number) for row, number in zip(found, right, strict=True)]


def test_the_error_function_is_that_of_the_c_library(programs: Path) -> None:
    at = [*np.linspace(-7, 7, 1999).tolist(), 1e-300, 1e-20, 1e-8, 2.0, -2.0, 0.0]
    (outcome,) = outcomes(programs, [{"text": "erf(x)", "points": [[x] for x in at]}])
    # A handful of roundings of the series; its complement decides far out, where all but one are lost.
    assert max(ulps(outcome["at"], [math.erf(x) for x in at])) <= 8


def test_powers_are_those_of_the_c_library(programs: Path) -> None:
    draw = random.Random(5)
    at = [[math.exp(draw.uniform(-20, 20)), draw.uniform(-30, 30)] for _ in range(3_000)]
    at += [[1 - 2.0**-k, 2.0**j] for k in range(1, 50) for j in range(12)]
    at += [[0.999, n] for n in range(1, 1000)]
    (outcome,) = outcomes(programs, [{"text": "x**y", "points": at}])
    off = ulps(outcome["at"], [base**exponent for base, exponent in at])
    # Computed to ten bits more than a float has, so at most the last rounding differs, and seldom.
    assert max(off) <= 1
    assert sum(map(bool, off)) < 0.01 * len(off)
    special = [
        *[[0.0, -1.0], [-8.0, 1 / 3], [-2.0, 3.0], [-2.0, 2.0], [1.0, math.nan], [math.inf, 0.5], [0.0, 0.0]],
        *[[-1.0, math.inf], [1e-320, 2.0], [1e-320, 0.5], [2.0, 1e300], [0.5, 1e300], [-0.0, -3.0], [1e300, 1.0000001]],
    ]
    rows = [
        {"text": "x**y", "points": [[str(number).replace("inf", "Infinity") for number in pair] for pair in special]}
    ]
    (outcome,) = outcomes(programs, rows)
    with np.errstate(all="ignore"):
        right = [float(np.power(base, exponent)) for base, exponent in special]
    assert [float(row[0]) for row in outcome["at"]] == pytest.approx(right, rel=2.3e-16, nan_ok=True)
