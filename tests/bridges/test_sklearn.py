"""The estimators keep scikit-learn's contract, and reach the optima that its own solvers find."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest
from scipy.sparse import coo_array, coo_matrix, csc_array, csr_array, csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import (
    HuberRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
)
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

import fallline
from fallline import (
    Adam,
    FalllineError,
    GradientDescent,
    Lookahead,
    Momentum,
    ReduceOnPlateau,
    StepDecay,
    StrongWolfe,
)
from fallline.bridges.sklearn import GradientDescentClassifier, GradientDescentRegressor, SigmoidNeuronRegressor
from fallline.minimizing import rerun
from fallline.models import Huber, Linear, Logistic, Softmax

CHECKED = [
    GradientDescentClassifier(),
    GradientDescentRegressor(),
    SigmoidNeuronRegressor(),
]
OTHER_SETTINGS = [
    GradientDescentClassifier("hinge"),
    GradientDescentRegressor("poisson"),
    GradientDescentRegressor(optimizer=Adam(0.05), batch_size=50),
]


@pytest.fixture(autouse=True)
def _array_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the checks is skipped where SciPy's support of other arrays is not asked for."""
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(CHECKED)  # type: ignore[untyped-decorator]
def test_scikit_learns_own_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(OTHER_SETTINGS)  # type: ignore[untyped-decorator]
def test_scikit_learns_own_checks_of_other_settings(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def scaled(load: Callable[..., Any]) -> tuple[Any, Any]:
    X, y = load(return_X_y=True)
    return StandardScaler().fit_transform(X), y


CANCER, DIGITS, DIABETES = scaled(load_breast_cancer), scaled(load_digits), scaled(load_diabetes)


# Where a gradient is about 1e-9, parameters are known to about 1e-9 / alpha, a value to the square of that.


def test_two_classes_reach_the_optimum_of_newton_cholesky() -> None:
    X, y = CANCER
    theirs = LogisticRegression(C=1 / (len(y) * 0.01), solver="newton-cholesky", tol=1e-12).fit(X, y)
    ours = GradientDescentClassifier(alpha=0.01, tol=1e-9).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=2e-7)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=2e-7)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=2e-7)
    np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), atol=2e-6)
    assert ours.coef_.shape == (1, 30)
    assert ours.intercept_.shape == (1,)
    loss = Logistic(X, y, "mean", l2=0.01)
    best = loss.value(np.append(theirs.coef_, theirs.intercept_))
    assert ours.trajectory_.final.value == pytest.approx(best, rel=1e-12)


def test_ten_classes_reach_the_optimum_of_lbfgs() -> None:
    X, y = DIGITS
    # Its gradient is then about 1e-6, and a value 1e-12 / alpha above the best.
    theirs = LogisticRegression(C=1 / (len(y) * 0.1), tol=1e-6, max_iter=1000).fit(X, y)
    ours = GradientDescentClassifier(alpha=0.1, tol=1e-7).fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4)
    assert ours.coef_.shape == (10, 64)
    loss = Softmax(X, y, "mean", l2=0.1)
    best = loss.value(np.append(theirs.coef_, theirs.intercept_))
    assert ours.trajectory_.final.value == pytest.approx(best, rel=1e-8)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_squared_hinge_is_no_worse_than_the_linear_support_vector_machine() -> None:
    X, y = CANCER
    alpha = 0.01
    # Its C Σ max(0, 1 - s z)² + ½ ‖w‖², with no penalty on the intercept if its feature is a large number.
    theirs = LinearSVC(C=1 / (alpha * len(y)), intercept_scaling=1e3, tol=1e-8, max_iter=100_000, random_state=0).fit(
        X, y
    )
    ours = GradientDescentClassifier("squared_hinge", alpha=alpha, tol=1e-8).fit(X, y)
    assert ours.score(X, y) == theirs.score(X, y)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-2)


