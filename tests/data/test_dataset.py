from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.data import Split, open_source, survey
from fallline.data.dataset import read_ahead


@given(st.floats(0, 0.99), st.integers(0, 99), st.integers(0, 50))
def test_a_split_takes_its_share_of_each_block_always_the_same(share: float, seed: int, rows: int) -> None:
    held = Split(share, seed).held_out((1, 2), rows)
    assert abs(held.sum() - share * rows) < 1
    assert (held == Split(share, seed).held_out((1, 2), rows)).all()


def test_many_small_blocks_hold_out_the_share_too() -> None:
    held = [Split(0.2, 0).held_out((part, 0), 2).sum() for part in range(2000)]
    # Binomial: a deviation of 0.4 · √2000 ≈ 18 is one standard deviation.
    assert abs(sum(held) - 800) < 90


def test_training_and_held_out_rows_are_all_rows_in_order(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.arange(1000.0), "y": np.arange(1000.0)})
    frame.to_parquet(tmp_path / "a.parquet", row_group_size=70)
    found = survey(open_source(tmp_path), ["x"], "y", split=Split(0.25, 4), standardize=False)
    assert found.held_out is not None
    training, held_out = (part.whole().y for part in (found.training, found.held_out))
    assert (np.diff(training) > 0).all()
    assert sorted([*training, *held_out]) == frame["y"].tolist()
    assert sum(found.training.counts) == len(training)
    table, row = found.training.located(500)
    assert table.columns["y"][row] == training[500]


def test_reading_ahead_gives_the_items_in_order_and_the_error_at_its_place() -> None:
    def items() -> Any:
        yield from range(5)
        raise ValueError("the sixth")

    ahead = read_ahead(items())
    assert [next(ahead) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="the sixth"):
        next(ahead)


def test_the_thread_ends_with_its_reader() -> None:
    before = threading.active_count()
    generator = read_ahead(iter(range(10**9)))
    assert next(generator) == 0
    assert threading.active_count() == before + 1
    generator.close()
    assert threading.active_count() == before
