from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, xlogy

from fallline.errors import FalllineError
from fallline.models import Logistic


def test_the_loss_is_the_cross_entropy() -> None:
    random = np.random.default_rng(5)
    X, y = random.normal(size=(30, 2)), random.integers(0, 2, 30)
    x = random.normal(size=3)
    p = expit(X @ x[:2] + x[2])
    # The textbook formulas of value and gradient; away from the tails both lose no more than a few digits.
    assert Logistic(X, y, reduction="sum").value(x) == pytest.approx(
        -(xlogy(y, p) + xlogy(1 - y, 1 - p)).sum(), rel=1e-13
    )
    assert Logistic(X, y, reduction="sum").gradient(x) == pytest.approx([*((p - y) @ X), (p - y).sum()], rel=1e-12)


def test_the_tails_keep_their_digits() -> None:
    # A row that is right by z = 50 costs log(1 + exp(-50)) = exp(-50) to 22 digits; 1 - p is 0 in float64.
    value, gradient = Logistic([50.0, -50.0], [1, 0], reduction="sum").value_and_gradient(np.array([[1.0, 0.0]]))
    assert value[0] == pytest.approx(2 * np.exp(-50), rel=1e-15)
    assert gradient[0, 0] == pytest.approx(-100 * np.exp(-50), rel=1e-15)


def test_labels_other_than_0_and_1_are_refused() -> None:
    with pytest.raises(FalllineError, match=r"y\[1\] is -1; the labels of a logistic model are 0 and 1"):
        Logistic([1.0, 2.0], [1, -1])
    with pytest.raises(FalllineError, match=r"y\[0\] is 0\.5"):
        Logistic([1.0, 2.0], [0.5, 1])


def test_parameters_separate_when_every_row_is_on_its_side() -> None:
    loss = Logistic([1.0, 2.0, 3.0], [0, 0, 1])
    assert loss.separates(np.array([1.0, -2.5]))
    assert not loss.separates(np.array([1.0, -2.0]))  # the second row is on the line
    assert not loss.separates(np.array([-1.0, 2.5]))
