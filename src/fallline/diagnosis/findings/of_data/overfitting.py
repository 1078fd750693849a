"""The finding that the held-out loss has risen while the training loss fell on."""

from __future__ import annotations

import numpy as np

from fallline.arrays import BoolArray, FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.changes import with_settings
from fallline.diagnosis.finding import CannotCheck, Finding, Remedy, check
from fallline.diagnosis.known import Series
from fallline.errors import FalllineError
from fallline.models import Loss

# The fewest points of a held-out curve, the last part of it in which the minimum may lie, the standard errors by which
# it must have risen since (one-sided 95 %, since a few dozen held-out rows are common), and the part of its minimum.
FEWEST, LAST, ERRORS, RISE = 5, 0.2, 1.645, 0.1
# By what part the training loss must have fallen at the same time.
FALL = 0.05
# The most held-out rows of which the loss of each is taken.
ROWS = 1000
# The penalty that is offered where there was none.
FIRST_L2 = 0.01


@check(
    "the held-out loss rises while the training loss falls",
    ignore="the held-out metric that counts, such as the accuracy, still improves",
    source="Prechelt (1998), Early stopping - but when?",
    measure="held_out",
    example="""
        random = np.random.default_rng(0)
        table = {f"x{i}": random.normal(size=80) for i in range(5)}
        table["y"] = np.sin(2 * table["x0"]) + random.normal(size=80)
        network = {"model": "network", "hidden": (30,), "activation": "tanh", "loss": "squared"}
        run = fit(table, "y", **network, optimizer=Adam(0.03), holdout=0.4, max_steps=500)
    """,
)
def overfitting(case: Case) -> Finding | None:
    """See whether the held-out loss has risen by two standard errors since its minimum, well before the end."""
    # The penalty grows with the weights, and falls where it draws them back: both are no part of what is learnt.
    steps, held = _without_penalty(case, case["held_out"])
    if len(held) < FEWEST or not np.isfinite(held).all():
        raise CannotCheck("a held-out loss at more steps")
    low = int(np.argmin(held))
    if steps[low] >= steps[-1] * (1 - LAST):
        return None
    # A curve that jumps is judged by the median of its last tenth, and its jumps count as an error.
    tail = held[-max(1, len(held) // 10) :]
    rise = float(np.median(tail) - held[low])
    jumps = 1.4826 * float(np.median(abs(np.diff(held) - np.median(np.diff(held)))))
    paired, better = _paired(case, int(steps[low]), int(steps[-1]))
    error = float(np.hypot(paired, jumps))
    ends, training = steps[[low, -1]], case["value"]
    at_low, at_end = _without_penalty(case, Series(ends, np.interp(ends, training.steps, training.values))).values
    if better or not (rise > ERRORS * error and rise > RISE * abs(held[low]) and at_end < (1 - FALL) * at_low):
        return None
    return Finding(
        name="overfitting",
        title=f"Overfitting since step {steps[low]}",
        evidence=f"The held-out loss rose from {held[low]:.4g} at step {steps[low]} to {held[-1]:.4g} at step "
        f"{steps[-1]}, by {f'{rise / error:.1f} standard errors' if error else 'more than any error'}, while the "
        f"training loss fell from {at_low:.4g} to {at_end:.4g}.",
        cause="The model has learnt the noise of the training rows.",
        remedies=_remedies(case, int(steps[low])),
        since=int(steps[low]),
        numbers={"lowest": float(held[low]), "last": float(held[-1]), "rise": rise, "error": error},
        steps=(int(steps[low]),),
    )


def _without_penalty(case: Case, curve: Series) -> Series:
    """A curve of the loss without the penalty on the weights."""
    loss = _loss_of(case)
    if loss is None or not loss.l2:
        return curve
    x = case.run.x[np.searchsorted(case.run.steps, curve.steps)]
    return Series(curve.steps, curve.values - 0.5 * loss.l2 * (x[:, loss.are_weights] ** 2).sum(axis=1))


def _loss_of(case: Case) -> Loss | None:
    """The loss; None where it is not known, as for a log."""
    try:
        return case.data
    except CannotCheck:
        return None


def _paired(case: Case, low: int, end: int) -> tuple[float, bool]:
    """The standard error of the rise over held-out rows, each with itself; and whether more classes are right."""
    try:
        held_out, model = case.fit.held_out, case.data
    except (CannotCheck, FalllineError):  # a log, or a fit from a file, which holds no rows
        return 0.0, False
    if held_out is None:
        return 0.0, False
    rows = next(held_out.blocks())[:ROWS]
    points = case.run.x[np.searchsorted(case.run.steps, [low, (low + end) // 2, end])]
    with np.errstate(all="ignore"):
        errors = model.errors(model.forward(points, rows.X), rows.y)
    change = errors[-1] - errors[0]
    whole = model.rows if model.reduction == "sum" else 1
    better = False
    if model.class_labels():
        # From halfway on: a loss can rise, of answers too sure of themselves, while more of them are right.
        right = [_right(model, rows.X, rows.y, x) for x in points[1:]]
        differ = float((right[0] != right[1]).sum())
        better = right[1].sum() - right[0].sum() > np.sqrt(differ)
    return whole * float(change.std() / np.sqrt(len(change))), bool(better)


def _right(model: Loss, X: FloatArray, y: FloatArray, x: FloatArray) -> BoolArray:
    """Whether the class of each row is told right."""
    answers = model.predict(X, x)
    middle = 0.5 if model.model.startswith("cross") else 0.0
    told = answers.argmax(axis=1) if answers.ndim == 2 else answers > middle
    return np.asarray(told == model.class_numbers(y))


def _remedies(case: Case, low: int) -> tuple[Remedy, ...]:
    """Fewer steps; and a penalty, or ten times the one it has."""
    fit = case.known_fit
    stopping = Remedy(f"max_steps={low}", {"max_steps": low} | ({} if fit is None else {"epochs": None}))
    loss = _loss_of(case)
    return (stopping,) if loss is None else (stopping, with_settings(case, l2=10 * loss.l2 or FIRST_L2))
