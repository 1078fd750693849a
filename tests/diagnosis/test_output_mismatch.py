"""The finding that the model's output and its loss do not suit the targets."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import Runs, found, the
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
from fallline.diagnosis.case import Case
from fallline.diagnosis.findings.of_data import output_mismatch as mismatch_file
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


# Runs that end where they are told to, on either side of what is asked for


def ended(loss: Loss, x: Any = 0.0, *, value: float = 1.0) -> Trajectory:
    """A run of a step on this loss that ended at x, and went from 2 to a value."""
    path = run(loss, GradientDescent(1e-9), 1)
    assert len(path) == 2
    x = np.broadcast_to(np.asarray(x, float), (loss.dimension,))
    return dataclasses.replace(path, x=np.stack([path.x[0], x]), value=np.array([2.0, value]))


def mostly(inside: float, count: int, outside: float) -> FloatArray:
    """A hundred targets, some of them elsewhere."""
    return np.array([inside] * (100 - count) + [outside] * count)


COLUMN = np.zeros((100, 1))


@pytest.mark.parametrize(
    ("loss", "title", "words"),
    [
        # The ends count as reached within a millionth of 1 and their size; two in a hundred may lie beyond.
        (Neuron(COLUMN, mostly(0, 50, 1 + 1.1e-6)), "Targets from 0 to 1 are out", "50% of 100 targets do not"),
        (Neuron(COLUMN, mostly(0, 50, -1 - 1.1e-6)), "Targets from -1 to 0 are out", "between -1 and 1; 50%"),
        (Neuron(COLUMN, mostly(0, 3, 9)), "Targets from 0 to 9 are out of the output's reach", "; 3% of 100"),
        (Rectifier(COLUMN, mostly(0, 50, -3)), "Targets from -3 to 0 are", "The output lies above 0; 50% of 100"),
    ],
)
def test_targets_out_of_reach_of_a_model(loss: Loss, title: str, words: str) -> None:
    finding = the("output_mismatch", ended(loss))
    assert finding.title.startswith(title)
    assert words in finding.evidence
    assert finding.evidence.endswith("The loss ends at 1.")
    (remedy,) = finding.remedies
    assert remedy.text.endswith("take a model of numbers, such as fallline.models.Linear")


@pytest.mark.parametrize(
    "loss",
    [
        Neuron(COLUMN, mostly(0, 50, 1 + 1e-6)),
        Neuron(COLUMN, mostly(0, 50, -1 - 1e-6)),
        Neuron(COLUMN, mostly(0, 2, 9)),
        Neuron(COLUMN, mostly(0, 3, 9), sample_weight=mostly(2, 3, 1)),
        Rectifier(COLUMN, mostly(0, 50, 1e9)),
        Linear(COLUMN, mostly(0, 50, 9)),
        Logistic(COLUMN, mostly(0, 50, 1)),
        Network(COLUMN, mostly(0, 50, 9), hidden=(2,), loss="squared"),
    ],
)
def test_targets_within_reach_of_a_model_or_on_its_border(loss: Loss) -> None:
    assert found("output_mismatch", ended(loss)) is None


@pytest.mark.parametrize(
    ("loss", "answer"),
    [
        (Logistic(COLUMN, np.zeros(100)), 0),
        (Hinge(COLUMN, np.ones(100)), 1),
        (Poisson(COLUMN, np.zeros(100)), 0),
        (SigmoidNeuron(COLUMN, np.ones(100)), 1),
        (SigmoidNeuron(COLUMN, np.zeros(100)), 0),
        (Network(COLUMN, np.ones(100, int), hidden=(2,), classes=("0", "1")), 1),
    ],
)
def test_targets_of_one_answer(loss: Loss, answer: int) -> None:
    finding = the("output_mismatch", ended(loss))
    assert finding.title == f"Every target is {answer}"
    assert finding.evidence.startswith(f"All 100 targets are {answer}, so")
    assert finding.numbers == {"rows": 100}
    assert "rows of other classes" in finding.remedies[0].text


@pytest.mark.parametrize(
    "loss",
    [
        Logistic(COLUMN, mostly(0, 1, 1)),
        Logistic(COLUMN, mostly(0, 99, 1)),
        Poisson(COLUMN, np.ones(100)),
        SigmoidNeuron(COLUMN, np.full(100, 0.5)),
        Linear(COLUMN, np.ones(100)),
        Linear(COLUMN, np.zeros(100)),
    ],
)
def test_targets_of_more_than_one_answer_and_numbers(loss: Loss) -> None:
    assert found("output_mismatch", ended(loss)) is None


@pytest.mark.parametrize("stream", [False, True])
def test_data_in_files_are_not_looked_at_for_one_answer(stream: bool) -> None:
    fit = fallline.fit({"x": X[:, 0], "y": 0 * Y}, "y", model="poisson", max_steps=2, stream=stream)
    assert (found("output_mismatch", fit) is None) == stream


@pytest.mark.parametrize(
    ("low", "high", "where"),
    [(-1e-12, 1.0, "between 0 and 1"), (-1.0, -0.0, "between -1 and 0"), (-np.inf, -0.0, "below 0")],
)
def test_no_end_is_minus_0(low: float, high: float, where: str) -> None:
    case = Case.of(ended(Neuron(COLUMN, mostly(0, 50, 9))))
    finding = mismatch_file._unreached(case, low, high, np.array([-0.0, -0.0]), 0.5)
    assert finding.title.startswith("Targets from 0 to 0 are")
    assert finding.evidence.startswith(f"The output lies {where}; 50% of 2 targets do not.")


def logit(p: float) -> float:
    return float(np.log(p / (1 - p)))


@pytest.mark.parametrize(
    ("p", "count", "told"),
    [
        # Of a slope p (1 - p) below 0.01, more than 0.5 from the target, on a twentieth of the rows.
        (0.9899, 50, True),
        (0.9898, 50, False),
        (0.0101, 50, True),
        (0.0103, 50, False),
        (0.999, 95, True),
        (0.999, 96, False),
        # The squares of the errors are larger than the variance, 0.0475, by a twentieth of it.
        (0.9988, 95, True),
        (0.9985, 95, False),
    ],
)
def test_where_a_neuron_is_stuck(p: float, count: int, told: bool) -> None:
    loss = SigmoidNeuron(COLUMN, mostly(0, count, 1))
    finding = found("output_mismatch", ended(loss, [0.0, logit(p)]))
    assert (finding is not None) == told
    if finding is not None:
        stuck = (100 - count) / 100 if p > 0.5 else count / 100
        assert finding.numbers["stuck"] == pytest.approx(stuck)
        assert finding.title == "The squared loss of a saturated neuron has no slope"
        assert finding.evidence.startswith(f"On {stuck:.0%} of the rows the neuron is more than 0.5 away")
        assert "away from the target at step 1, where its slope is below 0.01." in finding.evidence
    assert found("output_mismatch", ended(loss, [0.0, np.inf])) is None
    assert found("output_mismatch", ended(Logistic(COLUMN, mostly(0, count, 1)), [0.0, logit(p)])) is None


@pytest.mark.parametrize(
    ("fitted", "high", "settings", "text"),
    [
        (True, 1.0, {"model": "logistic"}, "model='logistic'"),
        (False, 1.0, {}, "fallline.models.Logistic"),
        (True, 0.9, {}, "fallline.models.Logistic"),
    ],
)
def test_a_logistic_model_is_offered_for_a_neuron(fitted: bool, high: float, settings: Any, text: str) -> None:
    y, x0 = mostly(0, 50, high), [0.0, 9.0]
    result: Any = ended(SigmoidNeuron(COLUMN, y), x0)
    if fitted:
        result = fallline.fit({"x": np.arange(100), "y": y}, "y", model="sigmoid", x0=x0, max_steps=1)
    (remedy,) = the("output_mismatch", result).remedies
    assert (remedy.settings, remedy.text, remedy.command) == (settings, text, "--model logistic")


@pytest.mark.parametrize(
    ("y", "value", "told"),
    [
        (np.arange(60) % 3, 1.0, True),
        (np.arange(60) % 2, 1.0, False),
        (np.arange(60) % 3 + 1, 1.0, False),
        (np.arange(60) % 3 * 0.75, 1.0, False),
        (np.arange(200) % 20, 1.0, True),
        (np.arange(210) % 21, 1.0, False),
        (np.repeat([0, 1, 2], [10, 15, 15]), 1.0, True),
        (np.repeat([0, 1, 2], [9, 10, 10]), 1.0, False),
        (np.repeat([0, 1, 2], [10, 16, 15]), 1.0, False),
        (np.repeat([0, 2], 15), 1.0, False),
        # The value must fall.
        (np.arange(60) % 3, 1.9, True),
        (np.arange(60) % 3, 2.0, False),
    ],
)
def test_classes_under_a_loss_of_numbers(y: Any, value: float, told: bool) -> None:
    random = np.random.default_rng(0).normal(size=(len(y), 1))
    for loss in (Linear(random, y), fallline.Huber(random, y), Network(random, y, hidden=(2,), loss="squared")):
        finding = found("output_mismatch", ended(loss, value=value))
        assert (finding is not None) == told
        if finding is not None:
            count = len(np.unique(y))
            assert finding.title == f"{count} classes are taken for numbers"
            assert f"{len(y)} targets are the whole numbers 0 to {count - 1}, each " in finding.evidence
    assert found("output_mismatch", ended(Poisson(random, y), value=value)) is None
    of_classes = Network(random, np.arange(len(y)) % 3, hidden=(2,))
    assert found("output_mismatch", ended(of_classes, value=value)) is None


@pytest.mark.parametrize(("short", "told"), [(0.23, True), (0.22, False)])
def test_classes_that_a_line_explains_are_numbers(short: float, told: bool) -> None:
    # Predictions short by a part of the distance from the mean leave its square, and a twentieth must be left.
    y = np.arange(60.0) % 3
    assert (found("output_mismatch", ended(Linear(y[:, None], y), [1 - short, short])) is not None) == told


@pytest.mark.parametrize(
    ("loss", "settings", "text"),
    [
        (Linear(COLUMN[:60], np.arange(60.0) % 3), {"model": "softmax"}, "model='softmax'"),
        (
            Network(COLUMN[:60], np.arange(60.0) % 3, hidden=(2,), loss="squared"),
            {"loss": "cross_entropy"},
            "loss='cross_entropy'",
        ),
    ],
)
def test_what_is_offered_for_classes(loss: Loss, settings: dict[str, Any], text: str) -> None:
    bare = the("output_mismatch", ended(loss))
    assert bare.evidence.endswith("each 20 to 20 times; the model explains 0% of their variance.")
    (remedy,) = bare.remedies
    assert (remedy.settings, remedy.text) == ({}, "the cross-entropy, as of Softmax(X, y) or Network(X, y)")
    known: dict[str, Any] = {"model": "network", "hidden": (2,), "loss": "squared"}
    known = known if isinstance(loss, Network) else {"model": "linear"}
    fit = fallline.fit({"x": np.arange(60) // 3, "y": np.arange(60) % 3}, "y", max_steps=3, **known)
    (remedy,) = the("output_mismatch", fit).remedies
    assert (remedy.settings, remedy.text) == (settings, text)


@pytest.mark.parametrize(
    ("rows", "classes", "told"), [(40, 20, True), (38, 19, False), (59, 20, True), (60, 20, False)]
)
def test_twenty_numbers_of_less_than_three_rows_each_are_no_classes(rows: int, classes: int, told: bool) -> None:
    y = np.arange(rows) % classes
    for loss in (Softmax(COLUMN[:rows], y), Network(COLUMN[:rows], y, hidden=(2,))):
        finding = found("output_mismatch", ended(loss))
        assert (finding is not None) == told
        if finding is not None:
            assert finding.numbers["classes"] == classes
            assert finding.title == f"{classes} numbers are taken for classes"
            assert f"The {rows} targets are {classes} different numbers" in finding.evidence
            assert f"{rows / classes:.1f} rows on average" in finding.evidence
            assert finding.remedies[0].text == "the squared loss, as of Network(X, y, loss='squared')"
            assert not finding.remedies[0].settings
    words = np.array([f"kind {number}" for number in y])
    assert found("output_mismatch", ended(Softmax(COLUMN[:rows], words))) is None


@pytest.mark.parametrize(
    ("model", "settings", "text"),
    [
        ({"model": "softmax"}, {"model": "linear"}, "model='linear'"),
        ({"model": "network", "hidden": (2,)}, {"loss": "squared"}, "loss='squared'"),
    ],
)
def test_what_a_fit_is_offered_for_numbers(model: dict[str, Any], settings: dict[str, Any], text: str) -> None:
    fit = fallline.fit({"x": np.arange(30), "y": np.arange(30) % 20}, "y", max_steps=3, **model)
    (remedy,) = the("output_mismatch", fit).remedies
    assert (remedy.settings, remedy.text) == (settings, text)
