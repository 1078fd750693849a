"""No finding at all is an alarm on further healthy runs: every rule, schedules, conventions, formulas and models."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import Make, Runs, alarms, bowl, classes, line, network, run

import fallline

F = fallline
ROUND = bowl(1, 3)
# Each rule at a rate that suits a round bowl.
RULES: dict[str, Any] = {
    "descent": F.GradientDescent(0.3),
    "heavy ball": F.Momentum(0.1, momentum=0.5),
    "heavy ball as torch writes it": F.Momentum(0.1, momentum=0.5, convention="torch"),
    "Nesterov": F.Nesterov(0.1, momentum=0.5),
    "Nesterov as torch writes it": F.Nesterov(0.1, momentum=0.5, convention="torch"),
    "AdaGrad": F.AdaGrad(0.7),
    "RMSProp with a falling rate": F.RMSProp(F.Cosine(0.05, 390)),
    "Adam": F.Adam(0.05),
    "Adam as Keras writes it": F.Adam(0.05, convention="keras"),
    "AMSGrad": F.AMSGrad(0.05),
    "NAdam": F.NAdam(0.05),
    "Yogi": F.Yogi(0.05),
    "signs with a falling rate": F.SignDescent(F.Cosine(0.03, 395)),
    "Lion with a falling rate": F.Lion(F.Cosine(0.03, 395)),
    "L-BFGS": F.LBFGS(),
    "clipped descent": F.ClipNorm(F.GradientDescent(0.3), limit=1.0),
}
SCHEDULES: dict[str, Any] = {
    "step decay": F.StepDecay(0.3, factor=0.5, every=150),
    "exponential": F.Exponential(0.3, decay=0.995),
    "cosine": F.Cosine(0.3, 400),
    "warm-up": F.WarmUp(0.3, steps=40),
    "milestones": F.MultiStep(0.3, factor=0.1, milestones=(250, 350)),
    "on plateau": F.ReduceOnPlateau(0.3, patience=30),
    "inverse time": F.InverseTime(0.3, decay=0.01),
}


def standardised(name: str) -> tuple[Any, Any]:
    """A well-known table with standardised columns."""
    from sklearn import datasets

    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return (X - X.mean(axis=0)) / X.std(axis=0), y


def iris(seed: int, rule: Any, steps: int = 600, batch: int = 0) -> Any:
    """A network of rectifiers on the irises."""
    X, y = standardised("iris")
    loss = F.Network(X, y, hidden=(16,), activation="relu")
    return run(loss.batches(batch) if batch else loss, loss.initial(seed), rule, steps)


def wine(rule: Any, steps: int = 1000) -> Any:
    """A softmax model of the wines."""
    loss = F.Softmax(*standardised("wine"), l2=0.01)
    return run(loss, np.zeros(loss.dimension), rule, steps)


def decayed(x: Any) -> Any:
    """A user's function with its minimum at ones."""
    return ((x - 1) ** 2).sum() + 0.1 * ((x - 1) ** 4).sum()


MORE: Runs = {
    **{name: functools.partial(run, ROUND, [2.0, -1.0], rule, 400) for name, rule in RULES.items()},
    **{
        f"least squares, {name}": functools.partial(run, line(), np.zeros(4), F.GradientDescent(rate), 400)
        for name, rate in SCHEDULES.items()
    },
    "irises by RMSProp, 0": lambda: iris(0, F.RMSProp(0.003)),
    "irises by RMSProp, 1": lambda: iris(1, F.RMSProp(0.003)),
    "irises by Adam": lambda: iris(2, F.Adam(0.01), 800),
    "irises by Adam in batches": lambda: iris(3, F.Adam(0.005), 800, 16),
    "irises by momentum": lambda: iris(4, F.Momentum(0.05), 800),
    "irises with a little decay": lambda: iris(5, F.AdamW(0.01, weight_decay=1e-5), 800),
    "wines by descent": lambda: wine(F.GradientDescent(1.0)),
    "wines by Nesterov": lambda: wine(F.Nesterov(0.3)),
    "wines by Adam": lambda: wine(F.Adam(0.05)),
    "two classes by L-BFGS": lambda: run(classes(), np.zeros(4), F.LBFGS(), 100),
    "two classes in batches": lambda: run(
        classes().batches(20), np.zeros(4), F.GradientDescent(F.Cosine(0.3, 600)), 600
    ),
    "a network with a cosine": lambda: run(network(), network().initial(3), F.Adam(F.Cosine(0.03, 1000)), 1000),
    "a valley with few steps left": lambda: run("x**2 + 100*y**2", [1.0, 1.0], F.GradientDescent(0.0098), 150),
    "Himmelblau": lambda: run("himmelblau", [1.0, 1.0], F.GradientDescent(0.01), 300),
    "Booth by momentum": lambda: run("booth", [0.0, 0.0], F.Momentum(0.02, momentum=0.8), 400),
    "a barrier": lambda: run("x - log(x)", [3.0], F.GradientDescent(0.5), 200),
    "a user's function": lambda: run(decayed, [3.0, -1.0, 0.5], F.GradientDescent(0.1), 300),
    "a user's function by Adam": lambda: run(decayed, [3.0, -1.0, 0.5], F.Adam(0.1), 500),
    "a quartic, slow by nature": lambda: run("x**4 + y**2", [1.0, 1.0], F.GradientDescent(0.1), 500),
}


@pytest.mark.parametrize("make", MORE.values(), ids=MORE)
def test_no_finding_is_an_alarm(make: Make) -> None:
    assert alarms(make()) == []
