"""The formula language: text is parsed to expressions by a whitelist and never evaluated.

Arithmetic (`+ - * /`, and `**` or `^` for powers), the functions of `FUNCTIONS` and `WRITTEN`, the constants `pi` and
`e`, conditions in `where(x > 0, a, b)`, sums such as `sum(x[i]**2, i=1..3)`, and named steps before the last line:
`u = 2*x**2 - x - 2; y = 3*u + 1`. Every other name is a variable. What mathematics leaves out may be left out where
one reading is possible: `2x`, `3(x + 1)`, `x²`, `|x|`, `sin x`; the reading is shown back.

The expressions keep the shape of the text: nothing is reordered, cancelled or simplified, because `x/x` is
not 1 everywhere and because simplifications have no bound on time or memory.

A text goes through `tokens`, `syntax`, `definitions` and `terms` to a `Formula`; SymPy only shows it.
"""

from __future__ import annotations

from fallline.objectives.grammar.formula import Formula
from fallline.objectives.grammar.reading import MAX_CHARACTERS, parse
from fallline.objectives.grammar.words import CONSTANTS, FUNCTIONS

__all__ = ["CONSTANTS", "FUNCTIONS", "MAX_CHARACTERS", "Formula", "parse"]