@pytest.mark.parametrize("alpha", [0.0, 0.1])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_least_squares_and_ridge(alpha: float, fit_intercept: bool) -> None:
    X, y = DIABETES
    kind: dict[str, Any] = {"fit_intercept": fit_intercept}
    theirs = Ridge(alpha=alpha * len(y), **kind).fit(X, y) if alpha else LinearRegression(**kind).fit(X, y)
    ours = GradientDescentRegressor(alpha=alpha, tol=1e-12, **kind).fit(X, y)
    # The features are nearly collinear: the smallest curvature is 0.009, and a value near 1e4 is known to 1e-12.
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, abs=1e-5)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-5)
    assert type(ours.intercept_) is float
    assert fit_intercept or ours.intercept_ == 0


def test_huber_is_no_worse_than_scikit_learns() -> None:
    X, y = DIABETES
    y = y + 1000 * (np.arange(len(y)) % 50 == 0)
    theirs = HuberRegressor(alpha=1.0, tol=1e-8, max_iter=10_000).fit(X, y)
    # At its optimum its loss is (2 / scale) Σ huber(r) + alpha ‖w‖², beside terms of the scale alone.
    delta, alpha = theirs.epsilon * theirs.scale_, theirs.scale_ / len(y)
    ours = GradientDescentRegressor("huber", delta=delta, alpha=alpha, tol=1e-12).fit(X, y)
    loss = Huber(X, y, "mean", delta=delta, l2=alpha)
    best = loss.value(np.append(theirs.coef_, theirs.intercept_))
    assert ours.trajectory_.final.value <= best
    assert ours.trajectory_.final.value == pytest.approx(best, rel=1e-8)


def test_poisson() -> None:
    X, y = DIABETES
    theirs = PoissonRegressor(alpha=0.1, solver="newton-cholesky", tol=1e-12).fit(X, y)
    ours = GradientDescentRegressor("poisson", alpha=0.1, tol=1e-10).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-6)


def test_a_sigmoid_neuron_finds_the_neuron_that_made_the_data() -> None:
    X = np.random.default_rng(0).normal(size=(200, 3))
    true, bias = np.array([1.0, -2.0, 0.5]), 0.3
    y = 1 / (1 + np.exp(-X @ true - bias))
    for low, high, given in ((0.0, 1.0, None), (-3.0, 7.0, (-3.0, 7.0))):
        model = SigmoidNeuronRegressor(alpha=0, tol=1e-9, target_range=given).fit(X, low + (high - low) * y)
        np.testing.assert_allclose(np.append(model.coef_, model.intercept_), [*true, bias], atol=1e-6)
        np.testing.assert_allclose(model.predict(X), low + (high - low) * y, atol=1e-6)
    assert SigmoidNeuronRegressor().fit(X, 50 * y).target_range_ == (50 * y.min(), 50 * y.max())


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": Adam(0.05)},
        {"optimizer": "adam@keras", "learning_rate": 0.05},
        {"optimizer": Momentum(StepDecay(0.05, every=500))},
        {"optimizer": "momentum", "learning_rate": StrongWolfe()},
        {"optimizer": "gradient_descent", "learning_rate": "backtracking", "batch_size": None, "tol": 1e-2},
        {"optimizer": "lookahead:adam", "learning_rate": 0.05},
        {"optimizer": Lookahead(Adam(0.05)), "learning_rate": 0.1},
        {"optimizer": Adam(0.05), "learning_rate": "cosine:2000"},
        {"learning_rate": 0.5},
        {"learning_rate": ReduceOnPlateau(0.5, patience=20)},
        {},
    ],
    ids=str,
)
def test_any_rule_and_schedule(settings: dict[str, Any]) -> None:
    X, y = CANCER
    model = GradientDescentClassifier(**{"batch_size": 64, "random_state": 0} | settings)
    if isinstance(settings.get("learning_rate"), StrongWolfe):
        with pytest.raises(FalllineError, match="a step of Momentum is not the rate times a direction"):
            model.fit(X, y)
        return
    assert model.fit(X, y).score(X, y) > 0.97
    # The same to the last bit.
    np.testing.assert_array_equal(clone(model).fit(X, y).coef_, model.coef_)
    assert len(model.trajectory_) == model.n_iter_ + 1
    value, start = model.trajectory_.final.value, model.trajectory_.start.value
    assert value < 0.2 * start


