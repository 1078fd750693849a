"""NumPy's functions on SymPy's symbols, as the formulas of rules use them."""

from __future__ import annotations

from typing import Any

import sympy

from fallline.optimizers.base import SMALLEST
from fallline.proxy import Library


def largest(*parts: Any) -> Any:
    """The maximum, without the guard against 0 / 0, which is left out of formulas."""
    return sympy.Max(*(part for part in parts if part != SMALLEST))


class Verbatim(sympy.Function):  # type: ignore[misc]
    """A function that SymPy does not know; it is only printed, never simplified."""

    is_extended_real = True

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        # A printer of numbers has one for the whole.
        number = printer._settings["symbol_names"].get(self)
        text = number or self.written(*map(printer.doprint, self.shown))
        return text if exp is None else rf"{{{text}}}^{{{exp}}}"

    @property
    def shown(self) -> tuple[Any, ...]:
        """The parts that are printed: its arguments, unless a function says otherwise."""
        return tuple(self.args)

    def written(self, *parts: str) -> str:
        """The LaTeX of the function of these parts."""
        raise NotImplementedError


class Norm(Verbatim):
    """The norm of the vector that has this expression in each coordinate."""

    def written(self, *parts: str) -> str:
        return rf"\left\|{parts[0]}\right\|"


class Total(Verbatim):
    """The sum of this expression over the coordinates: a scalar product, their number, or another."""

    @property
    def shown(self) -> tuple[Any, ...]:
        """The two vectors of a scalar product, nothing for the number of coordinates, or the expression."""
        (inside,) = self.args
        if inside == 1:
            return ()
        if inside.is_Pow and inside.exp == 2:
            return inside.base, inside.base
        is_product = inside.is_Mul and len(inside.args) == 2 and not inside.args[0].is_Number
        return tuple(inside.args if is_product else self.args)

    def written(self, *parts: str) -> str:
        if len(parts) == 2:
            return rf"\left\langle {', '.join(parts)} \right\rangle"
        return rf"\sum\left({parts[0]}\right)" if parts else "n"


class Highest(Verbatim):
    """The largest of this expression over the coordinates."""

    def written(self, *parts: str) -> str:
        return rf"\max\left({parts[0]}\right)"


class StandardNormal(Verbatim):
    """The standard normal noise of a seed, a step and a coordinate."""

    def written(self, *parts: str) -> str:
        return r"\xi_{t}"


class Where(Verbatim):
    """One expression where a condition holds, else another; unlike Piecewise, it is not simplified."""

    def written(self, *parts: str) -> str:
        condition, yes, no = parts
        return rf"\begin{{cases}} {yes} & \text{{if }} {condition} \\ {no} & \text{{otherwise}} \end{{cases}}"


def positive_first(terms: list[Any]) -> list[Any]:
    """The terms of a sum as they are written: those without a minus before the others."""
    return sorted(terms, key=lambda term: bool(term.could_extract_minus_sign()))


def where(condition: Any, yes: Any, no: Any) -> Any:
    """The choice, without a repeated choice on the same condition inside it, which only guards a quotient."""
    if isinstance(condition, bool):
        return yes if condition else no
    inside = {part: part.args[1] for part in sympy.S(yes).atoms(Where) if part.args[0] == condition}
    return Where(condition, sympy.S(yes).xreplace(inside), no)


SYMPY: Library = {
    "sqrt": sympy.sqrt,
    "sign": sympy.sign,
    "exp": sympy.exp,
    "log": sympy.log,
    "tanh": sympy.tanh,
    "cumsum": lambda x, axis: x,
    "equal": sympy.Eq,
    "not_equal": sympy.Ne,
    "norm": lambda x, axis=None, keepdims=False: Norm(x),
    "standard_normal": lambda seed, step, coordinate: StandardNormal(seed, step, coordinate),
    "sum": lambda x, axis=None, keepdims=False: Total(x),
    "max": lambda x, axis=None, keepdims=False: Highest(x),
    "zeros_like": lambda x: sympy.S.Zero,
    "ones_like": lambda x: sympy.S.One,
    "clip": lambda x, low, high: sympy.Min(sympy.Max(x, low), high),
    "cbrt": lambda x: sympy.Pow(x, sympy.Rational(1, 3)),
    "sin": sympy.sin,
    "cos": sympy.cos,
    "log1p": lambda x: sympy.log(1 + x),
    "expm1": lambda x: sympy.exp(x) - 1,
    "maximum": largest,
    "minimum": sympy.Min,
    "where": where,
}
