from __future__ import annotations

import numpy as np
import pytest
from tests.views.runs import doubling, halving, in_space, on_bowl, square, two_on_bowl

from fallline import Comparison, FalllineError, GradientDescent, StepDecay, minimize
from fallline.objectives import as_objective
from fallline.pictures.curve import descent_data
from fallline.pictures.landscape import landscape_data
from fallline.pictures.paths import labelled, reach, thinned
from fallline.views.traces import step_colours


def test_runs_may_be_one_a_comparison_a_mapping_or_a_list() -> None:
    run = halving()
    assert [pair.label for pair in labelled(run)] == ["gradient descent, η = 0.25"]
    assert [pair.label for pair in labelled(two_on_bowl())] == ["slow", "fast"]
    assert labelled({"a_1": run, "b": run})[0][:2] == ("a_1", run)
    assert [pair.label for pair in labelled([run, run])] == ["gradient descent, η = 0.25"] * 2
    assert [pair.label for pair in labelled([run, halving(2)])] == ["gradient descent, η = 0.25"] * 2


@pytest.mark.parametrize("wrong", [3, "run", [], {}, [halving(), 3]])
def test_what_is_no_run_is_refused(wrong: object) -> None:
    with pytest.raises(FalllineError, match=r"runs is .*; it must be a trajectory"):
        labelled(wrong)  # type: ignore[arg-type]


def test_runs_in_different_coordinates_are_refused() -> None:
    with pytest.raises(FalllineError, match=r"the coordinates x, y, and .* has x; one picture"):
        labelled({"one": halving(), "two": on_bowl()})


def test_a_schedule_is_told_by_its_rates() -> None:
    run = minimize(square, 8.0, GradientDescent(StepDecay(0.4, factor=0.5, every=1)), max_steps=3)
    assert descent_data(run).paths[0].title == (
        "gradient descent, η: step decay 0.4 → 0.1",
        f"step limit after 3 steps: f = {run.final.value:.4g}",
    )


def test_start_is_red_and_end_is_yellow() -> None:
    colours = step_colours(len(descent_data(halving()).paths[0]))
    assert tuple(colours[0]) == (1, 0, 0, 1)
    assert tuple(colours[-1]) == (1, 1, 0, 1)
    assert (np.diff(colours[:, 1]) > 0).all()


def test_path_holds_the_points_and_their_heights() -> None:
    path = descent_data(halving()).paths[0]
    np.testing.assert_array_equal(path.x[:, 0], [8, 4, 2, 1, 0.5])
    np.testing.assert_array_equal(path.value, [64, 16, 4, 1, 0.25])
    np.testing.assert_array_equal(path.times, [0, 1, 2, 3, 4])
    assert path.outside == 0
    assert path.remark == ""


def test_window_contains_every_point_of_a_usual_run() -> None:
    run = on_bowl()
    over = landscape_data(run, resolution=16).grid
    assert over.x[0] < run.x[:, 0].min()
    assert run.x[:, 0].max() < over.x[-1]
    assert over.y[0] < run.x[:, 1].min()
    assert run.x[:, 1].max() < over.y[-1]


def test_window_follows_the_user() -> None:
    path = descent_data(halving(), bounds=(0, 5)).paths[0]
    assert path.outside == 1
    assert path.remark == "1 point outside the picture"


def test_one_wild_step_does_not_flatten_the_rest() -> None:
    series = np.array([4.0, 3.0, 2.5, 1e9, 1.0, 0.5])
    assert reach(series, best=0.5) == (0.5, 4.0)


def test_overshooting_is_not_wild() -> None:
    assert reach(np.array([4.0, -3.0, 2.0, -1.0, 0.1]), best=0.1) == (-3.0, 4.0)


def test_where_most_points_lie_far_out_they_are_shown() -> None:
    # The first step is short; all later points lie forty times as far.
    assert reach(np.array([0.0, 1.0, 40.0, 41.0, 40.0, 42.0]), best=0.0) == (0.0, 42.0)


def test_reach_of_nothing_finite_and_of_no_movement() -> None:
    assert reach(np.array([np.nan, np.inf]), best=np.nan) == (0.0, 0.0)
    assert reach(np.array([2.0, 2.0]), best=2.0) == (2.0, 2.0)
    assert reach(np.array([2.0]), best=2.0) == (2.0, 2.0)


