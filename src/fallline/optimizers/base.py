"""The base class of all update rules: hyperparameters, and the two pure methods `init` and `update`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Self, TypeAlias, TypeVar

import numpy as np

from fallline.arrays import FloatArray, Quantity
from fallline.errors import FalllineError, Verbatim
from fallline.fields import fields_of
from fallline.hyperparameters import (
    check_convention,
    check_hyperparameters,
    hyperparameter,
    hyperparameters,
)
from fallline.line_search import LineSearch
from fallline.optimizers.spelling import schedule_instead_of
from fallline.registry import Registry
from fallline.schedules import SCHEDULES, Schedule
from fallline.slips import CalledInOurWords

State = TypeVar("State")
# The rules by their names on the command line, in the order in which they are listed.
OPTIMIZERS: Registry[Optimizer[Any]] = Registry("fallline.optimizers")
# Those whose steps are found by a search of their own, so that they have no formula to be shown.
BOUNDED: Registry[Optimizer[Any]] = Registry("fallline.optimizers.bounded")
# The wrappers; on the command line the inner rule is named too, as in "cautious:adam".
WRAPPERS: Registry[Any] = Registry("fallline.optimizers.wrappers", "fallline.optimizers.structured")
LearningRate: TypeAlias = "float | Schedule | LineSearch"
# Prevents 0 / 0 in quotients without an epsilon; too small to change any other result.
SMALLEST = float(np.finfo(float).tiny)


def learning_rate(default: LearningRate, defaults: Mapping[str, float] | None = None) -> LearningRate:
    """The first field of every rule: a number above 0, a schedule, or a line search."""
    rate: LearningRate = hyperparameter(default, about="step length", symbol=r"\eta", above=0, defaults=defaults)
    return rate


def decay(default: float, of: str, symbol: str, **defaults: float) -> float:
    """A hyperparameter that says how much of a running mean is kept at each step."""
    beta: float = hyperparameter(
        default, about=f"decay of the {of}", symbol=symbol, at_least=0, below=1, defaults=defaults
    )
    return beta


def epsilon(default: float, **defaults: float) -> float:
    """The hyperparameter that keeps a quotient finite."""
    small: float = hyperparameter(
        default,
        about="keeps the quotient finite where there was no slope",
        symbol=r"\epsilon",
        at_least=0,
        defaults=defaults,
    )
    return small


def _written(setting: Any) -> str:
    """A setting as text; of numbers that differ from run to run, the least and the largest."""
    if isinstance(setting, np.ndarray):
        return f"{setting.min():g} to {setting.max():g}"
    return f"{setting:g}" if isinstance(setting, float) else str(setting)


def _check_rate(rule: Optimizer[Any]) -> None:
    """Refuse a schedule of another library, saying what to write instead."""
    if instead := schedule_instead_of(rule.learning_rate, SCHEDULES):
        raise FalllineError(
            "learning_rate",
            rule.learning_rate,
            f"it must be {hyperparameters(rule)['learning_rate'].range}, or a schedule; {instead}",
            of=type(rule).__name__,
        )


@dataclass(frozen=True)
class Optimizer(Generic[State], metaclass=CalledInOurWords):
    """An update rule: a frozen dataclass of hyperparameters with `init` and `update`.

    The two methods are plain NumPy on quantities of any kind and never change their arguments. They are the only
    implementation of the rule: every engine, bridge and formula is made from them. Hyperparameters may be arrays that
    broadcast against x, one entry per run.

    Attributes:
        table: the registry in which a rule of Fallline's own is entered when it is defined.
        name: the rule's name on the command line.
        conventions: what libraries disagree on: the name of each convention, with a short description.
        elementwise: whether each coordinate is independent of the others.
        learns_from_step: whether the rule uses the step it asked for, so that another step must not be made instead.
        longest_rate: the largest rate that a line search may give it.
        called: what papers call it, in their spelling; empty if that is the name of the class.
        told: the settings that pictures tell even where they are the defaults.
        notation: the LaTeX of what `update` computes in more operations than can be read, by its name there.
        learning_rate: a number, a Schedule (of the step), or a LineSearch (along the direction).
        convention: one of `conventions`.

    A rule of your own needs no registration:

    >>> import fallline
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Halving(fallline.Optimizer[None]):
    ...     learning_rate: float = 0.1
    ...     def init(self, x): return None
    ...     def update(self, gradient, state, rate, step): return rate * gradient / step, state
    >>> fallline.minimize("x**2", 3.0, Halving(0.5), max_steps=1).final.x
    array([0.])
    """

    table: ClassVar[Registry[Any]] = OPTIMIZERS
    name: ClassVar[str] = ""
    conventions: ClassVar[Mapping[str, str]] = {"paper": ""}
    elementwise: ClassVar[bool] = True
    learns_from_step: ClassVar[bool] = False
    longest_rate: ClassVar[float] = np.inf
    called: ClassVar[str] = ""
    told: ClassVar[tuple[str, ...]] = ("learning_rate",)
    notation: ClassVar[Mapping[str, str]] = {}

    learning_rate: LearningRate
    convention: str = field(default="paper", kw_only=True)

    def __init_subclass__(cls, *, registered: bool = True) -> None:
        super().__init_subclass__()
        if registered:
            cls.table.enter(vars(cls).get("name", ""), cls)

    def __new__(cls, *_: Any, **__: Any) -> Self:
        # Checked here, because Python's own message would name other arguments than the user's.
        if "__dataclass_fields__" not in vars(cls):
            raise FalllineError(
                cls.__name__, problem="is no dataclass", allowed="write @dataclass(frozen=True) above its class line"
            )
        return super().__new__(cls)

    def __post_init__(self) -> None:
        check_convention(self, self.conventions)
        if not isinstance(self.learning_rate, Schedule | LineSearch):
            _check_rate(self)
        check_hyperparameters(self, checked={"learning_rate": (Schedule, LineSearch)})
        for entry in fields_of(self):
            flag = getattr(self, entry.name)
            if isinstance(entry.default, bool) and not isinstance(flag, bool):
                raise FalllineError(entry.name, flag, "it must be True or False", of=type(self).__name__)

    @abstractmethod
    def init(self, x: Quantity) -> State:
        """The state before the first step, for a start x."""

    @abstractmethod
    def update(self, gradient: Quantity, state: State, rate: Quantity, step: Quantity) -> tuple[Quantity, State]:
        """One step of the rule.

        Arguments:
            gradient: the gradient at `lookahead(x, state)`, in the shape of x.
            state: what the previous step, or `init`, returned.
            rate: the learning rate of this step.
            step: the number of this step, counted from 1.

        Returns:
            What is subtracted from x, and the new state.
        """

    def lookahead(self, x: Quantity, state: State) -> Quantity:
        """The point at which the gradient is taken: x, unless a rule overrides this."""
        return x

    def unbalanced(self, x: FloatArray, gradient: FloatArray, near: FloatArray) -> FloatArray:
        """What of the gradient at x no set and no penalty of the rule's own balances, in the shape of x.

        Arguments:
            near: how far from x it may look, shape (k, 1).
        """
        return gradient

    def check_starts(self, x: FloatArray) -> None:
        """Refuse starts, shape (k, n), from which the rule cannot run.

        Raises:
            FalllineError: naming the start and the nearest right one.
        """

    def projected_gradient(self, x: Quantity, gradient: Quantity) -> Quantity:
        """What is zero at a minimum: the gradient, unless the rule keeps x in a set. Then x − P(x − g)."""
        return gradient

    def rate(self, step: Quantity) -> Quantity:
        """The learning rate of a step, counted from 1.

        Raises:
            FalllineError: when the rate is found by a line search, which needs more than the step's number.
        """
        if isinstance(self.learning_rate, LineSearch):
            raise FalllineError(
                "learning_rate",
                Verbatim(self.learning_rate),
                f"{type(self).__name__} asks for a rate without a line to search: give a number or a schedule",
            )
        return self.learning_rate.rate(step) if isinstance(self.learning_rate, Schedule) else self.learning_rate

    def latex(self) -> str:
        """The rule's formula as a block of LaTeX, made from its own source.

        Raises:
            FalllineError: when its code cannot be written as a formula.
        """
        from fallline.optimizers.latex import latex

        return latex(self)

    def latex_lines(self) -> tuple[str, ...]:
        """The same formula line by line, for Matplotlib's mathtext too, which knows no environments.

        Raises:
            FalllineError: when its code cannot be written as a formula.
        """
        from fallline.optimizers.latex import latex_lines

        return latex_lines(self)

    def _repr_latex_(self) -> str | None:
        """The formula in a notebook; None where the code cannot be written as one."""
        try:
            return f"$${self.latex()}$$"
        except FalllineError:
            return None

    @property
    def spelling(self) -> str:
        """The rule's name as papers spell it.

        >>> import fallline
        >>> fallline.LBFGS().spelling, fallline.RMSProp().spelling
        ('L-BFGS', 'RMSProp')
        """
        return self.called or type(self).__name__

    @property
    def unusual(self) -> dict[str, Any]:
        """The settings that are not the convention's defaults, by name; of a rule inside, which has its own, none.

        >>> import fallline
        >>> fallline.Adam(0.001, beta1=0.5).unusual
        {'beta1': 0.5}
        """
        known = hyperparameters(self)
        found: dict[str, Any] = {}
        for entry in fields_of(self):
            value = getattr(self, entry.name)
            default: Any = entry.default
            if entry.name in known:
                default = known[entry.name].defaults.get(self.convention, known[entry.name].default)
            if entry.init and entry.name != "convention" and not isinstance(value, Optimizer):
                found |= {} if np.array_equal(value, default) else {entry.name: value}
        return found

    @property
    def label(self) -> str:
        """A short description of the rule: its name, its rate, and every setting that is not the default.

        >>> import fallline
        >>> fallline.Adam(0.1, beta1=0.5).label
        'adam, learning_rate 0.1, beta1 0.5'
        """
        name = self.name or type(self).__name__
        words = [name if self.convention == "paper" else f"{name}@{self.convention}"]
        inside: list[str] = []
        told = self.unusual
        for entry in fields_of(self):
            value = getattr(self, entry.name)
            if isinstance(value, Optimizer):
                inside.append(f"of {value.label}")
            elif isinstance(value, Schedule):
                words += [str(value)] if entry.init else []
            elif entry.init and (entry.name == "learning_rate" or entry.name in told):
                words.append(f"{entry.name} {_written(value)}")
        return ", ".join(words + inside)


def layers(rule: Optimizer[Any]) -> list[Optimizer[Any]]:
    """The rule and those that it wraps, the outermost first.

    >>> import fallline
    >>> [one.name for one in layers(fallline.Cautious(fallline.Adam()))]
    ['cautious', 'adam']
    """
    found = [rule]
    while isinstance(inner := getattr(found[-1], "rule", None), Optimizer):
        found.append(inner)
    return found
