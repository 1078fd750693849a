from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fallline
from fallline.data import Dataset, open_source, survey
from fallline.models import MODELS, Loss
from fallline.models.streamed import StreamedBatches

ROWS = 500


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three Parquet files of row groups of 60 rows: features a and b, a row's number, and targets of each kind."""
    folder = tmp_path_factory.mktemp("parquet")
    random = np.random.default_rng(8)
    frame = pd.DataFrame({"a": random.normal(5, 2, ROWS), "b": random.normal(-1, 0.1, ROWS), "row": np.arange(ROWS)})
    frame["numbers"] = random.normal(size=ROWS) + frame["a"]
    frame["counts"] = random.poisson(3, ROWS)
    frame["share"] = random.random(ROWS)
    frame["two"] = random.integers(0, 2, ROWS)
    frame["three"] = random.integers(0, 3, ROWS)
    for number, part in enumerate(np.array_split(np.arange(ROWS), 3)):
        frame.iloc[part].to_parquet(folder / f"{number}.parquet", row_group_size=60)
    return folder


TARGETS = {
    "linear": "numbers",
    "huber": "numbers",
    "poisson": "counts",
    "sigmoid": "share",
    "logistic": "two",
    "hinge": "two",
    "squared_hinge": "two",
    "softmax": "three",
    "network": "three",
}


def dataset(folder: Path, target: str, features: tuple[str, ...] = ("a", "b"), standardize: bool = True) -> Dataset:
    classes = target in ("two", "three")
    return survey(open_source(folder), features, target, classes=classes, standardize=standardize).training


def both(folder: Path, model: str, **settings: Any) -> tuple[Loss, Loss]:
    """The loss in memory, and streamed."""
    data = dataset(folder, TARGETS[model])
    rows = data.whole()
    loss = MODELS[model](rows.X, rows.y, **settings)
    return loss, loss.on_part(rows.X[:60], rows.y[:60]).over(data)


def test_every_model_can_be_streamed() -> None:
    assert set(TARGETS) == set(MODELS)


@pytest.mark.parametrize("model", sorted(MODELS))
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_a_streamed_loss_is_that_in_memory(folder: Path, model: str, reduction: str) -> None:
    loss = both(folder, model, reduction=reduction, l2=0.3)[0]
    streamed = loss.over(dataset(folder, TARGETS[model]))
    assert (streamed.names, streamed.rows, streamed.title) == (loss.names, ROWS, loss.title)
    x = np.random.default_rng(0).normal(size=(3, loss.dimension))
    value, gradient = streamed.value_and_gradient(x)
    # The same sums of 500 terms in another order.
    np.testing.assert_allclose(value, loss.value(x), rtol=1e-13)
    np.testing.assert_allclose(gradient, loss.gradient(x), rtol=1e-11, atol=1e-11)
    # A point alone has the bits that it has among others, and has them again.
    for i in range(3):
        assert np.array_equal(streamed.value(x[i]), value[i])
        assert np.array_equal(streamed.gradient(x[i]), gradient[i])


def test_the_smoothness_is_that_in_memory(folder: Path) -> None:
    loss, streamed = both(folder, "logistic")
    streamed = loss.over(dataset(folder, "two"))
    assert streamed.smoothness() == pytest.approx(loss.smoothness(), rel=1e-12)
    assert streamed.smoothness(5) == loss.smoothness(5)


def test_sequential_batches_are_those_in_memory(folder: Path) -> None:
    loss, _ = both(folder, "logistic", reduction="mean", l2=0.1)
    streamed = loss.over(dataset(folder, "two"))
    for remainder, steps in (("keep", 8), ("drop", 7)):
        settings: Any = {"order": "sequential", "remainder": remainder}
        batches, in_memory = streamed.batches(64, **settings), loss.batches(64, **settings)
        assert isinstance(batches, StreamedBatches)
        assert batches.steps_per_epoch == steps
        for step in range(1, 2 * steps + 2):
            x = np.array([0.1, -0.2, 0.3]) * step
            assert np.array_equal(batches.at_step(step, 0).gradient(x), in_memory.at_step(step, 0).gradient(x))


def rows_of(batches: StreamedBatches, step: int, seed: int) -> list[float]:
    return list(batches.at_step(step, seed).y)


@pytest.fixture
def shuffled(folder: Path) -> StreamedBatches:
    """Batches whose targets are the numbers of the rows."""
    data = dataset(folder, "row", standardize=False)
    first = next(data.blocks())
    batches = fallline.models.Linear(first.X, first.y).over(data).batches(64)
    assert isinstance(batches, StreamedBatches)
    return batches


def test_shuffled_batches_take_every_row_once_an_epoch(shuffled: StreamedBatches) -> None:
    first, second = (
        [row for step in range(1 + 8 * epoch, 9 + 8 * epoch) for row in rows_of(shuffled, step, 3)] for epoch in (0, 1)
    )
    assert sorted(first) == sorted(second) == list(range(ROWS))
    assert first != second
    other = [row for step in range(1, 9) for row in rows_of(shuffled, step, 4)]
    assert other not in (first, sorted(first))


def test_a_batch_depends_on_seed_and_step_only(shuffled: StreamedBatches) -> None:
    steps = [1, 2, 3, 11, 12, 12, 12, 4, 20]
    seen = [rows_of(shuffled, step, 0) for step in steps]
    shuffled.close()
    assert [rows_of(shuffled, step, 0) for step in reversed(steps)] == seen[::-1]


def test_the_window_is_shuffled_anew_where_data_are_larger(
    shuffled: StreamedBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fallline.models.streamed.WINDOW", 100)  # 50 rows: less than one batch
    rows = [row for step in range(1, 9) for row in rows_of(shuffled, step, 0)]
    assert sorted(rows) == list(range(ROWS))
    assert [len(rows_of(shuffled, step, 0)) for step in range(1, 9)] == [64] * 7 + [52]


def test_the_running_value_is_that_of_the_batches_in_memory(folder: Path) -> None:
    loss, _ = both(folder, "logistic", reduction="mean")
    streamed = loss.over(dataset(folder, "two"))
    runs = [
        fallline.minimize(
            part.batches(64, order="sequential", epoch_value="running"), np.zeros(3), "adam", max_steps=20
        )
        for part in (loss, streamed)
    ]
    assert np.array_equal(runs[0].value, runs[1].value)
    assert np.array_equal(runs[0].x, runs[1].x)
