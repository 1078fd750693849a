"""The chain rule, factor by factor: the derivation of the gradient of a formula with named steps."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import sympy

from fallline.errors import FalllineError
from fallline.objectives import as_objective
from fallline.objectives.formula import FormulaObjective
from fallline.objectives.grammar import Formula
from fallline.objectives.points import one_point
from fallline.objectives.symbolic import in_sympy
from fallline.tables import first_lines

MOST_PATHS = 1000
# Python's 1e-05 and 2.5e+20, to be rewritten for LaTeX.
POWER_OF_TEN = re.compile(r"(\d)e\+?(-?)0*(\d+)")


@dataclass(frozen=True, repr=False)
class Factor:
    """One local derivative: of the step `of` with respect to the name `by` in its formula."""

    of: str
    by: str
    formula: sympy.Expr
    number: float

    @property
    def symbol(self) -> str:
        """The derivative as text, such as ∂u/∂x."""
        return f"∂{self.of}/∂{self.by}"

    @property
    def latex_symbol(self) -> str:
        """The derivative in LaTeX."""
        return rf"\frac{{\partial {name_latex(self.of)}}}{{\partial {name_latex(self.by)}}}"

    def __repr__(self) -> str:
        return f"{self.symbol} = {equal(self.formula, self.number)}"


@dataclass(frozen=True, repr=False)
class Path:
    """One path from a coordinate to the objective: the factors along it, from the objective down."""

    factors: tuple[Factor, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The coordinate, the steps on the path and the objective."""
        return (*(factor.by for factor in reversed(self.factors)), self.factors[0].of)

    @property
    def product(self) -> float:
        """The product of the factors."""
        return math.prod(factor.number for factor in self.factors)

    def __repr__(self) -> str:
        symbols = " · ".join(factor.symbol for factor in self.factors)
        parts = [symbols, joined(" · ", [factor.number for factor in self.factors]), number(self.product)]
        return f"{' → '.join(self.names)}: {' = '.join(parts if len(self.factors) > 1 else parts[::2])}"


@dataclass(frozen=True, repr=False)
class ChainRule:
    """The chain rule of a formula at a point.

    Attributes:
        name: what the objective is called.
        values: the values of the coordinates, the steps and the objective.
        formulas: the formula of each step and of the objective.
        factors: every local derivative.
        paths: for each coordinate, the paths from the objective down to it.
    """

    name: str
    values: dict[str, float]
    formulas: dict[str, sympy.Expr]
    factors: tuple[Factor, ...]
    paths: dict[str, tuple[Path, ...]]

    def __repr__(self) -> str:
        return first_lines(self.text)

    def plot(self, path: str | os.PathLike[str] | None = None, **options: Any) -> Any:
        """Draw the graph: see `fallline.views.plot_chain`.

        >>> from fallline import chain_rule
        >>> chain_rule("u = x**2; y = 3*u", 2).plot().axes[0].get_xlabel()
        ''
        """
        return import_module("fallline.views").plot(self, path, **options)

    def drawn(self, views: Any, **options: Any) -> Any:
        """The picture, drawn by the functions of `fallline.views`."""
        return views.plot_chain(self, **options)

    @property
    def gradient(self) -> dict[str, float]:
        """The sum over the paths, for each coordinate."""
        return {name: math.fsum(path.product for path in paths) for name, paths in self.paths.items()}

    @property
    def text(self) -> str:
        """Every line of the derivation, with the numbers of the point filled in."""
        lines = [f"{name} = {equal(formula, self.values[name])}" for name, formula in self.formulas.items()]
        lines += [str(factor) for factor in self.factors]
        for coordinate, paths in self.paths.items():
            lines += [str(path) for path in paths]
            products = joined(" + ", [path.product for path in paths])
            parts = [f"d{self.name}/d{coordinate}", products, number(self.gradient[coordinate])]
            lines.append(" = ".join(parts if len(paths) > 1 else parts[::2]))
        return "\n".join(lines)

    @property
    def latex(self) -> str:
        """The same lines as an `aligned` block of LaTeX.

        >>> print(chain_rule("u = x**2; y = 3*u", 2).latex)
        \\begin{aligned}
        u &= x^{2} = 4 \\\\
        y &= 3 u = 12 \\\\
        \\frac{\\partial u}{\\partial x} &= 2 x = 4 \\\\
        \\frac{\\partial y}{\\partial u} &= 3 \\\\
        \\frac{d y}{d x} &= \\frac{\\partial y}{\\partial u} \\cdot \\frac{\\partial u}{\\partial x} = 3 \\cdot 4 = 12
        \\end{aligned}
        """
        lines = [
            f"{name_latex(name)} &= {equal_latex(formula, self.values[name])}"
            for name, formula in self.formulas.items()
        ]
        lines += [f"{factor.latex_symbol} &= {equal_latex(factor.formula, factor.number)}" for factor in self.factors]
        for coordinate, paths in self.paths.items():
            symbols = " + ".join(r" \cdot ".join(factor.latex_symbol for factor in path.factors) for path in paths)
            numbers = " + ".join(
                joined(r" \cdot ", [factor.number for factor in path.factors], first=i == 0)
                for i, path in enumerate(paths)
            )
            parts = [
                symbols,
                numbers,
                joined(" + ", [path.product for path in paths]),
                number(self.gradient[coordinate]),
            ]
            told = " = ".join(dict.fromkeys(parts))
            lines.append(rf"\frac{{d {name_latex(self.name)}}}{{d {name_latex(coordinate)}}} &= {told}")
        block = "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"
        return POWER_OF_TEN.sub(r"\1 \\cdot 10^{\2\3}", block)


