from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from fallline import Adam, Basins, FalllineError, GradientDescent, Momentum, Perturbation, StepSize, basins, minimize
from fallline.experiments.minima import _linked
from fallline.objectives import LANDSCAPES
from fallline.results.basins import DIVERGED, NOT_ARRIVED

HIMMELBLAU = LANDSCAPES["himmelblau"]
# The same function, of which no minimum is known beforehand.
UNKNOWN = "x**4 + y**4 + 2*x**2*y + 2*x*y**2 - 21*x**2 - 13*y**2 - 14*x - 22*y + 170"


def test_a_double_well_is_parted_at_its_crest() -> None:
    # x becomes x (1.2 - 0.2 x²) in a step, which keeps its sign; on the crest itself it stays, at a saddle.
    found = basins("(x**2 - 1)**2 + y**2", [(-2, 2), (-1, 1)], GradientDescent(0.05), resolution=41)
    np.testing.assert_allclose(found.minima, [[-1, 0], [1, 0]], atol=1e-9)  # the runs end at steps of 1e-12
    np.testing.assert_allclose(found.values, 0, atol=1e-18)
    crest = np.abs(found.x) < 1e-12
    expected = np.where(crest, NOT_ARRIVED, np.where(found.x < 0, 0, 1))
    np.testing.assert_array_equal(found.basin, np.broadcast_to(expected, (41, 41)))
    assert found.share(NOT_ARRIVED) == 1 / 41


def test_a_large_rate_leads_where_a_plain_loop_leads() -> None:
    rate = 0.3
    found = basins("(x**2 - 1)**2 + y**2", [(-1.9, 1.9), (-1, 1)], GradientDescent(rate), resolution=60)
    for column, x in enumerate(found.x.tolist()):
        for _ in range(2000):
            x -= rate * 4 * x * (x * x - 1)
            if abs(x) > 1e6:
                break
        # A rate above 1/4 turns the wells' minima into repellers: x² may also circle for ever.
        expected = DIVERGED if abs(x) > 1e6 else NOT_ARRIVED
        assert (found.basin[:, column] == expected).all()
    assert 0 < found.share(DIVERGED) < 1


def test_the_border_of_divergence_is_exact() -> None:
    # x becomes x (1 - (1 + x²)/2) in a step: closer to 0 if x² is below 3, and farther away above.
    found = basins("x**2/2 + x**4/4 + y**2/2", [(-3, 3), (-1, 1)], GradientDescent(0.5), resolution=50)
    expected = np.where(found.x**2 < 3, 0, DIVERGED)
    np.testing.assert_array_equal(found.basin, np.broadcast_to(expected, (50, 50)))


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_himmelblaus_four_minima(engine: str) -> None:
    found = basins("himmelblau", None, Momentum(0.01), resolution=24, engine=engine)
    assert found.engine == engine
    assert {tuple(minimum) for minimum in found.minima} == set(HIMMELBLAU.minima)
    assert sorted(-found.share(place) for place in range(4)) == [-found.share(place) for place in range(4)]
    for row, column in [(0, 0), (3, 20), (17, 5), (23, 23), (11, 12)]:
        run = minimize("himmelblau", (found.x[column], found.y[row]), Momentum(0.01))
        assert found.steps[row, column] == run.step_count
        np.testing.assert_allclose(found.minima[found.basin[row, column]], run.final.x, atol=1e-6)


def test_runs_that_circle_have_arrived_where_newton_finds_a_minimum() -> None:
    # Adam at a fixed rate is still 1e-3 away from a minimum after so few steps, and never comes to rest.
    found = basins(UNKNOWN, [(-5, 5), (-5, 5)], Adam(0.1), resolution=20, max_steps=120, stop=StepSize(0))
    assert found.share(NOT_ARRIVED) < 0.1
    nearest = np.abs(found.minima[:, None] - np.array(HIMMELBLAU.minima)).max(axis=2).argmin(axis=1)
    # Newton's method was within 1e-2 of the tolerance of 1e-2 before its last step, and converges quadratically.
    np.testing.assert_allclose(found.minima, np.array(HIMMELBLAU.minima)[nearest], atol=1e-4)
    assert len(found.minima) == 4


