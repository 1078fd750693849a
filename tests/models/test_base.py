from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fallline.errors import FalllineError
from fallline.models import Logistic, Loss, SigmoidNeuron, loss_from_recipe

X = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
Y = [0, 1, 1]


@pytest.mark.parametrize(
    ("inputs", "targets", "settings", "message"),
    [
        (X, Y, {"reduction": "average"}, "reduction is 'average'; Allowed: sum, mean"),
        (X, Y, {"reduction": "meen"}, "did you mean 'mean'?"),
        ([], [], {}, "X has the shape (0, 1); it needs rows of features, at least one of each"),
        (np.empty((3, 0)), Y, {}, "X has the shape (3, 0)"),
        (5.0, Y, {}, "X has the shape ()"),
        (np.zeros((3, 2, 2)), Y, {}, "X has the shape (3, 2, 2)"),
        ([[1.0, 2.0], [3.0]], Y, {}, "X has rows of different lengths"),
        ([[1.0, 2.0], [3.0, np.nan], [5.0, 6.0]], Y, {}, "X[1, 1] is missing; only finite numbers"),
        ([[1.0, 2.0], [3.0, 4.0], [-np.inf, 6.0]], Y, {}, "X[2, 0] is -inf; only finite numbers"),
        ([[1.0, 2.0], [3.0, "warm"], [5.0, 6.0]], Y, {}, "X[1, 1] is 'warm', which is not a number"),
        ([1j, 2, 3], Y, {}, "X[0] is '1j', which is not a number"),
        (X, [0, None, 1], {}, "y[1] is missing"),
        (X, [0, 1], {}, "y has 2 values, but X has 3 rows"),
        (X, np.zeros((3, 2)), {}, "y has the shape (3, 2); it needs one number for each row of X"),
        (X, Y, {"feature_names": ["a"]}, "feature_names is ['a']; it needs 2 different names"),
        (X, Y, {"feature_names": ["a", "a"]}, "feature_names is ['a', 'a']; it needs 2 different names"),
        (X, Y, {"feature_names": "ab"}, "feature_names is 'ab'; it needs 2 different names"),
    ],
)
@pytest.mark.parametrize("kind", [SigmoidNeuron, Logistic])
def test_unusable_data_are_refused_by_place(
    kind: type[Loss], inputs: Any, targets: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(FalllineError, match=re.escape(message)) as caught:
        kind(inputs, targets, **settings)
    assert "\n" not in str(caught.value)


def test_arrays_of_every_kind_are_data() -> None:
    expected = SigmoidNeuron(np.array(X), np.array([0.0, 1.0, 1.0])).recipe()
    kinds: list[tuple[Any, Any]] = [
        (X, Y),
        (np.array(X, int), np.array(Y, bool)),
        (np.array(X, np.float32), np.array(Y)[:, None]),
        (pd.DataFrame(X), pd.Series(Y)),
        ([["1", "2"], ["3", "4"], ["5", "6"]], ["0", "1", "1.0"]),
    ]
    for inputs, targets in kinds:
        assert SigmoidNeuron(inputs, targets).recipe() == expected


@pytest.mark.parametrize("kind", [SigmoidNeuron, Logistic])
@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("names", [None, ["age", "dose"]])
def test_a_recipe_in_json_rebuilds_the_loss(kind: Any, reduction: str, names: list[str] | None) -> None:
    random = np.random.default_rng(4)
    loss = kind(random.normal(size=(9, 2)), random.integers(0, 2, 9), reduction, names)
    x = random.normal(size=(5, 3))
    for original in (loss, loss.batches(2, order="shuffled", remainder="drop")):
        copy = loss_from_recipe(json.loads(json.dumps(original.recipe())))
        assert copy.title == original.title
        assert copy.names == original.names
        assert copy.steps_per_epoch == original.steps_per_epoch
        assert np.array_equal(copy.value(x), original.value(x))
        assert np.array_equal(copy.at_step(7, 3).gradient(x), original.at_step(7, 3).gradient(x))


def test_large_data_stay_out_of_the_recipe() -> None:
    small, large = (
        SigmoidNeuron(np.zeros(5000), np.zeros(5000)),
        SigmoidNeuron(np.zeros(5001), np.zeros(5001)),
    )
    assert small.recipe() is not None
    assert large.recipe() is None
    assert large.batches(10).recipe() is None


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (
            {"type": "Perceptron"},
            "recipe has the type 'Perceptron'; Allowed: Linear, Huber, Poisson, Logistic, Hinge, SquaredHinge, "
            "Softmax, Network, SigmoidNeuron, Batches, Slice",
        ),
        ({}, "recipe has the type None"),
        ({"type": "Logistic", "X": X}, "recipe gives Logistic the settings ['X'], which do not fit it"),
        ({"type": "Batches", "size": 3}, "recipe has the type None"),
        (
            {"type": "Batches", "loss": {"type": "Logistic", "X": X, "y": Y}, "width": 3},
            "recipe gives Batches the settings ['loss', 'width'], which do not fit it",
        ),
    ],
)
def test_a_foreign_recipe_is_refused(recipe: dict[str, Any], message: str) -> None:
    with pytest.raises(FalllineError, match=re.escape(message)):
        loss_from_recipe(recipe)


def test_the_title_says_what_is_minimised() -> None:
    assert Logistic(X, Y, "mean").title == "mean cross-entropy of a logistic model, 3 rows"
    assert SigmoidNeuron([1.0], [1.0], "sum").title == "squared loss of a sigmoid neuron, 1 row"
    assert Logistic(X, Y).gradient_kind == "exact"
