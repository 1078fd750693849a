"""A case of the suite: a run with a fault that was caused on purpose, or a healthy one."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fallline import Comparison, Fit, Trajectory

Result = Trajectory | Comparison | Fit

HEALTHY = "healthy"
# Cases of each finding: ten kinds, each drawn once for either half.
CASES = 20


@dataclass(frozen=True)
class Labelled:
    """A case and what is right about it.

    Attributes:
        name: its finding, seed and kind.
        label: the finding that was caused, the first cause; or HEALTHY.
        also: other findings that are right too, because they follow from the cause.
        make: runs it.
        holds: whether a run shows what the construction promises: it fails in this way, or it has learnt.
        seed: even for development, odd for the half that is held back.
    """

    name: str
    label: str
    also: frozenset[str]
    make: Callable[[], Result]
    holds: Callable[[Any], Any]
    seed: int

    @property
    def held_back(self) -> bool:
        """Whether no threshold may be tuned on it."""
        return self.seed % 2 == 1


@dataclass
class Draw:
    """The random choices of a case. Seeds 2k and 2k + 1 are two draws of the same kind, one for either half."""

    label: str
    seed: int
    random: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng([zlib.crc32(self.label.encode()), self.seed])

    @property
    def kind(self) -> int:
        """The number of the kind."""
        return self.seed // 2

    def one_of(self, *options: Any, stride: int = 1) -> Any:
        """An option that is set by the kind."""
        return options[self.kind // stride % len(options)]

    def between(self, low: float, high: float) -> float:
        """A number that is uniform on a logarithmic scale."""
        return float(np.exp(self.random.uniform(np.log(low), np.log(high))))

    def case(
        self,
        about: str,
        make: Callable[[], Result],
        holds: Callable[[Any], Any],
        also: frozenset[str] = frozenset(),
        *,
        label: str = "",
    ) -> Labelled:
        """The case that was drawn; its label is the name of what was drawn if it is not given."""
        name = f"{self.label} {self.seed:02d}: {about}"
        return Labelled(name, label or self.label, also, make, holds, self.seed)
