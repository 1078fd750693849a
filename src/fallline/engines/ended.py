"""How the runs of a batch ended."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from fallline.objectives.base import Cost
from fallline.results.trajectory import Point
from fallline.stopping import Stop


@dataclass(frozen=True)
class End:
    """How one run ended."""

    stop: Stop
    best: Point
    evaluations: Cost
    seconds: float


def in_columns(ends: dict[int, End]) -> list[Any]:
    """The runs that have ended, and how, as columns for a checkpoint."""
    each = list(ends.values())
    return [
        list(ends),
        [dataclasses.astuple(end.stop) for end in each],
        [end.best.step for end in each],
        np.array([end.best.x for end in each]),
        [end.best.value for end in each],
        np.array([end.best.gradient for end in each]),
        [end.evaluations for end in each],
        [end.seconds for end in each],
    ]


def from_columns(saved: list[Any]) -> dict[int, End]:
    """The inverse of `in_columns`."""
    return {
        run: End(Stop(*stop), Point(*best), Cost(*evaluations), seconds)
        for run, stop, *best, evaluations, seconds in zip(*saved, strict=True)
    }
