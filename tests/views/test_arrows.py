from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver
from tests.cases import few
from tests.views.pixels import colours
from tests.views.runs import doubling, halving, in_space, on_bowl, two_on_bowl

from fallline import Adam, FalllineError, GradientDescent, Momentum, Record, Trajectory, minimize
from fallline.views import arrows_data, plot, plot_arrows

RATE, DECAY = 0.02, 0.9


def rolling(**options: object) -> Trajectory:
    """Momentum on x² + 3y², its state kept."""
    rule = Momentum(RATE, momentum=DECAY)
    return minimize("x**2 + 3*y**2", (2, 1), rule, max_steps=40, record=Record(state=True, **options))  # type: ignore[arg-type]


def test_the_arrows_add_up_to_the_step_as_the_rule_says() -> None:
    data = arrows_data(rolling(), resolution=8)
    kinds = {kind.name: kind.vector for kind in data.kinds}
    assert list(kinds) == ["gradient", "step", "velocity"]
    # v ← γ v + η g; x ← x − v (Qian, 1999), and every arrow points against its quantity; some roundings.
    np.testing.assert_allclose(kinds["step"], DECAY * kinds["velocity"] + RATE * kinds["gradient"], atol=1e-14)
    np.testing.assert_allclose(kinds["gradient"], -np.array([2, 6]) * data.tail, rtol=1e-12)


def test_arrows_stand_on_the_path_evenly_spread() -> None:
    run = rolling()
    data = arrows_data(run, points=6, resolution=8)
    np.testing.assert_array_equal(data.tail, run.x[data.steps])
    assert data.steps[0] == 0
    assert 3 <= len(data.steps) <= 6
    assert (data.steps < run.step_count).all()
    assert len(arrows_data(run, points=1000, resolution=8).steps) <= run.step_count


def test_on_a_curve_arrows_are_level() -> None:
    data = arrows_data(halving(), points=50)
    # x = 8, 4, 2, 1: the gradient is 2x, and each step halves x.
    np.testing.assert_array_equal(data.tail, [[8, 64], [4, 16], [2, 4], [1, 1]])
    gradient, step = data.kinds
    np.testing.assert_array_equal(gradient.vector, [[-16, 0], [-8, 0], [-4, 0], [-2, 0]])
    np.testing.assert_array_equal(step.vector, [[-4, 0], [-2, 0], [-1, 0], [-0.5, 0]])


def test_the_longest_arrow_of_a_kind_can_be_seen() -> None:
    data = arrows_data(rolling(), resolution=8)
    low, high = data.window
    for kind in data.kinds:
        longest = np.hypot(*(kind.stretch * kind.vector / (high - low)).T).max()
        assert 0.08 <= longest <= 2
    # Steps of a usual length are true.
    long_steps = arrows_data(on_bowl(rate=0.15), resolution=8).kinds[1]
    assert (long_steps.name, long_steps.stretch, long_steps.words) == ("step", 1.0, "step")


def test_arrows_are_drawn_as_long_as_the_legend_says() -> None:
    run = rolling()
    data = arrows_data(run, resolution=8)
    ax = plot_arrows(run, resolution=8).axes[0]
    drawn = [artist for artist in ax.collections if isinstance(artist, Quiver)]
    for kind, arrows in zip(data.kinds, drawn, strict=True):
        lengths = np.hypot(*(kind.stretch * kind.vector / (data.window[1] - data.window[0])).T)
        seen = kind.vector[lengths >= 0.01]
        np.testing.assert_allclose(np.column_stack([arrows.U, arrows.V]), kind.stretch * seen, rtol=1e-12)
    legend = ax.get_legend()
    assert legend is not None
    words = [text.get_text() for text in legend.get_texts()]
    assert words == ["start", "step 40", *(kind.words for kind in data.kinds)]
    assert words[2].startswith("−gradient × ")


def test_what_is_shown_can_be_chosen() -> None:
    run = minimize("x**2 + 3*y**2", (2, 1), Adam(0.1), max_steps=20, record=Record(state=True))
    assert [kind.name for kind in arrows_data(run, resolution=8).kinds] == ["gradient", "step", "m"]
    assert [kind.name for kind in arrows_data(run, shown=("v",), resolution=8).kinds] == ["v"]


def test_a_thinned_run_has_no_steps_to_show() -> None:
    step = arrows_data(rolling(every=5), resolution=8).kinds[1]
    assert step.name == "step"
    assert np.isnan(step.vector).all()
    assert plot_arrows(rolling(every=5), resolution=8).axes


@pytest.mark.parametrize("coordinates", [("a", "c"), "pca", None])
def test_arrows_of_many_coordinates(coordinates: object) -> None:
    data = arrows_data(in_space(), coordinates=coordinates, resolution=8)  # type: ignore[arg-type]
    _, step = data.kinds
    # On a plane, too, a step leads to the next point of the path.
    np.testing.assert_allclose(data.tail[0] + step.vector[0], data.ground.paths[0].x[1], atol=1e-12)


@pytest.mark.parametrize(
    "run",
    few(
        [
            doubling,
            lambda: halving(1),
            lambda: on_bowl(rate=2.0, steps=3000),
            lambda: on_bowl(steps=1),
            lambda: minimize(lambda x, y: 7 + 0 * x * y, (1, 1), Momentum(0.1), max_steps=3),
            lambda: minimize(lambda x: 7 + 0 * x, 1, Momentum(0.1), max_steps=3),
            lambda: minimize("1e200*x**2 + 1e200*y**2", (1e50, 1), GradientDescent(1e-201), max_steps=20),
        ],
        3,
    ),
)
def test_odd_runs_are_drawn(run: object) -> None:
    assert len(colours(plot(run(), kind="arrows"))) > 10  # type: ignore[operator]


def test_wrong_options_are_named() -> None:
    with pytest.raises(FalllineError, match="run is a Comparison; arrows show one trajectory"):
        plot_arrows(two_on_bowl())  # type: ignore[arg-type]
    with pytest.raises(FalllineError, match=r"shown names 'v'; Allowed: gradient, step; record=Record\(state=True\)"):
        plot_arrows(on_bowl(), shown=("v",))
    with pytest.raises(FalllineError, match=r"shown names 'velocty'; did you mean 'velocity'\?"):
        plot_arrows(rolling(), shown=("velocty",))
    with pytest.raises(FalllineError, match="points is 0"):
        plot_arrows(on_bowl(), points=0)
    with pytest.raises(FalllineError, match="bounds: the run makes no step inside the picture"):
        plot_arrows(on_bowl(), bounds=((5, 6), (5, 6)))


def test_of_arrows_that_point_the_same_way_each_is_seen() -> None:
    # Plain descent steps along minus the gradient: the shorter arrow of the two lies on the longer and wider one.
    ax = plot_arrows(on_bowl(), resolution=8).axes[0]
    arrows: list[Any] = [child for child in ax.collections if isinstance(child, Quiver)]
    gradient, step = arrows
    data = arrows_data(on_bowl(), resolution=8)
    lengths = [float(np.hypot(*(kind.stretch * kind.vector[0]))) for kind in data.kinds]
    assert lengths[0] < lengths[1]
    assert gradient.zorder > step.zorder
    assert gradient.width < step.width


def test_ax_is_used() -> None:
    figure = Figure()
    ax = figure.add_subplot()
    assert plot_arrows(halving(), ax=ax) is figure
    assert ax.get_xlabel() == "x"
