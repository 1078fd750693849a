"""What remedies are made of: rules as Python, changed rates, schedules, starts, data, batches, settings."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from tests.optimizers.rules import RULES

import fallline
from fallline import Adam, GradientDescent, Linear, Momentum, Network, fit, minimize
from fallline.diagnosis import changes
from fallline.diagnosis.case import Case
from fallline.diagnosis.rates import rate_of, scaled
from fallline.diagnosis.remedies import as_python, by, rounded, started_at, with_schedule


@pytest.mark.parametrize("name", [name for name in RULES if "cma" not in name])
def test_a_rule_as_python_makes_the_same_rule(name: str) -> None:
    rule = RULES[name]
    text = as_python(rule)
    code = compile(text, "rule", "eval")
    assert types.FunctionType(code, {name: getattr(fallline, name) for name in code.co_names})() == rule
    assert "convention='paper'" not in text


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Adam(0.01), "Adam(0.01)"),
        (Adam(0.001), "Adam(0.001)"),
        (Adam(0.01, convention="torch"), "Adam(0.01, convention='torch')"),
        (Adam(0.01, convention="keras"), "Adam(0.01, convention='keras')"),
        (Momentum(fallline.Cosine(0.1, 50), momentum=0.5), "Momentum(Cosine(0.1, steps=50), momentum=0.5)"),
        (fallline.FISTA(0.1, restart=False), "FISTA(0.1, restart=False)"),
        (0.1 + 0.2, "0.3"),
        ("text", "'text'"),
    ],
)
def test_what_is_not_the_default_is_written(rule: Any, text: str) -> None:
    assert as_python(rule) == text


@pytest.mark.parametrize(("number", "two"), [(0.123, 0.12), (1250.0, 1200.0), (9.96, 10.0), (0.0, 0.0), (-3.14, -3.1)])
def test_numbers_are_told_with_two_digits(number: float, two: float) -> None:
    assert rounded(number) == two


@pytest.mark.parametrize(
    ("rule", "rate"),
    [
        (GradientDescent(0.25), 0.25),
        (GradientDescent(1), 1.0),
        (fallline.ClipNorm(Adam(0.5)), 0.5),
        (Adam(fallline.WarmUp(fallline.Cosine(0.1, 50), steps=5)), 0.1),
        (GradientDescent(fallline.Backtracking()), None),
        (fallline.LBFGS(), None),
    ],
)
def test_the_rate_that_a_rule_starts_from(rule: Any, rate: float | None) -> None:
    assert rate_of(rule) == rate


@dataclass(frozen=True)
class Plain(GradientDescent):
    """A user's rule, whose rate has no range."""

    learning_rate: Any = 0.3


def test_rates_times_a_factor() -> None:
    (remedy,) = scaled(GradientDescent(0.3), 0.1)
    assert (remedy.text, remedy.command) == ("GradientDescent(0.03)", "--learning-rate 0.03")
    assert remedy.settings == {"optimizer": GradientDescent(0.03)}
    (remedy,) = scaled(fallline.ClipNorm(Adam(fallline.Cosine(0.1, 50)), limit=2.0), 3.333)
    assert (remedy.text, remedy.command) == ("ClipNorm(Adam(Cosine(0.33, steps=50)), limit=2)", "")
    for rule, factor in (
        (GradientDescent(0.3), 0.0),
        (GradientDescent(0.3), -1.0),
        (GradientDescent(0.3), np.nan),
        (GradientDescent(0.3), np.inf),
        (fallline.LBFGS(), 0.1),
        # A user's rule takes any number.
        (Plain(), 0.0),
        (Plain(), -1.0),
        (Plain(), np.inf),
    ):
        assert scaled(rule, factor) == ()
    assert scaled(Plain(), 0.1)[0].text == "Plain(0.03)"


def test_other_rules_schedules_and_starts() -> None:
    assert by(Adam(0.1)).settings == {"optimizer": Adam(0.1)}
    remedy = with_schedule(fallline.ClipNorm(Adam(0.1), limit=2.0), fallline.Cosine(0.1, 50))
    assert remedy.settings == {"optimizer": fallline.ClipNorm(Adam(fallline.Cosine(0.1, 50)), limit=2.0)}
    start = started_at(np.array([0.123456, -2.0]))
    assert (start.text, start.command) == ("x0=[0.123456, -2]", "--start 0.12,-2")
    assert np.array_equal(start.settings["x0"], [0.123456, -2.0])
    many = started_at(np.arange(1000.0))
    assert many.text.startswith("x0=remedy.settings['x0'], which is [0, 1, ")
    assert np.array_equal(many.settings["x0"], np.arange(1000.0))
    assert many.command == ""


