from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runs import same

from fallline import GradientDescent, Nesterov, NotFinite, Perturbation, minimize, rerun
from fallline.errors import FalllineError
from fallline.models import Linear, SigmoidNeuron

SIZES = st.integers(1, 12).flatmap(lambda rows: st.tuples(st.just(rows), st.integers(1, rows)))


def numbered(rows: int, reduction: Any = "sum") -> SigmoidNeuron:
    """A loss whose inputs are the numbers of the rows."""
    return SigmoidNeuron(np.arange(rows), np.full(rows, 0.5), reduction)


def epoch(batches: Any, number: int, seed: int) -> list[list[int]]:
    """The rows that each step of an epoch (counted from 0) sees."""
    steps = range(number * batches.steps_per_epoch + 1, (number + 1) * batches.steps_per_epoch + 1)
    return [batches.at_step(step, seed).X[:, 0].astype(int).tolist() for step in steps]


def test_sequential_batches_take_the_rows_as_they_stand() -> None:
    seven, six = (numbered(rows).batches(3, order="sequential") for rows in (7, 6))
    assert epoch(seven, 0, seed=0) == [[0, 1, 2], [3, 4, 5], [6]]
    assert epoch(seven, 5, seed=9) == [[0, 1, 2], [3, 4, 5], [6]]
    dropped = numbered(7).batches(3, order="sequential", remainder="drop")
    assert epoch(dropped, 1, seed=0) == [[0, 1, 2], [3, 4, 5]]
    assert epoch(six, 1, seed=0) == [[0, 1, 2], [3, 4, 5]]


def test_batches_are_shuffled_unless_asked_otherwise() -> None:
    assert epoch(numbered(7).batches(3), 2, seed=4) == epoch(numbered(7).batches(3, order="shuffled"), 2, seed=4)


