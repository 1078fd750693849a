"""How paths that lie on each other are told apart: their order, their dashes, and how far a winding one is thinned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.pictures.grid import Grid
from fallline.pictures.paths import Path

# Paths count as lying on each other by so many cells along each side of the picture, on this share of a path.
CELLS, SHARED = 100, 0.3
# A path longer than so many diagonals of the picture winds, and more paths than so many are a crowd: they are thinned,
# but not below this share.
CALM, FEW, THINNEST = 6.0, 8, 0.4
# A path has at most this many markers, with about this share of the diagonal between two, or more.
MARKERS, LEAST_SPACING = 24, 0.12
# The most paths on each other that are told apart by dashes.
DEEPEST = 4


class Stroke(NamedTuple):
    """How one of several paths is drawn.

    Attributes:
        rank: its place in the order of drawing: the longest is 0, below all others.
        length: in diagonals of the picture.
        layer: how many paths lie below it.
        depth: how many paths lie on each other there, itself included.
        crowd: how many paths the picture has.
        marks: the rows with markers, about evenly spread, neither the first nor the last: shape (k,).
    """

    rank: int
    length: float
    layer: int
    depth: int
    crowd: int
    marks: npt.NDArray[np.intp]

    @property
    def thin(self) -> float:
        """The share of the usual width and opacity: less for a path that would cover the picture."""
        crowded = max(1.0, self.length / CALM) * max(1.0, self.crowd / FEW)
        return max(THINNEST, 1 / math.sqrt(crowded))

    @property
    def dash(self) -> float:
        """The share of the path that its dashes cover, so that equal parts of all paths on each other are seen."""
        return 1 - self.layer / self.depth


def strokes_of(paths: Sequence[Path], over: Grid) -> tuple[Stroke, ...]:
    """How each of several paths in the picture of a grid is drawn."""
    places = [_places(path, over) for path in paths]
    along = [_along(place) for place in places]
    lengths = [float(distance[-1]) for distance in along]
    # Stable: of equally long ones the first lies below.
    order = sorted(range(len(paths)), key=lambda number: -lengths[number])
    covered = np.zeros((CELLS + 2, CELLS + 2), np.intp)
    layers, cells = [0] * len(paths), [_cells(place) for place in places]
    for number in order:
        row, column = cells[number]
        below = covered[row, column]
        # What winds over the whole picture is faint and needs no gaps in others.
        if lengths[number] > CALM or not below.size:
            continue
        layers[number] = min(int(below.max()), DEEPEST - 1) if np.mean(below > 0) >= SHARED else 0
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                np.maximum.at(covered, (row + down, column + right), layers[number] + 1)
    depths = [int(covered[cell].max(initial=1)) for cell in cells]
    return tuple(
        Stroke(
            order.index(number),
            length,
            layers[number],
            max(depths[number], layers[number] + 1),
            len(paths),
            _marks(along[number]),
        )
        for number, length in enumerate(lengths)
    )


def _places(path: Path, over: Grid) -> FloatArray:
    """The points as shares of the picture's sides, shape (rows, 2)."""
    low, high = np.array([(line[0], line[-1]) for line in (over.x, over.y)]).T
    return np.asarray((path.x - low) / (high - low))


def _along(place: FloatArray) -> FloatArray:
    """How far along the path each of its points lies, in diagonals of the picture, shape (rows,)."""
    steps = np.nan_to_num(np.hypot(*np.diff(place, axis=0).T)) / np.sqrt(2)
    return np.concatenate([[0.0], np.cumsum(steps)])


def _marks(along: FloatArray) -> npt.NDArray[np.intp]:
    """The rows that are marked: larger distances between them for long, winding paths."""
    spacing = max(LEAST_SPACING, along[-1] / MARKERS)
    rows = np.unique(np.searchsorted(along, np.arange(spacing / 2, along[-1], spacing)))
    return rows[rows < len(along) - 1]


def _cells(place: FloatArray) -> tuple[np.ndarray, np.ndarray]:
    """The rows and columns of the cells through which a path passes, from 1 to CELLS."""
    place = place[np.isfinite(place).all(axis=1)]
    steps = np.diff(place, axis=0)
    parts = np.clip(np.ceil(CELLS * np.abs(steps).max(axis=1, initial=0)), 1, 2 * CELLS).astype(int)
    number = np.repeat(np.arange(len(steps)), parts)
    share = (np.arange(len(number)) - np.repeat(np.cumsum(parts) - parts, parts)) / np.repeat(parts, parts)
    every = place[:-1][number] + share[:, None] * steps[number]
    inside = every[((every >= 0) & (every < 1)).all(axis=1)]
    column, row = (1 + (CELLS * inside).astype(np.intp)).T
    return row, column
