"""How much the conventions of one rule differ, measured on an example run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fallline.hyperparameters import hyperparameters
from fallline.minimizing import minimize
from fallline.optimizers import WRAPPERS, optimizer_from_name
from fallline.results.trajectory import Trajectory
from fallline.stopping import NotFinite

OBJECTIVE = "booth"
START = (-1.5, 2.0)
STEPS = 100


@dataclass(frozen=True)
class Apart:
    """One convention's run compared with the paper's.

    Attributes:
        convention: the name of the convention.
        value: the final value of its run, with the convention's own defaults.
        by_default: the largest distance from the paper's run, each with its own defaults.
        by_formula: the same with the paper's defaults for both, so that only the formulas differ.
    """

    convention: str
    value: float
    by_default: float
    by_formula: float


def worked_run(rule: str) -> tuple[Apart, ...]:
    """Compare every convention of a rule on the same example run.

    Arguments:
        rule: the rule's name, such as "adam". A rule that wraps another wraps gradient descent here.

    Raises:
        FalllineError: when there is no such rule.

    >>> keras = next(apart for apart in worked_run("adam") if apart.convention == "keras")
    >>> 0 < keras.by_formula < keras.by_default < 1e-6
    True
    """
    inner = ":gradient_descent" if rule in WRAPPERS else ""
    paper = optimizer_from_name(f"{rule}{inner}")
    settings = {name: getattr(paper, name) for name in hyperparameters(paper)}
    first = minimize(OBJECTIVE, START, paper, max_steps=STEPS, stop=NotFinite())
    found = []
    for convention in paper.conventions:
        own = optimizer_from_name(f"{rule}@{convention}{inner}")
        same = optimizer_from_name(f"{rule}@{convention}{inner}", **settings)
        by_default, by_formula = (
            minimize(OBJECTIVE, START, chosen, max_steps=STEPS, stop=NotFinite()) for chosen in (own, same)
        )
        found.append(
            Apart(
                convention,
                by_default.final.value,
                largest_distance(by_default, first),
                largest_distance(by_formula, first),
            )
        )
    return tuple(found)


def largest_distance(one: Trajectory, other: Trajectory) -> float:
    """The largest distance between two runs at the same step; NaN if one of them is not finite.

    >>> run = minimize("x**2", 1.0, "gradient_descent", max_steps=3)
    >>> largest_distance(run, run)
    0.0
    """
    rows = min(len(one), len(other))
    distances = np.linalg.norm(one.x[:rows] - other.x[:rows], axis=-1)
    return float(distances.max())
