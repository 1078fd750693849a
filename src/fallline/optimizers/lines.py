"""A step of a rule as a paper writes it: lines of which each names what it computes from the lines before."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from fallline.hyperparameters import hyperparameters
from fallline.letters import greek_latex
from fallline.optimizers.base import Optimizer
from fallline.optimizers.placeholders import (
    CONSTANT,
    RECORDED,
    Placeholder,
    RecordedStep,
    evaluated,
    needed_for,
    recorded_step,
)
from fallline.optimizers.symbols import SYMPY
from fallline.proxy import Library

# What is no quantity of a rule's own: the point, the gradient, the number of the step and the rate.
X, GRADIENT, STEP, RATE = "x", "g", "t", "rate"
# How LaTeX is told of a name of several letters.
WORD = r"\mathrm"
# A formula of more operations is not readable.
MOST_OPERATIONS = 40
# What takes all coordinates, or none, of its argument.
REDUCTIONS = ("norm", "sum", "max", "standard_normal")


def _hash(name: str) -> Callable[..., int]:
    return lambda *inputs, **settings: hash((name, inputs, tuple(settings.items())))


_HASHES: Library = {name: _hash(name) for name in RECORDED}


@dataclass(frozen=True)
class Letter:
    """What a symbol of a line stands for.

    Attributes:
        name: the quantity's name; "'" marks one of a rule inside that another has too.
        place: the number of the part, of a tuple; "" if there is one only.
        old: whether it is the value before the step.
        symbol: the LaTeX of what is the same at every step, or numbers the steps; None for other quantities.
        setting: the path of the setting that it is, which is the same at every step too; "" if it is none.
    """

    name: str
    place: tuple[str, ...] = ()
    old: bool = False
    symbol: str | None = None
    setting: str = ""

    @property
    def text(self) -> str:
        """The name in plain text, such as history_old[1]."""
        place = "".join(f"[{part}]" for part in self.place)
        return f"{self.name}{'_old' if self.old else ''}{place}"

    @property
    def has_hat(self) -> bool:
        """Whether it is written with a hat, as a paper does what is called m_hat in code."""
        return self.name.rstrip("'").endswith("_hat")

    @property
    def plain_name(self) -> str:
        """The name without primes, hat and underscores."""
        return self.name.rstrip("'").removesuffix("_hat").strip("_").replace("_", " ") or self.name

    @property
    def latex(self) -> str:
        """The symbol in LaTeX, such as h^{(1)}_{t-1}."""
        if self.symbol is not None:
            return self.symbol
        name = self.plain_name
        letter = f"{WORD}{{{name}}}".replace(" ", r"\ ")
        if len(name) == 1 or greek_latex(name):
            letter = greek_latex(name) or name
        letter = rf"\hat{{{letter}}}" if self.has_hat else letter
        above = "".join(f"({part})" for part in self.place) + r"\prime" * self.name.count("'")
        letter = f"{letter}^{{{above}}}" if above else letter
        return letter if self.setting else f"{letter}_{{{'t-1' if self.old else 't'}}}"


X_BEFORE = sympy.Symbol(Letter(X, old=True).latex, real=True)
X_AFTER = sympy.Symbol(Letter(X).latex, real=True)


@dataclass(frozen=True)
class Line:
    """One line: what a quantity becomes.

    Attributes:
        symbol: the quantity.
        expression: its formula; None if that is too long to be read.
        found: where the quantity is found in a step: a part of the state after it, or what `observed` saw.
        part: the placeholder it was recorded as.
        computed: the same for two quantities that are computed from what is given in the same way, whatever the parts
            on the way are called.
    """

    symbol: sympy.Symbol
    expression: Any
    found: str | tuple[int, str]
    part: Any
    computed: int


@dataclass(frozen=True)
class Lines:
    """A step, line by line.

    Attributes:
        recorded: the step.
        place: where the gradient is taken.
        lines: each quantity of the rule, in the order of computation.
        change: what is subtracted from x, beside the symbol of x.
        letters: what the symbols stand for.
        symbols: the symbol of each placeholder that has one.
    """

    recorded: RecordedStep
    place: sympy.Expr
    lines: tuple[Line, ...]
    change: Line
    letters: Mapping[sympy.Symbol, Letter]
    symbols: Mapping[Placeholder, sympy.Symbol]


def lines_of(
    rule: Optimizer[Any],
    *,
    all_names: bool = False,
    guards: bool = False,
    coordinates: int | None = None,
    most_operations: float = MOST_OPERATIONS,
) -> Lines:
    """The lines of a rule's step, from its own code.

    Arguments:
        rule: the rule.
        all_names: whether every quantity that the code gives a name has a line, or only the parts of the state. With
            all of them, formulas of more than `most_operations` are left out.
        guards: whether to show what keeps quotients from being 0 / 0.
        coordinates: how many x has, for code that asks for its shape; None if any number is meant.

    Raises:
        FalllineError: when the code cannot be run on symbols.

    >>> from fallline import Adam
    >>> step = lines_of(Adam(), all_names=True)
    >>> [step.letters[line.symbol].text for line in step.lines]
    ['m', 'v', 'm_hat', 'v_hat', 'change']
    """
    run = recorded_step(rule, coordinates)
    naming = _Naming(run, rule)
    naming.name_state()
    if all_names:
        naming.name_locals()
    symbols = naming.symbols
    library = {**SYMPY, "maximum": sympy.Max} if guards else SYMPY

    given = {part: symbols[part].name for part in symbols if part.operation in ("", CONSTANT)}

    def line(symbol: sympy.Symbol, part: Any, found: str | tuple[int, str]) -> Line:
        known = {other: name for other, name in symbols.items() if name != symbol}
        readable = not all_names or _operations(part, known) <= most_operations
        expression = sympy.S(evaluated(part, library, known)) if readable else None
        return Line(symbol, expression, found, part, evaluated(part, _HASHES, given))

    lines = [line(symbols[part], part, found) for part, found in naming.found.items()]
    if not all_names:
        lines += [line(symbol, part, path) for path, (symbol, part) in naming.passed_on.items()]
    lines.sort(key=lambda line: line.part.number)
    last = line(X_AFTER, run.change, "change")
    if all_names:
        *lines, last = _without_renamings([*lines, last])
    place = sympy.S(evaluated(run.place, SYMPY, symbols))
    return Lines(run, place, tuple(lines), last, naming.letters, symbols)


def _without_renamings(lines: list[Line]) -> list[Line]:
    """The lines without local names for what is one symbol or number, as SymPy writes it."""
    same: dict[sympy.Basic, sympy.Basic] = {}
    kept: list[Line] = []
    for line in lines:
        expression = None if line.expression is None else line.expression.xreplace(same)
        if isinstance(line.found, tuple) and expression is not None and expression.is_Atom:
            same[line.symbol] = expression
        else:
            kept.append(dataclasses.replace(line, expression=expression))
    return kept


def _operations(part: Any, known: Mapping[Placeholder, Any]) -> float:
    """How many operations the written formula of a part has; what it uses twice is written twice."""
    counts: dict[Placeholder, float] = {}
    for needed in needed_for([part], known):
        inside = (counts.get(one, 0) for one in needed.inputs if isinstance(one, Placeholder))
        counts[needed] = 1.0 + sum(inside)
    return counts.get(part, 0.0)


class _Naming:
    """Gives the placeholders of a step their symbols: what has a symbol keeps it, and each symbol is given once."""

    def __init__(self, run: RecordedStep, rule: Optimizer[Any]) -> None:
        self._run = run
        self.letters: dict[sympy.Symbol, Letter] = {}
        self.symbols: dict[Placeholder, sympy.Symbol] = {}
        # Where each quantity that has a line is found.
        self.found: dict[Placeholder, str | tuple[int, str]] = {}
        # Parts of the state that become what another quantity is, by their path.
        self.passed_on: dict[str, tuple[sympy.Symbol, Placeholder]] = {}
        self.letters[X_AFTER] = Letter(X)
        self._give(run.x, Letter(X, old=True))
        for part in needed_for([run.place, *run.after.values(), run.change], {}):
            if part.operation == CONSTANT:
                name = self._free("c")
                self._give(part, Letter(name, symbol=name))
        self._give(run.gradient, Letter(GRADIENT))
        self._give(run.step, Letter(STEP, symbol=STEP), positive=True, integer=True)
        self._give(run.rate, Letter(RATE, symbol=r"\eta", setting="learning_rate"), positive=True)
        for path, part in run.hyperparameters.items():
            letter = Letter(self._free(path.split(".")[-1]), symbol=_symbol_of(rule, path), setting=path)
            # A symbol that a rule further out has taken, or the rate or the step, gets a prime.
            while letter.latex in (taken.latex for taken in self.letters.values()):
                symbol, name = (letter.symbol and f"{letter.symbol}'"), letter.name
                letter = dataclasses.replace(letter, symbol=symbol, name=name if symbol else f"{name}'")
            self._give(part, letter, positive=True)

    def name_state(self) -> None:
        """Name the parts of the state, before and after the step."""
        # x has a line of its own, the last.
        run = self._run
        letters: dict[str, Letter] = {}
        # Of equal names that of the outermost rule stays.
        for path in sorted(run.before, key=lambda path: path.count(".")):
            letters[path] = Letter(X) if _is_x(path) else self._letter(path, letters.values())
        for path, part in run.before.items():
            self._give(part, dataclasses.replace(letters[path], old=True))
        changed = {
            path: part
            for path, part in run.after.items()
            if isinstance(part, Placeholder) and part is not run.before[path]
        }
        for path in filter(_is_x, changed):
            if changed[path] not in self.symbols:
                self._give(changed[path], letters[path])
        for path, part in changed.items():
            if _is_x(path):
                continue
            if part in self.symbols:
                symbol = sympy.Symbol(letters[path].latex, real=True)
                self.letters[symbol] = letters[path]
                self.passed_on[path] = symbol, part
            else:
                self.found[part] = path
                self._give(part, letters[path])

    def name_locals(self) -> None:
        """Name what the code of `update` gives a name and then uses, that of the outermost rule first."""
        used = set(needed_for([self._run.change, *self._run.after.values()], {}))
        for call, path in sorted(self._run.named, key=lambda where: -where[0]):
            part = self._run.named[call, path]
            if part in used and part not in self.symbols:
                self.found[part] = (call, path)
                self._give(part, self._letter(path))

    def _give(self, part: Placeholder, letter: Letter, **assumptions: bool) -> None:
        symbol = sympy.Symbol(letter.latex, **(assumptions or {"real": True}))
        self.symbols[part] = symbol
        self.letters[symbol] = letter

    def _letter(self, path: str, others: Iterable[Letter] = ()) -> Letter:
        """The letter of a part of a state, or of a local name, such as "inner.history.1"."""
        # Parts of a tuple are numbered; parts of an inner rule's state keep their names, and an unnamed tuple is s.
        words = path.split(".")
        name = ["s", *(word for word in words if not word.isdecimal())][-1]
        place = tuple(word for word in words if word.isdecimal())
        return Letter(self._free(name, place, others), place)

    def _free(self, name: str, place: tuple[str, ...] = (), others: Iterable[Letter] = ()) -> str:
        taken = {(letter.name, letter.place) for letter in (*self.letters.values(), *others)}
        while (name, place) in taken:
            name += "'"
        return name


def _is_x(path: str) -> bool:
    return path.split(".")[-1] == X


def _symbol_of(rule: Optimizer[Any], path: str) -> str | None:
    """The LaTeX of a hyperparameter; None for a setting of a user's rule that has none and is shown by its name."""
    *inside, name = path.split(".")
    owner = operator.attrgetter(".".join(inside))(rule) if inside else rule
    known = hyperparameters(owner).get(name)
    if known is not None and known.symbol is not None:
        return known.symbol
    fields = {field.name: field for field in dataclasses.fields(owner)}
    symbol: str | None = fields[name].metadata.get("symbol")
    return symbol


def reductions_in(part: Placeholder, known: Mapping[Placeholder, Any]) -> Iterator[Placeholder]:
    """The norms, sums and maxima over the coordinates, and the noise, that the formula of a part has."""
    return (needed for needed in needed_for([part], known) if needed.operation in REDUCTIONS)
