"""Weights of rows and classes mean what they mean in scikit-learn: a row of weight 2 is the row twice."""

from __future__ import annotations

import json
import re
from typing import Any, cast

import dask.array
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from scipy.sparse import csr_array
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.utils.class_weight import compute_class_weight
from tests.models.samples import NAMES, points, sample

from fallline import LBFGS, minimize
from fallline.errors import FalllineError
from fallline.models import MODELS, Hinge, Linear, Logistic, Loss, Network, SigmoidNeuron, Softmax, loss_from_recipe
from fallline.stopping import GradientNorm

CLASSIFIERS = ["hinge", "logistic", "network", "softmax", "squared_hinge"]


def like(loss: Loss, X: Any, y: Any, **weights: Any) -> Loss:
    """The same model on other data."""
    settings = {"classes": loss.classes} if hasattr(loss, "classes") else {}
    return type(loss)(X, y, loss.reduction, l2=loss.l2, **settings, **weights)  # type: ignore[arg-type]


@given(st.sampled_from(NAMES), st.sampled_from(["sum", "mean"]), st.integers(0, 2**32))
def test_a_whole_weight_repeats_the_row_and_zero_leaves_it_out(model: str, reduction: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    plain = sample(model, 12, 3, random, reduction=reduction, l2=0.3)
    weights = np.append(random.integers(0, 4, 11), 1)
    weighted = like(plain, plain.X, plain.y, sample_weight=weights)
    repeated = like(plain, np.repeat(plain.X, weights, axis=0), np.repeat(plain.y, weights))
    x = points(plain, 1, 3)
    # Some tens of terms in another order.
    np.testing.assert_allclose(weighted.value(x), repeated.value(x), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(weighted.gradient(x), repeated.gradient(x), rtol=1e-10, atol=1e-12)
    assert weighted.smoothness() == pytest.approx(repeated.smoothness(), rel=1e-12)


@pytest.mark.parametrize("model", NAMES)
def test_the_weighted_gradient_is_that_of_differences(model: str) -> None:
    random = np.random.default_rng(3)
    plain = sample(model, 10, 2, random, l2=0.1)
    settings = {"class_weight": np.arange(1, 1 + len(plain.class_labels()))} if model in CLASSIFIERS else {}
    loss = like(plain, plain.X, plain.y, sample_weight=random.random(10), **settings)
    for x in points(loss, 4, 3):
        # Forward differences with a step of √ε are right to about 1e-7.
        np.testing.assert_allclose(loss.gradient(x), approx_fprime(x, lambda x: float(loss.value(x))), atol=1e-5)


@pytest.mark.parametrize("model", CLASSIFIERS)
@pytest.mark.parametrize("weights", [None, np.linspace(0.5, 3, 14)])
def test_a_class_weight_is_a_factor_of_its_rows(model: str, weights: Any) -> None:
    plain = sample(model, 14, 2, np.random.default_rng(5))
    own = np.ones(14) if weights is None else weights
    labels, numbers = plain.class_labels(), plain.class_numbers(plain.y)
    x = points(plain, 6, 2)
    factors = np.array([3.0, 0.5, 2.0])[: len(labels)]
    by_row = like(plain, plain.X, plain.y, sample_weight=own * factors[numbers])
    for given_as in (factors, dict(zip(labels, factors, strict=True))):
        loss = like(plain, plain.X, plain.y, sample_weight=weights, class_weight=given_as)
        np.testing.assert_allclose(loss.value(x), by_row.value(x), rtol=1e-13)
    balanced = like(plain, plain.X, plain.y, sample_weight=weights, class_weight="balanced")
    of_class = compute_class_weight("balanced", classes=np.unique(numbers), y=numbers, sample_weight=weights)
    assert balanced.class_weights == pytest.approx(of_class, rel=1e-13)


def test_a_class_that_a_mapping_leaves_out_weighs_one() -> None:
    loss = Logistic([1.0, 2.0, 3.0], [0, 1, 1], class_weight={1: 4})
    assert loss.weights is not None
    assert loss.weights.tolist() == [1, 4, 4]
    assert Hinge([1.0, 2.0], [-1, 1], class_weight={-1: 4}).class_weights.tolist() == [4, 1]  # type: ignore[union-attr]
    named = Softmax([1.0, 2.0, 3.0], ["cat", "ape", "cat"], class_weight={"cat": 2})
    assert named.weights is not None
    assert named.weights.tolist() == [2, 1, 2]


def test_optima_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(7)
    X, w = random.normal(size=(80, 4)), random.random(80) * 3
    y = X @ [1.0, -2.0, 0.0, 0.5] + random.normal(size=80)
    labels = (y > 1).astype(int)

    def optimum(loss: Loss) -> Any:
        return minimize(loss, np.zeros(5), LBFGS(), max_steps=2000, stop=GradientNorm(1e-10), record="ends").final.x

    for peer, found in (
        (LinearRegression().fit(X, y, w), optimum(Linear(X, y, sample_weight=w))),
        (Ridge(alpha=2.0).fit(X, y, w), optimum(Linear(X, y, "sum", l2=2.0, sample_weight=w))),
        (Ridge(alpha=2.0).fit(X, y, w), optimum(Linear(X, y, l2=2.0 / w.sum(), sample_weight=w))),
    ):
        # A gradient of 1e-10 is within 1e-8 of the optimum where the curvature is above 0.01.
        np.testing.assert_allclose(found, [*peer.coef_, peer.intercept_], atol=1e-7)
    for class_weight in ("balanced", {1: 5.0}):
        logistic = LogisticRegression(C=0.5, class_weight=class_weight, solver="newton-cholesky", tol=1e-12)
        logistic.fit(X, labels, w)
        found = optimum(Logistic(X, labels, "sum", l2=2.0, sample_weight=w, class_weight=class_weight))
        np.testing.assert_allclose(found, [*logistic.coef_[0], *logistic.intercept_], atol=1e-7)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_batches_of_an_epoch_add_up_to_the_weighted_loss(reduction: Any) -> None:
    random = np.random.default_rng(8)
    X, y, w = random.normal(size=(12, 2)), np.arange(12) % 2, random.random(12) * np.tile([0, 1, 5], 4)
    loss = Logistic(X, y, reduction, sample_weight=w, class_weight={1: 3}, l2=0.2)
    batches, x = loss.batches(3), np.array([0.3, -1.0, 0.5])
    gradients = [batches.at_step(step, seed=2).gradient(x) for step in range(1, 5)]
    total = np.sum(gradients, axis=0) / (4 if reduction == "mean" else 1)
    np.testing.assert_allclose(total, loss.gradient(x), rtol=1e-12)
    # The bound holds for every batch: none is steeper by more than its rows and weights allow.
    steep = max(cast(Loss, batches.at_step(step, seed=2)).smoothness() for step in range(1, 5))
    assert steep <= loss.smoothness(3) * (1 + 1e-12)


@pytest.mark.parametrize("class_weight", [None, "balanced", [1.0, 3.0, 2.0]])
def test_chunks_are_weighed_as_rows_in_memory(class_weight: Any) -> None:
    random = np.random.default_rng(9)
    X, y, w = random.normal(size=(50, 3)), np.arange(50) % 3, random.random(50)
    w[:20] = 0  # all of the first two chunks
    settings: Any = {"classes": ["a", "b", "c"], "class_weight": class_weight, "l2": 0.1}
    loss = Softmax(X, y, sample_weight=w, **settings)
    x = points(loss, 1, 2)
    for weights in (w, dask.array.from_array(w, chunks=25)):
        chunked = Softmax(dask.array.from_array(X, chunks=(10, 3)), y, sample_weight=weights, **settings)
        np.testing.assert_allclose(chunked.value(x), loss.value(x), rtol=1e-13)
        np.testing.assert_allclose(chunked.gradient(x), loss.gradient(x), rtol=1e-11, atol=1e-14)
        batches, in_memory = (one.batches(7, order="sequential") for one in (chunked, loss))
        np.testing.assert_allclose(batches.at_step(5, 0).gradient(x), in_memory.at_step(5, 0).gradient(x), rtol=1e-11)


@pytest.mark.parametrize("model", [Softmax, Network])
@pytest.mark.parametrize("names", [None, ["low", "mid", "high"]])
def test_texts_in_chunks_are_to_be_numbered(model: Any, names: Any) -> None:
    X = dask.array.from_array(np.random.default_rng(11).normal(size=(6, 2)), chunks=3)
    asked = "whose labels must be 0, 1, 2, ...; number the classes from 0, and name all of them in their order"
    for y in (np.array(["low", "mid", "high"] * 2), np.array(["low", "mid", "high"] * 2, object)):
        with pytest.raises(FalllineError, match=re.escape(f"y is a Dask array of texts, {asked}")):
            model(X, dask.array.from_array(y, chunks=3), classes=names)
    with pytest.raises(FalllineError, match=re.escape(f"y is a Dask array, {asked}")):
        model(X, dask.array.from_array(np.array([1, 2, 3] * 2), chunks=3))
    numbered = model(X, dask.array.from_array(np.array([0, 1, 2] * 2), chunks=3), classes=["low", "mid", "high"])
    assert numbered.classes == ("low", "mid", "high")


@pytest.mark.parametrize("model", [Logistic, Hinge, Softmax, SigmoidNeuron])
@pytest.mark.parametrize("keys", [(False, True), (np.False_, np.True_), (0, 1), (0.0, 1.0), ("0", "1")])
def test_the_classes_of_booleans_are_weighed_by_any_of_their_names(model: Any, keys: tuple[Any, Any]) -> None:
    X, y = np.random.default_rng(12).normal(size=(9, 2)), np.arange(9) % 3 == 0
    loss = model(X, y, class_weight=dict(zip(keys, (1, 5), strict=True)))
    by_row = model(X, y, sample_weight=np.where(y, 5.0, 1.0))
    for x in points(loss, 3, 2):
        np.testing.assert_allclose(loss.value(x), by_row.value(x), rtol=1e-13)


def test_sparse_rows_are_weighed_too() -> None:
    random = np.random.default_rng(10)
    X, w = random.normal(size=(20, 4)) * (random.random((20, 4)) < 0.5), random.random(20)
    dense, sparse = (Logistic(data, np.arange(20) % 2, sample_weight=w) for data in (X, csr_array(X)))
    x = points(dense, 1, 2)
    np.testing.assert_allclose(sparse.gradient(x), dense.gradient(x), rtol=1e-13, atol=1e-16)
    assert sparse.smoothness() == pytest.approx(dense.smoothness(), rel=1e-13)


def test_a_recipe_keeps_the_weights() -> None:
    loss = Logistic([1.0, 2.0, 3.0], [0, 1, 1], sample_weight=[1, 2, 0.5], class_weight="balanced")
    copy = loss_from_recipe(json.loads(json.dumps(loss.recipe())))
    x = np.array([0.4, -0.1])
    assert copy.value(x) == loss.value(x)
    assert copy.title == loss.title == "mean cross-entropy of a logistic model, 3 weighted rows"
    assert "sample_weight" not in (Logistic([1.0, 2.0], [0, 1]).recipe() or {})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Linear([1.0, 2.0], [1, 2], sample_weight=[1]), "sample_weight has the shape (1,); it needs one"),
        (lambda: Linear([1.0, 2.0], [1, 2], sample_weight=[1, -2]), "sample_weight[1] is -2.0; a row's weight is"),
        (lambda: Linear([1.0, 2.0], [1, 2], sample_weight=[0, 0]), "sample_weight is 0 for every row"),
        (lambda: Linear([1.0, 2.0], [1, 2], sample_weight=[1, np.nan]), "sample_weight[1] is missing"),
        (
            lambda: Linear([1.0, 2.0], [1, 2], sample_weight=cast(Any, [1, "a"])),
            "sample_weight[1] is 'a', which is not a number",
        ),
        (lambda: Linear([1.0, 2.0], [1, 2], class_weight="balanced"), "are numbers; give each row its sample_weight"),
        (lambda: SigmoidNeuron([1.0], [0.5], class_weight="balanced"), "class_weight is given, but the targets"),
        (
            lambda: Logistic([1.0, 2.0], [0, 1], class_weight=cast(Any, "balance")),
            "class_weight is 'balance'; it must be 'bal",
        ),
        (lambda: Logistic([1.0, 2.0], [0, 1], class_weight={2: 1.0}), "class_weight has the class '2'; Allowed: 0, 1"),
        (lambda: Logistic([1.0, 2.0], [0, 1], class_weight=[1, 2, 3]), "it needs a number at least 0 for each class"),
        (lambda: Logistic([1.0, 2.0], [0, 1], class_weight={0: -1}), "it needs a number at least 0 for each class"),
    ],
)
def test_weights_that_are_none_are_refused(call: Any, message: str) -> None:
    with pytest.raises(FalllineError, match=re.escape(message)) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_every_model_takes_weights() -> None:
    for model in NAMES:
        plain = sample(model, 6, 2, np.random.default_rng(1))
        assert "6 weighted rows" in like(plain, plain.X, plain.y, sample_weight=np.arange(6)).title
    assert set(NAMES) == set(MODELS)
