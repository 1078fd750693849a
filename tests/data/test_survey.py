from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.refusals import refusal

from fallline.data import Split, open_source, survey

TABLE: dict[str, list[Any]] = {
    "age": [30.0, np.nan, 50.0, 40.0, 60.0],
    "colour": ["red", "blue", "red", None, "green"],
    "flat": [7, 7, 7, 7, 7],
    "ill": ["no", "yes", "no", "yes", None],
}


def surveyed(features: list[str], data: Any = TABLE, target: str = "ill", **settings: Any) -> Any:
    return survey(open_source(data), features, target, **settings)


def error(*arguments: Any, **settings: Any) -> str:
    return refusal(surveyed, *arguments, **settings)


def test_rows_that_lack_an_entry_are_refused_by_row_and_column() -> None:
    assert error(["age"]).startswith("data, row 2, column 'age': the value is missing")
    assert error(["flat"]).startswith("data, row 5, column 'ill': the value is missing; every row needs a target")
    assert error(["flat"], missing="mean").startswith("data, row 5, column 'ill': the value is missing")
    assert error(["colour"], categories="one-hot").startswith("data, row 4, column 'colour': the value is missing")


def test_rows_that_lack_an_entry_are_dropped_on_request() -> None:
    found = surveyed(["age"], missing="drop", standardize=False)
    rows = found.training.whole()
    assert (rows.X.ravel().tolist(), rows.y.tolist()) == ([30, 50, 40], [0, 0, 1])
    assert found.training.rows == 3
    assert found.notes == ("2 of 5 rows are left out, because an entry is missing",)


def test_gaps_are_filled_on_request() -> None:
    data = {name: column[:4] for name, column in TABLE.items()}
    found = surveyed(["age", "colour"], data, missing="mean", categories="one-hot", standardize=False)
    X = found.training.whole().X
    # The mean of 30, 50 and 40; of blue, red and red the most frequent is red.
    assert found.training.preparation.names == ("age", "colour=red")
    assert X.tolist() == [[30, 1], [40, 0], [50, 1], [40, 1]]
    assert "feature 'age': 1 missing entries became 40.0" in found.notes
    assert "feature 'colour': 1 missing entries became red" in found.notes


def test_the_scale_counts_gaps_as_filled() -> None:
    data = {"x": [1.0, np.nan, 3.0, 8.0], "c": ["a", "b", None, "b"], "y": [0, 1, 0, 1]}
    settings: Any = {"missing": "mean", "categories": "one-hot"}
    X = surveyed(["x", "c"], data, "y", **settings).training.whole().X
    # Rounding of a handful of sums.
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(X.std(axis=0), 1, rtol=1e-14)


def test_categories_are_refused_by_name_or_one_hot_on_request() -> None:
    data = {"colour": ["red", "blue", "green"], "zip": [20, 10, 20], "y": [1.0, 2.0, 3.0]}
    assert error(["zip", "colour"], data, "y") == (
        "data, row 1, column 'colour': the value is 'red', which is not a number; "
        "only finite numbers are allowed, or categories='one-hot'"
    )
    found = surveyed(["colour", "zip"], data, "y", categories="one-hot", standardize=False).training
    assert found.preparation.names == ("colour=green", "colour=red", "zip")
    assert found.whole().X.tolist() == [[0, 1, 20], [0, 0, 10], [1, 0, 20]]
    both = surveyed(["colour", "zip"], data, "y", categories=["zip", "colour"], standardize=False).training
    assert both.preparation.names == ("colour=green", "colour=red", "zip=20")
    assert "did you mean 'colour'?" in error(["colour"], data, "y", categories=["color"])
    assert "categories has 'zip', which is not among the features" in error(["colour"], data, "y", categories=["zip"])
    assert "categories is 'onehot'; did you mean 'one-hot'?" in error(["colour"], data, "y", categories="onehot")