def test_a_rate_is_given_to_the_rule_and_to_the_rule_inside_it() -> None:
    X, y = CANCER
    for rule, label in (
        (Adam(), "adam, learning_rate 0.25"),
        (Lookahead(Adam()), "lookahead, of adam, learning_rate 0.25"),
    ):
        model = GradientDescentClassifier(optimizer=rule, learning_rate=0.25, batch_size=100).fit(X, y)
        assert model.trajectory_.optimizer == label
    with pytest.raises(FalllineError, match="learning_rate is 'cosine:9', which scales a number, but that of"):
        GradientDescentClassifier(optimizer="lbfgs", learning_rate="cosine:9").fit(X, y)


def test_batches_end_when_a_pass_changes_little() -> None:
    X, y = CANCER
    model = GradientDescentClassifier(optimizer=Adam(0.01), batch_size=64, tol=1e-3, random_state=1).fit(X, y)
    value = model.trajectory_.value
    change = abs(np.diff(value))
    assert model.trajectory_.stop.reason == "small change"
    assert (change[:-1] > 1e-3).all()
    assert change[-1] <= 1e-3
    loss = Logistic(X, y, "mean", l2=1e-4)
    np.testing.assert_allclose(value, loss.value(model.trajectory_.x), rtol=1e-12)


def test_long_runs_of_many_parameters_keep_few_points() -> None:
    X = np.random.default_rng(0).normal(size=(20, 1999))
    y = X[:, 0] > 0
    # Ten thousand points of 2,000 numbers would be 2e7 of the 2^23 = 8.4e6 that are kept: one of three is.
    model = GradientDescentClassifier(learning_rate=1e-4, batch_size=10, max_iter=10_000, tol=1e-2, random_state=0)
    model.fit(X, y)
    assert model.trajectory_.steps.tolist()[:3] == [0, 6, 12]
    assert model.trajectory_.stop.reason == "small change"
    assert abs(np.diff(model.trajectory_.value))[-1] <= 1e-2 < abs(np.diff(model.trajectory_.value))[:-1].min()
    assert model.n_iter_ == model.trajectory_.step_count / 2
    assert model.score(X, y) == 1


def test_a_fit_that_has_not_come_to_rest_warns_unless_no_rest_was_asked_for() -> None:
    X, y = CANCER
    with pytest.warns(ConvergenceWarning, match="after max_iter = 3 passes"):
        assert GradientDescentClassifier(max_iter=3).fit(X, y).n_iter_ == 3
    for tol in (None, 0):
        assert GradientDescentClassifier(max_iter=3, tol=tol).fit(X, y).n_iter_ == 3


def test_in_a_pipeline_and_a_grid_search() -> None:
    X, y = load_iris(return_X_y=True)
    model = make_pipeline(
        StandardScaler(), GradientDescentClassifier(batch_size=30, max_iter=60, tol=None, random_state=0)
    )
    grid = {
        "gradientdescentclassifier__optimizer": [Adam(0.05), Momentum(0.05), "nesterov"],
        "gradientdescentclassifier__alpha": [1e-4, 1.0],
    }
    search = GridSearchCV(model, grid, cv=3).fit(X, y)
    assert search.best_score_ > 0.93
    assert search.best_params_["gradientdescentclassifier__alpha"] == 1e-4
    assert cross_val_score(GradientDescentRegressor(), *DIABETES, cv=3).mean() > 0.4
    several = OneVsRestClassifier(GradientDescentClassifier("squared_hinge")).fit(scale(X), y)
    assert several.score(scale(X), y) > 0.93


def test_a_run_of_batches_is_done_again_from_its_recipe() -> None:
    X, y = (part[:200] for part in DIABETES)  # few enough to be in the recipe
    model = GradientDescentRegressor(batch_size=50, max_iter=9, tol=0.02, random_state=0).fit(scale(X), y)
    again = rerun(json.loads(json.dumps(model.trajectory_.recipe)))
    np.testing.assert_array_equal(again.final.x, model.trajectory_.final.x)