@given(SIZES, st.integers(0, 2**31), st.integers(0, 5))
def test_a_shuffled_epoch_passes_every_row_once(sizes: tuple[int, int], seed: int, number: int) -> None:
    rows, size = sizes
    kept = epoch(numbered(rows).batches(size, order="shuffled"), number, seed)
    assert sorted(row for batch in kept for row in batch) == list(range(rows))
    assert [len(batch) for batch in kept[:-1]] == [size] * (len(kept) - 1)
    dropped = epoch(numbered(rows).batches(size, order="shuffled", remainder="drop"), number, seed)
    assert dropped == kept[: rows // size]


@given(st.integers(0, 2**31), st.permutations(range(1, 25)))
def test_the_batch_of_a_step_does_not_depend_on_the_steps_asked_before(seed: int, steps: list[int]) -> None:
    asked_at_random = numbered(11).batches(4, order="shuffled")
    for step in steps:
        fresh = numbered(11).batches(4, order="shuffled")
        assert np.array_equal(asked_at_random.at_step(step, seed).X, fresh.at_step(step, seed).X)


def test_epochs_and_seeds_shuffle_differently() -> None:
    batches = numbered(50).batches(50, order="shuffled")
    orders = [epoch(batches, number, seed)[0] for number in range(3) for seed in range(3)]
    assert len({tuple(order) for order in orders}) == 9


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_value_and_gradient_of_the_whole_are_over_all_rows(reduction: str) -> None:
    loss = numbered(7, reduction)
    batches = loss.batches(2)
    x = np.array([[0.1, -0.3], [1.0, 2.0]])
    assert batches.stochastic
    assert np.array_equal(batches.value(x), loss.value(x))
    assert np.array_equal(batches.gradient(x), loss.gradient(x))
    value, gradient = batches.value_and_gradient(x)
    assert np.array_equal(value, loss.value(x))
    assert np.array_equal(gradient, loss.gradient(x))


def test_the_gradients_of_an_epoch_add_up_to_that_of_the_loss() -> None:
    x = np.array([0.2, -0.5])
    batches = numbered(7).batches(3)
    total = sum(batches.at_step(step, seed=0).gradient(x) for step in (1, 2, 3))
    # Only the order of seven additions differs.
    np.testing.assert_allclose(total, numbered(7).gradient(x), rtol=1e-14)


def test_a_mean_is_over_the_rows_of_the_batch() -> None:
    x = np.array([0.2, -0.5])
    last = numbered(7, "mean").batches(3, order="sequential").at_step(3, seed=0)
    assert np.array_equal(last.gradient(x), SigmoidNeuron([6.0], [0.5]).gradient(x))


@pytest.mark.parametrize(
    ("size", "settings", "message"),
    [
        (0, {}, "batch_size is 0; allowed: whole numbers from 1 to 7, the rows"),
        (8, {}, "batch_size is 8"),
        (2.5, {}, "batch_size is 2.5"),
        (True, {}, "batch_size is True"),
        (2, {"order": "random"}, "order is 'random'; Allowed: sequential, shuffled"),
        (2, {"remainder": "kept"}, "remainder is 'kept'; did you mean 'keep'?"),
        (2, {"epoch_value": "ful"}, "epoch_value is 'ful'; did you mean 'full'?"),
    ],
)
def test_impossible_batches_are_refused(size: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(FalllineError, match=re.escape(message)):
        numbered(7).batches(size, **settings)


def test_sizes_from_numpy_are_whole_numbers() -> None:
    size: Any = np.int64(3)
    assert numbered(7).batches(size).steps_per_epoch == 3


DATA = np.random.default_rng(0).normal(size=(7, 2)), np.random.default_rng(1).normal(size=7)


@pytest.mark.parametrize("rule", [GradientDescent(0.05), Nesterov(0.05)])
@pytest.mark.parametrize("gradient", ["auto", Perturbation(1e-6, "central")])
def test_a_running_value_is_the_mean_of_what_the_steps_of_an_epoch_saw(rule: Any, gradient: Any) -> None:
    loss = Linear(*DATA, reduction="mean")
    runs = {}
    for kind in ("full", "running"):
        batches = loss.batches(3, order="shuffled", epoch_value=kind)
        runs[kind] = batches, minimize(batches, np.zeros(3), rule, max_steps=10, seed=4, gradient=gradient)
    batches, run = runs["running"]
    # The same descent: only what is recorded of it differs.
    assert np.array_equal(run.x, runs["full"][1].x)
    seen = [batches.at_step(step + 1, 4).value(x) for step, x in zip(run.steps, run.x, strict=True)]
    assert run.value.tolist() == [float(value) for value in seen]
    # Ten steps are three whole epochs of three steps, and one more step.
    means = [np.mean(seen[3 * epoch : 3 * epoch + 3]) for epoch in range(3)]
    assert batches.epoch_values(run.steps, run.value) == pytest.approx(means, rel=1e-15)
    batches, run = runs["full"]
    assert batches.epoch_values(run.steps, run.value).tolist() == [loss.value(run.x[step]) for step in (3, 6, 9)]


def test_the_last_running_value_is_right_where_steps_are_not_recorded() -> None:
    batches = Linear(*DATA).batches(3, epoch_value="running")
    thin = minimize(batches, np.zeros(3), GradientDescent(0.05), max_steps=8, record="ends", stop=NotFinite())
    assert thin.value[-1] == batches.at_step(9, 0).value(thin.final.x)
    assert batches.epoch_values(thin.steps[:1], thin.value[:1]).shape == (0,)
    with pytest.raises(FalllineError, match="the running value of an epoch is made of; record all of them"):
        batches.epoch_values(thin.steps, thin.value)
    full = Linear(*DATA).batches(3)
    with pytest.raises(FalllineError, match="the full value of an epoch is made of; record every 3 steps"):
        full.epoch_values(thin.steps, thin.value)


def test_a_recipe_keeps_what_is_recorded() -> None:
    run = minimize(Linear(*DATA).batches(3, epoch_value="running"), np.zeros(3), GradientDescent(0.05), max_steps=8)
    assert same(rerun(run.recipe), run)
