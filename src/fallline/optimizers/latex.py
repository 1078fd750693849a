"""A rule's formula, rendered from its own source: the rule is run once on symbols."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import sympy

from fallline.hyperparameters import hyperparameters
from fallline.optimizers.adaptive import SMALLEST
from fallline.optimizers.base import Optimizer
from fallline.proxy import Library, Proxy, carried
from fallline.state import map_state, named_leaves


def largest(*parts: Any) -> Any:
    """The maximum, without the guard against 0 / 0, which no reader of a formula wants to see."""
    return sympy.Max(*(part for part in parts if part != SMALLEST))


class Norm(sympy.Function):  # type: ignore[misc]
    """The norm of the vector that has this expression in each coordinate."""

    is_extended_real = True

    def _latex(self, printer: Any) -> str:
        return rf"\left\|{printer.doprint(self.args[0])}\right\|"


class Total(sympy.Function):  # type: ignore[misc]
    """The sum of this expression over the coordinates."""

    is_extended_real = True

    def _latex(self, printer: Any) -> str:
        return rf"\sum\left({printer.doprint(self.args[0])}\right)"


class StandardNormal(sympy.Function):  # type: ignore[misc]
    """The standard normal noise of a seed, a step and a coordinate."""

    is_extended_real = True

    def _latex(self, printer: Any) -> str:
        return r"\xi_{t}"


SYMPY: Library = {
    "sqrt": sympy.sqrt,
    "sign": sympy.sign,
    "exp": sympy.exp,
    "log": sympy.log,
    "tanh": sympy.tanh,
    "cumsum": lambda x, axis: x,
    "equal": sympy.Eq,
    "norm": lambda x, axis, keepdims: Norm(x),
    "standard_normal": lambda seed, step, coordinate: StandardNormal(seed, step, coordinate),
    "sum": lambda x, axis, keepdims: Total(x),
    "maximum": largest,
    "minimum": sympy.Min,
    "where": lambda condition, yes, no: sympy.Piecewise((yes, condition), (no, True)),
}


@dataclasses.dataclass(frozen=True)
class SymbolicRule:
    """One step of a rule on symbols.

    Attributes:
        gradient: the symbol of the gradient.
        place: where the gradient is taken.
        before: the symbol of each part of the state before the step, by its name.
        after: the part's new value, as an expression.
        change: what is subtracted from x.
        hyperparameters: the symbol of each hyperparameter, by its name.
        rate: the symbol of the learning rate.
        step: the symbol of the number of the step.
    """

    gradient: sympy.Symbol
    place: sympy.Expr
    before: dict[str, sympy.Symbol]
    after: dict[str, sympy.Expr]
    change: sympy.Expr
    hyperparameters: dict[str, sympy.Symbol]
    rate: sympy.Symbol
    step: sympy.Symbol


def symbolic(rule: Optimizer[Any]) -> SymbolicRule:
    """Run the rule's own `init` and `update` on symbols.

    >>> from fallline import Momentum
    >>> symbolic(Momentum()).change
    \\eta*g_t + \\gamma*velocity
    """
    gradient = sympy.Symbol("g_t", real=True)
    rate = sympy.Symbol(r"\eta", positive=True)
    step = sympy.Symbol("t", positive=True, integer=True)
    stand_in, symbols = _with_symbols(rule, taken=())
    x = sympy.Symbol("x", real=True)
    template = carried(stand_in.init, SYMPY)(x)
    before = {name: sympy.Symbol(name, real=True) for name, _ in named_leaves(template)}
    names = iter(before.values())
    state = map_state(lambda leaf: next(names), template)
    place = carried(stand_in.lookahead, SYMPY)(x, state)
    change, after = carried(stand_in.update, SYMPY)(gradient, state, rate, step)
    return SymbolicRule(gradient, place, before, dict(named_leaves(after)), change, symbols, rate, step)


def _with_symbols(
    rule: Optimizer[Any], taken: tuple[sympy.Symbol, ...]
) -> tuple[Optimizer[Any], dict[str, sympy.Symbol]]:
    """The rule, and any rule inside it, with symbols for hyperparameters; and these by name, as "rule.beta1".

    A symbol that a rule further out has taken gets a prime.
    """
    texts = {
        name: known.symbol
        for name, known in hyperparameters(rule).items()
        if known.symbol is not None and name != "learning_rate"
    }
    # Settings of a user's rule that say nothing of themselves go by their own names.
    for field in dataclasses.fields(rule):
        if field.name not in ("learning_rate", "convention") and "hyperparameter" not in field.metadata:
            if isinstance(getattr(rule, field.name), float):
                texts[field.name] = field.metadata.get("symbol", field.name)
    stand_in = copy.copy(rule)
    symbols: dict[str, sympy.Symbol] = {}
    for name, text in texts.items():
        symbol = sympy.Symbol(text, positive=True)
        while symbol in taken:
            symbol = sympy.Symbol(f"{symbol.name}'", positive=True)
        symbols[name] = symbol
        object.__setattr__(stand_in, name, Proxy(symbol, SYMPY))
    for field in dataclasses.fields(rule):
        inside = getattr(rule, field.name)
        if isinstance(inside, Optimizer):
            inside, inner = _with_symbols(inside, (*taken, *symbols.values()))
            object.__setattr__(stand_in, field.name, inside)
            symbols.update({f"{field.name}.{name}": symbol for name, symbol in inner.items()})
    return stand_in, symbols


def latex(rule: Optimizer[Any]) -> str:
    """The rule as LaTeX: where the gradient is taken, each part of the state, and x.

    >>> from fallline import Momentum
    >>> print(latex(Momentum()))
    \\begin{aligned}
    g_{t} &= \\nabla f\\left(x_{t-1}\\right) \\\\
    \\mathrm{velocity}_{t} &= \\eta g_{t} + \\gamma \\mathrm{velocity}_{t-1} \\\\
    x_{t} &= x_{t-1} - \\mathrm{velocity}_{t}
    \\end{aligned}
    """
    run = symbolic(rule)
    old = {symbol: _indexed(name, "t-1") for name, symbol in run.before.items()}
    old[sympy.Symbol("x", real=True)] = _indexed("x", "t-1")
    old[run.gradient] = _indexed("g", "t")
    lines = [rf"g_{{t}} &= \nabla f\left({_tex(run.place.xreplace(old))}\right)"]
    new: dict[sympy.Expr, sympy.Symbol] = {}
    moved: dict[sympy.Expr, sympy.Symbol] = {}
    for name, expression in run.after.items():
        # The last line tells of x; what this variant of the rule leaves as it was needs no line.
        if name.split(".")[-1] == "x" or expression == run.before[name]:
            if name == "x":
                moved[expression] = _indexed("x", "t")
            continue
        symbol = _indexed(name, "t")
        lines.append(f"{symbol.name} &= {_tex(_shortened(expression, moved | new).xreplace(old))}")
        # Later lines name what this one has computed.
        if not expression.is_Atom:
            new[expression] = symbol
    change = _shortened(run.change, new).xreplace(old)
    shown = rf"\left({_tex(change)}\right)" if change.is_Add else _tex(change)
    lines.append(f"x_{{t}} &= x_{{t-1}} - {shown}")
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def _shortened(expression: sympy.Expr, known: dict[sympy.Expr, sympy.Symbol]) -> sympy.Expr:
    """The expression with symbols for the parts that are known by one."""
    for part, symbol in known.items():
        # Unlike xreplace, subs finds a sum inside a longer sum.
        expression = expression.subs(part, symbol)
    return expression


def _indexed(name: str, index: str) -> sympy.Symbol:
    """The symbol of a part of the state before or after the step."""
    # Parts of a tuple are numbered; those of a rule inside go by their own names.
    words = name.split(".")
    letter = [word for word in words if not word.isdecimal()][-1]
    position = [word for word in words if word.isdecimal()]
    letter = letter if len(letter) == 1 else rf"\mathrm{{{letter}}}".replace("_", r"\ ")
    place = "".join(f"({number})" for number in position)
    return sympy.Symbol(f"{letter}^{{{place}}}_{{{index}}}" if place else f"{letter}_{{{index}}}")


def _tex(expression: sympy.Expr) -> str:
    text: str = sympy.latex(expression, symbol_names={s: s.name for s in expression.free_symbols})
    return text
