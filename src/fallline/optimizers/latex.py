"""A rule's formula, rendered from its own source: the rule is run once on symbols."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import sympy

from fallline.hyperparameters import hyperparameters
from fallline.optimizers.base import SMALLEST, Optimizer
from fallline.proxy import Library, Proxy, carried
from fallline.state import map_state, named_leaves


def largest(*parts: Any) -> Any:
    """The maximum, without the guard against 0 / 0, which is left out of formulas."""
    return sympy.Max(*(part for part in parts if part != SMALLEST))


class Verbatim(sympy.Function):  # type: ignore[misc]
    """A function that SymPy does not know; it is only printed, never simplified."""

    is_extended_real = True

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        text = self.written(*(printer.doprint(part) for part in self.args))
        return text if exp is None else rf"{{{text}}}^{{{exp}}}"

    def written(self, *parts: str) -> str:
        """The LaTeX of the function of these parts."""
        raise NotImplementedError


class Norm(Verbatim):
    """The norm of the vector that has this expression in each coordinate."""

    def written(self, *parts: str) -> str:
        return rf"\left\|{parts[0]}\right\|"


class Total(Verbatim):
    """The sum of this expression over the coordinates."""

    def written(self, *parts: str) -> str:
        return rf"\sum\left({parts[0]}\right)"


class StandardNormal(Verbatim):
    """The standard normal noise of a seed, a step and a coordinate."""

    def written(self, *parts: str) -> str:
        return r"\xi_{t}"


class Where(Verbatim):
    """One expression where a condition holds, else another; unlike Piecewise, it is not simplified."""

    def written(self, *parts: str) -> str:
        condition, yes, no = parts
        return rf"\begin{{cases}} {yes} & \text{{if }} {condition} \\ {no} & \text{{otherwise}} \end{{cases}}"


def where(condition: Any, yes: Any, no: Any) -> Any:
    """The choice, without a repeated choice on the same condition inside it, which only guards a quotient."""
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
    "norm": lambda x, axis=None, keepdims=False: Norm(x),
    "standard_normal": lambda seed, step, coordinate: StandardNormal(seed, step, coordinate),
    "sum": lambda x, axis=None, keepdims=False: Total(x),
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
    # Settings of a user's rule without a symbol are shown by name.
    for field in dataclasses.fields(rule):
        silent = field.name not in ("learning_rate", "convention") and "hyperparameter" not in field.metadata
        if silent and isinstance(getattr(rule, field.name), float):
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

    A memory of many steps is shown as one of two.

    >>> from fallline import Momentum
    >>> print(latex(Momentum()))
    \\begin{aligned}
    g_{t} &= \\nabla f\\left(x_{t-1}\\right) \\\\
    \\mathrm{velocity}_{t} &= \\eta g_{t} + \\gamma \\mathrm{velocity}_{t-1} \\\\
    x_{t} &= x_{t-1} - \\mathrm{velocity}_{t}
    \\end{aligned}
    """
    place, lines = assignments(symbolic(with_short_memory(rule)), _indexed)
    texts = [rf"g_{{t}} &= \nabla f\left({_tex(place)}\right)"]
    texts += [f"{symbol.name} &= {_tex(expression)}" for symbol, expression in lines[:-1]]
    x, change = lines[-1]
    shown = rf"\left({_tex(change)}\right)" if change.is_Add else _tex(change)
    texts.append(f"{x.name} &= x_{{t-1}} - {shown}")
    return "\\begin{aligned}\n" + " \\\\\n".join(texts) + "\n\\end{aligned}"


def assignments(
    run: SymbolicRule, indexed: Callable[[str, str], sympy.Symbol]
) -> tuple[sympy.Expr, list[tuple[sympy.Symbol, sympy.Expr]]]:
    """A step as a paper writes it: each line names what the lines before it have computed.

    Arguments:
        run: the step on symbols.
        indexed: the symbol of a part of the state, by its name, at the step "t" or "t-1".

    Returns:
        Where the gradient is taken; then what each part of the state becomes and, last, beside the symbol of x,
        what is subtracted from x.
    """
    old = {symbol: indexed(name, "t-1") for name, symbol in run.before.items()}
    old[sympy.Symbol("x", real=True)] = indexed("x", "t-1")
    old[run.gradient] = indexed("g", "t")
    lines: list[tuple[sympy.Symbol, sympy.Expr]] = []
    new: dict[sympy.Expr, sympy.Symbol] = {}
    moved: dict[sympy.Expr, sympy.Symbol] = {}
    for name, expression in run.after.items():
        # x has the last line; a part of the state that does not change needs none.
        if name.split(".")[-1] == "x" or expression == run.before[name]:
            if name == "x":
                moved[expression] = indexed("x", "t")
            continue
        symbol = indexed(name, "t")
        lines.append((symbol, _shortened(expression, moved | new).xreplace(old)))
        # Later lines name what this one has computed.
        if not expression.is_Atom:
            new[expression] = symbol
    lines.append((indexed("x", "t"), _shortened(run.change, new).xreplace(old)))
    return run.place.xreplace(old), lines


def with_short_memory(rule: Optimizer[Any]) -> Optimizer[Any]:
    """The rule with a memory of two steps instead of many, for a short formula."""
    counts: dict[str, Any] = {
        name: 2
        for name, known in hyperparameters(rule).items()
        if known.symbol is None and known.range.whole and getattr(rule, name) > 2
    }
    return dataclasses.replace(rule, **counts)


def _shortened(expression: sympy.Expr, known: dict[sympy.Expr, sympy.Symbol]) -> sympy.Expr:
    """The expression, with known parts replaced by their symbols."""
    for part, symbol in known.items():
        # Unlike xreplace, subs finds a sum inside a longer sum.
        expression = expression.subs(part, symbol)
    return expression


def _indexed(name: str, index: str) -> sympy.Symbol:
    """The symbol of a part of the state before or after the step."""
    # Parts of a tuple are numbered; parts of an inner rule's state keep their names, and an unnamed tuple is called s.
    words = name.split(".")
    letter = ["s", *(word for word in words if not word.isdecimal())][-1]
    position = [word for word in words if word.isdecimal()]
    letter = letter if len(letter) == 1 else rf"\mathrm{{{letter}}}".replace("_", r"\ ")
    place = "".join(f"({number})" for number in position)
    return sympy.Symbol(f"{letter}^{{{place}}}_{{{index}}}" if place else f"{letter}_{{{index}}}")


def _tex(expression: sympy.Expr) -> str:
    text: str = sympy.latex(expression, symbol_names={s: s.name for s in expression.free_symbols})
    return text
