"""The finding that the model's output and its loss do not suit the targets."""

from __future__ import annotations

import numpy as np

from fallline.arrays import FloatArray
from fallline.data.entries import is_number
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import Finding, Remedy, check
from fallline.diagnosis.outputs import outputs_of
from fallline.models import Huber, Linear, LinearFamily, Network, Poisson, SigmoidNeuron

# The range of an output is what it is at z this far from 0. Targets may lie outside by this much, and so many may.
FAR, REACH, OUTSIDE = 1e150, 1e-6, 0.02
# A neuron is stuck on a row where it is this far from the target and its slope p (1 - p) is below this.
WRONG, FLAT = 0.5, 0.01
# It hurts where it is stuck on this part of the rows.
STUCK = 0.05
# Numbers taken for classes: so many classes, of less than this many rows each on average.
MANY, FEW_ROWS = 20, 3
# Classes taken for numbers: 0, 1, 2, ... up to so many, whose frequencies differ by less than this factor, of so many
# rows; counts and grades do not come equally often.
MOST, ALIKE, ROWS = 20, 1.5, 10
# The part of the targets' variance that must be left: else they are numbers that the model predicts well.
UNEXPLAINED = 0.05
# Losses of torch that take a softmax, or a sigmoid, themselves; and those of pairs of an output and a target.
OF_LOGITS = ("CrossEntropyLoss", "cross_entropy")
OF_LOGIT = ("BCEWithLogitsLoss", "binary_cross_entropy_with_logits")
ELEMENTWISE = ("MSELoss", "mse_loss", "L1Loss", "l1_loss", "SmoothL1Loss", "smooth_l1_loss", "HuberLoss", "huber_loss")
# How far beyond an end of a module's range, which random parameters only come near, a target is out of reach.
NEAR_END = 0.01


@check(
    "the model's output does not suit the targets",
    leads_to=("plateau", "constant_predictor", "too_slow", "unbounded"),
    ignore="the targets are clamped on purpose",
    source="Golik, Doetsch and Ney (2013), Cross-entropy vs. squared error training",
    example="""
        x = np.linspace(-2, 2, 60)
        run = minimize(Logistic(x, np.ones(60)), (0, 0), GradientDescent(0.5), max_steps=200)
    """,
)
def output_mismatch(case: Case) -> Finding | None:
    """Look for targets out of reach or all alike, numbers taken for classes or classes for numbers, a stuck neuron.

    Of a user's module, look at what it answers with random parameters: its range, shares, a shape unlike the targets'.
    """
    if not case.innermost.of_data:
        return _of_module(case)
    return (
        _out_of_reach(case)
        or _one_answer(case)
        or _stuck_neuron(case)
        or _numbers_as_classes(case)
        or _classes_as_numbers(case)
    )


def _found(title: str, evidence: str, cause: str, *remedies: Remedy, **numbers: float) -> Finding:
    return Finding("output_mismatch", title[:1].upper() + title[1:], evidence, cause, remedies, numbers=numbers)


def _out_of_reach(case: Case) -> Finding | None:
    """Targets outside the range of the output."""
    data = case.data
    if not isinstance(data, LinearFamily) or data.class_labels():
        return None
    with np.errstate(all="ignore"):
        low, high = np.sort(data.response(np.array([-FAR, FAR])))
    y = case.sample.rows.y
    outside = (y < low - REACH * max(1, abs(low))) | (y > high + REACH * max(1, abs(high)))
    beyond = float(case.sample.weights @ outside)
    if not beyond > OUTSIDE:
        return None
    return _unreached(case, low, high, y, beyond)