def test_runs_that_circle_about_a_known_kink_have_arrived() -> None:
    # Ackley's minimum at 0 is the tip of a cone, about which steps of Adam never come to rest.
    found = basins("ackley", [(-0.4, 0.4), (-0.4, 0.4)], Adam(0.004), resolution=8, max_steps=2000, tolerance=0.005)
    assert (found.minima.tolist(), found.share(0)) == ([[0.0, 0.0]], 1.0)


def test_too_few_steps_to_get_anywhere() -> None:
    found = basins("rosenbrock", None, GradientDescent(1e-5), resolution=16, max_steps=3)
    assert found.share(NOT_ARRIVED) == 1
    assert found.minima.shape == (0, 2)
    assert (found.steps == 3).all()


def test_a_saddle_is_no_minimum() -> None:
    found = basins("x**2 - y**2 + y**4", [(-1, 1), (-1, 1)], GradientDescent(0.05), resolution=21)
    np.testing.assert_allclose(found.minima, [[0, -np.sqrt(0.5)], [0, np.sqrt(0.5)]], atol=1e-9)
    expected = np.where(np.abs(found.y) < 1e-12, NOT_ARRIVED, np.where(found.y < 0, 0, 1))
    np.testing.assert_array_equal(found.basin, np.broadcast_to(expected[:, None], (21, 21)))


def test_a_plateau_is_no_minimum() -> None:
    found = basins("-exp(-x**2 - y**2)", [(-90, 90), (-90, 90)], GradientDescent(0.1), resolution=31)
    np.testing.assert_allclose(found.minima, [[0, 0]], atol=1e-6)
    assert found.share(0) + found.share(NOT_ARRIVED) == 1


def test_a_valley_of_minima_is_one() -> None:
    settings: dict[str, Any] = {"resolution": 80, "max_steps": 3000, "tolerance": 0.02}
    found = basins("(x*y - 1)**2", [(-3, 3), (-3, 3)], GradientDescent(0.02), **settings)
    assert len(found.minima) == 2
    np.testing.assert_allclose(found.minima.prod(axis=1), 1, atol=1e-9)


def test_minima_that_are_nearer_than_the_tolerance_are_one() -> None:
    near = "((x - 0.001)*(x + 0.001))**2*1e6 + y**2"
    settings: dict[str, Any] = {"resolution": 20, "max_steps": 5000}
    box = [(-0.01, 0.01), (-1, 1)]
    apart = basins(near, box, GradientDescent(0.1), **settings)
    assert len(apart.minima) == 2
    together = basins(near, box, GradientDescent(0.1), tolerance=0.2, **settings)
    assert len(together.minima) == 1


def test_points_are_linked_as_a_graph_library_links_them() -> None:
    draw = np.random.default_rng(3)
    for count, spread in [(1, 1), (2, 1), (60, 9), (200, 20), (200, 40)]:
        x = draw.uniform(-spread, spread, (count, 2))
        near = np.abs(x[:, None] - x).max(axis=2) <= 1
        groups, expected = connected_components(near, directed=False)
        number = _linked(x)
        assert len(set(zip(number.tolist(), expected.tolist(), strict=True))) == groups == number.max() + 1


def test_a_plane_of_three_coordinates() -> None:
    found = basins(
        "(a**2 - 1)**2 + (b - 2)**2 + (c - a)**2", {"c": (-2, 2), "a": (-2, 2)}, "momentum", at={"b": 5}, resolution=16
    )
    assert (found.axes, found.held) == (("c", "a"), {"b": 5.0})
    np.testing.assert_allclose(sorted(found.minima.tolist()), [[-1, 2, -1], [1, 2, 1]], atol=1e-8)
    run = minimize("(a**2 - 1)**2 + (b - 2)**2 + (c - a)**2", (found.y[4], 5, found.x[9]), "momentum")
    np.testing.assert_allclose(found.minima[found.basin[4, 9]], run.final.x, atol=1e-8)


