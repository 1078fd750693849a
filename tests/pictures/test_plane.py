from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.views.pixels import colours
from tests.views.runs import in_space, on_bowl

import fallline
from fallline import GradientDescent, Trajectory, minimize
from fallline.arrays import FloatArray
from fallline.models import Logistic
from fallline.pictures.paths import labelled
from fallline.pictures.plane import OnPlane, principal_plane
from fallline.views import animate, landscape_data, plot, plot_contour, plot_surface


def sphere(x: FloatArray) -> float:
    return float(np.sum(x * x))


def passing(points: FloatArray) -> Trajectory:
    """A run through these points, its objective the sum of squares."""
    points = np.asarray(points, float)
    run = minimize(sphere, points[0], GradientDescent(0.1), max_steps=1)
    rows = len(points)
    with np.errstate(over="ignore"):
        final = np.sum(points**2, axis=1)
    return dataclasses.replace(
        run,
        steps=np.arange(rows),
        x=points,
        value=final,
        gradient=2 * points,
        rate=np.append(np.full(rows - 1, 0.1), np.nan),
        best=run.best._replace(x=points[-1], value=float(final[-1])),
    )


def in_a_plane(seed: int = 0, rows: int = 20, dimension: int = 5) -> FloatArray:
    random = np.random.default_rng(seed)
    return np.asarray(
        random.normal(size=dimension) + random.normal(size=(rows, 2)) @ random.normal(size=(2, dimension))
    )


@given(st.integers(0, 1000), st.integers(3, 30), st.integers(3, 8))
def test_a_path_in_a_plane_is_seen_whole(seed: int, rows: int, dimension: int) -> None:
    points = in_a_plane(seed, rows, dimension)
    plane = principal_plane(labelled(passing(points)))
    # Rounding of sums of a few numbers of size 1 to 10.
    assert plane.variance.sum() == pytest.approx(1, abs=1e-12)
    assert plane.distance == 0
    back = plane.origin + plane.on(points) @ plane.directions
    np.testing.assert_allclose(back, points, atol=1e-12)


@given(st.integers(0, 1000))
def test_shares_and_directions_are_those_of_the_covariance(seed: int) -> None:
    random = np.random.default_rng(seed)
    points = random.normal(size=(12, 4)) * [4, 3, 1, 0.5]
    plane = principal_plane(labelled(passing(points)))
    shares, vectors = np.linalg.eigh(np.cov(points.T))
    np.testing.assert_allclose(plane.variance, shares[::-1][:2] / shares.sum(), rtol=1e-9)
    # Two algorithms agree on a direction up to rounding over the gap between the variances.
    gap = np.diff(shares).min() / shares[-1]
    overlap = np.abs(np.sum(plane.directions * vectors[:, ::-1].T[:2], axis=1))
    np.testing.assert_allclose(overlap, 1, atol=1e-12 / gap)


def test_distance_off_the_plane() -> None:
    # Variances 18, 8 and 2 along the axes, so the plane is that of x and y; the points on the z axis lie 1 off it.
    points = np.array([[3, 0, 0], [-3, 0, 0], [0, 2, 0], [0, -2, 0], [0, 0, 1], [0, 0, -1], [0, 0, 0]], float)
    run = passing(points)
    plane = principal_plane(labelled(run))
    np.testing.assert_allclose(plane.directions, [[1, 0, 0], [0, 1, 0]], atol=1e-12)
    np.testing.assert_allclose(plane.variance, [18 / 28, 8 / 28], rtol=1e-12)
    assert plane.distance == pytest.approx(1, abs=1e-12)
    words = landscape_data(run, resolution=8).held
    assert words == "plane of principal components (PC):\n92.86 % of variance; path up to 1 off it"
    assert words in [text.get_text() for text in plot_contour(run, resolution=8).axes[0].texts]


def test_the_largest_part_of_each_direction_is_positive() -> None:
    for points in (in_a_plane(), -in_a_plane()):
        directions = principal_plane(labelled(passing(points))).directions
        largest = directions[[0, 1], np.abs(directions).argmax(axis=1)]
        assert (largest > 0).all()


