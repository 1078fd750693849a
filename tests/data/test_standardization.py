from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.data import Standardization
from fallline.data.standardization import Moments

MATRICES = st.tuples(st.integers(2, 20), st.integers(1, 4), st.integers(0, 2**32)).map(
    lambda shape: np.random.default_rng(shape[2]).normal(3, 2, size=shape[:2])
)


def moments(*blocks: Any) -> Moments:
    found = Moments(blocks[0].shape[1])
    for block in blocks:
        found.add(block)
    return found


@given(MATRICES, st.integers(0, 20))
def test_moments_by_blocks_are_those_of_all_rows(X: Any, cut: int) -> None:
    X = X.copy()
    X[np.random.default_rng(cut).random(X.shape) < 0.3] = np.nan
    found = moments(X[:cut], X[cut:])
    assert found.count.tolist() == (~np.isnan(X)).sum(axis=0).tolist()
    for column in range(X.shape[1]):
        present = X[~np.isnan(X[:, column]), column]
        if len(present):
            # A few roundings of numbers of size 3 and squares of size 4.
            assert found.mean[column] == pytest.approx(present.mean(), rel=1e-13, abs=1e-13)
            assert found.squares[column] == pytest.approx(((present - present.mean()) ** 2).sum(), rel=1e-12, abs=1e-12)
            assert (found.low[column], found.high[column]) == (present.min(), present.max())


def test_moments_keep_their_digits_far_from_zero() -> None:
    # The textbook formula Σx² - n·mean² would lose all of them: 1e9² has 18 digits before those of the spread.
    random = np.random.default_rng(0)
    X = 1e9 + random.normal(size=(10_000, 1))
    found = moments(*np.split(X, 100))
    # Entries near 1e9 are known to 1e-7 of their spread.
    assert np.sqrt(found.squares[0] / 10_000) == pytest.approx(np.std(X - 1e9), rel=1e-7)


@given(MATRICES)
def test_standardised_columns_have_mean_0_and_deviation_1(X: Any) -> None:
    found = moments(X)
    standardised = Standardization(tuple(found.mean), tuple(np.sqrt(found.squares / len(X)))).apply(X)
    # The mean is rounded relative to the column, whose scale may be small compared with it.
    np.testing.assert_allclose(standardised.mean(axis=0), 0, atol=1e-11)
    np.testing.assert_allclose((standardised**2).mean(axis=0), 1, rtol=1e-11)


@given(MATRICES, st.integers(0, 99))
def test_parameters_mean_the_same_in_both_units(X: Any, seed: int) -> None:
    standardization = Standardization(tuple(X.mean(axis=0)), tuple(X.std(axis=0)))
    own = np.random.default_rng(seed).normal(size=(2, 3, X.shape[1] + 1))
    scaled = standardization.standardised(own)
    z_own = own[..., :-1] @ X.T + own[..., -1:]
    z_scaled = scaled[..., :-1] @ standardization.apply(X).T + scaled[..., -1:]
    # A few roundings of numbers of size 10, amplified if a column's scale is small compared with its mean.
    np.testing.assert_allclose(z_scaled, z_own, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(standardization.own_units(scaled), own, rtol=1e-9, atol=1e-10)
