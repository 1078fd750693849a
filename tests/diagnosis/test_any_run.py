"""The findings of data and networks on runs of every kind: they may find nothing, but never fail."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from tests.diagnosis.looks import CHECKS, Runs, found, missing, well_told
from tests.diagnosis.rows import clouds, line

import fallline
from fallline import Adam, GradientDescent, Linear, Logistic, Network, Perturbation, Poisson, Softmax, Trajectory
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck
from fallline.models import Loss

# What the checks of data and networks need.
NAMES = {
    "constant_predictor": "a model with its data",
    "dead_units": "a network",
    "exploding_gradients": "a network",
    "noise_floor": "a model with its data",
    "output_mismatch": "a model with its data",
    "overfitting": "a held-out loss",
    "sorted_batches": "a model with its data",
    "symmetric_start": "a network",
    "unscaled": "a model with its data",
    "vanishing_gradients": "a network",
}
X, Y = line(rows=60)
CLASSES = clouds(rows=60)


def run(loss: Loss, rule: Any = None, **settings: Any) -> Trajectory:
    x0 = loss.initial(1) if isinstance(loss, Network) else np.full(loss.dimension, 0.1)
    objective = loss.batches(settings.pop("batch")) if "batch" in settings else loss
    return fallline.minimize(objective, x0, rule or GradientDescent(0.1), **({"max_steps": 30} | settings))


def network(**settings: Any) -> Network:
    return Network(CLASSES.X, CLASSES.y.astype(int), **({"hidden": (5,)} | settings))


def interrupted() -> Trajectory:
    def stop(_: object) -> None:
        raise StopIteration

    return run(network(), callback=stop)


def sparse() -> Trajectory:
    random = np.random.default_rng(0)
    words = scipy.sparse.random(80, 300, 0.05, random_state=0, format="csr")
    return run(Logistic(words, random.integers(0, 2, 80)), batch=16)


def nan_from_the_start() -> Trajectory:
    known = run(network(), max_steps=5)
    columns = {name: np.full_like(getattr(known, name), np.nan) for name in ("x", "value", "gradient")}
    return dataclasses.replace(known, **columns)


RUNS: Runs = {
    "one step": lambda: run(network(), max_steps=1),
    "one row": lambda: run(Linear([[1.0, 2.0]], [3.0])),
    "one feature": lambda: run(Linear([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])),
    "constant targets": lambda: run(Linear(X, np.ones(60))),
    "constant features": lambda: run(Logistic(np.ones((60, 2)), (Y > 0).astype(float))),
    "constant features of a network": lambda: run(Network(np.ones((60, 2)), CLASSES.y.astype(int), hidden=(4,))),
    "huge features": lambda: run(Linear(X * 1e200, Y), max_steps=5),
    "huge targets": lambda: run(Network(X, Y * 1e200, hidden=(4,), loss="squared"), max_steps=5),
    "huge parameters": lambda: run(network(), GradientDescent(1e150)),
    "NaN": nan_from_the_start,
    "ends only": lambda: run(network(), record="ends"),
    "ends only of batches": lambda: run(network(), batch=8, record="ends"),
    "every seventh step": lambda: run(network(), batch=8, record=7),
    "interrupted": interrupted,
    "running values": lambda: fallline.minimize(
        Softmax(*CLASSES).batches(8, epoch_value="running"), np.zeros(12), Adam(0.1), max_steps=60
    ),
    "batches of one": lambda: run(Linear(X, Y), batch=1),
    "weights of which some are 0": lambda: run(Linear(X, Y, sample_weight=np.arange(60) % 2)),
    "a sum": lambda: run(Linear(X * [1, 1000, 1, 1], Y, "sum", l2=0.1), GradientDescent(1e-9)),
    "no hidden layer": lambda: run(network(hidden=())),
    "differences": lambda: fallline.minimize(
        network(), network().initial(1), "adam", max_steps=5, gradient=Perturbation()
    ),
    "float32": lambda: run(Linear(X.astype(np.float32), Y)),
    "sparse": sparse,
    "counts": lambda: run(Poisson(X, np.arange(60) % 3)),
    "many classes": lambda: run(Softmax(X, np.arange(60))),
    "L-BFGS": lambda: run(Linear(X, Y), "lbfgs"),
    "a formula": lambda: fallline.minimize("x**2", 1.0, "adam", max_steps=5),
    "a fit from files": lambda: fallline.fit({"a": X[:, 0], "y": Y}, "y", model="linear", stream=True, max_steps=5),
    "streamed batches": lambda: fallline.fit(
        {"a": X[:, 0], "y": Y}, "y", model="linear", stream=True, batch_size=8, epochs=3, holdout=0.2
    ),
}


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.filterwarnings("error")
def test_no_check_fails(name: str) -> None:
    case = Case.of(RUNS[name]())
    for check in NAMES:
        with contextlib.suppress(CannotCheck):
            finding = CHECKS[check].find(case)
            assert finding is None or well_told(finding, check)


def test_a_log_says_what_is_missing() -> None:
    for name in NAMES:
        with pytest.raises(CannotCheck):
            CHECKS[name].find(Case({}))


@pytest.mark.parametrize(("name", "needs"), NAMES.items())
def test_a_formula_has_no_data(name: str, needs: str) -> None:
    assert missing(name, RUNS["a formula"]()) == needs


@pytest.mark.long
def test_a_million_parameters() -> None:
    random = np.random.default_rng(0)
    wide = Network(random.normal(size=(64, 500)), random.integers(0, 2, 64), hidden=(2000,))
    assert wide.dimension > 10**6
    case = Case.of(fallline.minimize(wide, wide.initial(1), GradientDescent(0.01), max_steps=10, record=5))
    # The sample is as small as the run was short.
    assert len(case.sample.rows) == 16
    assert found("dead_units", case.run) is None


@pytest.mark.parametrize("name", ["a formula", "huge targets", "every seventh step", "batches of one", "differences"])
def test_a_diagnosis_told_twice_is_the_same(name: str) -> None:
    run = RUNS[name]()
    assert run.diagnose(proof=False).text == run.diagnose(proof=False).text


@pytest.mark.parametrize(
    "make",
    [
        lambda: run(Linear(X, Y), GradientDescent(1.0), batch=8, max_steps=300),
        lambda: run(network(), GradientDescent(100.0), batch=8, max_steps=300),
        lambda: fallline.minimize("x**2 + 30*y**2", [1, 1], GradientDescent(0.04), max_steps=200),
    ],
    ids=["now and then a batch overshoots", "batches diverge", "a formula"],
)
def test_the_same_is_told_of_a_cheap_run_whether_it_was_quick_or_slow(make: Any) -> None:
    known = make()
    quick, slow = (dataclasses.replace(known, seconds=seconds).diagnose(proof=False) for seconds in (1e-4, 100.0))
    assert str(quick) == str(slow)