def _unreached(case: Case, low: float, high: float, y: FloatArray, beyond: float) -> Finding:
    """The finding that a part of the targets y is beyond the range of the output."""
    low, high = round(low, 9) + 0.0, high + 0.0  # a sigmoid's lower end is 1e-308; not -0
    where = f"between {low:.3g} and {high:.3g}"
    if not -FAR < low < high < FAR:
        where = f"above {low:.3g}" if low > -FAR else f"below {high:.3g}"
    ours = case.innermost.of_data
    model = "take a model of numbers, such as fallline.models.Linear" if ours else "leave out the last activation"
    return _found(
        f"targets from {y.min() + 0.0:.3g} to {y.max() + 0.0:.3g} are out of the output's reach",
        f"The output lies {where}; {beyond:.0%} of {len(y)} targets do not. The loss ends at "
        f"{case.run.final.value:.3g}.",
        "No parameters let the output reach these targets, so it goes to the end of its range, where it has no slope.",
        Remedy(f"scale the targets to the output's range, or {model}"),
        beyond=beyond,
    )


def _one_answer(case: Case) -> Finding | None:
    """Every target at the end of the output's range, which only infinite parameters reach."""
    data = case.data
    classes, first = data.class_labels(), data.y[0]
    if data.dataset is not None or (data.y != first).any():
        return None
    if not (classes or (first == 0 and isinstance(data, Poisson))):
        return None
    answer = classes[int(data.class_numbers(data.y[:1]).item())] if classes else "0"
    return _found(
        f"every target is {answer}",
        f"All {data.rows} targets are {answer}, so the features have nothing to tell apart.",
        "The output approaches such targets only as the parameters grow without limit.",
        Remedy("take rows of other classes too, or check how the target was made"),
        rows=data.rows,
    )


def _stuck_neuron(case: Case) -> Finding | None:
    """A sigmoid neuron far from its target where its slope is nothing, which the cross-entropy would not have."""
    data, run = case.data, case.run
    if not isinstance(data, SigmoidNeuron) or not np.isfinite(run.x[-1]).all():
        return None
    p, y = case.sample.predictions(run.x[-1])[:, 0], case.sample.rows.y
    stuck = float(case.sample.weights @ ((abs(p - y) > WRONG) & (p * (1 - p) < FLAT)))
    if stuck < STUCK or not case.shortfall > STUCK:
        return None
    settings = {"model": "logistic"} if case.known_fit is not None and data.class_labels() else {}
    return _found(
        "the squared loss of a saturated neuron has no slope",
        f"On {stuck:.0%} of the rows the neuron is more than {WRONG} away from the target at step {run.step_count}, "
        f"where its slope is below {FLAT}.",
        "The slope of the squared loss has the factor p (1 - p), which is nothing where the neuron is sure of the "
        "wrong answer. The cross-entropy of a logistic model has no such factor.",
        Remedy("model='logistic'" if settings else "fallline.models.Logistic", settings, "--model logistic"),
        stuck=stuck,
    )


def _numbers_as_classes(case: Case) -> Finding | None:
    """Targets that are numbers, hardly any twice, each of which was made a class."""
    data = case.data
    classes = data.class_labels()
    if len(classes) < MANY or data.rows >= FEW_ROWS * len(classes) or not all(map(is_number, classes)):
        return None
    settings = {"model": "linear"} if not isinstance(data, Network) else {"loss": "squared"}
    return _found(
        f"{len(classes)} numbers are taken for classes",
        f"The {data.rows} targets are {len(classes)} different numbers, each a class of its own with "
        f"{data.rows / len(classes):.1f} rows on average.",
        "The cross-entropy knows no near and far between classes, so that numbers are learnt one by one.",
        Remedy(", ".join(f"{name}={setting!r}" for name, setting in settings.items()), settings)
        if case.known_fit is not None
        else Remedy("the squared loss, as of Network(X, y, loss='squared')"),
        classes=len(classes),
    )