def test_a_pickle_holds_the_run_but_not_the_data() -> None:
    X, y = DIGITS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = GradientDescentClassifier(max_iter=5).fit(X, y)
    written = pickle.dumps(model)
    assert len(written) < X.nbytes / 5
    read = pickle.loads(written)
    np.testing.assert_array_equal(read.predict_proba(X), model.predict_proba(X))
    assert read.trajectory_ == model.trajectory_
    assert model.trajectory_.objective is not None
    assert read.trajectory_.objective is None


RULES = [Adam(0.1), Momentum(0.05), Lookahead(Adam(0.1), period=3), GradientDescent(ReduceOnPlateau(0.5, patience=2))]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.label)
def test_partial_fits_are_one_run(rule: Any) -> None:
    X, y = DIABETES
    y = y / 100
    one = GradientDescentRegressor(optimizer=rule, max_iter=12, tol=None).fit(X, y)
    steps = GradientDescentRegressor(optimizer=rule)
    for step in range(12):
        steps.partial_fit(X, y)
        assert steps.trajectory_.steps.tolist() == [step, step + 1]
        if step == 5:
            steps = pickle.loads(pickle.dumps(steps))
    np.testing.assert_array_equal(steps.coef_, one.coef_)
    assert (steps.intercept_, steps.n_iter_) == (one.intercept_, 12)
    # By the minimiser itself, and a rule that forgot would be elsewhere.
    run = fallline.minimize(Linear(X, y, "mean", l2=1e-4), np.zeros(11), rule, max_steps=12)
    np.testing.assert_array_equal(np.append(one.coef_, one.intercept_), run.final.x)


def test_between_partial_fits_the_rate_may_change_but_not_the_rule() -> None:
    X, y = CANCER
    model = GradientDescentClassifier(optimizer=Adam(0.1))
    for rate in (0.1, 0.05):
        model.set_params(learning_rate=rate).partial_fit(X, y, classes=[0, 1])
    run = fallline.minimize(Logistic(X, y, "mean", l2=1e-4), np.zeros(31), Adam(StepDecay(0.1, 0.5, 1)), max_steps=2)
    np.testing.assert_array_equal(np.append(model.coef_, model.intercept_), run.final.x)
    for other in ({"optimizer": Momentum()}, {"learning_rate": ReduceOnPlateau(0.1)}, {"fit_intercept": False}):
        with pytest.raises(FalllineError, match="cannot go on with what another remembers"):
            clone(model).partial_fit(X, y, classes=[0, 1]).set_params(**other).partial_fit(X, y)
    # A fit begins anew.
    assert model.set_params(optimizer=Momentum(), max_iter=3, tol=None).fit(X, y).partial_fit(X, y).n_iter_ == 4


def test_partial_fits_learn_from_a_stream() -> None:
    X, y = CANCER
    names = np.array(["malignant", "benign"])
    model = GradientDescentClassifier(optimizer=Adam(0.02), batch_size=16, random_state=0)
    for epoch in range(10):
        for rows in np.array_split(np.random.default_rng(epoch).permutation(len(y)), 12):
            assert model.partial_fit(X[rows], names[y[rows]], classes=names) is model
    assert model.score(X, names[y]) > 0.97
    assert model.n_iter_ == 120
    assert model.classes_.tolist() == ["benign", "malignant"]
    # 12 parts of some 48 rows, 3 batches each.
    assert model.trajectory_.final.step == 10 * 12 * 3


