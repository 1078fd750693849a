"""The pictures of a fit: which there are, and the data of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.data.rows import Rows
from fallline.errors import FalllineError, nearest
from fallline.pictures.fitted import FittedCurve, Regions, Sampled, fitted_data
from fallline.pictures.kinds import FIT_KINDS
from fallline.pictures.paths import Interval, thinned
from fallline.pictures.scores import Confusion, Residuals, Roc, roc_data
from fallline.pictures.words import number

if TYPE_CHECKING:
    from fallline.fitting.result import Fit

# A picture shows so many rows at most, and has the ROC curves of so many classes.
MOST_SHOWN, MOST_CURVES = 2000, 8


def draw_fit(fit: Fit, views: Any, kind: str, **options: Any) -> Any:
    """Draw a picture of a fit; "auto" is the model in the data's own units where a plane can show it, or its scores.

    Raises:
        FalllineError: when the fit has no such picture, or its rows are not at hand.
    """
    classes = fit.fitted.preparation.classes is not None
    if kind == "auto":
        kind = _fitting(fit)
    wrong = "residuals" if classes else "confusion"
    if kind == wrong or (not classes and kind in ("roc", "scores")):
        fitting = [name for name in FIT_KINDS if (name in ("fit", "learning")) or (name != "residuals") == classes]
        has = "classes" if classes else "numbers"
        raise FalllineError("kind", kind, nearest("", fitting), problem=f"but the target {fit.target!r} has {has}")
    titled = {"title": "\n".join(_title(fit))}
    if kind == "learning":
        return views.plot_learning_curve(*fit.learning_curve(), **(titled | options))
    if kind == "fit":
        return views.plot_fitted(model_data(fit, options.pop("bounds", None)), **options)
    if kind == "residuals":
        return views.plot_residuals(residual_data(fit), **options)
    if kind == "confusion":
        return views.plot_confusion(confusion_data(fit), **options)
    if kind == "roc":
        return views.plot_roc(roc_curves(fit), **(titled | options))
    return views.plot_classified(confusion_data(fit), roc_curves(fit), **options)


def _fitting(fit: Fit) -> str:
    """The picture that shows most of a fit."""
    if not fit.has_rows:
        return "learning"
    features, classes = len(fit.features), fit.fitted.preparation.classes is not None
    if features == 1 or (features == 2 and classes):
        return "fit"
    return "scores" if classes else "residuals"


def model_data(fit: Fit, bounds: Interval | None = None) -> FittedCurve | Regions:
    """The rows with the model's curve, or its regions, in the data's own units.

    Arguments:
        bounds: the interval of a single feature; None: that of the rows.
    """
    fitted = fit.fitted
    classes = fitted.preparation.classes
    heights = {None: fit.target, 2: f"probability of {'' if classes is None else classes.names[-1]}"}
    two = classes is not None and len(classes.names) == 2
    height = heights.get(None if classes is None else len(classes.names), "probability")
    # Hinge losses predict a margin, whose boundary is 0.
    boundary = fitted.boundary if two else None
    if boundary == 0:
        height = f"margin of {'' if classes is None else classes.names[-1]}"
    prepared = fitted.preparation.standardization
    return fitted_data(
        sampled(fit),
        lambda x: fitted.on_inputs(x if prepared is None else prepared.apply(x)),
        title=_title(fit),
        height=height,
        boundary=boundary,
        bounds=bounds,
    )


def residual_data(fit: Fit) -> Residuals:
    """What the model leaves unexplained, at some of the rows."""
    rows = sampled(fit, own_units=False)
    predicted = fit.fitted.on_inputs(rows.x)
    return Residuals(_title(fit), fit.target, predicted, rows.y - predicted, rows.held_out, rows.remark)


def confusion_data(fit: Fit) -> Confusion:
    """The confusion matrix: of the rows held out, if there are any."""
    classes = fit.fitted.preparation.classes
    assert classes is not None
    return Confusion(_title(fit), classes.names, fit.fitted.confusion(_judged(fit)))


def roc_curves(fit: Fit) -> tuple[Roc, ...]:
    """The ROC curves of the rows held out, if there are any: one for two classes, or one a class against the rest."""
    fitted, classes = fit.fitted, fit.fitted.preparation.classes
    assert classes is not None
    truth, answers = [], []
    for rows in _judged(fit):
        truth.append(rows.y.astype(np.intp))
        answers.append(fitted.on_inputs(rows.X))
    y, answer = np.concatenate(truth), np.concatenate(answers)
    if answer.ndim == 1:
        curves = [roc_data(classes.names[1], y == 1, answer, fitted.boundary)]
    else:
        shown = range(min(len(classes.names), MOST_CURVES))
        curves = [roc_data(f"{classes.names[i]} against the rest", y == i, answer[:, i], None) for i in shown]
    return tuple(curve for curve in curves if curve is not None)


def sampled(fit: Fit, *, own_units: bool = True) -> Sampled:
    """Some rows of a fit, evenly spread over those fitted to and those held out.

    Arguments:
        own_units: whether the features are in the data's own units; or as the model takes them.
    """
    count, held_count = fit.training.rows, 0 if fit.held_out is None else fit.held_out.rows
    share = count / (count + held_count)
    x, y = _some(fit.rows_fitted_to(), count, round(MOST_SHOWN * share))
    held_x, held_y = _some([] if fit.held_out is None else fit.held_out.blocks(), held_count, MOST_SHOWN - len(y))
    x = np.concatenate([x, held_x.reshape(-1, x.shape[1])])
    prepared = fit.fitted.preparation.standardization
    if own_units and prepared is not None:
        x = x * np.asarray(prepared.scale) + np.asarray(prepared.mean)
    classes = fit.fitted.preparation.classes
    return Sampled(
        fit.features,
        fit.target,
        () if classes is None else classes.names,
        x,
        np.concatenate([y, held_y]),
        np.arange(len(x)) >= len(y),
        count + held_count,
    )


def _some(blocks: Iterable[Rows], count: int, most: int) -> tuple[FloatArray, FloatArray]:
    """At most so many rows of blocks that have `count` rows in all, evenly spread."""
    wanted = thinned(count, most) if count else np.empty(0, np.intp)
    x, y, before = [np.empty((0, 0))][:0], [np.empty(0)], 0
    for rows in blocks:
        mine = wanted[(wanted >= before) & (wanted < before + len(rows))] - before
        x.append(np.asarray(rows.X[mine]))
        y.append(rows.y[mine])
        before += len(rows)
    return np.concatenate(x) if x else np.empty((0, 0)), np.concatenate(y)


def _judged(fit: Fit) -> Iterable[Rows]:
    """The rows held out; those fitted to if there are none."""
    return fit.rows_fitted_to() if fit.held_out is None else fit.held_out.blocks()


def _title(fit: Fit) -> tuple[str, str]:
    """The model, and how well it fits."""
    rows = "rows held out" if fit.measured.rows_held_out else "rows fitted to"
    score = f"{fit.fitted.score_name} {number(fit.score(), 3)} on the {rows}"
    return f"{fit.target}: {fit.fitted.model.replace('_', ' ')} model of {_features(fit.features)}", score


def _features(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} features"
