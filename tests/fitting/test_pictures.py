"""The pictures of fits: the rows with the model, confusion matrices, ROC curves, residuals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve

import fallline
from fallline import FalllineError
from fallline.fitting.pictured import confusion_data, model_data, residual_data, roc_curves, sampled
from fallline.pictures.fitted import FittedCurve, Regions
from fallline.pictures.scores import roc_data

RANDOM = np.random.default_rng(0)
HOURS, SLEEP = RANDOM.normal(5, 2, 200), RANDOM.normal(0, 1, 200)
NOISE = RANDOM.normal(0, 1, 200)
MARKS = 3 * HOURS + 4 + 2 * NOISE
RESULT = np.where(HOURS + 2 * SLEEP + NOISE > 5, "passed", "failed")
LEVEL = np.select([HOURS + NOISE < 4, HOURS + NOISE < 6], ["low", "mid"], "high")


def line(**more: Any) -> fallline.Fit:
    return fallline.fit({"hours": HOURS, "marks": MARKS}, "marks", model="linear", **more)


def passes(**more: Any) -> fallline.Fit:
    return fallline.fit({"hours": HOURS, "sleep": SLEEP, "result": RESULT}, "result", **more)


def levels(**more: Any) -> fallline.Fit:
    return fallline.fit({"hours": HOURS, "sleep": SLEEP, "level": LEVEL}, "level", model="softmax", **more)


def test_the_curve_of_one_feature_is_least_squares_in_the_datas_own_units() -> None:
    data = model_data(line())
    assert isinstance(data, FittedCurve)
    slope, intercept = np.polyfit(HOURS, MARKS, 1)
    # The descent ends where its gradient is small, not at the last digit.
    np.testing.assert_allclose(data.answer[:, 0], slope * data.x + intercept, rtol=1e-4)
    np.testing.assert_allclose(np.sort(data.rows.x[:, 0]), np.sort(HOURS), rtol=1e-12)
    assert data.height == "marks"
    assert not data.crossings.size


def test_the_class_changes_where_the_probability_is_a_half() -> None:
    found = fallline.fit({"hours": HOURS, "result": RESULT}, "result")
    data = model_data(found)
    assert isinstance(data, FittedCurve)
    assert data.crossings == pytest.approx(
        [-found.parameters["intercept"] / found.parameters["hours"]], rel=1e-3
    )  # by a line between two of 400 points
    assert data.height == "probability of passed"


def test_a_margin_is_called_one() -> None:
    data = model_data(fallline.fit({"hours": HOURS, "result": RESULT}, "result", model="hinge"))
    assert isinstance(data, FittedCurve)
    assert data.boundary == 0
    assert data.height == "margin of passed"


@pytest.mark.parametrize("make", [passes, levels])
def test_regions_are_the_models_own_classes(make: Any) -> None:
    found = make()
    data = model_data(found)
    assert isinstance(data, Regions)
    x, y = np.meshgrid(data.x, data.y)
    expected = found.classify({"hours": x.ravel(), "sleep": y.ravel()})
    names = np.array(found.classes, dtype=object)
    assert (names[data.region].ravel() == expected).all()


@pytest.mark.parametrize("make", [passes, levels])
@pytest.mark.parametrize("holdout", [0.0, 0.3])
def test_the_confusion_matrix_and_the_curves_are_those_of_scikit_learn(make: Any, holdout: float) -> None:
    found = make(holdout=holdout)
    rows = sampled(found)
    judged = rows.held_out if holdout else ~rows.held_out
    truth, features = rows.y[judged].astype(int), dict(zip(rows.names, rows.x[judged].T, strict=True))
    names = list(found.classes)
    counts = confusion_matrix(truth, [names.index(each) for each in found.classify(features)])
    np.testing.assert_array_equal(confusion_data(found).counts, counts)
    answers = found.predict(features)
    shown = roc_curves(found)
    if answers.ndim == 1:
        false, true, _ = roc_curve(truth, answers, drop_intermediate=False)
        np.testing.assert_allclose(shown[0].false_positive, false, atol=1e-15)
        np.testing.assert_allclose(shown[0].true_positive, true, atol=1e-15)
        assert shown[0].area == pytest.approx(roc_auc_score(truth, answers), rel=1e-12)
        assert shown[0].chosen == pytest.approx((counts[0, 1] / counts[0].sum(), counts[1, 1] / counts[1].sum()))
    else:
        areas = [roc_auc_score(truth == number, answers[:, number]) for number in range(len(names))]
        assert [curve.area for curve in shown] == pytest.approx(areas, rel=1e-12)


def test_rows_of_equal_predictions_pass_a_threshold_together() -> None:
    truth, score = np.array([True, False, True, False, False]), np.array([0.5, 0.5, 0.5, 0.2, 0.2])
    curve = roc_data("yes", truth, score, 0.3)
    assert curve is not None
    false, true, _ = roc_curve(truth, score, drop_intermediate=False)
    np.testing.assert_allclose(curve.false_positive, false)
    np.testing.assert_allclose(curve.true_positive, true)
    assert curve.area == pytest.approx(roc_auc_score(truth, score))
    assert roc_data("yes", np.ones(3, bool), np.arange(3.0), 0.3) is None


def test_residuals_sum_to_zero_on_the_rows_of_least_squares() -> None:
    data = residual_data(line())
    assert data.residual.mean() == pytest.approx(0, abs=1e-3)  # to the descent's tolerance
    np.testing.assert_allclose(np.sort(data.predicted + data.residual), np.sort(MARKS), rtol=1e-12)


def test_a_sample_of_many_rows_is_spread_over_them() -> None:
    count = 10_000
    table = {"x": np.arange(count, dtype=float), "y": np.arange(count) / 7}
    rows = sampled(fallline.fit(table, "y", model="linear", holdout=0.25))
    assert rows.remark == "2000 of 10000 rows"
    assert rows.held_out.mean() == pytest.approx(0.25, abs=0.01)
    counts, _ = np.histogram(rows.x[:, 0], bins=10, range=(0, count))
    assert counts.min() > 150


AUTO = [
    (line, "hours", "marks"),
    (passes, "hours", "sleep"),
    (lambda: fallline.fit({"a": HOURS, "b": SLEEP, "y": MARKS}, "y", model="linear"), "predicted y", "residual"),
    (lambda: fallline.fit({"a": HOURS, "b": SLEEP, "c": NOISE, "r": RESULT}, "r"), "predicted", "true"),
]


@pytest.mark.parametrize(("make", "x", "y"), AUTO)
def test_the_picture_of_a_fit_is_the_one_that_shows_most(make: Any, x: str, y: str) -> None:
    ax = make().plot().axes[0]
    assert ax.get_xlabel() == x
    assert ax.get_ylabel().startswith(y)


def test_the_pictures_of_the_descent_are_still_there() -> None:
    assert passes().plot(kind="histories").axes[0].get_ylabel() == "loss"
    assert line().plot(kind="contour").axes[0].get_xlabel() == "w"


def test_a_loaded_fit_shows_its_learning_curve_and_says_what_it_has_not(tmp_path: Path) -> None:
    line(holdout=0.2).save(tmp_path / "fit.npz")
    found = fallline.Fit.load(tmp_path / "fit.npz")
    assert found.plot().axes[0].get_xlabel() == "step"
    with pytest.raises(FalllineError, match="loaded from a file, which holds no rows"):
        found.plot(kind="residuals")


def test_a_kind_that_does_not_fit_is_refused_with_those_that_do() -> None:
    with pytest.raises(FalllineError, match="kind is 'confusion', but the target 'marks' has numbers; Allowed: fit, "):
        line().plot(kind="confusion")
    with pytest.raises(FalllineError, match="kind is 'residuals', but the target 'result' has classes"):
        passes().plot(kind="residuals")
    with pytest.raises(FalllineError, match="there are 3 features"):
        fallline.fit({"a": HOURS, "b": SLEEP, "c": NOISE, "r": RESULT}, "r").plot(kind="fit")


def test_twelve_classes_are_numbered_and_more_are_not() -> None:
    for count, numbered in ((12, True), (13, False)):
        names = np.array([f"c{i:02}" for i in range(count)])[RANDOM.integers(0, count, 200)]
        ax = fallline.fit({"a": HOURS, "k": names}, "k", model="softmax", max_steps=5).plot(kind="confusion").axes[0]
        assert bool(ax.texts) == numbered
