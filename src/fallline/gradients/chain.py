"""The chain rule, factor by factor: how the slope of a formula in named steps comes about."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from fallline.errors import FalllineError, shortened
from fallline.objectives import as_objective
from fallline.objectives.formula import FormulaObjective
from fallline.objectives.grammar import Formula
from fallline.objectives.points import one_point

MOST_PATHS = 1000


@dataclass(frozen=True)
class Factor:
    """One local derivative: how the step `of` changes with the name `by` that stands in it."""

    of: str
    by: str
    formula: sympy.Expr
    number: float

    @property
    def symbol(self) -> str:
        """The derivative as a reader writes it."""
        return f"∂{self.of}/∂{self.by}"

    def __str__(self) -> str:
        return f"{self.symbol} = {equal(self.formula, self.number)}"


@dataclass(frozen=True)
class Path:
    """One way on which a coordinate reaches the objective: the factors along it, from the objective down."""

    factors: tuple[Factor, ...]

    @property
    def product(self) -> float:
        """The product of the factors."""
        return math.prod(factor.number for factor in self.factors)


@dataclass(frozen=True)
class ChainRule:
    """The chain rule of a formula at a point.

    Attributes:
        name: what the objective is called.
        values: the number of each coordinate, step and of the objective.
        formulas: the formula of each step and of the objective.
        factors: every local derivative.
        paths: for each coordinate, the paths from the objective down to it.
    """

    name: str
    values: dict[str, float]
    formulas: dict[str, sympy.Expr]
    factors: tuple[Factor, ...]
    paths: dict[str, tuple[Path, ...]]

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
            symbols = " + ".join(" · ".join(factor.symbol for factor in path.factors) for path in paths)
            numbers = " + ".join(" · ".join(number(factor.number) for factor in path.factors) for path in paths)
            parts = [f"d{self.name}/d{coordinate}", symbols, numbers]
            total = number(self.gradient[coordinate])
            lines.append(" = ".join(parts if numbers == total else [*parts, total]))
        return "\n".join(lines)


def chain_rule(objective: Any, x: Any) -> ChainRule:
    """Work out the chain rule of a formula with named steps at a point.

    Arguments:
        objective: the formula, as text or as an objective.
        x: the point: one number for each coordinate, in the order of the names.

    Raises:
        FalllineError: when the point does not fit, or the steps make more than 1,000 paths.

    >>> print(chain_rule("u = 2*x**2 - x - 2; y = 3*u + 1", 2).text)
    u = 2*x**2 - x - 2 = 4
    y = 3*u + 1 = 13
    ∂u/∂x = 4*x - 1 = 7
    ∂y/∂u = 3
    dy/dx = ∂y/∂u · ∂u/∂x = 3 · 7 = 21
    """
    prepared = as_objective(objective)
    if not isinstance(prepared, FormulaObjective):
        raise FalllineError(f"objective is {shortened(objective)}; the chain rule is shown of a formula only")
    formula = prepared.formula
    point = one_point(prepared, x, "x")
    known: dict[sympy.Symbol, float] = dict(zip(formula.variables, point.tolist(), strict=True))
    formulas = dict(formula.steps) | {sympy.Symbol(formula.name, real=True): formula.expression}
    factors = []
    for symbol, expression in formulas.items():
        # Each step by itself is a formula of the names in it.
        names = tuple(name for name in known if expression.has(name))
        step = FormulaObjective(Formula(str(expression), names, (), expression, symbol.name))
        value, slopes = step.value_and_gradient(np.array([[known[name] for name in names]]))
        for name, derivative, slope in zip(names, step.derivatives(), slopes[0], strict=True):
            factors.append(Factor(symbol.name, name.name, derivative, float(slope)))
        known[symbol] = float(value[0])
    by_step = {symbol.name: [f for f in factors if f.of == symbol.name] for symbol in formulas}
    paths: dict[str, list[Path]] = {name: [] for name in prepared.names}
    for count, path in enumerate(_paths(formula.name, by_step)):
        if count == MOST_PATHS:
            raise FalllineError(f"objective {prepared.title} has more than {MOST_PATHS} paths; use fewer steps")
        paths[path.factors[-1].by].append(path)
    return ChainRule(
        name=formula.name,
        values={symbol.name: value for symbol, value in known.items()},
        formulas={symbol.name: expression for symbol, expression in formulas.items()},
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
    """A number as a reader writes it."""
    return f"{value:.6g}"


def equal(formula: sympy.Expr, value: float) -> str:
    """A formula and the number it has here, or only the number when they read the same."""
    text = str(formula)
    return text if text == number(value) else f"{text} = {number(value)}"
