"""Noise in values, and steps fitted to it, against noise of a known size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fallline import FalllineError, GradientDescent, Perturbation, as_objective, minimize
from fallline.gradients import parse_gradient
from fallline.gradients.noise import _step, fitted_steps, noise_of


def smooth(x: Any) -> float:
    return float(np.sum(x**2) + np.sin(x[0]))


CURVATURE = np.array([2 - np.sin(1.0), 2.0])


@pytest.mark.parametrize("sigma", [1e-8, 1e-5, 1e-2])
@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_noise_and_steps_are_those_of_the_rule(sigma: float, draw: str) -> None:
    random = np.random.default_rng(0)

    def number() -> float:
        return random.normal() if draw == "normal" else random.uniform(-(3**0.5), 3**0.5)

    found = [fitted_steps(as_objective(lambda x: smooth(x) + sigma * number(), 2), np.ones(2)) for _ in range(40)]
    noise, steps = np.median([level for level, _ in found]), np.median([step for _, step in found], axis=0)
    # Moré and Wild: from nine values the noise is known within a factor of 4, the median of 40 much better; the step
    # is 8^(1/4) sqrt(noise / |f''|), and f'' is that of a smooth function within a factor of 2.
    assert noise == pytest.approx(sigma, rel=0.5)
    np.testing.assert_allclose(steps, 8**0.25 * np.sqrt(sigma / CURVATURE), rtol=0.5)


def test_noise_that_repeats_is_seen_too() -> None:
    # Values with four digits after the point: an error spread evenly over 1e-4.
    level, _ = fitted_steps(as_objective(lambda x: round(smooth(x), 4), 2), np.array([1.1, 0.7]))
    assert 1e-4 / 12**0.5 / 4 < level < 4 * 1e-4 / 12**0.5


def test_without_noise_there_is_that_of_rounding() -> None:
    assert noise_of(np.exp(np.linspace(0, 1, 9))) is None
    level, steps = fitted_steps(as_objective(smooth, 2), np.ones(2))
    assert 1e-17 < level < 1e-14
    # The usual step of a forward difference is 1.5e-8.
    assert np.all((steps > 1e-9) & (steps < 1e-6))


def test_noise_is_looked_for_on_lines_of_the_size_of_the_point() -> None:
    at, calls = np.array([-3e4, 0.2]), []

    def recorded(x: Any) -> float:
        calls.append(np.abs(x - at) / [3e4, 1])
        return float(np.exp(x[0] / 3e4) + np.exp(x[1]))

    fitted_steps(as_objective(recorded, 2), at)
    # Nine values on each, the middle one at the point; on the second the noise of rounding is seen.
    for line, distance in zip(np.reshape(calls[:18], (2, 9, 2)), (1e-2, 1e-4), strict=True):
        assert line[4].tolist() == [0, 0]
        assert ((line[[3, 5]] > 0.49 * distance) & (line[[3, 5]] < 1.01 * distance)).all()
        np.testing.assert_allclose(line[[0, 8]] / line[[3, 5]], 4, rtol=1e-2)


@pytest.mark.parametrize("scheme", ["forward", "backward", "central"])
@pytest.mark.parametrize("sigma", [1e-4, 1e-2])
def test_a_noisy_bowl_is_minimised_to_its_noise(sigma: float, scheme: str) -> None:
    random = np.random.default_rng(1)

    def noisy(x: Any) -> float:
        return float(np.sum((x - 1) ** 2)) + sigma * random.normal()

    run = minimize(noisy, [3.0, -2.0], GradientDescent(0.1), gradient=Perturbation("noise", scheme), max_steps=200)
    # The error of a slope is about (8 σ |f''| / 2)^(1/2), and one as large moves the end by it over f'' = 2.
    assert np.abs(run.final.x - 1).max() < 3 * np.sqrt(sigma)
    assert run.gradient_kind.startswith(f"{scheme} differences, with steps fitted to noise of ")


def test_batches_drawn_inside_are_minimised_so() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 2))
    y = X @ [1.0, -2.0]

    def loss(w: Any) -> float:
        rows = random.integers(0, 200, 50)
        return float(np.mean((X[rows] @ w - y[rows]) ** 2))

    run = minimize(loss, [0.0, 0.0], GradientDescent(0.05), gradient=Perturbation("noise", "central"), max_steps=300)
    # Every batch has its minimum there, where the noise vanishes.
    np.testing.assert_allclose(run.final.x, [1, -2], atol=0.1)


def test_the_command_line_names_it() -> None:
    assert parse_gradient("perturbation:noise") == Perturbation("noise")
    assert parse_gradient("perturbation:noise:central") == Perturbation("noise", "central")


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(FalllineError, match="scheme is 'complex', with noise; use scheme='central'"):
        Perturbation("noise", "complex")
    with pytest.raises(FalllineError, match=r"x0 is \[0.0, 1.0\], but a function is not finite around it"):
        minimize(lambda x: np.log(x[0]) + x[1], [0.0, 1.0], "adam", gradient=Perturbation("noise"))


def test_noise_that_changes_its_sign_with_every_value() -> None:
    # Its differences of order k are 2^k of it, and (2k)! / (k!)² is 2 for k = 1.
    values = 5 + 0.001 * np.array([1.0, -1.0] * 4 + [1.0])
    assert noise_of(values) == pytest.approx(0.001 * 2**0.5, rel=1e-9)
    # A slope and a curvature do not hide it; then the first order that shows it is a later one: 8 / 20^(1/2).
    line = np.arange(9.0)
    assert noise_of(values + line + line**2) == pytest.approx(0.001 * 8 / 20**0.5, rel=1e-9)
    assert noise_of(line**2) is None
    assert noise_of(np.zeros(9)) is None


@pytest.mark.parametrize("curvature", [1e-3, 1.0, 40.0])
@pytest.mark.parametrize("at", [[0.0, 0.0], [3.0, -50.0]])
def test_the_step_balances_the_noise_against_the_curvature(curvature: float, at: list[float]) -> None:
    point, noise = np.array(at), 1e-8
    objective = as_objective(lambda x: curvature * (x[1] - at[1]) ** 2 / 2 + 10, 2)
    for size in (1.0, 50.0):
        found = _step(objective, point, 1, noise, size)
        # The second derivative is found to the rounding of the value 10 over the squared step.
        assert found == pytest.approx(8**0.25 * (noise / curvature) ** 0.5, rel=0.02)


def test_the_step_of_a_function_without_curvature_is_as_long_as_the_noise_allows() -> None:
    step = _step(as_objective(lambda x: 1.0 + x[0], 1), np.zeros(1), 0, 1e-8, 1.0)
    # No curvature is seen above the noise at a step of noise^(1/4) = 0.01: that of noise / 0.01² is taken.
    assert step == pytest.approx(8**0.25 * (1e-8 / 1e-4) ** 0.5, rel=1e-6)


def test_a_first_step_that_is_too_long_is_taken_anew() -> None:
    # At 0.01 the value more than doubles, though its curvature is large: the second try is at 6e-5.
    noise, curvature = 1e-8, 1e4
    step = _step(as_objective(lambda x: np.cosh(100 * x[0]), 1), np.zeros(1), 0, noise, 1.0)
    assert step == pytest.approx(8**0.25 * (noise / curvature) ** 0.5, rel=0.01)
    # One that is sure at once is kept, though the second derivative is another at the shorter step.
    objective = as_objective(lambda x: 1 + 0.01 * np.cosh(100 * x[0]), 1)
    second = 2 * 0.01 * (np.cosh(1) - 1) / 1e-4
    assert _step(objective, np.zeros(1), 0, noise, 1.0) == pytest.approx(8**0.25 * (noise / second) ** 0.5, rel=1e-3)
