"""The limits and the scale of the heights that a picture shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fallline import Adam, FalllineError, GradientDescent, as_objective, minimize
from fallline.pictures.curve import descent_data
from fallline.pictures.landscape import landscape_data
from fallline.views import plot, plot_curve

# About where it is usually looked at: with walls beyond the heights of its valley, and no grid point at its minimum.
USUAL = ((-2, 2.1), (-1.1, 3))
ROSENBROCK = minimize("rosenbrock", [-1.2, 1.5], GradientDescent(1e-3), max_steps=50)
BOWL = minimize("x**2 + y**2", [1.0, 1.0], GradientDescent(0.5), max_steps=5)
CURVE = minimize("x**2 - 1", 3.0, GradientDescent(0.1), max_steps=20)


def rosenbrock(x: Any, y: Any) -> Any:
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def test_heights_beyond_the_limits_are_clipped() -> None:
    data = landscape_data(ROSENBROCK, bounds=[(-2, 2), (-1, 3)], zlim=(5, 50), resolution=33)
    x, y = np.meshgrid(data.grid.x, data.grid.y)
    assert data.heights == (5, 50)
    np.testing.assert_allclose(data.surface, np.clip(rosenbrock(x, y), 5, 50), rtol=1e-12)
    assert (data.bounds_of_bands[0], data.bounds_of_bands[-1]) == (5, 50)


def test_an_end_that_is_none_is_left_to_the_picture() -> None:
    chosen = landscape_data(ROSENBROCK, resolution=33).heights
    assert landscape_data(ROSENBROCK, zlim=(None, 50), resolution=33).heights == (chosen[0], 50)
    assert landscape_data(ROSENBROCK, zlim=(1, None), resolution=33).heights == (1, chosen[1])
    assert landscape_data(ROSENBROCK, zlim=(None, None), resolution=33).heights == chosen


def test_on_a_logarithmic_scale_heights_are_the_logarithms_of_the_values() -> None:
    data = landscape_data(ROSENBROCK, zlim=(1e-2, 1e3), zscale="log", bounds=USUAL, resolution=33)
    x, y = np.meshgrid(data.grid.x, data.grid.y)
    # The rounding of the logarithm, near values of 1.
    np.testing.assert_allclose(data.grid.value, np.log10(rosenbrock(x, y)), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(data.paths[0].value, np.log10(ROSENBROCK.value), rtol=1e-9, atol=1e-12)
    assert data.heights == (-2, 3)
    assert data.height_name == "f (log scale, clipped at 1000)"


def test_a_value_of_zero_is_drawn_at_the_lowest_above_it() -> None:
    assert BOWL.final.value == 0
    data = landscape_data(BOWL, zscale="log", resolution=32)
    assert np.isfinite(data.grid.value).all()
    assert data.paths[0].value[-1] == min(data.grid.value.min(), data.paths[0].value[:-1].min())


@pytest.mark.parametrize("kind", ["contour", "contour_3d", "surface"])
@pytest.mark.parametrize("zscale", ["linear", "log"])
def test_each_picture_of_a_landscape_has_limits_and_a_scale(kind: str, zscale: str) -> None:
    figure = plot(ROSENBROCK, kind=kind, zlim=(0.1, 100), zscale=zscale, bounds=USUAL, resolution=32)
    if kind == "contour":
        _, bar = figure.axes
        assert bar.get_ylabel() == ("f (log scale)" if zscale == "log" else "f")
        assert bar.get_ylim() == (0.1, 100)
        return
    ax: Any = figure.axes[0]
    said = ax.get_zlabel().replace("\n", " ")
    assert said == ("f (log scale, clipped at 0.1 and 100)" if zscale == "log" else "f (clipped at 0.1 and 100)")
    assert ax.get_zlim()[1] == (2 if zscale == "log" else 100)


# Known ranges of values: Surjanovic and Bingham, Virtual Library of Simulation Experiments.
WALLED = [("rosenbrock", (-1.2, 1.0)), ("beale", (1.0, 1.0)), ("goldstein_price", (-0.5, 0.25))]


@pytest.mark.parametrize(("name", "start"), WALLED)
def test_a_descent_that_linear_heights_hide_is_seen(name: str, start: tuple[float, float]) -> None:
    run, bounds = minimize(name, start, Adam(0.02), max_steps=300), as_objective(name).bounds

    def fall(zscale: Any) -> float:
        data = landscape_data(run, zscale=zscale, bounds=bounds, resolution=65)
        low, high = data.heights
        return float(np.ptp(np.clip(data.paths[0].value, low, high)) / (high - low))

    assert fall("linear") < 0.1 < 0.15 < fall("auto")
    assert landscape_data(run, zscale="auto", bounds=bounds, resolution=65).height_name.startswith(
        "f (log scale, clipped at "
    )


def test_values_that_are_negative_are_cut_off_above_the_descent() -> None:
    run = minimize("100*(y - x**2)**2 + (1 - x)**2 - 1", (-1.2, 1.0), Adam(0.02), max_steps=300)
    data = landscape_data(run, zscale="auto", bounds=[(-2, 2), (-2, 3)], resolution=65)
    assert data.scale == "linear"
    assert run.value.max() <= data.heights[1] < data.grid.value.max() / 10
    assert data.height_name == f"f (clipped at {data.heights[1]:g})"


@pytest.mark.parametrize("formula", ["x**2 + 3*y**2", "x**2 + y**2 - 1", "sin(x) + sin(y)"])
def test_heights_stay_linear_where_that_shows_the_descent(formula: str) -> None:
    data = landscape_data(minimize(formula, [2.0, 1.0], GradientDescent(0.1)), zscale="auto", resolution=33)
    assert (data.scale, data.height_name) == ("linear", "f")


def test_limits_of_ones_own_are_on_a_linear_scale() -> None:
    data = landscape_data(ROSENBROCK, zlim=(None, 50), zscale="auto", resolution=33)
    assert (data.scale, data.heights[1]) == ("linear", 50)


def test_a_curve_has_limits() -> None:
    assert plot(CURVE, bounds=(-2, 4), ylim=(-2, 5)).axes[0].get_ylim() == (-2, 5)
    assert plot(CURVE, bounds=(-2, 4), ylim=(-2, 5)).axes[0].get_xlim() == (-2, 4)
    assert plot_curve("1/x", (-2, 2), ylim=(-4, 4)).axes[0].get_ylim() == (-4, 4)
    low, high = descent_data(CURVE).heights
    assert descent_data(CURVE, ylim=(None, 3)).heights == (low, 3)
    assert descent_data(CURVE, ylim=(0, None)).heights == (0, high)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"zlim": 3}, r"zlim is 3; it must be two numbers, the lower one first, or None at an end"),
        ({"zlim": (1, 2, 3)}, r"zlim is \(1, 2, 3\); it must be two numbers"),
        ({"zlim": (3, 1)}, r"zlim is \[3, 1\]; it must be two finite numbers, the lower one first"),
        ({"zlim": (0, np.inf)}, r"zlim is \[0, inf\]; it must be two finite numbers"),
        ({"zscale": "logs"}, r"zscale is 'logs'; did you mean 'log'\? Allowed: auto, linear, log"),
        ({"zscale": "log", "zlim": (0, 3)}, r"zlim is \(0, 3\); on a logarithmic scale it must be two numbers above 0"),
        ({"zscale": "log", "zlim": 5}, r"zlim is 5; it must be two numbers"),
    ],
)
def test_limits_and_scales_that_are_none_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(FalllineError, match=rf"^{said}"):
        plot(ROSENBROCK, kind="surface", resolution=16, **options)


def test_negative_values_have_no_logarithmic_scale() -> None:
    run = minimize("x**2 + y**2 - 1", [1.0, 1.0], GradientDescent(0.1), max_steps=5)
    with pytest.raises(FalllineError, match=r"^zscale is 'log', but not all values are positive; add what makes them"):
        plot(run, kind="contour", zscale="log", bounds=[(-1, 1), (-1, 1)])