@pytest.mark.parametrize(
    "points",
    [
        [[1, 2, 3]],
        [[1, 2, 3], [1, 2, 3]],
        [[1, 2, 3], [2, 4, 6]],
        [[0, 0, 1], [0, 0, 2], [0, 0, 5]],
        [[1, 2, 3], [np.inf, 2, 3], [np.nan, 0, 0]],
        [[1e300, 2, 3], [0, 2e299, 3], [1, 1, 1]],
    ],
)
def test_paths_without_a_plane_of_their_own_get_one(points: list[list[float]]) -> None:
    run = passing(np.array(points, float))
    run = dataclasses.replace(run, best=run.best._replace(x=run.x[0], value=float(run.value[0])))
    plane = principal_plane(labelled(run))
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-12)
    assert np.isfinite(plane.variance).all()
    assert plane.variance.sum() == pytest.approx(1, abs=1e-12)


def test_a_run_that_leaves_does_not_turn_the_plane() -> None:
    points = in_a_plane(rows=40)
    plane = principal_plane(labelled(passing(points)))
    wild = np.vstack([points[:20], 1e9 * np.ones((1, 5)), points[20:]])
    assert principal_plane(labelled(passing(wild))).variance.sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(principal_plane(labelled(passing(wild))).directions, plane.directions, atol=1e-9)


@given(st.lists(st.floats(-10, 10), min_size=6, max_size=6))
def test_a_value_on_the_plane_never_depends_on_its_batch(numbers: list[float]) -> None:
    run = passing(in_a_plane())
    assert run.objective is not None
    on_plane = OnPlane(run.objective, principal_plane(labelled(run)))
    places = np.array(numbers).reshape(3, 2)
    values = on_plane.value(places)
    np.testing.assert_array_equal(values, [on_plane.value(place) for place in places])
    np.testing.assert_array_equal(values, on_plane.value(places[None])[0])


def test_heights_are_the_functions() -> None:
    run = passing(in_a_plane())
    data = landscape_data(run, resolution=16)
    # The path lies in the plane, so its heights are its values; the last point is the plane's own origin.
    np.testing.assert_allclose(data.paths[0].value, run.value, rtol=1e-12)
    assert data.paths[0].value[-1] == run.final.value
    np.testing.assert_array_equal(data.paths[0].x[-1], [0, 0])
    # The sum of squares over a plane is a paraboloid: its second differences are those of the squared steps.
    second = np.diff(data.grid.value, 2, axis=1)
    np.testing.assert_allclose(second, 2 * (data.grid.x[1] - data.grid.x[0]) ** 2, rtol=1e-6)


def test_the_plane_is_what_fits_more_than_two_coordinates() -> None:
    run = in_space()
    ax = plot(run, resolution=16).axes[0]
    assert ax.get_xlabel().startswith("PC 1 (")
    assert ax.get_title().startswith("gradient descent, η = 0.1\nstep limit after 20 steps: f = ")
    assert plot_surface(run, resolution=16).axes[0].get_ylabel().startswith("PC 2 (")
    assert plot(run, coordinates=("a", "b"), resolution=16).axes[0].get_xlabel() == "a"
    # Also for two coordinates, on request.
    assert landscape_data(on_bowl(), coordinates="pca", resolution=8).plane is not None


def test_a_model_on_data_is_shown_by_histories_unless_asked() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(30, 3))
    loss = Logistic(X, (X[:, 0] > 0).astype(float), reduction="mean")
    run = minimize(loss, np.zeros(loss.dimension), GradientDescent(0.5), max_steps=10)
    assert plot(run).axes[0].get_ylabel() == "loss"
    ax = plot(run, coordinates="pca", resolution=16).axes[0]
    assert ax.get_xlabel().startswith("PC 1 (")
    assert landscape_data(run, resolution=8).unit == "epoch"
    assert landscape_data(run, resolution=8).symbol == "loss"


@pytest.mark.long
def test_several_runs_share_one_plane() -> None:
    runs = fallline.compare(sphere, [3, 2, 1, 0.5], [GradientDescent(0.1), fallline.Adam(0.2)], max_steps=15)
    data = landscape_data(runs, resolution=16)
    assert len(data.paths) == 2
    # Both start at one place.
    np.testing.assert_allclose(data.paths[0].x[0], data.paths[1].x[0], atol=1e-12)
    assert len(colours(plot(runs, resolution=16))) > 50


@pytest.mark.long
def test_films_of_many_coordinates() -> None:
    film = animate(in_space(), frames=3, resolution=16)
    assert sum(1 for _ in film.pictures()) == 3
    assert "PC 1 (" in film.html()
