from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.models.activations import sigmoid, softplus

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