X = np.column_stack([np.arange(8.0), 100 + np.arange(8.0) ** 2, np.full(8, 3.0)])
Y = np.arange(8.0)


def of_run(loss: Any, **settings: Any) -> Case:
    start = settings.pop("x0", np.zeros(loss.dimension))
    rule = settings.pop("rule", GradientDescent(1e-4))
    return Case.of(minimize(loss, start, rule, **{"max_steps": 12, "seed": 4} | settings))


def of_fit(**settings: Any) -> Case:
    data = {"a": X[:, 0], "b": X[:, 1], "y": Y}
    usual: dict[str, Any] = {"max_steps": 3, "optimizer": GradientDescent(0.1)}
    return Case.of(fit(data, "y", model="linear", **usual | settings))


def test_standardised_features() -> None:
    (remedy,) = changes.standardised(of_run(Linear(X, Y)))
    assert remedy.text == "X = (X - X.mean(axis=0)) / X.std(axis=0)"
    changed = remedy.settings["objective"]
    assert changed.X.mean(axis=0) == pytest.approx(0, abs=1e-12)
    # A column that does not vary stays at 0.
    assert changed.X.std(axis=0) == pytest.approx([1, 1, 0])
    assert np.array_equal(changed.y, Y)
    batches = Linear(X, Y).batches(3, order="sequential", remainder="drop", epoch_value="running")
    changed = changes.standardised(of_run(batches))[0].settings["objective"]
    assert (changed.size, changed.order, changed.remainder, changed.epoch_value) == (3, "sequential", "drop", "running")
    assert changed.loss.X.std(axis=0) == pytest.approx([1, 1, 0])
    (told,) = changes.standardised(of_fit(standardize=False))
    assert (told.text, told.command, told.settings) == ("standardize=True", "--standardize", {"standardize": True})
    assert changes.standardised(of_fit()) == ()


def test_other_batches() -> None:
    case = of_run(Linear(X, Y).batches(3, order="sequential", remainder="drop", epoch_value="running"))
    remedy = changes.batched(case, order="shuffled")
    assert remedy.text == "loss.batches(3, order='shuffled')"
    changed = remedy.settings["objective"]
    assert (changed.size, changed.order, changed.remainder, changed.epoch_value) == (3, "shuffled", "drop", "running")
    remedy = changes.batched(case, size=5)
    assert remedy.text == "loss.batches(5)"
    assert (remedy.settings["objective"].size, remedy.settings["objective"].order) == (5, "sequential")
    remedy = changes.batched(of_fit(batch_size=3), order="shuffled", size=4)
    assert remedy.text == "batch_order='shuffled', batch_size=4"
    assert remedy.command == "--batch-order shuffled --batch-size 4"
    assert remedy.settings == {"batch_order": "shuffled", "batch_size": 4}


def test_other_settings_of_the_model() -> None:
    loss = Linear(X, Y, l2=0.5)
    remedy = changes.with_settings(of_run(loss), l2=0.25)
    assert remedy.text == "l2=0.25"
    assert (remedy.settings["objective"].l2, loss.l2) == (0.25, 0.5)
    network = Network(X, Y, hidden=(2,), loss="squared")
    remedy = changes.with_settings(of_run(network, x0=network.initial(0)), activation="tanh", l2=0.1)
    assert remedy.text == "activation='tanh', l2=0.1"
    assert remedy.settings["objective"].activation == "tanh"
    remedy = changes.with_settings(of_fit(), l2=0.25, reduction="sum")
    assert (remedy.text, remedy.command) == ("l2=0.25, reduction='sum'", "--l2 0.25 --reduction sum")
    assert remedy.settings == {"l2": 0.25, "reduction": "sum"}


def test_a_random_start() -> None:
    network = Network(X, Y, hidden=(2,), loss="squared")
    remedy = changes.started_anew(of_run(network, x0=np.zeros(network.dimension)))
    assert remedy.text == "x0=network.initial(seed=5)"
    assert np.array_equal(remedy.settings["x0"], network.initial(5))
    remedy = changes.started_anew(of_fit(seed=2))
    assert (remedy.text, remedy.command) == ("x0=None, seed=3", "--seed 3")
    assert remedy.settings == {"x0": None, "seed": 3}


def test_other_rates() -> None:
    case = of_run(Linear(X, Y))
    assert [one.settings["optimizer"] for one in changes.at_rates(case, 10.0, 0.1)] == [
        GradientDescent(1e-3),
        GradientDescent(1e-5),
    ]
    (remedy,) = changes.decaying(case)
    assert remedy.settings["optimizer"] == GradientDescent(fallline.Cosine(1e-4, steps=12))
    assert changes.decaying(of_run(Linear(X, Y), rule=GradientDescent(fallline.Cosine(1e-4, 12)))) == ()