def test_warm_start_goes_on() -> None:
    X, y = CANCER
    model = GradientDescentClassifier(tol=1e-8, warm_start=True).fit(X, y)
    first, coef = model.n_iter_, model.coef_
    again = model.fit(X, y)
    assert again.n_iter_ < first / 3
    np.testing.assert_allclose(again.coef_, coef, rtol=1e-4)
    with pytest.raises(FalllineError, match=r"y has the classes \[1, 2\], and the fit before had \[0, 1\]"):
        model.fit(X, y + 1)
    with pytest.raises(
        FalllineError, match="X has 5 features, and the fit before had another number; set warm_start=False"
    ):
        model.fit(X[:, :5], y)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (GradientDescentClassifier("log"), "loss is 'log'; "),
        (GradientDescentClassifier("linear"), "loss is 'linear'; "),
        (GradientDescentClassifier(alpha=-1), "alpha is -1; it must be a number at least 0"),
        (GradientDescentClassifier(max_iter=0), "max_iter is 0; it must be a whole number at least 1"),
        (GradientDescentClassifier(tol=cast(Any, "no")), "tol is 'no'; it must be a number at least 0, or None"),
        (GradientDescentClassifier(optimizer=cast(Any, 3)), "optimizer is 3; it must be an update rule"),
        (GradientDescentClassifier(optimizer="adm"), "optimizer is 'adm'; did you mean 'adam'?"),
        (GradientDescentClassifier(batch_size=0), "batch_size is 0; allowed: whole numbers from 1"),
        (
            GradientDescentClassifier(batch_size=cast(Any, "many")),
            "batch_size is 'many'; allowed: whole numbers from 1",
        ),
        (GradientDescentClassifier(learning_rate=-1), "learning_rate is -1; it must be a number above 0"),
        (GradientDescentClassifier(learning_rate="cosin"), "schedule is 'cosin'; did you mean 'cosine'?"),
        (GradientDescentRegressor("huber", delta=0), "delta is 0; it must be a number above 0"),
        (GradientDescentClassifier(learning_rate=1e300), "the descent diverged"),
        (
            SigmoidNeuronRegressor(target_range=(1, 0)),
            "target_range is (1, 0); it must be two numbers, the least first",
        ),
        (SigmoidNeuronRegressor(target_range=(0.2, 1)), "y has 0, which lies outside 0.2 to 1; set target_range"),
    ],
    ids=str,
)
def test_mistakes_are_named_in_one_line(model: Any, told: str) -> None:
    with pytest.raises(FalllineError) as refused:
        model.fit(*CANCER)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_mistakes_of_a_stream() -> None:
    X, y = CANCER
    with pytest.raises(FalllineError, match="the first call of partial_fit must name all classes"):
        GradientDescentClassifier().partial_fit(X, y)
    model = GradientDescentClassifier().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(FalllineError, match=r"y has the class 2, which is not among \[0, 1\]"):
        model.partial_fit(X, y + 1)
    with pytest.raises(FalllineError, match="in the calls before it was"):
        model.partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(FalllineError, match="y has 1 class only"):
        GradientDescentClassifier().fit(X, np.ones(len(y)))
    with pytest.raises(FalllineError, match=r"y\[0\] is -1; the counts of a Poisson model are not negative"):
        GradientDescentRegressor("poisson").fit(X, y - 1.0)
    with pytest.raises(AttributeError, match="predict_proba"):
        GradientDescentClassifier("hinge").predict_proba(X)
    with pytest.raises(NotFittedError):
        GradientDescentRegressor().predict(X)


def test_ctrl_c_is_not_swallowed() -> None:
    X, y = CANCER

    @dataclass(frozen=True)
    class Interrupting(GradientDescent):
        def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
            if step == 3:
                raise KeyboardInterrupt
            return super().update(gradient, state, rate, step)

    with pytest.raises(KeyboardInterrupt):
        GradientDescentClassifier(optimizer=Interrupting(0.1)).fit(X, y)


def test_without_scikit_learn_it_says_what_to_install_and_the_rest_works() -> None:
    program = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import fallline\n"
        "fallline.minimize('x**2', 1.0, 'adam')\n"
        "try: import fallline.bridges.sklearn\n"
        "except fallline.FalllineError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == 'fallline.bridges.sklearn needs scikit-learn: pip install "fallline[sklearn]"\n'


def test_fallline_alone_does_not_import_scikit_learn() -> None:
    program = "import fallline, sys; assert 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("kind", [csr_array, csc_array, coo_array, csr_matrix, coo_matrix])