def _classes_as_numbers(case: Case) -> Finding | None:
    """Targets 0, 1, 2, ..., equally frequent, under a loss for numbers that does not fit them."""
    data = case.data
    if not isinstance(data, Linear | Huber | Network) or data.class_labels() or data.dataset is not None:
        return None
    if data.y.min() != 0 or not 2 <= data.y.max() < MOST or (data.y != np.floor(data.y)).any():
        return None
    counts = np.bincount(data.y.astype(int))
    explained = case.sample.explained(case.run.final.x)
    if not case.course.end < case.course.start:
        return None  # the run broke out, and what it explains tells nothing
    if counts.min() < ROWS or counts.max() > ALIKE * counts.min() or 1 - explained < UNEXPLAINED:
        return None
    settings = {"loss": "cross_entropy"} if isinstance(data, Network) else {"model": "softmax"}
    return _found(
        f"{len(counts)} classes are taken for numbers",
        f"The {data.rows} targets are the whole numbers 0 to {len(counts) - 1}, each {counts.min()} to {counts.max()} "
        f"times; the model explains {max(0, explained):.0%} of their variance.",
        "The squared loss takes class 2 to be twice class 1, and its output for one in between them.",
        Remedy(", ".join(f"{name}={setting!r}" for name, setting in settings.items()), settings)
        if case.known_fit is not None
        else Remedy("the cross-entropy, as of Softmax(X, y) or Network(X, y)"),
        classes=len(counts),
    )


def _of_module(case: Case) -> Finding | None:
    """A user's module whose answers, whatever its parameters, do not suit the targets or the loss."""
    module, outputs = outputs_of(case)
    targets, loss = module.targets(), module.loss_name
    numbers = np.issubdtype(targets.dtype, np.floating)
    if outputs.constant:
        return _found(
            "the output does not depend on the parameters",
            f"With random parameters of any size the output stays {outputs.low:.4g}.",
            "The last activation gives the same for any input, as a softmax over a single unit does, which is always "
            "1. So every gradient is 0.",
            Remedy("one unit with a sigmoid and the binary cross-entropy, or a softmax over one unit for each class"),
        )
    if outputs.shares and loss in OF_LOGITS:
        return _found(
            f"{loss} is given probabilities, and expects logits",
            "With random parameters of any size the outputs of each row are at least 0 and their sum is 1: they went "
            f"through a softmax. {loss} takes the softmax of what it is given.",
            "The softmax is taken twice: even for a sure and right answer the loss stays far above 0, and its slope "
            "is small.",
            Remedy("leave out the softmax at the end of the module"),
        )
    if loss in OF_LOGIT and np.allclose((outputs.low, outputs.high), (0, 1), atol=NEAR_END):
        return _found(
            f"{loss} is given probabilities, and expects logits",
            f"With random parameters of any size the output stays between 0 and 1. {loss} takes the sigmoid of it, "
            "which then lies between 0.5 and 0.73.",
            "The sigmoid is taken twice, so that the model can never be sure of an answer.",
            Remedy("leave out the sigmoid at the end of the module, or take the loss of probabilities, BCELoss"),
        )
    shape = (min(len(targets), outputs.shape[0]), *targets.shape[1:]) if targets.ndim else ()
    if loss in ELEMENTWISE and shape != outputs.shape and min(len(shape), len(outputs.shape)) == 1:
        return _found(
            f"the output has the shape (rows{', 1' * (len(outputs.shape) - 1)}), the targets (rows"
            f"{', 1' * (len(shape) - 1)})",
            f"{loss} of these compares every output with every target, {len(targets)} x {len(targets)} pairs.",
            "Shapes that differ are stretched to a common one, so that the best the model can do is to answer the mean "
            "of all targets.",
            Remedy("give both the same shape: targets.unsqueeze(1), or output.squeeze(1)"),
        )
    if not numbers or shape != outputs.shape:
        return None
    low, high = (end + sign * NEAR_END * (1 + abs(end)) for end, sign in ((outputs.low, -1), (outputs.high, 1)))
    beyond = float(((targets < low) | (targets > high)).mean())
    if not beyond > OUTSIDE:
        return None
    return _unreached(case, outputs.low, outputs.high, targets, beyond)
