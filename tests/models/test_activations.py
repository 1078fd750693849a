from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from fallline.models.activations import ACTIVATIONS, normal_cdf, sigmoid, softplus

# One rounding each in the exponential, the sum and the quotient or logarithm: a few units in the last place.
FEW_ULP = 4 * np.finfo(float).eps


@given(st.floats(-700, 700))
def test_they_keep_their_digits_everywhere(z: float) -> None:
    with mpmath.workdps(400):
        true_sigmoid = float(1 / (1 + mpmath.exp(-mpmath.mpf(z))))
        true_softplus = float(mpmath.log(1 + mpmath.exp(mpmath.mpf(z))))
    assert sigmoid(np.array([z]))[0] == pytest.approx(true_sigmoid, rel=FEW_ULP, abs=0)
    assert softplus(np.array([z]))[0] == pytest.approx(true_softplus, rel=FEW_ULP, abs=0)


def test_they_reach_their_limits_without_a_warning() -> None:
    z = np.array([-np.inf, -1e4, 1e4, np.inf])
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert sigmoid(z).tolist() == pytest.approx([0, 0, 1, 1], rel=0, abs=1e-307)
        assert softplus(z).tolist() == [0, 0, 1e4, np.inf]
    assert np.isnan(sigmoid(np.array([np.nan])))[0]


@given(st.floats(-30, 30))
def test_a_complex_step_through_them_gives_their_derivatives(z: float) -> None:
    p = 1 / (1 + np.exp(-z))
    step = np.array([z + 1e-100j])
    # 1 - p loses digits of its own near p = 1: up to 1e-16 / (1 - p) of the expected value, 1e-3 at z = 30;
    # that is 1e-16 of the largest slope.
    assert (sigmoid(step).imag / 1e-100)[0] == pytest.approx(p * (1 - p), rel=1e-13, abs=1e-15)
    assert (softplus(step).imag / 1e-100)[0] == pytest.approx(p, rel=1e-13)


@given(st.floats(-38, 38))
def test_the_normal_distribution_keeps_its_digits_in_both_tails(z: float) -> None:
    with mpmath.workdps(400):
        true = float(mpmath.ncdf(mpmath.mpf(z)))
    # exp(-z²/2) has the relative error of z² / 2, 722 at the end, times a rounding; below 1e-307 digits run out.
    assert normal_cdf(np.array([z]))[0] == pytest.approx(true, rel=1e-12, abs=1e-307)


def test_gelu_is_the_exact_form() -> None:
    z = np.linspace(-10, 10, 2001)
    # Not the tanh form, which is off by up to 5e-4.
    np.testing.assert_allclose(ACTIVATIONS["gelu"].value(z), z * ndtr(z), rtol=1e-13, atol=1e-300)


KINKED = ("relu", "leaky_relu")


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@given(z=st.floats(-30, 30))
def test_slopes_are_those_of_the_activations(name: str, z: float) -> None:
    activation, at = ACTIVATIONS[name], np.array([z])
    beside: Any = at + 1e-100j
    # 1 - a² and a (1 - a) lose digits where the unit saturates: up to 1e-16 of the largest slope.
    slope = activation.slope(at, activation.value(at))[0]
    step = 1e-6
    if name not in KINKED or abs(z) > step:
        complex_step = activation.value(beside).imag[0] / 1e-100
        assert slope == pytest.approx(complex_step, rel=1e-13, abs=1e-15)
        forward, back = activation.value(at + step)[0], activation.value(at - step)[0]
        # A central difference is off by step² f''' / 6 and by the rounding of f / step.
        assert slope == pytest.approx((forward - back) / (2 * step), rel=1e-7, abs=1e-8)
    else:
        assert slope in (0.0, 0.01, 1.0)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_no_activation_overflows(name: str) -> None:
    z = np.array([-1e4, -700.0, 0.0, 700.0, 1e4])
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        a = ACTIVATIONS[name].value(z)
        slope = ACTIVATIONS[name].slope(z, a)
    assert np.isfinite(a).all()
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_what_is_no_number_stays_none(name: str) -> None:
    with np.errstate(invalid="ignore"):
        a = ACTIVATIONS[name].value(np.array([1.0, np.nan, -1.0]))
    assert np.isnan(a).tolist() == [False, True, False]
