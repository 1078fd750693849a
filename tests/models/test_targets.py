"""Targets and data that a model cannot mean, and those it takes in more than one form."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from tests.models.samples import NAMES, sample

from fallline.errors import FalllineError
from fallline.models import MODELS, Hinge, Huber, Linear, Poisson, SquaredHinge


@pytest.mark.parametrize(
    ("model", "y", "message"),
    [
        ("poisson", [0, 3, -1], "y[2] is -1; the counts of a Poisson model are not negative"),
        ("hinge", [0, 1, 2], "y[2] is 2; the labels of a hinge loss are 0 and 1, or all of them -1 and 1"),
        ("squared_hinge", [0, 1, -1], "y[0] is 0; the labels of a hinge loss are 0 and 1, or all of them -1 and 1"),
        ("network", [0, 0.5, 1], "y[1] is 0.5; the labels of classes are the whole numbers 0, 1, 2, ..."),
        ("network", [0, 0, 0], "y holds one class only, 0; there must be at least two"),
    ],
)
def test_labels_that_do_not_fit_the_model_are_refused(model: str, y: Any, message: str) -> None:
    with pytest.raises(FalllineError, match=re.escape(message)):
        MODELS[model]([1.0, 2.0, 3.0], y)


@pytest.mark.parametrize("model", NAMES)
def test_data_that_are_no_numbers_are_refused_by_every_model(model: str) -> None:
    good = sample(model, 4, 2, np.random.default_rng(0))
    X, y = good.X.copy(), good.y.copy()
    X[2, 1] = np.nan
    with pytest.raises(FalllineError, match=re.escape("X[2, 1] is missing")):
        MODELS[model](X, y)
    with pytest.raises(FalllineError, match=re.escape("y[1] is 'tall', which is not a number")):
        MODELS[model](good.X, np.array([0, "tall", 1, 0], dtype=object))
    with pytest.raises(FalllineError, match=re.escape("y has 3 values, but X has 4 rows")):
        MODELS[model](good.X, y[:3])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"delta": 0}, "Huber: delta is 0; it must be a number above 0"),
        ({"delta": "far"}, "Huber: delta is 'far'; it must be a number above 0"),
        ({"l2": [0.1, 0.2]}, "Huber: l2 is [0.1, 0.2]; it must be a number at least 0"),
        ({"dleta": 1}, "Huber has no setting 'dleta'; did you mean 'delta'?"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(FalllineError, match=re.escape(message)):
        Huber([1.0, 2.0], [0.0, 1.0], **settings)


@pytest.mark.parametrize("kind", [Hinge, SquaredHinge])
def test_both_ways_of_writing_two_classes_are_one(kind: Any) -> None:
    x = np.array([0.3, -0.1])
    zero_one, signs = kind([1.0, 2.0, -1.0], [0, 1, 1]), kind([1.0, 2.0, -1.0], [-1, 1, 1])
    assert zero_one.value(x) == signs.value(x)
    assert np.array_equal(zero_one.gradient(x), signs.gradient(x))


def test_the_hinge_slope_is_a_subgradient_at_its_kink() -> None:
    # s z = 1 at w = 1: the loss falls with slope -1 before and is 0 after, and 0 is between.
    loss = Hinge([1.0], [1])
    w = np.array([[0.999, 0.0], [1.0, 0.0], [1.001, 0.0]])
    assert loss.gradient(w)[:, 0].tolist() == [-1.0, 0.0, 0.0]


def test_a_mean_count_beyond_float64_is_infinite_without_a_warning() -> None:
    loss = Poisson([1.0, -1.0], [1, 2])
    x = np.array([800.0, 0.0])
    assert loss.value(x) == np.inf
    assert loss.gradient(x)[0] == np.inf
    assert loss.predict(np.array([[1.0], [-1.0]]), x).tolist() == [np.inf, 0.0]


def test_an_outlier_pulls_a_huber_fit_no_harder_than_delta() -> None:
    near, far = (Huber([0.0], [outlier], delta=2.0).gradient(np.zeros(2)) for outlier in (3.0, 1e6))
    assert near.tolist() == far.tolist() == [0.0, -2.0]
    assert np.array_equal(Huber([1.0], [0.5]).gradient(np.zeros(2)), Linear([1.0], [0.5]).gradient(np.zeros(2)))
