"""A formula as an objective: its value and its exact gradient.

At a kink the gradient is the symmetric one: the derivative of `abs` and of `sign` is 0 at 0, and arguments of
`min` or `max` that tie share the derivative equally. Outside a function's domain value and gradient are NaN, on
overflow infinite, without a warning. A root of a negative number is NaN, also `x**(1/3)`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.objectives.base import Objective
from fallline.objectives.compiled import Compiled
from fallline.objectives.differences import mended
from fallline.objectives.grammar import Formula, parse
from fallline.objectives.hessian_product import HessianProduct
from fallline.objectives.straight_line import SINGULAR, StraightLine, is_root

if TYPE_CHECKING:
    import sympy

    from fallline.objectives.symbolic import Symbolic


class FormulaObjective(Objective):
    """A formula, minimised with its symbolic gradient.

    Args:
        formula: what `fallline.objectives.grammar.parse` returns.

    Attributes:
        formula: the formula, with its steps.

    >>> bowl = FormulaObjective.from_text("x**2 + 3*y**2")
    >>> bowl.value_and_gradient(np.array([[1.0, 2.0]]))
    (array([13.]), array([[ 2., 12.]]))
    """

    gradient_kind = "symbolic"

    def __init__(self, formula: Formula) -> None:
        self.formula = formula
        self.symbol = formula.name
        self.names = formula.variables
        self._value, self._gradient, self._both = _compiled(formula)

    @classmethod
    def from_text(cls, text: str) -> FormulaObjective:
        """The objective of a formula text.

        >>> FormulaObjective.from_text("u = x - 1; u**2").names
        ('x',)
        """
        return cls(parse(text))

    @classmethod
    def from_sympy(cls, expression: sympy.Expr) -> FormulaObjective:
        """The objective of a SymPy expression.

        >>> import sympy
        >>> FormulaObjective.from_sympy(sympy.Symbol("a") ** 2).title
        'a**2'
        """
        from fallline.objectives.grammar.conversion import from_sympy

        return cls(from_sympy(expression))

    @functools.cached_property
    def analytic(self) -> bool:  # type: ignore[override]
        parts = (part for _, expression in self.formula.lines for part in expression.walk())
        return not any(part.operation in ("abs", "sign") for part in parts)

    @property
    def title(self) -> str:
        """The formula's text."""
        return self.formula.text

    @property
    def reading(self) -> str | None:
        """How the text was understood, unless it has every sign itself.

        >>> FormulaObjective.from_text("2x + sin²x").reading
        '2*x + sin(x)**2'
        """
        written = "".join(self.formula.text.replace("^", "**").split())
        return None if written == "".join(self.formula.reading.split()) else self.formula.reading

    def value(self, x: FloatArray) -> FloatArray:
        """The value at each point: shape (..., dimension) to (...). A complex `x` gives complex values."""
        value: FloatArray = self._value(x)[..., 0]
        return value

    def gradient(self, x: FloatArray) -> FloatArray:
        """The gradient at each point, in the shape of x: (..., dimension)."""
        return self._gradient(x)

    def value_and_gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Both at once; equal subexpressions are computed once."""
        outputs = self._both.at_one_point(x)
        if outputs is not None:
            row = np.array(outputs)
            return row[:1], row[None, 1:]
        rows = self._both(x)
        return rows[..., 0].copy(), rows[..., 1:].copy()

    def hessian_vector(self, x: FloatArray, vector: FloatArray) -> FloatArray:
        """The product of the Hessian and a vector at each point, at the cost of a few gradients.

        Exact to rounding; by differences of the gradient, good to about nine digits, where the gradient's derivative
        overflows on the way, as that of tanh(x) at 400.

        Arguments:
            x: the points, shape (..., dimension).
            vector: shape (dimension,), or one for each point.

        >>> FormulaObjective.from_text("x**2*y").hessian_vector(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
        array([4., 2.])
        """
        vector = np.broadcast_to(vector, x.shape)
        product = _product(self.formula)(np.concatenate([x, vector], axis=-1))
        lost = ~np.isfinite(product).all(axis=-1)
        if lost.any():
            product[lost] = mended(product[lost], self, x[lost], vector[lost])
        return product

    def on_floats(self, x: Sequence[float], place: Sequence[float] | None) -> tuple[float, Sequence[float]]:
        """The value at x, and the gradient at `place` (None: at x), on floats: the same bits as on arrays, faster.

        Raises:
            ArithmeticError: where the result has to be computed on arrays.
        """
        if place is None:
            value, *gradient = self._both.on_floats(*x)
            return value, gradient
        return self._value.on_floats(*x)[0], self._gradient.on_floats(*place)

    def kink(self, x: FloatArray) -> str | None:
        """What in the formula has no finite slope at a point: a root or another power of 0, asin or acos of ±1.

        >>> FormulaObjective.from_text("1 - sqrt(x)").kink(np.array([0.0]))
        'kink in sqrt at 0'
        """
        code = StraightLine(self.formula)
        singular = [part for part in code.known if is_root(part) or part.operation in SINGULAR]
        if not singular:
            return None
        inside = Compiled(code, [code.node(code.known[part.parts[0]]) for part in singular])(x.reshape(1, -1))[0]
        for part, argument in zip(singular, inside.tolist(), strict=True):
            if abs(argument) == (1 if part.operation in ("asin", "acos") else 0):
                exponent = part.parts[-1].detail
                power = "sqrt" if exponent == 1 / 2 else f"the power {float(exponent):g}" if is_root(part) else ""
                return f"kink in {power or part.operation} at {argument:g}"
        return None

    def recipe(self) -> dict[str, Any]:
        """The text, from which everything else is made."""
        return {"formula": self.formula.text}

    def __reduce__(self) -> tuple[Callable[[str], FormulaObjective], tuple[str], dict[str, Any]]:
        # What is known of a landscape stays with it.
        known = {name: value for name, value in vars(self).items() if name in ("bounds", "minima")}
        return FormulaObjective.from_text, (self.formula.text,), known

    @functools.cached_property
    def symbolic(self) -> Symbolic:
        """The formula in SymPy, to be shown."""
        from fallline.objectives.symbolic import Symbolic

        return Symbolic(self.formula)

    def latex(self) -> str:
        """The steps and the last line in LaTeX, as written."""
        return self.symbolic.latex()

    def _repr_latex_(self) -> str | None:
        """The formula in a notebook; None where it is too large to be shown."""
        try:
            return f"${self.latex()}$"
        except FalllineError:
            return None

    def derivatives(self) -> tuple[sympy.Expr, ...]:
        """The partial derivatives in terms of the variables, simplified by SymPy, for display.

        Raises:
            FalllineError: when the formula is too large to be written out.

        >>> FormulaObjective.from_text("u = 2*x**2 - x - 2; y = 3*u + 1").derivatives()
        (12*x - 3,)
        """
        return self.symbolic.derivatives()


@functools.lru_cache(maxsize=16)
def _compiled(formula: Formula) -> tuple[Compiled, Compiled, Compiled]:
    """The value, the gradient, and both at once."""
    code = StraightLine(formula)
    outputs = [code.result, *code.gradient()]
    return Compiled(code, outputs[:1]), Compiled(code, outputs[1:]), Compiled(code, outputs)


@functools.lru_cache(maxsize=16)
def _product(formula: Formula) -> Compiled:
    """The product of the Hessian and a vector, as a function of a point followed by the vector."""
    code = HessianProduct(formula)
    return Compiled(code, code.product())
