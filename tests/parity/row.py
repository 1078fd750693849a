"""One row of the parity table: a rule of ours compared with the optimizer of a library."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.parity.objectives import COURSES, Course

from fallline.optimizers import Optimizer


@dataclass(frozen=True)
class Row:
    """A rule under one convention, and what it must equal.

    Attributes:
        rule: our class, or what makes the rule from settings, such as `partial(Cautious, Adam(0.1))`.
        convention: the convention that is to equal the library; handed to `rule`.
        library: the distribution on PyPI: "torch", "keras", "optax", or an author's package.
        peer: the library's class or function.
        arguments: from our rule, what `peer` is called with.
        rate: the learning rate in every run but the one with all defaults; None where there is none to set.
        grid: the settings that are tried, one run on each course; each hyperparameter must be moved in one.
        fixed: arguments of `peer` that choose the rule, such as `{"amsgrad": True}`; also given when all else
            is left at the library's defaults.
        courses: what is descended.
        drive: how the peer is run (see drivers.py); by default as the library is, and as torch's are for an
            author's package.
        at_lookahead: whether the library keeps in its parameters the point where the gradient is taken.
        bound: the largest relative difference allowed over 1,000 steps.
        chaotic: whether rounding errors grow along the run: then it is compared only as long as a twin of our
            own run, each point of it moved by one unit in the last place, stays within the bound.
        why: the reason for a larger bound, for `chaotic` or for courses left out; needed there.
        defaults: whether the library's own defaults are those of the convention; they must be where the
            convention is named after the library.
    """

    rule: Callable[..., Optimizer[Any]]
    convention: str
    library: str
    peer: Callable[..., Any]
    arguments: Callable[[Any], Mapping[str, Any]]
    rate: float | None
    grid: Sequence[Mapping[str, Any]]
    fixed: Mapping[str, Any] | None = None
    courses: Sequence[Course] = COURSES
    drive: Callable[..., Any] | None = None
    at_lookahead: bool = False
    bound: float = 1e-12
    chaotic: bool = False
    why: str = ""
    defaults: bool = True

    def __post_init__(self) -> None:
        special = self.bound > 1e-12 or self.chaotic or len(self.courses) < len(COURSES)
        assert bool(self.why) == special, f"{self.name}: `why` is for what departs from the usual"
        assert self.defaults or self.convention != self.library, f"{self.name}: whose defaults are these?"

    @property
    def name(self) -> str:
        """The rule and the library, as a test is called."""
        return f"{self.ours().label.split(',')[0]} - {self.library}"

    def ours(self, **settings: Any) -> Optimizer[Any]:
        """Our rule under the row's convention, with its rate and these settings."""
        rate = {} if self.rate is None else {"learning_rate": self.rate}
        return self.rule(**{**rate, "convention": self.convention, **settings})

    def ours_by_default(self) -> Optimizer[Any]:
        """Our rule under the row's convention, everything at its default."""
        return self.rule(convention=self.convention)
