"""The finding that the model's output and its loss do not suit the targets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import Runs, found, the, well_told
from tests.diagnosis.rows import clouds, line, moons

import fallline
from fallline import (
    Adam,
    GradientDescent,
    Hinge,
    Linear,
    Logistic,
    Network,
    Poisson,
    SigmoidNeuron,
    Softmax,
    Trajectory,
)
from fallline.arrays import FloatArray
from fallline.diagnosis.findings.of_data import output_mismatch as mismatch_file
from fallline.diagnosis.sample import Sample
from fallline.models import LinearFamily, Loss


class Neuron(LinearFamily):
    """A neuron under the squared loss, for any targets."""

    model = "squared loss of a neuron"

    def response(self, z: FloatArray) -> FloatArray:
        return np.tanh(z)

    def pointwise(self, z: FloatArray, y: FloatArray) -> FloatArray:
        half_square: FloatArray = 0.5 * (self.response(z) - y) ** 2
        return half_square

    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        slope: FloatArray = (self.response(z) - y) * (1 - np.tanh(z) ** 2)
        return slope


class Rectifier(Neuron):
    """One whose output is never negative."""

    def response(self, z: FloatArray) -> FloatArray:
        return np.maximum(z, 0)

    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        slope: FloatArray = (self.response(z) - y) * (z > 0)
        return slope


def run(loss: Loss, rule: Any = None, steps: int = 200, start: float = 0.1) -> Trajectory:
    x0 = loss.initial(1) if isinstance(loss, Network) else np.full(loss.dimension, start)
    return fallline.minimize(loss, x0, rule or Adam(0.05), max_steps=steps)


X, Y = line(rows=150)
RANKS = np.argsort(np.argsort(Y)).astype(float)
SURE = (Y > 0.5).astype(float)
WRONG: Runs = {
    "tanh for numbers up to 30": lambda: run(Neuron(X, 10 * Y)),
    "a rectifier for negative numbers": lambda: run(Rectifier(X, Y - Y.mean())),
    "one class": lambda: run(Logistic(X, np.zeros(150))),
    "one class of a network": lambda: run(Network(X, np.ones(150, int), hidden=(4,), classes=("0", "1"))),
    "one side of a margin": lambda: run(Hinge(X, np.ones(150))),
    "counts that are all 0": lambda: run(Poisson(X, np.zeros(150))),
    "numbers as classes": lambda: run(Softmax(X, RANKS.astype(int))),
    "numbers as classes of a network": lambda: run(Network(X, np.round(30 * Y).astype(int), hidden=(6,))),
    "classes as numbers": lambda: run(Linear(clouds().X, clouds().y)),
    "a neuron sure of the wrong answer": lambda: run(SigmoidNeuron(X, SURE), GradientDescent(0.1), start=-20.0),
}


@pytest.mark.parametrize("name", WRONG)
def test_outputs_that_do_not_suit(name: str) -> None:
    finding = the("output_mismatch", WRONG[name]())
    assert finding.since == 0


def test_targets_beyond_the_output_are_counted() -> None:
    finding = the("output_mismatch", run(Neuron(X, 10 * Y)))
    assert finding.numbers["beyond"] == pytest.approx((abs(10 * Y) > 1).mean(), abs=1e-12)
    assert "between -1 and 1" in finding.evidence


def test_a_fit_is_offered_the_other_model() -> None:
    data = {"a": clouds().X[:, 0], "b": clouds().X[:, 1], "kind": clouds().y}
    finding = the("output_mismatch", fallline.fit(data, "kind", model="linear"))
    (remedy,) = finding.remedies
    assert remedy.settings == {"model": "softmax"}
    assert fallline.fit(data, "kind", **remedy.settings).score() > 0.8


COUNTS = np.random.default_rng(0).poisson(2, 150).astype(float)
RIGHT: Runs = {
    "numbers": lambda: run(Linear(X, Y)),
    "numbers of a network": lambda: run(Network(X, 100 * Y, hidden=(6,), loss="squared")),
    "tanh within its range": lambda: run(Neuron(X, np.tanh(Y))),
    "a rectifier for sizes": lambda: run(Rectifier(X, np.abs(Y))),
    "probabilities": lambda: run(SigmoidNeuron(X, 1 / (1 + np.exp(-Y)))),
    "two classes of a neuron": lambda: run(SigmoidNeuron(X, SURE)),
    "counts": lambda: run(Poisson(X, COUNTS)),
    "counts of a line": lambda: run(Linear(X, COUNTS)),
    "grades": lambda: run(Linear(X, np.clip(np.round(Y + 3), 1, 5))),
    "classes": lambda: run(Softmax(clouds().X, clouds().y.astype(int))),
    "two classes of a network": lambda: run(Network(moons().X, moons().y.astype(int), hidden=(8,))),
    "0 and 1 by a line": lambda: run(Linear(X, SURE)),
    "four rows": lambda: run(Network([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], hidden=(4,))),
}


@pytest.mark.parametrize("name", RIGHT)
def test_outputs_that_suit(name: str) -> None:
    assert found("output_mismatch", RIGHT[name]()) is None


# Cases made by hand, on either side of what is asked for


def made(loss: Loss, x: Any = 0.0, shortfall: float = 1.0, **changed: Any) -> Any:
    """A case of a run on this loss that ended at x, and fell from 2 to 1."""
    x = np.broadcast_to(np.asarray(x, float), (loss.dimension,))
    path = SimpleNamespace(x=np.stack([np.zeros_like(x), x]), step_count=7, final=SimpleNamespace(x=x, value=1.0))
    known = {"data": loss, "innermost": loss, "run": path, "sample": Sample.of(loss), "shortfall": shortfall}
    known |= {"known_fit": None, "course": SimpleNamespace(start=2.0, end=1.0)}
    return SimpleNamespace(**known | changed)


def mostly(inside: float, count: int, outside: float) -> FloatArray:
    """A hundred targets, some of them elsewhere."""
    return np.array([inside] * (100 - count) + [outside] * count)


COLUMN = np.zeros((100, 1))


@pytest.mark.parametrize(
    ("loss", "title", "words"),
    [
        # The ends count as reached within a millionth of 1 and their size; two in a hundred may lie beyond.
        (Neuron(COLUMN, mostly(0, 50, 1 + 0.9e-6)), None, ""),
        (Neuron(COLUMN, mostly(0, 50, 1 + 1.1e-6)), "Targets from 0 to 1 are out", "50% of 100 targets do not"),
        (Neuron(COLUMN, mostly(0, 50, -1 - 0.9e-6)), None, ""),
        (Neuron(COLUMN, mostly(0, 50, -1 - 1.1e-6)), "Targets from -1 to 0 are out", "between -1 and 1; 50%"),
        (Neuron(COLUMN, mostly(0, 2, 9)), None, ""),
        (Neuron(COLUMN, mostly(0, 3, 9)), "Targets from 0 to 9 are out of the output's reach", "; 3% of 100"),
        (Neuron(COLUMN, mostly(0, 3, 9), sample_weight=mostly(2, 3, 1)), None, ""),
        (Rectifier(COLUMN, mostly(0, 50, -3)), "Targets from -3 to 0 are", "The output lies above 0; 50% of 100"),
        (Rectifier(COLUMN, mostly(0, 50, 1e9)), None, ""),
        (Linear(COLUMN, mostly(0, 50, 9)), None, ""),
        (Logistic(COLUMN, mostly(0, 50, 1)), None, ""),
        (Network(COLUMN, mostly(0, 50, 9), hidden=(2,), loss="squared"), None, ""),
    ],
)
def test_targets_out_of_reach_of_a_model(loss: Loss, title: str | None, words: str) -> None:
    finding = mismatch_file._out_of_reach(made(loss))
    assert (finding is None) == (title is None)
    if finding is not None and title is not None:
        well_told(finding, "output_mismatch")
        assert finding.title.startswith(title)
        assert words in finding.evidence
        assert finding.evidence.endswith("The loss ends at 1.")
        (remedy,) = finding.remedies
        assert remedy.text.endswith("take a model of numbers, such as fallline.models.Linear")


@pytest.mark.parametrize(
    ("loss", "title"),
    [
        (Logistic(COLUMN, np.zeros(100)), "Every target is 0"),
        (Logistic(COLUMN, mostly(0, 1, 1)), None),
        (Logistic(COLUMN, mostly(0, 99, 1)), None),
        (Hinge(COLUMN, np.ones(100)), "Every target is 1"),
        (Poisson(COLUMN, np.zeros(100)), "Every target is 0"),
        (Poisson(COLUMN, np.ones(100)), None),
        (SigmoidNeuron(COLUMN, np.ones(100)), "Every target is 1"),
        (SigmoidNeuron(COLUMN, np.zeros(100)), "Every target is 0"),
        (SigmoidNeuron(COLUMN, np.full(100, 0.5)), None),
        (Linear(COLUMN, np.ones(100)), None),
        (Linear(COLUMN, np.zeros(100)), None),
    ],
)
def test_targets_of_one_answer(loss: Loss, title: str | None) -> None:
    finding = mismatch_file._one_answer(made(loss))
    assert (None if finding is None else well_told(finding, "output_mismatch").title) == title
    if finding is not None:
        assert finding.numbers == {"rows": 100}
        assert "rows of other classes" in finding.remedies[0].text


def test_data_in_files_are_not_looked_at_for_one_answer() -> None:
    loss: Any = SimpleNamespace(y=np.zeros(3), dataset="files", class_labels=lambda: ("no", "yes"))
    case: Any = SimpleNamespace(data=loss)
    assert mismatch_file._one_answer(case) is None


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


@pytest.mark.parametrize(
    ("p", "count", "changed", "told"),
    [
        # Of a slope p (1 - p) below 0.01, more than 0.5 from the target, on a twentieth of the rows.
        (0.9899, 50, {}, True),
        (0.9898, 50, {}, False),
        (0.0101, 50, {}, True),
        (0.0103, 50, {}, False),
        (0.999, 95, {}, True),
        (0.999, 96, {}, False),
        (0.999, 50, {"shortfall": 0.051}, True),
        (0.999, 50, {"shortfall": 0.049}, False),
    ],
)
def test_where_a_neuron_is_stuck(p: float, count: int, changed: dict[str, Any], told: bool) -> None:
    loss = SigmoidNeuron(COLUMN, mostly(0, count, 1))
    finding = mismatch_file._stuck_neuron(made(loss, [0.0, logit(p)], **changed))
    assert (finding is not None) == told
    if finding is not None:
        well_told(finding, "output_mismatch")
        assert finding.numbers["stuck"] == pytest.approx((100 - count) / 100 if p > 0.5 else count / 100)
        assert "away from the target at step 7, where its slope is below 0.01." in finding.evidence
    assert mismatch_file._stuck_neuron(made(loss, [0.0, np.inf])) is None
    assert mismatch_file._stuck_neuron(made(Logistic(COLUMN, mostly(0, count, 1)), [0.0, logit(p)])) is None


@pytest.mark.parametrize(
    ("fitted", "classes", "settings", "text"),
    [
        (True, (0.0, 1.0), {"model": "logistic"}, "model='logistic'"),
        (False, (0.0, 1.0), {}, "fallline.models.Logistic"),
        (True, (0.0, 0.9), {}, "fallline.models.Logistic"),
    ],
)
def test_a_logistic_model_is_offered_for_a_neuron(fitted: bool, classes: Any, settings: Any, text: str) -> None:
    loss = SigmoidNeuron(COLUMN, mostly(classes[0], 50, classes[1]))
    finding = mismatch_file._stuck_neuron(made(loss, [0.0, 9.0], known_fit="a fit" if fitted else None))
    assert finding is not None
    (remedy,) = finding.remedies
    assert (remedy.settings, remedy.text, remedy.command) == (settings, text, "--model logistic")


@pytest.mark.parametrize(
    ("y", "changed", "told"),
    [
        (np.arange(60) % 3, {}, True),
        (np.arange(60) % 2, {}, False),
        (np.arange(60) % 3 + 1, {}, False),
        (np.arange(60) % 3 * 0.75, {}, False),
        (np.arange(200) % 20, {}, True),
        (np.arange(210) % 21, {}, False),
        (np.repeat([0, 1, 2], [10, 15, 15]), {}, True),
        (np.repeat([0, 1, 2], [9, 10, 10]), {}, False),
        (np.repeat([0, 1, 2], [10, 16, 15]), {}, False),
        (np.arange(60) % 3, {"course": SimpleNamespace(start=1.0, end=1.0)}, False),
    ],
)
def test_classes_under_a_loss_of_numbers(y: Any, changed: dict[str, Any], told: bool) -> None:
    random = np.random.default_rng(0).normal(size=(len(y), 1))
    for loss in (Linear(random, y), fallline.Huber(random, y), Network(random, y, hidden=(2,), loss="squared")):
        assert (mismatch_file._classes_as_numbers(made(loss, **changed)) is not None) == told
    assert mismatch_file._classes_as_numbers(made(Poisson(random, y))) is None


@pytest.mark.parametrize(("short", "told"), [(0.23, True), (0.22, False)])
def test_classes_that_a_line_explains_are_numbers(short: float, told: bool) -> None:
    # Predictions short by a part of the distance from the mean leave its square, and a twentieth must be left.
    y = np.arange(60.0) % 3
    case = made(Linear(y[:, None], y), [1 - short, short])
    assert (mismatch_file._classes_as_numbers(case) is not None) == told


@pytest.mark.parametrize(
    ("model", "settings", "text", "bare"),
    [
        (lambda y: Linear(COLUMN[: len(y)], y), {"model": "softmax"}, "model='softmax'", "the cross-entropy, as of"),
        (
            lambda y: Network(COLUMN[: len(y)], y, hidden=(2,), loss="squared"),
            {"loss": "cross_entropy"},
            "loss='cross_entropy'",
            "the cross-entropy, as of Softmax(X, y) or Network(X, y)",
        ),
    ],
)
def test_what_is_offered_for_classes(model: Any, settings: Any, text: str, bare: str) -> None:
    y = np.arange(60.0) % 3
    for fitted in ("a fit", None):
        finding = mismatch_file._classes_as_numbers(made(model(y), known_fit=fitted))
        assert finding is not None
        (remedy,) = well_told(finding, "output_mismatch").remedies
        assert remedy.settings == (settings if fitted else {})
        assert remedy.text.startswith(text if fitted else bare)
        assert finding.evidence.endswith("each 20 to 20 times; the model explains 0% of their variance.")


@pytest.mark.parametrize(
    ("model", "settings", "text"),
    [
        (lambda y: Softmax(COLUMN[: len(y)], y), {"model": "linear"}, "model='linear'"),
        (lambda y: Network(COLUMN[: len(y)], y, hidden=(2,)), {"loss": "squared"}, "loss='squared'"),
    ],
)
def test_what_is_offered_for_numbers(model: Any, settings: Any, text: str) -> None:
    for fitted in ("a fit", None):
        finding = mismatch_file._numbers_as_classes(made(model(np.arange(30) % 20), known_fit=fitted))
        assert finding is not None
        (remedy,) = well_told(finding, "output_mismatch").remedies
        assert (remedy.settings, remedy.text) == (
            (settings, text) if fitted else ({}, "the squared loss, as of Network(X, y, loss='squared')")
        )
    words = np.array([f"kind {number}" for number in range(20)])
    assert mismatch_file._numbers_as_classes(made(Softmax(COLUMN[:20], words))) is None