def test_functions_of_python_have_basins_too() -> None:
    found = basins(lambda x, y: (x**2 - 1) ** 2 + y**2, [(-2, 2), (-1, 1)], GradientDescent(0.1), resolution=8)
    np.testing.assert_allclose(found.minima, [[-1, 0], [1, 0]], atol=1e-6)
    vector = basins(lambda v: (v**2).sum(), [(-2, 2), (-1, 1)], GradientDescent(0.1), resolution=4)
    assert vector.share(0) == 1


def test_a_map_is_saved_whole(tmp_path: Path) -> None:
    found = basins("himmelblau", None, GradientDescent(0.01), resolution=8)
    found.save(tmp_path / "map.npz")
    loaded = Basins.load(tmp_path / "map.npz")
    for name, part in vars(found).items():
        np.testing.assert_array_equal(getattr(loaded, name), part)
    (tmp_path / "map.npz").write_bytes((tmp_path / "map.npz").read_bytes()[:-40])
    with pytest.raises(FalllineError, match="it is damaged, or not a map of basins"):
        Basins.load(tmp_path / "map.npz")
    with pytest.raises(FalllineError, match="there is no such file"):
        Basins.load(tmp_path / "none.npz")


def test_no_part_of_a_map_is_returned() -> None:
    seen: list[int] = []

    def pressing(x: Any, y: Any) -> Any:
        seen.append(np.size(x))
        if len(seen) == 200:
            os.kill(os.getpid(), signal.SIGINT)
        return x**2 + y**2

    # More starts than go in one block: those of the others do not begin.
    with pytest.raises(KeyboardInterrupt):
        basins(
            pressing, [(-1, 1), (-1, 1)], GradientDescent(0.1), resolution=80, gradient=Perturbation(scheme="central")
        )
    assert len(seen) == 200


