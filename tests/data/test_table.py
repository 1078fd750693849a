from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from tests.refusals import refusal

from fallline.data import Table, number_array, read_table


def csv(folder: Path, text: str | bytes) -> Path:
    path = folder / "data.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_csv_file_is_read(tmp_path: Path) -> None:
    text = '\ufeffname, age ,"dose, mg"\r\n"Ann",30,1.5\r\n\r\n"Bo\nb", 41 ,-2e-3\r\nCy,52,1\r\n'
    table = read_table(csv(tmp_path, text))
    assert list(table.columns) == ["name", "age", "dose, mg"]
    assert table.rows == 3
    assert table.matrix(["dose, mg", "age"]).tolist() == [[1.5, 30], [-2e-3, 41], [1, 52]]
    assert table.columns["name"].tolist() == ["Ann", "Bo\nb", "Cy"]
    # The blank line and the line break within quotes are counted, as an editor counts them.
    assert list(table.lines) == [2, 4, 6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "which is empty; a header and rows are needed"),
        ("\n\n", "which is empty; a header and rows are needed"),
        ("a,b\n", "data.csv has columns but no rows"),
        ("a,b\n1,2\n3\n", "data.csv, row 2 (line 3): 1 values, but the header names 2 columns"),
        ("a,b\n1,2\n\n3,4,5\n", "data.csv, row 2 (line 4): 3 values, but the header names 2 columns"),
        ("a,b,a\n1,2,3\n", "data.csv: columns 1 and 3 are both called 'a'"),
        (",b\n1,2\n", "data.csv: column 1 has no name"),
        ('a,b\n1,2\n"3,4\n', "data.csv, line 3: not the CSV format: unexpected end of data"),
        ("a,b\n1,ä\n".encode("latin-1"), "which is not UTF-8 text; a CSV file is needed"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "which is not UTF-8 text; a CSV file is needed"),
        (b"a\x00\x00,b\n1,2\n", "which is not text; a CSV file is needed"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert message in refusal(read_table, csv(tmp_path, text))


def test_a_path_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    absent = tmp_path / "absent.csv"
    assert refusal(read_table, absent) == (f"data is {str(absent)!r}, which cannot be read: No such file or directory")
    assert "a folder without data files; allowed endings: .csv, .parquet, .pq" in refusal(read_table, str(tmp_path))
    assert "which is not UTF-8 text" in refusal(read_table, "a\0b.csv")


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ("warm", "is 'warm', which is not a number"),
        ("1_2", "is '1_2', which is not a number"),
        ("x" * 100, f"is '{'x' * 40}...', which is not a number"),
        ("", "is missing"),
        ("NA", "is missing"),
        ("nan", "is missing"),
        ("-inf", "is -inf"),
        ("1e999", "is 1e999"),
    ],
)
def test_an_entry_that_is_no_number_is_named_by_row_and_column(tmp_path: Path, entry: str, complaint: str) -> None:
    table = read_table(csv(tmp_path, f'id,age\n7,1\n\n8,"{entry}"\n9,also\n'))
    assert refusal(table.numbers, "age") == (
        f"data.csv, row 2 (line 4), column 'age': the value {complaint}; only finite numbers are allowed"
    )
    assert table.numbers("id").tolist() == [7, 8, 9]


@pytest.mark.parametrize(
    ("column", "complaint"),
    [
        ([1.0, np.nan], "is missing"),
        ([1.0, None], "is missing"),
        (pd.array([1, None], dtype="Int64"), "is missing"),
        (pd.Series(["1", None], dtype="str"), "is missing"),
        (np.array([1.0, np.inf]), "is inf"),
        ([1, "two"], "is 'two', which is not a number"),
        (["1", "2_000"], "is '2_000', which is not a number"),
        ([1, [2]], "is '[2]', which is not a number"),
        ([1, 10**400], f"is '1{'0' * 39}...', which is not a number"),
        (pd.Categorical(["1", "low"]), "is 'low', which is not a number"),
        (pl.Series([1.0, None]), "is missing"),
        (pl.Series(["1", None]), "is missing"),
        (pl.Series([1, None]), "is missing"),
    ],
)
def test_entries_in_memory_are_held_to_the_same(column: Any, complaint: str) -> None:
    expected = f"data, row 2, column 'age': the value {complaint}; only finite numbers are allowed"
    assert refusal(read_table({"age": column}).numbers, "age") == expected
    assert refusal(read_table(pd.DataFrame({"age": column})).numbers, "age") == expected


