from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fallline.data import Classes, Table, read_table
from fallline.data.classes import class_texts
from fallline.errors import FalllineError


@pytest.mark.parametrize(
    ("column", "labels", "names"),
    [
        (["no", "yes", "no"], [0, 1, 0], ("no", "yes")),
        (["Yes", "NO", "yes"], [1, 0, 1], ("no", "yes")),
        (["TRUE", "FALSE", "TRUE"], [1, 0, 1], ("false", "true")),
        (["malignant", " benign", "benign"], [1, 0, 0], ("benign", "malignant")),
        (["1", "0", "1.0"], [1, 0, 1], ("0", "1")),
        ([True, False, True], [1, 0, 1], ("false", "true")),
        ([1, 2, 2], [0, 1, 1], ("1", "2")),
        ([-1.0, 1.0, -1.0], [0, 1, 0], ("-1", "1")),
        (["10", "9", "2"], [2, 1, 0], ("2", "9", "10")),
        ([0.1, 1e300, 0.1], [0, 1, 0], ("0.1", str(int(1e300)))),
        (np.array([3, 1, 2], np.uint8), [2, 0, 1], ("1", "2", "3")),
        (pd.Categorical(["b", "a", "b"]), [1, 0, 1], ("a", "b")),
        (["b", None, "a"], [1, np.nan, 0], ("a", "b")),
        ([1.0, np.nan, 0.0], [1, np.nan, 0], ("0", "1")),
    ],
)
def test_classes_are_numbered_in_their_order(column: Any, labels: list[float], names: tuple[str, ...]) -> None:
    table = read_table({"y": column})
    classes = Classes.of(class_texts(table, "y"))
    assert classes.names == names
    np.testing.assert_array_equal(classes.labels(table, "y"), labels)


@pytest.mark.parametrize("column", [np.array([0, 3]), np.array(["0", "3"], dtype=object)])
def test_an_entry_that_is_none_of_the_classes_is_named_by_row(column: Any) -> None:
    with pytest.raises(FalllineError, match=r"data, row 2, column 'y': the value is '3', .* none of the classes 0, 1"):
        Classes(("0", "1")).labels(Table("data", {"y": column}), "y")


def test_too_many_and_infinite_classes_are_refused() -> None:
    with pytest.raises(FalllineError, match="'y', which holds more than 1000 different values in data"):
        class_texts(read_table({"y": np.arange(1001)}), "y")
    for column in ([1.0, np.inf], ["1", "inf"]):
        with pytest.raises(FalllineError, match="row 2, column 'y': the value is inf"):
            class_texts(read_table({"y": column}), "y")
