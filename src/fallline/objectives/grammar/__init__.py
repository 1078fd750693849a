"""The formula language: text is parsed to SymPy expressions by a whitelist and never evaluated.

Arithmetic (`+ - * /`, and `**` or `^` for powers), the functions of `FUNCTIONS`, the constants `pi` and `e`,
and named steps before the last line: `u = 2*x**2 - x - 2; y = 3*u + 1`. Every other name is a variable.

The expressions keep the shape of the text: nothing is reordered, cancelled or simplified, because `x/x` is
not 1 everywhere and because SymPy's simplifications have no bound on time or memory.

A text goes through `tokens`, `notation`, `definitions`, `expressions` and `terms` to a `Formula`.
"""

from __future__ import annotations

from fallline.objectives.grammar.conversion import from_sympy
from fallline.objectives.grammar.formula import Formula
from fallline.objectives.grammar.reading import MAX_CHARACTERS, parse
from fallline.objectives.grammar.words import CONSTANTS, FUNCTIONS, ON_NUMBERS

__all__ = ["CONSTANTS", "FUNCTIONS", "MAX_CHARACTERS", "ON_NUMBERS", "Formula", "from_sympy", "parse"]