def test_dates_times_and_complex_numbers_are_no_numbers() -> None:
    times = read_table({"t": np.array([5], "timedelta64[us]")})
    assert "row 1, column 't': the value is " in refusal(times.numbers, "t")
    dates = read_table({"day": np.array(["2020-01-01"], "datetime64[D]")})
    assert "row 1, column 'day': the value is '2020-01-01', which is not a number" in refusal(dates.numbers, "day")
    assert "the value is '(1+0j)', which is not a number" in refusal(read_table({"z": [1 + 0j]}).numbers, "z")


@pytest.mark.parametrize(
    "data",
    [
        {"a": [1, 2], "b": (True, False)},
        {"a": ["1", "2.0"], "b": np.array([1.0, 0.0], np.float32)},
        {"a": [Decimal(1), Decimal(2)], "b": np.array([True, False])},
        pd.DataFrame({"a": pd.array([1, 2], dtype="Int64"), "b": [True, False]}, index=[7, 7]),
        pl.DataFrame({"a": [1, 2], "b": [True, False]}),
        pl.DataFrame({"a": ["1", "2"], "b": [1.0, 0.0]}),
        pa.table({"a": [1, 2], "b": [1.0, 0.0]}),
        Table("data", {"a": np.array([1, 2]), "b": np.array([1, 0])}),
    ],
)
def test_columns_in_memory_are_read(data: Any) -> None:
    assert read_table(data).matrix(["a", "b"]).tolist() == [[1, 1], [2, 0]]


def test_arrays_have_numbered_columns_unless_named() -> None:
    assert read_table([[1, 2], [3, 4]]).columns["x2"].tolist() == [2, 4]
    assert read_table(np.array([1, 3])).columns["x1"].tolist() == [1, 3]
    assert read_table(((1, 2), (3, 4)), names=["a", "b"]).columns["b"].tolist() == [2, 4]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (7, "data is of the type int; allowed: the path of a CSV or Parquet file or of a folder"),
        (None, "data is of the type NoneType"),
        (pl.DataFrame({"a": [1]}).lazy(), "data is a LazyFrame, which holds no rows yet; call its collect()"),
        ({}, "data is empty: it has no columns"),
        (pd.DataFrame(), "data is empty: it has no columns"),
        ({"a": []}, "data has columns but no rows"),
        ([], "data has columns but no rows"),
        (np.empty((2, 0)), "data has the shape (2, 0); it needs rows of some columns"),
        (np.zeros((2, 2, 2)), "data has the shape (2, 2, 2)"),
        (np.array(5.0), "data has the shape ()"),
        ({"a": [1, 2], "b": [1]}, "data: column 'b' has 1 entries, but the first has 2"),
        ({"a": [[1], [2]]}, "data: column 'a' has the shape (2, 1); it needs one axis"),
        ({"a": 1}, "data: column 'a' has the shape ()"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "data: columns 1 and 2 are both called 'a'"),
    ],
)
def test_other_things_are_refused(data: Any, message: str) -> None:
    assert message in refusal(read_table, data)


def test_an_unknown_column_is_answered_with_the_nearest() -> None:
    table = read_table({"temperature": [1], "distress": [0]})
    assert refusal(table.numbers, "distres", "target") == (
        "target is 'distres', which is not a column of data; did you mean 'distress'? Allowed: temperature, distress"
    )


def test_a_column_is_text_if_no_entry_is_a_number() -> None:
    table = read_table(
        {"a": ["yes", ""], "b": ["yes", "1"], "c": [1, 0], "d": ["1", "2"], "e": ["", None], "f": [np.nan] * 2}
    )
    assert [table.is_text(name) for name in "abcdef"] == [True, False, False, False, None, None]


def test_number_arrays_keep_their_shape_and_name_the_index() -> None:
    mixed: Any = [["1", 2], [True, 4.5]]
    assert number_array(mixed, "X").tolist() == [[1, 2], [1, 4.5]]
    mixed[1][1] = "x"
    assert refusal(number_array, mixed, "X").startswith("X[1, 1] is 'x', which is not a number")
    assert refusal(number_array, "x", "X").startswith("X is 'x', which is not a number")
