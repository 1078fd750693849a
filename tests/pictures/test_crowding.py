"""How paths that lie on each other are told apart."""

from __future__ import annotations

import numpy as np
import pytest

from fallline import GradientDescent, minimize
from fallline.pictures.crowding import CALM, strokes_of
from fallline.pictures.grid import Grid
from fallline.pictures.paths import Path

SQUARE = Grid(("x", "y"), np.linspace(0, 1, 5), np.linspace(0, 1, 5), np.zeros((5, 5)), {})


def path(*points: tuple[float, float]) -> Path:
    x = np.array(points, float)
    return Path("", "", ("", ""), np.arange(len(x), dtype=float), x, np.zeros(len(x)), 0)


def test_the_shortest_lies_on_top() -> None:
    far, near, middle = path((0, 0), (1, 1)), path((0, 0), (0.2, 0.2)), path((0, 0), (0.5, 0.5))
    strokes = strokes_of([near, far, middle], SQUARE)
    assert [stroke.rank for stroke in strokes] == [2, 0, 1]
    # In diagonals of the picture.
    assert [stroke.length for stroke in strokes] == pytest.approx([0.2, 1, 0.5])


def test_of_equal_paths_each_is_seen_on_an_equal_part() -> None:
    strokes = strokes_of([path((0.1, 0.1), (0.9, 0.4))] * 3, SQUARE)
    assert [stroke.dash for stroke in strokes] == pytest.approx([1, 2 / 3, 1 / 3])


def test_paths_that_only_cross_have_no_gaps() -> None:
    strokes = strokes_of([path((0, 0), (1, 1)), path((0, 1), (1, 0)), path((0.5, 0), (0.5, 1))], SQUARE)
    assert [stroke.dash for stroke in strokes] == [1, 1, 1]


def test_a_path_that_winds_is_thinned_and_makes_no_gaps() -> None:
    winding = path(*((number % 2, number / 100) for number in range(100)))
    plain = path((0.1, 0.1), (0.9, 0.9))
    faint, full = strokes_of([winding, plain], SQUARE)
    assert faint.length > CALM
    assert (faint.rank, full.rank) == (0, 1)
    assert faint.thin < 0.5
    assert (full.thin, full.dash) == (1, 1)


def test_twenty_paths_are_thinner_than_eight() -> None:
    alone = path((0, 0), (1, 1))
    assert strokes_of([alone] * 8, SQUARE)[0].thin == 1
    assert strokes_of([alone] * 20, SQUARE)[0].thin < 0.7


def test_points_that_are_not_numbers_or_outside_do_no_harm() -> None:
    odd = path((0, 0), (np.nan, np.nan), (5, 5), (0.5, 0.5))
    still = path((0.5, 0.5))
    assert [stroke.dash for stroke in strokes_of([odd, still, odd], SQUARE)][1] == 1


def test_a_real_run_twice() -> None:
    run = minimize("x**2 + 3*y**2", (2.0, 1.0), GradientDescent(0.05), max_steps=20)
    from fallline.pictures.landscape import landscape_data

    data = landscape_data([run, run], resolution=8)
    assert sorted(stroke.dash for stroke in strokes_of(data.paths, data.grid)) == [0.5, 1]