def test_too_many_categories_are_refused_by_name() -> None:
    data = {"name": [f"n{i}" for i in range(1001)], "y": np.arange(1001.0)}
    assert "feature 'name' has more than 1000 different texts" in error(["name"], data, "y", categories="one-hot")


def test_constant_columns_are_refused_by_name_or_dropped() -> None:
    data = {"a": [1, 2, 3], "flat": [7, 7, 7], "one": ["x"] * 3, "gap": [np.nan] * 3, "y": [1.0, 2.0, 3.0]}
    settings: Any = {"categories": "one-hot", "missing": "mean"}
    for name, what in (("flat", "7"), ("one", "'x'"), ("gap", "missing")):
        assert f"feature {name!r} is {what} in every row; a constant" in error(["a", name], data, "y", **settings)
    found = surveyed(["flat", "a", "one", "gap"], data, "y", constant="drop", **settings)
    assert found.training.preparation.names == ("a",)
    assert "left out, because they are constant: flat, one, gap" in found.notes
    assert "every column of data is constant" in error(["flat"], data, "y", constant="drop")
    assert "constant is 'dropp'; did you mean 'drop'?" in error(["a"], data, "y", constant="dropp")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([0.1, 0.1, 0.1], "feature 'b' is 0.1 in every row; a constant cannot be told from the intercept"),
        ([1e300, -1e300, 0.0], "feature 'b' reaches from -1e+300 to 1e+300, which cannot be standardised"),
        ([0.0, 2.0**-1074, 0.0], "feature 'b' reaches from 0 to 4.94066e-324, which cannot be standardised"),
        ([1.0, np.inf, 0.0], "data, row 2, column 'b': the value is inf"),
    ],
)
def test_columns_without_a_scale_are_refused_by_name(column: list[float], message: str) -> None:
    assert message in error(["a", "b"], {"a": [1.0, 2.0, 3.0], "b": column, "y": [0, 1, 1]}, "y")


def test_rows_held_out_teach_neither_scale_nor_fill() -> None:
    random = np.random.default_rng(3)
    data = pd.DataFrame({"x": random.normal(size=200), "y": random.normal(size=200)})
    data.loc[5, "x"] = np.nan
    found = surveyed(["x"], data, "y", missing="mean", split=Split(0.3, seed=1))
    assert found.training.rows + found.held_out.rows == 200
    assert found.held_out.rows in (60, 61)  # 60 and a rest that is drawn
    held = Split(0.3, seed=1).held_out((0, 0), 200)
    train = data["x"].to_numpy()[~held]
    filled = np.where(np.isnan(train), np.nanmean(train), train)
    standardization = found.training.preparation.standardization
    (mean,), (scale,) = standardization.mean, standardization.scale
    # The order of summing is NumPy's own in both.
    assert (mean, scale) == pytest.approx((np.nanmean(train), filled.std()), rel=1e-13)
    assert found.held_out.whole().y.tolist() == data["y"].to_numpy()[held].tolist()


def test_a_category_that_only_rows_held_out_have_is_known() -> None:
    held = Split(0.5, seed=0).held_out((0, 0), 20)
    rare = np.where(held, "rare", np.where(np.arange(20) % 2, "a", "b"))
    found = surveyed(["c"], {"c": rare, "y": np.arange(20.0)}, "y", categories="one-hot", split=Split(0.5, seed=0))
    assert found.training.preparation.names == ("c=b", "c=rare")
    assert set(found.held_out.whole().X[:, 1]) == {1.0}


def test_nothing_to_fit_to_is_refused() -> None:
    data = {"x": [np.nan, 1.0], "y": [1.0, np.nan]}
    assert error(["x"], data, "y", missing="drop") == "data has no row to fit to: 2 of 2 lack an entry"
    assert error(["x"], {"x": [1, 2], "y": [1, 2]}, "y", split=Split(1e-9, 0)).startswith("holdout is 1e-09, which is")
