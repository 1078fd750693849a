"""Runs that repeat a rule, from several starts or with several seeds: grouped by rule, and their ends as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fallline.results.comparison import Comparison
from fallline.results.spread import FEWEST_REPEATS, spread_of
from fallline.tables import MOST_ROWS


class RuleTable(NamedTuple):
    """How the runs of each rule ended: a header, and a row for each rule."""

    header: list[str]
    rows: list[list[str]]


def places_by_rule(rules: Sequence[str]) -> dict[str, list[int]]:
    """The places of each rule's runs, in the order in which the rules come first.

    >>> places_by_rule(["adam", "adam", "momentum"])
    {'adam': [0, 1], 'momentum': [2]}
    """
    places: dict[str, list[int]] = {}
    for place, rule in enumerate(rules):
        places.setdefault(rule, []).append(place)
    return places


def is_told_by_rule(runs: Comparison) -> bool:
    """Whether a table has a row for each rule: where seeds repeat a run, or runs are too many to have each its own."""
    most = max(map(len, places_by_rule(runs.rules).values()), default=0)
    # The runs are asked for their seeds only if they are few: of many they might not have been made yet.
    return most >= FEWEST_REPEATS and (len(runs) > MOST_ROWS or len({run.seed for run in runs}) > 1)


def table_by_rule(runs: Comparison) -> RuleTable:
    """Median and quartiles of where each rule's runs ended, the lowest first.

    >>> import fallline
    >>> runs = fallline.compare("x**2", [[1.0], [2.0], [3.0]], {"half": fallline.GradientDescent(0.25)}, max_steps=1)
    >>> table_by_rule(runs).rows
    [['half', '3', '0.625', '1', '1.625', '1', '1', 'step limit']]
    """
    header = ["rule", "runs", "f: lower quartile", "median", "upper quartile", "median lowest f", "median steps"]
    rows = []
    for rule, places in places_by_rule(runs.rules).items():
        lowest = float(spread_of(runs.lowest[places]).middle)
        figures = [f"{number:.6g}" for number in (*spread_of(runs.value[places]), lowest)]
        steps, stopped = f"{np.median(runs.steps[places]):g}", _counted(runs.reasons[places].tolist())
        rows.append((lowest, [rule, str(len(places)), *figures, steps, stopped]))
    return RuleTable([*header, "stopped"], [row for _, row in sorted(rows, key=lambda row: row[0])])


def _counted(reasons: Sequence[str]) -> str:
    """The reasons for which runs ended, the most frequent first; with their numbers if there are several."""
    counts = Counter(reasons).most_common()
    return counts[0][0] if len(counts) == 1 else ", ".join(f"{count} {reason}" for reason, count in counts)