def test_a_diverged_run_shows_how_it_left() -> None:
    run = doubling()
    path = descent_data(run).paths[0]
    finite = path.x[np.isfinite(path.x)]
    np.testing.assert_array_equal(finite, (-2.0) ** np.arange(len(finite)))
    # The limit is a thousand first steps, |−2 − 1| = 3: x up to 3001 in size and so 2¹¹ = 2048.
    assert path.outside == len(run) - 12
    assert path.remark.endswith("points outside the picture")


def test_a_diverged_run_leaves_the_window_to_the_others() -> None:
    calm, wild = on_bowl(), on_bowl(rate=2.0)
    alone = landscape_data(calm, resolution=16).grid
    both = landscape_data(Comparison(("wild", "calm"), (wild, calm)), resolution=16).grid
    np.testing.assert_array_equal(both.x, alone.x)
    np.testing.assert_array_equal(both.y, alone.y)


def test_known_bounds_of_the_objective_are_shown_around_a_run_that_fills_them() -> None:
    run = halving()
    assert run.objective is not None
    run.objective.bounds = ((-3, 9),)
    curve = descent_data(run).curve
    assert curve.x[0] <= -3
    assert curve.x[-1] >= 9


def test_a_run_in_a_corner_of_the_bounds_is_no_speck() -> None:
    # Its default rate: 300 steps lead from (-1.2, 1) about 0.2 on, of bounds 4 wide.
    run = minimize("rosenbrock", (-1.2, 1.0), "adam", max_steps=300)
    over = landscape_data(run, resolution=8).grid
    sides = np.array([np.ptp(over.x), np.ptp(over.y)])
    filled = np.ptp(run.x, axis=0) / sides
    assert 0.45 < filled.max() < 0.85
    assert over.contains(run.x).all()
    # In the proportions of the bounds, 4 by 4, so that the landscape is not bent.
    assert sides[0] == pytest.approx(sides[1])


def test_a_minimum_near_the_end_of_a_run_is_shown() -> None:
    run = minimize("rosenbrock", (-1.2, 1.0), GradientDescent(1e-3), max_steps=4000)
    assert 0.5 < run.final.x[0] < 0.99
    data = landscape_data(run, resolution=8)
    np.testing.assert_array_equal(data.minima, [[1, 1]])


def test_a_run_that_stands_still_shows_the_bounds() -> None:
    run = minimize("rosenbrock", (1.0, 1.0), GradientDescent(1e-3), max_steps=5)
    over = landscape_data(run, resolution=8).grid
    bounds = as_objective("rosenbrock").bounds
    assert bounds is not None
    assert all(line[0] < low < high < line[-1] for line, (low, high) in zip((over.x, over.y), bounds, strict=True))


def test_a_run_of_one_point_has_room_around_it() -> None:
    run = minimize(square, 0.0, GradientDescent(0.1), gradient=lambda x: 2 * x)
    curve = descent_data(run).curve
    assert curve.x[0] < 0 < curve.x[-1]


def test_long_runs_are_thinned_ends_kept() -> None:
    run = minimize(square, 8.0, GradientDescent(1e-4), gradient=lambda x: 2 * x, max_steps=5000)
    path = descent_data(run).paths[0]
    assert len(path) == 2000
    assert path.times[0] == 0
    assert path.times[-1] == 5000
    np.testing.assert_array_equal(thinned(5, 3), [0, 2, 4])


def test_others_are_held_where_the_run_ended() -> None:
    run = in_space()
    over = landscape_data(run, coordinates=("c", "a"), resolution=8).grid
    assert over.names == ("c", "a")
    assert over.held == {"b": run.final.x[1]}
    np.testing.assert_array_equal(over.value[2, 5], over.y[2] ** 2 + run.final.x[1] ** 2 + 10 * over.x[5])


def test_a_run_that_swings_far_out_and_comes_back_is_shown_whole() -> None:
    # A swing of 20 times the distance between start and end, such as momentum makes.
    swing = np.concatenate([np.linspace(0, -20, 30), np.linspace(-20, -1, 300)])
    assert reach(swing, best=-1.0) == (-20.0, 0.0)


def test_of_a_run_that_falls_without_end_the_beginning_is_shown() -> None:
    run = minimize("-x**2 - y**4", (1, 1), GradientDescent(0.1), max_steps=30)
    assert run.final.value == -np.inf
    over = landscape_data(run, resolution=16).grid
    assert over.contains(run.x[:4]).all()
    assert np.ptp(over.y) < 1000
