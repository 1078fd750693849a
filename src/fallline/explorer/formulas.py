"""The formulas of rules for the page: MathML in a short spelling, each line once."""

from __future__ import annotations

import re
from typing import Any

import sympy

from fallline.errors import FalllineError
from fallline.optimizers import Optimizer
from fallline.optimizers.latex import with_short_memory
from fallline.optimizers.lines import Letter, lines_of
from fallline.optimizers.mathml import as_mathml

# MathML's elements, by the letters that stand for them.
ELEMENTS = {
    "r": "mrow", "i": "mi", "n": "mn", "o": "mo", "b": "msub", "p": "msup", "x": "msubsup", "f": "mfrac", "q": "msqrt",
    "k": "mroot", "v": "mover", "t": "mtext", "T": "mtable", "R": "mtr", "D": "mtd",
}  # fmt: skip
# Operators that stand without their element, and the sign of multiplication that is not seen, which is a dot then.
_ALONE, _TIMES = "-+=(),∑∇…{‖⟨⟩", "\u2062"
# Symbols that stand for these settings.
_USUAL = {"η": "learning_rate", "ε": "epsilon"}
_LETTERS = {element: letter for letter, element in ELEMENTS.items()}


def formula_of(rule: Optimizer[Any]) -> list[tuple[str, str]]:
    """The lines of a rule: what each says that what becomes, shortened; none if its code is no formula."""
    return [(shortened(left), shortened(right)) for left, right in lines_in_mathml(rule)]


def lines_in_mathml(rule: Optimizer[Any]) -> list[tuple[str, str]]:
    """The same in MathML, as `fallline.optimizers.mathml.table` takes it; settings are marked."""
    try:
        step = lines_of(with_short_memory(rule), all_names=True)
    except FalllineError:
        return []

    def written(expression: Any, **settings: Any) -> str:
        return "<mo>…</mo>" if expression is None else as_mathml(expression, step.letters, marked=True, **settings)

    slope = f"<mrow><mo>∇</mo><mi>f</mi><mo>(</mo>{written(step.place)}<mo>)</mo></mrow>"
    rows = [(written(step.symbols[step.recorded.gradient]), slope)]
    rows += [(written(line.symbol), written(line.expression)) for line in step.lines]
    before = step.symbols[step.recorded.x]
    return [*rows, (written(step.change.symbol), written(step.change.expression, taken_from=before))]


def symbol_of(path: str, latex: str | None) -> str:
    """A setting's symbol, or its name if it has none; shortened, and not marked."""
    symbol = sympy.Symbol(path)
    letters = {symbol: Letter(path.split(".")[-1], symbol=latex, setting=path)}
    return shortened(as_mathml(symbol, letters))


def shortened(mathml: str) -> str:
    """MathML with one letter for each element, and square brackets around what is in it.

    A quantity of this step is c[...], one of the last step l[...]; an operator of one sign, a whole number, the rate
    and epsilon stand alone.

    >>> shortened('<mrow><msub><mi data-setting="beta1">β</mi><mn>1</mn></msub><mo>-</mo><mn>1</mn></mrow>')
    'r[b[i:beta1[β]1]-1]'
    >>> shortened("<msub><mi>m</mi><mi>t</mi></msub>")
    'c[m]'
    """
    if "[" in mathml or "]" in mathml:
        raise ValueError("square brackets stand for elements")

    def tag(found: re.Match[str]) -> str:
        end, element, setting = found.groups()
        return "]" if end else f"{_LETTERS[element]}{f':{setting}' if setting else ''}["

    short = re.sub(r'<(/?)(\w+)(?: data-setting="([^"]*)")?>', tag, mathml)
    short = re.sub(r"b\[i\[([^][]*)\]i\[t\]\]", r"c[\1]", short)
    short = re.sub(r"b\[i\[([^][]*)\]r\[i\[t\]o\[-\]n\[1\]\]\]", r"l[\1]", short)
    short = re.sub(rf"o\[([{re.escape(_ALONE)}])\]", r"\1", short)
    short = re.sub(r"(?<!\d)n\[(\d+)\](?!n\[|\d)", r"\1", short)
    for symbol, name in _USUAL.items():
        short = short.replace(f"i:{name}[{symbol}]", symbol)
    return short.replace(f"o[{_TIMES}]", ".")