@pytest.mark.parametrize(
    ("objective", "settings", "message"),
    [
        ("x**2", {}, "objective is .* one coordinate"),
        ("x**2 + 2*y**2", {}, "box is None, and .* give the interval of each coordinate"),
        ("x**2 + y**2 + z**2", {}, "box is None, but .* has the coordinates x, y, z; name the two"),
        ("x**2 + y**2 + z**2", {"box": {"x": (0, 1), "y": (0, 1)}}, "at lacks the coordinate z"),
        ("x**2 + y**2 + z**2", {"box": {"x": (0, 1)}}, "it must name two of x, y, z"),
        ("x**2 + y**2 + z**2", {"box": {"x": (0, 1), "u": (0, 1)}}, "box names the coordinate 'u'"),
        ("x**2 + y**2 + z**2", {"box": {"x": (0, 1), "y": (0, 1)}, "at": {"x": 1}}, "at names the coordinate 'x'"),
        ("x**2 + y**2 + z**2", {"box": {"x": (0, 1), "y": (0, 1)}, "at": 3}, "at is 3; it must give a number"),
        ("booth", {"box": [(0, 1)]}, "it must be two intervals, one for each of x, y"),
        ("booth", {"box": [(0, 1), (1, 1)]}, r"box is \(1, 1\); it must be two finite numbers"),
        ("booth", {"resolution": 1}, "resolution is 1; it must be a whole number at least 2"),
        ("booth", {"max_steps": 0}, "max_steps is 0; it must be a whole number at least 1"),
        ("booth", {"tolerance": 0}, "tolerance is 0; it must be a number above 0 and below 1"),
        ("booth", {"seed": -1}, "seed is -1; it must be a whole number at least 0"),
        ("himmelblau", {"resolution": 10**8}, "resolution is 100000000; so many starts do not fit into memory$"),
        ("himmelblau", {"resolution": 10**11}, "resolution is 100000000000; so many starts do not fit into memory$"),
    ],
)
def test_mistakes_are_named(objective: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(FalllineError, match=message):
        basins(objective, **({"box": None, "optimizer": "momentum"} | settings))


def test_the_best_minimum_is_the_lowest() -> None:
    # x⁴/4 − x²/2 + x/5 has its minima where x³ − x + 1/5 = 0, the lower one on the left.
    found = basins("x**4/4 - x**2/2 + x/5 + y**2", [(-2, 2), (-1, 1)], GradientDescent(0.1), resolution=20)
    left, _, right = np.sort(np.roots([1, 0, -1, 0.2]).real)
    lowest, other = found.ranked()
    np.testing.assert_allclose(lowest.x, [left, 0], atol=1e-9)
    np.testing.assert_allclose(other.x, [right, 0], atol=1e-9)
    assert lowest.value == pytest.approx(left**4 / 4 - left**2 / 2 + left / 5, rel=1e-12)
    assert found.best.value == lowest.value
    assert lowest.share + other.share == pytest.approx(1)
    with pytest.raises(FalllineError, match="best does not exist: no start reached a minimum"):
        _ = basins("x**3 + y**3", [(-2, -1), (-2, -1)], GradientDescent(0.1), resolution=3).best


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_starts_that_do_not_move_are_no_minima(engine: str) -> None:
    for formula in ("x**2 + y**2", "(1-x)**2 + 100*(y-x**2)**2"):
        # The minimum, (0, 0) or (1, 1), is no start.
        box = [(-1.0, 0.9), (-1.0, 0.9)]
        found = basins(formula, box, GradientDescent(1e-16), resolution=16, engine=engine)
        assert len(found.minima) == 0
        assert found.share(NOT_ARRIVED) == 1
    # Those that start within reach of the minimum are there.
    found = basins(
        "x**2 + y**2", [(-1, 1), (-1, 1)], GradientDescent(1e-14), resolution=21, tolerance=0.01, engine=engine
    )
    assert found.minima.tolist() == [[0.0, 0.0]]
    assert found.share(0) == 1 / 441


def test_a_valley_is_one_minimum_and_a_saddle_none() -> None:
    found = basins("(x - y)**2", [(-1, 1), (-1, 1)], GradientDescent(0.1), resolution=16)
    assert found.share(NOT_ARRIVED) == found.share(DIVERGED) == 0
    found = basins("x**2 - y**2 + y**4", [(-1, 1), (-1, 1)], GradientDescent(0.1), resolution=21)
    # By hand: minima at y = ±1/√2; the middle row runs into the saddle.
    assert sorted(abs(found.minima[:, 1]).tolist()) == pytest.approx([0.5**0.5] * 2)
    assert (found.basin[10] == NOT_ARRIVED).all()


def cone(x: Any, y: Any) -> Any:
    return np.sqrt(x**2 + y**2)


def slope_of_the_cone(x: Any, y: Any) -> Any:
    length = np.sqrt(x**2 + y**2)
    return (x / length, y / length) if length else (np.nan, np.nan)


def test_a_start_on_a_minimum_without_a_gradient_has_arrived() -> None:
    # Steps of 0.25 along the axes of a grid of 0.25: those starts land on the minimum, where there is no gradient.
    found = basins(cone, [(-1, 1), (-1, 1)], GradientDescent(0.25), resolution=9, gradient=slope_of_the_cone)
    assert found.share(DIVERGED) == 0
    assert found.minima.tolist()[0] == [0.0, 0.0]
    assert (found.basin[4] == 0).all()
    assert (found.basin[:, 4] == 0).all()
    # The edge of where a root is defined is finite, and no minimum of -√x + y².
    edge = basins(
        lambda x, y: -np.sqrt(abs(x)) + y**2,
        [(0, 1), (0, 1)],
        GradientDescent(0.1),
        resolution=3,
        max_steps=1,
        gradient=lambda x, y: (-0.5 / np.sqrt(x) if x else -np.inf, 2 * y),
    )
    assert (edge.basin[:, 0] == NOT_ARRIVED).all()
