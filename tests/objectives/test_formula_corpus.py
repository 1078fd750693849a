"""Formulas as in textbooks and forums: read as a mathematician reads them, or refused with the right advice.

A line of formulas.txt is a text, a tab, what it means, and perhaps a tab and where its variables are drawn from. The
meaning is a Python expression; `! a & b | c` for a refusal that advises both a and b, or c; or `? expression ! advice`
where either is right.
"""

from __future__ import annotations

import ast
import math
import random
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import numpy as np
import pytest

from fallline.errors import FalllineError
from fallline.objectives.formula import FormulaObjective

MATHEMATICS = {name: value for name, value in vars(math).items() if name not in ("gamma", "lgamma")} | {
    "abs": abs, "min": min, "max": max, "sum": sum, "range": range,
}  # fmt: skip


def rows() -> Iterator[tuple[str, str, str]]:
    for line in Path(__file__).with_name("formulas.txt").read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith("# "):
            text, meaning, *domains = line.split("\t")
            yield ("" if text == "@EMPTY" else text), meaning, domains[0] if domains else ""


def plain(name: str) -> str:
    """x1, x_1 and x[1] are one variable."""
    return re.sub(r"[\[\]_]", "", unicodedata.normalize("NFKC", name))


def squeezed(text: str) -> str:
    """A text in which blanks, capitals and the way a power is written do not matter."""
    return re.sub(r"\s+", "", text).replace("**", "^").replace("·", "*").lower()


def variables(tree: ast.AST) -> list[str]:
    nodes = list(ast.walk(tree))
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return sorted({node.id for node in nodes if isinstance(node, ast.Name)} - stored - MATHEMATICS.keys())


def value(code: CodeType, at: dict[str, float]) -> float:
    try:
        found = eval(code, MATHEMATICS | at)  # noqa: S307 - the texts are ours
    except (ValueError, ZeroDivisionError):
        return math.nan
    except OverflowError:
        return math.inf
    return math.nan if isinstance(found, complex) else float(found)


def check_means(objective: FormulaObjective, meaning: str, domains: str) -> None:
    tree = ast.parse(meaning, mode="eval")
    code = compile(tree, meaning, "eval")
    bounds = {name: (float(low), float(high)) for name, low, high in re.findall(r"(\S+)=(\S+)\.\.([^\s,]+)", domains)}
    draw = random.Random(meaning)
    assert {plain(name) for name in objective.names} == {plain(name) for name in variables(tree)}
    for _ in range(5):
        at = {name: draw.uniform(*bounds.get(name, (0.2, 1.9))) for name in variables(tree)}
        by_name = {plain(name): number for name, number in at.items()}
        found = float(objective.value(np.array([by_name[plain(name)] for name in objective.names])))
        # Some of the sums cancel: a few hundred roundings.
        assert found == pytest.approx(value(code, at), rel=1e-12, abs=2e-13, nan_ok=True)


@pytest.mark.parametrize(("text", "meaning", "domains"), list(rows()))
def test_a_formula_is_read_as_meant_or_refused_with_the_right_advice(text: str, meaning: str, domains: str) -> None:
    if meaning.startswith("? "):
        expression, _, advice = meaning[2:].partition(" ! ")
    else:
        expression, advice = ("", meaning[2:]) if meaning.startswith("! ") else (meaning, "")
    try:
        objective = FormulaObjective.from_text(text)
    except FalllineError as error:
        message = str(error)
        assert advice, message
        assert "\n" not in message
        # What is quoted from the text, and the list of all functions, are no advice.
        told = message.replace(repr(text), " ", 1) if text.strip() else message
        told = squeezed(re.sub(r"\bat (?:'[^']*'|\"[^\"]*\"):|Allowed: [^;]*", " ", told))
        assert any(all(squeezed(part) in told for part in way.split(" & ")) for way in advice.split(" | ")), message
    else:
        assert expression, f"read as {objective.formula.reading}"
        check_means(objective, expression, domains)
        check_means(FormulaObjective.from_text(objective.formula.reading), expression, domains)