@pytest.mark.parametrize(
    "estimator",
    [
        GradientDescentClassifier(alpha=0.01),
        GradientDescentClassifier(alpha=0.01, fit_intercept=False, class_weight="balanced"),
        GradientDescentClassifier("squared_hinge", batch_size=32, max_iter=3, tol=None, random_state=1),
        GradientDescentRegressor("huber"),
        SigmoidNeuronRegressor(alpha=0.1),
    ],
)
def test_sparse_inputs_are_dense_ones(kind: Any, estimator: Any) -> None:
    random = np.random.default_rng(11)
    X = random.normal(size=(120, 6)) * (random.random((120, 6)) < 0.3)
    y: Any = X @ [1.0, -2.0, 0.5, 0.0, 1.0, 3.0] + random.normal(size=120)
    if isinstance(estimator, GradientDescentClassifier):
        y = y > 0.5
    weights = random.random(120)
    dense, sparse = (clone(estimator).fit(data, y, sample_weight=weights) for data in (X, kind(X)))
    # Sums in another order, and what the descent makes of it.
    np.testing.assert_allclose(sparse.coef_, dense.coef_, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(sparse.predict(kind(X)), dense.predict(X), rtol=1e-5, atol=1e-7)
    parts = clone(estimator).set_params(class_weight=None) if hasattr(estimator, "class_weight") else clone(estimator)
    settings = {"classes": [False, True]} if isinstance(estimator, GradientDescentClassifier) else {}
    assert parts.partial_fit(kind(X), y, sample_weight=weights, **settings).coef_.shape == dense.coef_.shape


def test_three_classes_of_sparse_rows_reach_the_optimum_of_lbfgs() -> None:
    random = np.random.default_rng(12)
    X, y = random.normal(size=(90, 5)) * (random.random((90, 5)) < 0.5), np.repeat(["a", "b", "c"], 30)
    weights = random.integers(0, 4, 90)
    for class_weight in (None, "balanced", {"a": 2.0, "c": 0.5}):
        ours = GradientDescentClassifier(alpha=0.1, tol=1e-10, class_weight=class_weight).fit(csr_array(X), y, weights)
        scale = cast(Any, ours.trajectory_.objective).weights.sum()
        theirs = LogisticRegression(C=1 / (0.1 * scale), class_weight=class_weight, tol=1e-10, max_iter=10_000)
        theirs.fit(X, y, weights)
        np.testing.assert_allclose(ours.predict_proba(csr_array(X)), theirs.predict_proba(X), atol=1e-6)


def test_weights_are_those_of_scikit_learn() -> None:
    X, y = DIABETES
    weights = np.random.default_rng(13).random(len(y)) * 2
    for peer, alpha in ((LinearRegression(), 0.0), (Ridge(alpha=30.0), 30.0 / weights.sum())):
        peer.fit(X, y, weights)
        ours = GradientDescentRegressor(alpha=alpha, tol=1e-12).fit(X, y, sample_weight=weights)
        np.testing.assert_allclose(ours.predict(X), peer.predict(X), rtol=1e-5)
    X, y = CANCER
    weights = np.random.default_rng(14).random(len(y)) * 2
    for class_weight in ("balanced", {0: 3.0}):
        ours = GradientDescentClassifier(alpha=0.01, tol=1e-9, class_weight=class_weight).fit(X, y, weights)
        scale = cast(Any, ours.trajectory_.objective).weights.sum()
        theirs = LogisticRegression(
            C=1 / (0.01 * scale), class_weight=class_weight, solver="newton-cholesky", tol=1e-12
        )
        np.testing.assert_allclose(ours.coef_, theirs.fit(X, y, weights).coef_, atol=2e-7)


def test_partial_fit_cannot_balance_what_it_has_not_seen() -> None:
    classifier = GradientDescentClassifier(class_weight="balanced")
    with pytest.raises(FalllineError, match="class_weight is 'balanced', which needs all rows") as caught:
        classifier.partial_fit([[0.0], [1.0]], [0, 1], classes=[0, 1])
    assert "\n" not in str(caught.value)
