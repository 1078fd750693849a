"""The spread of numbers is that of NumPy's quantile, mean and std, with NaN beyond all numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fallline import FalllineError
from fallline.arrays import FloatArray
from fallline.results.spread import check_spread, spread_of

TABLES = arrays(float, st.tuples(st.integers(2, 9), st.integers(1, 4)), elements=st.floats(-1e6, 1e6))


@given(TABLES)
def test_of_finite_numbers_it_is_numpys(table: FloatArray) -> None:
    np.testing.assert_array_equal(spread_of(table), np.quantile(table, [0.25, 0.5, 0.75], axis=0))
    low, middle, high = spread_of(table, "deviation")
    deviation = np.std(table, axis=0, ddof=1)
    np.testing.assert_array_equal(middle, np.mean(table, axis=0))
    np.testing.assert_array_equal((low, high), (middle - deviation, middle + deviation))


@given(TABLES, st.integers(1, 8))
def test_nan_counts_as_larger_than_any_number(table: FloatArray, left: int) -> None:
    gone = table.copy()
    gone[:left] = np.nan
    # So large that what is interpolated with it is no number of the table.
    filled = np.where(np.isnan(gone), 1e300, gone)
    expected = np.quantile(filled, [0.25, 0.5, 0.75], axis=0)
    np.testing.assert_array_equal(spread_of(gone), np.where(expected > 1e7, np.inf, expected))


@pytest.mark.parametrize("numbers", [[np.inf, np.inf, np.inf], [np.nan] * 3, [1.0, np.inf, np.nan]])
def test_where_most_have_left_the_median_has(numbers: list[float]) -> None:
    assert spread_of(np.array(numbers)).middle == np.inf


def test_a_mean_with_a_run_that_left_is_none() -> None:
    assert np.isnan(spread_of(np.array([1.0, 2.0, np.nan]), "deviation")).all()


def test_there_is_no_other_spread() -> None:
    with pytest.raises(FalllineError, match=r"^spread is 'quartile'; did you mean 'quartiles'\? Allowed: quartiles, d"):
        check_spread("quartile")
