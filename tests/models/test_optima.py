"""Losses brought to their optimum, against the solvers of scikit-learn, on the data that it ships."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.linear_model import HuberRegressor, Lasso, LogisticRegression, PoissonRegressor, Ridge
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

import fallline
from fallline import FISTA, LBFGS, Adam, GradientNorm, NotFinite, minimize
from fallline.models import Huber, Linear, Logistic, Loss, Network, Poisson, Softmax, SquaredHinge


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """On data as small as these, further threads of BLAS keep processors busy with waiting."""
    with threadpool_limits(1):
        yield


def optimum(loss: Loss, gradient: float = 1e-8) -> fallline.Trajectory:
    """The end of a quasi-Newton run from zero."""
    stop = GradientNorm(gradient)
    return minimize(loss, np.zeros(loss.dimension), LBFGS(), max_steps=3000, stop=stop, record="ends")


def test_logistic_with_l2_on_breast_cancer_reaches_the_optimum_of_newton_cholesky() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    peer = LogisticRegression(C=0.5, solver="newton-cholesky", tol=1e-12, max_iter=200).fit(X, y)
    loss = Logistic(X, y, l2=2.0, reduction="sum")
    theirs = loss.value(np.append(peer.coef_[0], peer.intercept_))
    assert optimum(loss).final.value == pytest.approx(theirs, rel=1e-8)


@pytest.mark.long
def test_softmax_with_l2_on_digits_reaches_the_optimum_of_lbfgs() -> None:
    X, y = load_digits(return_X_y=True)
    peer = LogisticRegression(C=1.0, solver="lbfgs", tol=1e-10, max_iter=5000).fit(X / 16, y)
    loss = Softmax(X / 16, y, l2=1.0, reduction="sum")
    theirs = loss.value(np.append(peer.coef_.ravel(), peer.intercept_))
    assert optimum(loss, gradient=1e-6).final.value == pytest.approx(theirs, rel=1e-8)


@pytest.mark.parametrize("strength", [0.1, 1.0])
def test_lasso_on_diabetes_matches_the_coefficients_of_coordinate_descent(strength: float) -> None:
    X, y = load_diabetes(return_X_y=True)
    peer = Lasso(alpha=strength, tol=1e-14, max_iter=100_000).fit(X, y)
    loss = Linear(X, y, reduction="mean")
    rule = FISTA(1 / loss.smoothness(), loss.l1_penalty(strength))
    run = minimize(loss, np.zeros(11), rule, max_steps=3000, record="ends")
    np.testing.assert_allclose(run.final.x, np.append(peer.coef_, peer.intercept_), rtol=0, atol=1e-6)
    assert (run.final.x[:-1] == 0).tolist() == (peer.coef_ == 0).tolist()


def test_ridge_on_diabetes_is_its_closed_form_in_scikit_learn() -> None:
    X, y = load_diabetes(return_X_y=True)
    peer = Ridge(alpha=0.7, solver="cholesky").fit(X, y)
    x = optimum(Linear(X, y, l2=0.7, reduction="sum")).final.x
    # The line search sees the value to 1e-16 of 6e5: over a curvature of 0.7 that is √(1e-16 · 6e5 / 0.7) = 1e-5.
    np.testing.assert_allclose(x, np.append(peer.coef_, peer.intercept_), rtol=0, atol=1e-4)


def test_poisson_huber_and_squared_hinge_reach_the_loss_of_their_peers() -> None:
    X, y = load_diabetes(return_X_y=True)
    poisson = PoissonRegressor(alpha=0.01, solver="newton-cholesky", tol=1e-12).fit(10 * X, y)
    loss: Loss = Poisson(10 * X, y, reduction="mean", l2=0.01)
    best = loss.value(np.append(poisson.coef_, poisson.intercept_))
    assert optimum(loss).final.value == pytest.approx(best, rel=1e-8)

    # The peer fits the scale along with the weights: at its scale the weights are those of our loss.
    huber = HuberRegressor(epsilon=1.35, alpha=0.0, tol=1e-10, max_iter=10_000).fit(10 * X, y)
    loss = Huber(10 * X, y, delta=1.35 * huber.scale_, reduction="sum")
    best = loss.value(np.append(huber.coef_, huber.intercept_))
    assert optimum(loss).final.value == pytest.approx(best, rel=1e-8)

    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    # The peer penalises the bias like a weight, which for it is the weight of a column of ones.
    svc = LinearSVC(C=0.5, loss="squared_hinge", tol=1e-10, max_iter=1_000_000, dual=False, random_state=0).fit(X, y)
    loss = SquaredHinge(np.column_stack([X, np.ones(len(X))]), y, l2=2.0, reduction="sum")
    ours = minimize(
        loss.freeze(np.zeros(32), but=loss.names[:-1]), np.zeros(31), LBFGS(), max_steps=3000, record="ends"
    )
    best = loss.value(np.concatenate([svc.coef_[0], svc.intercept_, [0.0]]))
    assert ours.final.value == pytest.approx(best, rel=1e-8)


def test_a_two_layer_network_reads_held_out_digits() -> None:
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    seen, held_out = order[360:], order[:360]
    network = Network(X[seen] / 16, y[seen], "mean", hidden=(64,))
    batches = network.batches(32, order="shuffled")
    steps = 30 * batches.steps_per_epoch
    run = minimize(batches, network.initial(), Adam(0.003), max_steps=steps, stop=NotFinite(), record="ends")
    answers = network.predict(X[held_out] / 16, run.final.x).argmax(axis=1)
    assert (answers == y[held_out]).mean() > 0.96
