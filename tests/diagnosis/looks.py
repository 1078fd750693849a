"""What the tests of the findings share: one check applied to a run, and healthy runs of many kinds."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np
import pytest

import fallline
from fallline.diagnosis import Finding, diagnose
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck
from fallline.diagnosis.findings import all_checks

Make = Callable[[], Any]
# Runs by name, each made when it is asked for.
Runs: TypeAlias = dict[str, Make]
CHECKS = {check.name: check for check in all_checks()}


def well_told(finding: Finding, name: str) -> Finding:
    """A finding that is told as all are: in sentences, by numbers, with remedies in words and whole steps."""
    assert finding.name == name
    assert finding.title == finding.title.strip(". ")
    for sentence in (finding.evidence, finding.cause):
        assert re.fullmatch(r"\S.*\S\.", sentence), sentence
        # It begins with a capital letter, a number or a name.
        assert not re.match(r"(?!epsilon|\w*[_=])[a-z]{3}", sentence), sentence
    words = f"{finding.title}. {finding.evidence} {finding.cause} {finding.proof}"
    # Sentences begin with a capital letter, a number or a name, are not shouted, and words do not run together.
    assert re.match(r"[A-Z0-9]|\w{1,2} ", words), words
    assert not re.search(
        r"[a-z]{2}[.!?] (?!epsilon|\w*[_=])[a-z]{3}| {3}|[A-Z]{3,} [A-Z]{3,}|[a-z.,;:]X{2}|X{2}[a-z]|None\b", words
    ), words
    assert type(finding.since) is int
    assert all(type(step) is int for step in finding.steps)
    for number, value in finding.numbers.items():
        assert re.fullmatch("[a-z][a-z_0-9]*", number)
        float(value)
    for remedy in finding.remedies:
        assert remedy.text
        assert "None" not in remedy.text.replace("x0=None", "")
        assert not re.search(r"[A-Z]{3,} [A-Z]{3,}|X{2}", remedy.text)
        for setting, changed in remedy.settings.items():
            assert changed is not None or setting in ("x0", "epochs")
        assert not remedy.command or re.match(r"--[a-z]", remedy.command)
    return finding


def found(name: str, result: Any) -> Finding | None:
    """What the check of this name finds, None for nothing."""
    finding = CHECKS[name].find(Case.of(result))
    return None if finding is None else well_told(finding, name)


def the(name: str, result: Any) -> Finding:
    """What the check of this name finds, which must be something."""
    finding = found(name, result)
    assert finding is not None
    return finding


def missing(name: str, result: Any) -> str:
    """What the check of this name says it needs."""
    with pytest.raises(CannotCheck) as reason:
        found(name, result)
    return str(reason.value)


def alarms(result: Any) -> list[str]:
    """The names of all findings about a run, without remarks, the first cause first; no check may fail."""
    diagnosis = diagnose(result, proof=False)
    assert not [reason for reason in diagnosis.unchecked.values() if reason.startswith("raised ")]
    return [finding.name for finding in diagnosis.alarms]


def altered(case: Case, **numbers: Any) -> Case:
    """The case, with some numbers in place of those measured; names with two underscores are those of parts."""
    for name, number in numbers.items():
        part, _, of = name.partition("__")
        whole: Any = number
        if of:
            own: Any = getattr(case, part)
            whole = own._replace(**{of: number}) if hasattr(own, "_replace") else replace(own, **{of: number})
        vars(case)[part] = whole
    return case


def space(**known: Any) -> Any:
    """An object with these attributes; names with two underscores are those of parts."""
    parts: dict[str, dict[str, Any]] = {}
    for name, value in known.items():
        part, _, rest = name.partition("__")
        if rest:
            parts.setdefault(part, {})[rest] = value
        else:
            parts[part] = value
    return SimpleNamespace(**{name: space(**part) if isinstance(part, dict) else part for name, part in parts.items()})


def bowl(*curvatures: float) -> str:
    """A quadratic with these curvatures, and the minimum 0 at zero."""
    return " + ".join(f"{c / 2!r}*x{i}**2" for i, c in enumerate(curvatures))


@functools.cache
def rows(seed: int = 0, count: int = 120) -> tuple[Any, Any]:
    """Standardised inputs of three columns, and targets that follow them with a little noise."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(count, 3))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    return X, X @ [1.0, -0.5, 0.25] + 0.3 + 0.3 * random.normal(size=count)


def line(seed: int = 0, **settings: Any) -> fallline.Linear:
    """A linear model of those rows."""
    return fallline.Linear(*rows(seed), **settings)


def classes(seed: int = 0, **settings: Any) -> fallline.Logistic:
    """A logistic model of those rows, whose classes overlap."""
    X, y = rows(seed)
    noise = np.random.default_rng(seed + 1).normal(size=len(y))
    return fallline.Logistic(X, (y + 0.7 * noise > 0).astype(int), **settings)


def network(seed: int = 0, **settings: Any) -> fallline.Network:
    """A small network for numbers that no line follows."""
    X, y = rows(seed)
    return fallline.Network(
        X, np.sin(2 * X[:, 0]) + 0.3 * y, **{"hidden": (8,), "activation": "tanh", "loss": "squared"} | settings
    )


def run(objective: Any, start: Any, rule: Any, steps: int = 200, **options: Any) -> fallline.Trajectory:
    """A run."""
    return fallline.minimize(objective, start, rule, max_steps=steps, **options)


G, M, A = fallline.GradientDescent, fallline.Momentum, fallline.Adam

HEALTHY: Runs = {
    "a round bowl": lambda: run(bowl(1, 2), [1, 1], G(0.5)),
    "a bowl at 0.95 of its limit": lambda: run(bowl(1, 2), [1, 1], G(0.95)),
    "a valley to the end": lambda: run(bowl(1, 50), [1, 1], G(0.03), 1000),
    "momentum with ripples": lambda: run(bowl(1, 10), [1, 1], M(0.02, momentum=0.9), 400),
    "Nesterov momentum": lambda: run(bowl(1, 100), [1, 1], fallline.Nesterov(0.01), 400),
    "Rosenbrock by Adam": lambda: run("rosenbrock", [-1.2, 1.0], A(0.05), 4000),
    "Rosenbrock by L-BFGS": lambda: run("rosenbrock", [-1.2, 1.0], fallline.LBFGS()),
    "least squares": lambda: run(line(), np.zeros(4), G(0.3)),
    "least squares in batches": lambda: run(line().batches(16), np.zeros(4), G(0.03), 400),
    "least squares in batches by Adam": lambda: run(line().batches(16), np.zeros(4), A(0.02), 400),
    "logistic regression": lambda: run(classes(), np.zeros(4), G(1.0), 300),
    "a network by descent": lambda: run(network(), network().initial(1), G(0.3), 1500),
    "a network by Adam in batches": lambda: run(network().batches(32), network().initial(1), A(0.02), 600),
    "warm-up and cosine": lambda: run(
        network(), network().initial(2), A(fallline.WarmUp(fallline.Cosine(0.03, 500), steps=50)), 550
    ),
    "a start at the minimum": lambda: run(bowl(1, 2), [0, 0], G(0.1), 20),
    "one step": lambda: run(bowl(1, 2), [1, 1], G(0.4), 1),
}
