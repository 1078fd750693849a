"""The seeds that repeat runs: checked, given to a rule that draws by itself, and whether they can matter."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from fallline.errors import FalllineError, check_whole, listed
from fallline.experiments.design import repeated, several
from fallline.models.batches import Batches
from fallline.objectives import Objective
from fallline.optimizers import Optimizer
from fallline.optimizers.settings import has_setting, with_settings

# From the function that warns to the caller of `compare` or `sweep`, which `in_our_words` wraps.
_LEVELS = 4


def seeds_of(given: Any) -> tuple[int, ...]:
    """The seeds in the argument of `compare` and `sweep`.

    Raises:
        FalllineError: when they are not whole numbers at least 0, each once.

    >>> seeds_of(range(3))
    (0, 1, 2)
    """
    seeds = several(given, "seeds")
    for seed in seeds:
        check_whole("seeds", seed, least=0)
    if twice := repeated(seeds):
        raise FalllineError("seeds", problem=f"has {twice} twice", allowed="give each once")
    return tuple(map(int, seeds))


def with_seed(rule: Optimizer[Any], seed: int) -> Optimizer[Any]:
    """The rule with this seed, if it draws random numbers of its own."""
    return with_settings(rule, {"seed": seed}) if has_setting(rule, "seed") else rule


def warn_of_equal_runs(seeds: Sequence[int], objective: Objective, rules: Sequence[Optimizer[Any]]) -> None:
    """Warn when several seeds repeat the same run, digit for digit."""
    drawing_nothing = [rule.label.partition(",")[0] for rule in rules if not has_setting(rule, "seed")]
    if len(seeds) == 1 or objective.seeded or not drawing_nothing:
        return
    why, remedy = "neither draws random numbers from a seed", "repeat the runs from several starts"
    if isinstance(objective, Batches):
        whole = objective.size == objective.loss.rows
        why = "each batch holds all rows" if whole else "the batches are sequential"
        remedy = "take smaller batches" if whole else 'shuffle them, batches(size, order="shuffled")'
    warnings.warn(
        f"seeds make no difference to {listed(dict.fromkeys(drawing_nothing))} on {objective.title}: {why}; {remedy}",
        stacklevel=_LEVELS,
    )
