"""The answers of a user's module to random parameters, and what they say of its loss and its targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import G, found, missing, run, the

from fallline import Trajectory
from fallline.arrays import FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.outputs import Outputs, outputs_of
from fallline.objectives import Objective

Last = Callable[[FloatArray], FloatArray]
X = np.random.default_rng(0).normal(size=(100, 5))


class Module(Objective):
    """A linear layer with something after it; its value, which does not matter here, is the square of x."""

    gradient_kind = "exact"

    def __init__(self, last: Last, loss_name: str = "", targets: Any = (), units: int = 1) -> None:
        self.last, self.loss_name, self.units = last, loss_name, units
        self.names = tuple(f"w{i}" for i in range(5 * units))
        self.asked: list[FloatArray] = []
        self._targets = np.asarray(targets)

    @property
    def title(self) -> str:
        return "a module"

    def value(self, x: FloatArray) -> FloatArray:
        return np.asarray((x**2).sum(axis=-1))

    def gradient(self, x: FloatArray) -> FloatArray:
        return 2 * x

    def targets(self) -> Any:
        return self._targets

    def answers(self, x: FloatArray) -> FloatArray:
        self.asked.append(x)
        return self.last(X @ x.reshape(5, self.units))


def descent(module: Objective) -> Trajectory:
    # So many steps allow for all answers, however busy the machine is.
    return run(module, np.ones(len(module.names)), G(1e-4), 1200)


def sigmoid(z: FloatArray) -> FloatArray:
    return np.asarray(0.5 + 0.5 * np.tanh(z / 2))


def softmax(z: FloatArray) -> FloatArray:
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def rectifier(z: FloatArray) -> FloatArray:
    return np.maximum(z, 0.0)


RANGES: dict[str, tuple[Last, int, tuple[float, float]]] = {
    "identity": (lambda z: z, 1, (-np.inf, np.inf)),
    "sigmoid": (sigmoid, 1, (0, 1)),
    "tanh": (np.tanh, 1, (-1, 1)),
    "rectifier": (rectifier, 1, (0, np.inf)),
    "its opposite": (lambda z: -rectifier(z), 1, (-np.inf, 0)),
    "softmax": (softmax, 3, (0, 1)),
    "softmax of one unit": (softmax, 1, (1, 1)),
    "a wide sigmoid": (lambda z: 500 * sigmoid(z), 1, (0, 500)),
    "numbers without a column": (lambda z: np.tanh(z[:, 0]), 1, (-1, 1)),
}


def answered(name: str) -> Outputs:
    last, units, _ = RANGES[name]
    return outputs_of(Case.of(descent(Module(last, units=units))))[1]


@pytest.mark.parametrize("name", RANGES)
def test_the_range_is_that_of_the_last_function(name: str) -> None:
    outputs = answered(name)
    assert (outputs.low, outputs.high) == pytest.approx(RANGES[name][2], abs=1e-6)
    assert outputs.constant == (name == "softmax of one unit")
    assert outputs.shares == (name == "softmax")
    assert outputs.shape == (100,) if name == "numbers without a column" else (100, RANGES[name][1])


@pytest.mark.parametrize(
    ("last", "shares"),
    [
        (softmax, True),
        (lambda z: softmax(z) * (1 + 5e-6), True),
        (lambda z: softmax(z) * (1 + 2e-5), False),  # beyond rounding in float32
        (lambda z: 2 * softmax(z) - 1 / 3, False),  # the sum is 1, some are below 0
        (sigmoid, False),
    ],
)
def test_shares_are_at_least_0_and_their_sum_is_1(last: Last, shares: bool) -> None:
    assert outputs_of(Case.of(descent(Module(last, units=3))))[1].shares == shares


@pytest.mark.parametrize(("grown", "ends"), [(0.99e-3, True), (1.01e-3, False)])
def test_an_end_is_where_larger_parameters_lead_no_further(grown: float, ends: bool) -> None:
    """It may move by a thousandth of 1 and its own size: here from 4 to 4 + 5 such parts."""

    def last(z: FloatArray) -> FloatArray:
        return np.where(abs(z) > 500, 4 + 5 * grown, 4 * np.tanh(abs(z)))

    outputs = outputs_of(Case.of(descent(Module(last))))[1]
    assert outputs.high == (pytest.approx(4 + 5 * grown, rel=1e-9) if ends else np.inf)


def test_parameters_are_drawn_small_and_large_and_the_same_each_time() -> None:
    module = Module(np.tanh, units=40)
    path = descent(module)
    outputs_of(Case.of(path))
    drawn, module.asked = module.asked, []
    outputs_of(Case.of(path))
    assert np.array_equal(drawn, module.asked)
    sizes = np.sqrt(np.mean(np.square(drawn), axis=1))
    # The deviation of 200 normal numbers is known to a twentieth; a fifth is four times that.
    assert sizes == pytest.approx(np.repeat([3, 10, 30, 100, 300, 1000], 4), rel=0.2)
    assert len(np.unique(drawn)) == 24 * 200


def test_what_does_not_answer_or_not_with_numbers_cannot_be_checked() -> None:
    assert missing("output_mismatch", run("x**2", 1.0, G(0.1), 20)) == "a model with its data"
    odd = Module(lambda z: np.where(z > 50, np.nan, z), "MSELoss", np.zeros((100, 1)))
    assert missing("output_mismatch", descent(odd)) == "finite answers with random parameters"


COLUMN = np.linspace(0, 1, 100)[:, None]
LABELS = np.arange(100) % 3


def mostly(inside: float, count: int, outside: float) -> FloatArray:
    """A column of targets, some of them elsewhere."""
    return np.array([inside] * (100 - count) + [outside] * count)[:, None]


# What the title, the evidence and the remedy name.
TOLD: dict[str, tuple[Module, str, str, str]] = {
    "a sigmoid for numbers": (
        Module(sigmoid, "MSELoss", 4 * COLUMN),
        "Targets from 0 to 4 are out of the output's reach",
        "between 0 and 1; 74% of 100 targets",
        "leave out the last activation",
    ),
    "a rectifier for negative numbers": (
        Module(rectifier, "HuberLoss", -COLUMN),
        "Targets from -1 to 0 are",
        "above 0; 99% of 100",
        "last activation",
    ),
    "negative numbers only": (
        Module(lambda z: -rectifier(z), "L1Loss", COLUMN),
        "Targets from 0 to 1 are",
        "below 0; 99% of 100",
        "last activation",
    ),
    "one unit of a softmax": (
        Module(softmax, "BCELoss", COLUMN),
        "does not depend on the parameters",
        "stays 1.",
        "one unit with a sigmoid",
    ),
    "a softmax before one": (
        Module(softmax, "CrossEntropyLoss", LABELS, 3),
        "CrossEntropyLoss is given probabilities, and expects logits",
        "CrossEntropyLoss takes the softmax of what",
        "leave out the softmax",
    ),
    "the same as a function": (
        Module(softmax, "cross_entropy", LABELS, 3),
        "Cross_entropy is given probabilities",
        "cross_entropy takes the softmax",
        "leave out the softmax",
    ),
    "a sigmoid before one": (
        Module(sigmoid, "BCEWithLogitsLoss", np.round(COLUMN)),
        "BCEWithLogitsLoss is given probabilities, and expects logits",
        "BCEWithLogitsLoss takes the sigmoid of it",
        "leave out the sigmoid",
    ),
    "probabilities kept from their ends": (
        Module(lambda z: 0.005 + 0.99 * sigmoid(z), "BCEWithLogitsLoss", np.round(COLUMN)),
        "BCEWithLogitsLoss is given probabilities, and expects logits",
        "BCEWithLogitsLoss takes the sigmoid of it",
        "leave out the sigmoid",
    ),
    "a row of targets": (
        Module(lambda z: z, "MSELoss", COLUMN[:, 0]),
        "The output has the shape (rows, 1), the targets (rows)",
        "MSELoss of these compares every output with every target, 100 x 100",
        "targets.unsqueeze(1)",
    ),
    "a row of answers": (
        Module(lambda z: z[:, 0], "l1_loss", COLUMN),
        "The output has the shape (rows), the targets (rows, 1)",
        "l1_loss of these",
        "output.squeeze(1)",
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_does_not_suit_is_told(name: str) -> None:
    module, title, evidence, remedy = TOLD[name]
    finding = the("output_mismatch", descent(module))
    assert title in finding.title
    assert evidence in finding.evidence
    assert remedy in finding.remedies[0].text
    assert finding.cause.endswith(".")


@pytest.mark.parametrize(
    ("last", "targets", "beyond"),
    [
        # Random parameters only come near an end: a hundredth of 1 and its own size beyond it is still in reach.
        (sigmoid, mostly(0.5, 50, 1.0199), 0),
        (sigmoid, mostly(0.5, 50, 1.0201), 0.5),
        (sigmoid, mostly(0.5, 50, -0.0099), 0),
        (sigmoid, mostly(0.5, 50, -0.0101), 0.5),
        (np.tanh, mostly(0.5, 50, -1.0199), 0),
        (lambda z: np.clip(z, 0, 1), mostly(0.5, 50, 1.02), 0),
        (lambda z: np.clip(z, 0, 1), mostly(0.5, 50, -0.01), 0),
        (np.tanh, mostly(0.5, 50, -1.0201), 0.5),
        # Two in a hundred may be outliers.
        (sigmoid, mostly(0.5, 2, 9.0), 0),
        (sigmoid, mostly(0.5, 3, 9.0), 0.03),
        (sigmoid, mostly(0.5, 50, 9.0).round().astype(int), 0),  # classes
        (sigmoid, mostly(0.5, 50, 9.0)[:, 0], 0),  # of another shape, so that none belongs to an answer
    ],
)
def test_targets_out_of_reach_are_counted(last: Last, targets: Any, beyond: float) -> None:
    finding = found("output_mismatch", descent(Module(last, "a loss", targets)))
    assert (0 if finding is None else finding.numbers["beyond"]) == pytest.approx(beyond)


@pytest.mark.parametrize(
    "module",
    [
        Module(lambda z: z, "MSELoss", 9 * COLUMN),
        Module(sigmoid, "MSELoss", COLUMN),
        Module(lambda z: z[:, 0], "MSELoss", COLUMN[:, 0]),
        Module(lambda z: z, "BCEWithLogitsLoss", np.round(COLUMN)),
        Module(lambda z: 3 * sigmoid(z), "BCEWithLogitsLoss", np.round(COLUMN)),
        Module(np.tanh, "BCEWithLogitsLoss", np.round(COLUMN)),
        Module(softmax, "NLLLoss", LABELS, 3),
        Module(lambda z: z, "CrossEntropyLoss", LABELS, 3),
        Module(sigmoid, "CrossEntropyLoss", LABELS, 3),
        Module(lambda z: z, "a loss of its own", COLUMN[:, 0]),
        Module(lambda z: z, "MSELoss", np.stack([COLUMN, COLUMN], axis=2), 2),
    ],
)
def test_what_suits_is_not_told(module: Module) -> None:
    assert found("output_mismatch", descent(module)) is None