def chain_rule(objective: Any, x: Any) -> ChainRule:
    """Work out the chain rule of a formula with named steps at a point.

    Arguments:
        objective: the formula, as text or as an objective.
        x: the point: one number for each coordinate, in the order of the names.

    Raises:
        FalllineError: when the point does not fit, or the steps make more than 1,000 paths.

    >>> chain_rule("u = 2*x**2 - x - 2; y = 3*u + 1", 2)
    u = 2*x**2 - x - 2 = 4
    y = 3*u + 1 = 13
    ∂u/∂x = 4*x - 1 = 7
    ∂y/∂u = 3
    x → u → y: ∂y/∂u · ∂u/∂x = 3 · 7 = 21
    dy/dx = 21
    """
    prepared = as_objective(objective)
    if not isinstance(prepared, FormulaObjective):
        raise FalllineError("objective", objective, "the chain rule is shown of a formula only")
    formula = prepared.formula
    point = one_point(prepared, x, "x")
    known: dict[str, float] = dict(zip(formula.variables, point.tolist(), strict=True))
    factors = []
    for name, expression in formula.lines:
        # Differentiate each step as a formula of the names that occur in it.
        inside = {part.detail for part in expression.walk() if part.operation == "name"}
        names = tuple(known_name for known_name in known if known_name in inside)
        shown = str(in_sympy(expression))
        if not names:  # a constant has no slopes
            known[name] = float(in_sympy(expression))
            continue
        step = FormulaObjective(Formula(shown, shown, names, (), expression, name))
        value, slopes = step.value_and_gradient(np.array([[known[by] for by in names]]))
        for by, derivative, slope in zip(names, step.derivatives(), slopes[0], strict=True):
            factors.append(Factor(name, by, derivative, float(slope)))
        known[name] = float(value[0])
    formulas = {symbol.name: expression for symbol, expression in prepared.symbolic.lines}
    by_step = {name: [f for f in factors if f.of == name] for name in formulas}
    paths: dict[str, list[Path]] = {name: [] for name in prepared.names}
    for count, path in enumerate(_paths(formula.name, by_step)):
        if count == MOST_PATHS:
            raise FalllineError(
                problem=f"objective {prepared.title} has more than {MOST_PATHS} paths", allowed="use fewer steps"
            )
        paths[path.factors[-1].by].append(path)
    return ChainRule(
        name=formula.name,
        values=known,
        formulas=formulas,
        factors=tuple(factors),
        paths={name: tuple(found) for name, found in paths.items()},
    )


def _paths(name: str, by_step: dict[str, list[Factor]]) -> Iterator[Path]:
    for factor in by_step[name]:
        if factor.by not in by_step:
            yield Path((factor,))
            continue
        for below in _paths(factor.by, by_step):
            yield Path((factor, *below.factors))


def number(value: float) -> str:
    """A number formatted for reading."""
    return f"{value:.6g}"


def joined(sign: str, values: Sequence[float], *, first: bool = True) -> str:
    """Numbers joined by a sign, negative ones in brackets unless they come first.

    >>> joined(" · ", [-2.0, -7.0])
    '-2 · (-7)'
    """
    texts = [number(value) for value in values]
    return sign.join(f"({text})" if text.startswith("-") and (i or not first) else text for i, text in enumerate(texts))


def equal(formula: sympy.Expr, value: float) -> str:
    """A formula and its value, or only the value when both read the same."""
    text = str(formula)
    return text if text == number(value) else f"{text} = {number(value)}"


def name_latex(name: str) -> str:
    """A name in LaTeX: Greek letters, and what follows _ as a subscript."""
    text: str = sympy.latex(sympy.Symbol(name))
    return text


def equal_latex(formula: sympy.Expr, value: float) -> str:
    """The same as `equal`, in LaTeX."""
    text = sympy.latex(formula)
    return text if text == number(value) else f"{text} = {number(value)}"
