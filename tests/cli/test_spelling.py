"""Rules are found on the command line by the names that people use."""

from __future__ import annotations

import json

import pytest
from tests.cli.outcome import Run


@pytest.mark.parametrize(
    ("typed", "registered"), [("SGD", "gradient_descent"), ("heavy-ball", "momentum"), ("Adam_W", "adamw")]
)
def test_a_rule_runs_and_is_listed_by_another_spelling(run: Run, typed: str, registered: str) -> None:
    fixed = ("run", "x**2", "--start", "1", "--max-steps", "3", "--learning-rate", "0.1", "--optimizer")
    done = run(*fixed, typed)
    assert done.code == 0
    assert f"{registered}, learning_rate 0.1" in done.out
    (listed,) = json.loads(run("optimizers", typed, "--json").out)
    assert listed["name"] == registered


def test_momentum_goes_to_the_rule_that_is_meant(run: Run) -> None:
    fixed = ("run", "x**2", "--start", "1", "--max-steps", "3", "--learning-rate", "0.1", "--momentum", "0.5")
    assert run(*fixed, "--optimizer", "Heavy_Ball").code == 0
    refused = run(*fixed, "--optimizer", "sgd")
    assert refused.code == 2
    assert "momentum is not a hyperparameter of GradientDescent; take the rule Momentum. Allowed: " in refused.err
