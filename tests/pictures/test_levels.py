"""Contour levels: round numbers between the lowest and the highest value, few enough to read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline import FalllineError
from fallline.pictures.levels import LEAST_NAMED, MOST, MOST_NAMED, levels_of

X, Y = np.meshgrid(np.linspace(-2, 2, 65), np.linspace(-1, 3, 65))


def levels(values: Any, **options: Any) -> Any:
    return levels_of(values, float(values.min()), float(values.max()), **options)


def test_a_steep_valley_has_decades() -> None:
    found = levels(100 * (Y - X**2) ** 2 + (1 - X) ** 2)
    assert found.spread == "log"
    assert found.named.tolist() == [1, 10, 100, 1000]


def test_values_of_both_signs_have_decades_on_both_sides_of_zero() -> None:
    # The six-hump camel: from -1.03 to beyond 300.
    found = levels(4 * X**2 - 2.1 * X**4 + X**6 / 3 + X * Y - 4 * Y**2 + 4 * Y**4)
    assert found.spread == "symlog"
    assert {-1, 0, 1, 10, 100} <= set(found.named)


@pytest.mark.parametrize("values", [X + Y, X**2 + Y**2, 1e-9 * (X + Y), -np.exp(5 * X), 1e6 + X])
def test_where_no_part_is_flat_they_are_even(values: Any) -> None:
    found = levels(values)
    assert found.spread == "linear"
    np.testing.assert_allclose(np.diff(found.values), found.values[1] - found.values[0], rtol=1e-6)


def test_over_many_decades_not_every_one_is_a_level() -> None:
    found = levels(10.0 ** (40 * X))
    exponents = np.log10(found.named)
    np.testing.assert_array_equal(exponents, np.round(exponents))
    assert len(set(np.round(np.diff(exponents)))) == 1


@given(st.floats(-1e6, 1e6), st.floats(-12, 12), st.floats(0.1, 40))
def test_they_are_few_round_and_between_the_ends(low: float, decade: float, steep: float) -> None:
    share = np.linspace(0, 1, 101) ** steep
    values = low + 10**decade * share
    # Closer than that, they are one number.
    if np.ptp(values) <= 1e-9 * abs(low):
        return
    found = levels(values)
    assert len(found.values) <= MOST
    assert set(found.named) <= set(found.values)
    assert len(found.named) <= max(MOST_NAMED, LEAST_NAMED)
    assert (np.diff(found.values) > 0).all()
    assert ((values.min() < found.values) & (found.values < values.max())).all()
    if found.spread == "linear":
        step = np.diff(found.values).min() if len(found.values) > 1 else 0
        leading = float(f"{step:e}".split("e")[0]) if step else 1
        assert min(abs(leading - digit) for digit in (1, 2.5, 5, 10)) < 1e-3
    else:
        digits = {f"{abs(level):.1e}".split("e")[0] for level in found.values if level}
        assert digits <= {"1.0", "1.5", "2.0", "3.0", "4.0", "5.0", "7.0"}


def test_negative_values_have_no_logarithmic_levels() -> None:
    with pytest.raises(FalllineError, match=r"^zscale is 'log', but not all values are positive"):
        levels(X + Y, spread="log")
