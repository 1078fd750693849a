from __future__ import annotations

import re
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from fallline.errors import FalllineError
from fallline.models import Logistic, Network, Softmax, loss_from_recipe
from fallline.models.cross_entropy import cross_entropy, cross_entropy_slope, softmax

LOGITS = st.lists(st.floats(-300, 300), min_size=2, max_size=6)


@given(LOGITS, st.data())
def test_cross_entropy_keeps_its_digits_everywhere(z: list[float], data: st.DataObject) -> None:
    label = data.draw(st.integers(0, len(z) - 1))
    with mpmath.workdps(400):
        exact = [mpmath.exp(mpmath.mpf(number)) for number in z]
        p = [float(term / sum(exact)) for term in exact]
        error = float(-mpmath.log(exact[label] / sum(exact)))
        slope = [float(term / sum(exact) - (place == label)) for place, term in enumerate(exact)]
    row, labels = np.array([z]), np.array([label])
    # The differences of the logits are rounded to 1e-16 · 600, and the exponential of them by as much of itself.
    assert softmax(row)[0] == pytest.approx(p, rel=1e-12, abs=1e-300)
    assert cross_entropy(row.T, labels)[0] == pytest.approx(error, rel=1e-12, abs=1e-300)
    assert cross_entropy_slope(row.T, labels)[:, 0] == pytest.approx(slope, rel=1e-12, abs=1e-300)


def test_the_value_is_scipys_log_softmax() -> None:
    random = np.random.default_rng(2)
    X, y, W, b = random.normal(size=(30, 4)), random.integers(0, 3, 30), random.normal(size=(3, 4)), [0.1, -0.4, 0.2]
    y[0] = 2
    expected = -log_softmax(X @ W.T + b, axis=1)[np.arange(30), y].sum()
    # Thirty terms in another order of rounding.
    assert Softmax(X, y, reduction="sum").value(np.concatenate([W.ravel(), b])) == pytest.approx(expected, rel=1e-14)


def test_two_classes_are_the_logistic_model() -> None:
    random = np.random.default_rng(3)
    X, y = random.normal(size=(20, 3)), random.integers(0, 2, 20)
    x = random.normal(size=4)
    # The logistic z is the difference of the two logits.
    both = np.concatenate([-x[:3] / 2, x[:3] / 2, [-x[3] / 2, x[3] / 2]])
    assert Softmax(X, y).value(both) == pytest.approx(Logistic(X, y).value(x), rel=1e-14)
    gradient = Softmax(X, y).gradient(both)
    assert gradient[3:6] == pytest.approx(Logistic(X, y).gradient(x)[:3], rel=1e-12)


def test_parameters_are_named_after_features_and_classes() -> None:
    X, y = [[1.0, 2.0], [3.0, 4.0]], [0, 1]
    assert Softmax(X, y).names == ("w1[0]", "w2[0]", "w1[1]", "w2[1]", "b[0]", "b[1]")
    named = Softmax(X, y, feature_names=["age", "dose"], classes=["ill", "well"])
    assert named.names == ("w_age[ill]", "w_dose[ill]", "w_age[well]", "w_dose[well]", "b[ill]", "b[well]")


def test_parameters_separate_when_every_row_has_its_own_class_first() -> None:
    loss = Softmax([-1.0, 0.0, 1.0], [0, 1, 2])
    x = np.array([-4.0, 0.0, 4.0, 0.0, 1.0, 0.0])
    assert loss.separates(x)
    assert not loss.separates(np.zeros(6))
    assert not Softmax([-1.0, 0.0, 1.0], [0, 1, 2], l2=0.1).separates(x)


@pytest.mark.parametrize(
    "labels",
    [
        [1, 2, 3, 1, 3],
        [0, 2, 7, 0, 7],
        [-1, 0, 1, -1, 1],
        ["ape", "bee", "cat", "ape", "cat"],
        ["1", "2", "3", "1", "3"],
    ],
)
@pytest.mark.parametrize("kind", [Softmax, Network])
def test_whatever_marks_the_classes_there_are_as_many_as_in_y(kind: Any, labels: list[Any]) -> None:
    X = np.random.default_rng(0).normal(size=(5, 2))
    loss, plain = kind(X, labels), kind(X, [0, 1, 2, 0, 2])
    assert loss.classes == tuple(str(label) for label in labels[:3])
    x = np.random.default_rng(1).normal(size=plain.dimension)
    assert loss.dimension == plain.dimension
    assert loss.value(x) == plain.value(x)
    copy = loss_from_recipe(loss.recipe())
    assert (copy.names, copy.value(x)) == (loss.names, loss.value(x))


def test_classes_that_are_numbers_are_met_by_value() -> None:
    assert Softmax([1.0, 2.0, 3.0], [2, 3, 3], classes=[1, 2, 3]).y.tolist() == [1, 2, 2]
    assert Softmax([1.0, 2.0, 3.0], [1, 2, 2], classes=["1", "2", "3"]).y.tolist() == [1, 2, 2]
    assert Softmax([1.0, 2.0, 3.0], ["b", "a", "b"], classes=["b", "a"]).y.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 1.5, 1], None, "y[1] is 1.5; the labels of classes are the whole numbers 0, 1, 2, ..."),
        ([0, 1, -1], ["a", "b"], "y[2] is -1; the labels of classes"),
        ([0, 0, 0], None, "y holds one class only, 0; there must be at least two"),
        (["a", "b", "c"], ["a", "b"], "y[2] is 'c'; Allowed: a, b"),
        (["a", None, "b"], None, "y[1] is missing"),
        ([[0, 1], [1, 0], [0, 1]], None, "y has the shape (3, 2); it needs one number for each row"),
        ([4, 4, 4], None, "y holds one class only, 4; there must be at least two"),
        ([0, 1, 2], ["a", "b"], "y[2] is 2; classes names only 2, the labels 0 to 1"),
        ([0, 1, 1], ["a", "a"], "classes is ['a', 'a']; it needs different names"),
        ([0, 1, 1], "ab", "classes is 'ab'; it needs different names"),
        ([0, 0, 0], ["a"], "y holds one class only"),
        ([0, np.nan, 0], None, "y[1] is missing"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels: Any, classes: Any, message: str) -> None:
    with pytest.raises(FalllineError, match=re.escape(message)):
        Softmax([1.0, 2.0, 3.0], labels, classes=classes)
