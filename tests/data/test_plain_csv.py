"""Plain CSV files are read by PyArrow, and hold what Python's own reader finds in them."""

from __future__ import annotations

import csv
import io
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline import fit
from fallline.data import csv_files, open_source, read_table
from fallline.data.csv_files import CsvFile
from fallline.data.csv_format import CsvFormat
from fallline.data.plain_csv import ArrowTable
from fallline.errors import FalllineError

CELLS = st.text(st.sampled_from('ab1. ,;"\n\té'), max_size=4)


def is_plain(path: Path) -> bool:
    return all(isinstance(table, ArrowTable) for table in CsvFile(path, "data").blocks(None, None))


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_every_cell_is_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], quoting: Any, end: str
) -> None:
    path = tmp_path_factory.mktemp("csv") / "data.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=quoting, lineterminator=end)
        writer.writerows([["a", "b", "c"], *rows])
    reader = csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
    starts = []
    next(reader)
    for _ in rows:
        starts.append(reader.line_num + 1)
        next(reader)
    (table,) = CsvFile(path, "data", CsvFormat(separator=",", header=True, decimal=".")).blocks(None, None)
    for name, column in zip("abc", zip(*rows, strict=True), strict=True):
        assert table.columns[name].tolist() == list(column)
    assert list(table.lines) == starts


@pytest.mark.parametrize("text", ["1", "-2.5", "+3", " 4 ", ".5", "6.", "7e-3", "8E2", "1e-320", "0.1", "१"])
@pytest.mark.parametrize("missing", ["", "NA", " nan ", "?"])
def test_numbers_are_those_of_python(tmp_path: Path, text: str, missing: str) -> None:
    (tmp_path / "data.csv").write_text(f"x,y\n0.25,1\n{text},2\n{missing},3\n", encoding="utf-8")
    assert is_plain(tmp_path / "data.csv")
    table = read_table(tmp_path / "data.csv")
    np.testing.assert_array_equal(table.numbers("x", missing=True), [0.25, float(text), np.nan])
    assert table.is_text("x") is False
    with pytest.raises(FalllineError, match=re.escape("data.csv, row 3 (line 4), column 'x': the value is missing")):
        table.numbers("x")


@pytest.mark.parametrize("text", ["inf", "-Infinity", "1e999", "1_000", "0x10", "1 5", "warm", "true", "1f"])
def test_what_is_no_finite_number_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "data.csv").write_text(f"x,y\n0.25,1\n{text},2\n,3\n")
    assert is_plain(tmp_path / "data.csv")
    with pytest.raises(FalllineError, match=re.escape("data.csv, row 2 (line 3), column 'x': the value is ")):
        read_table(tmp_path / "data.csv").numbers("x", missing=True)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ('"x","y"\n1,"a b"\n2,"c,d"\n', True),
        ("x,y\r\n1,a\r\n2,b", True),
        ("\ufeffx,y\n1,a\n", True),
        ('x,y\n1,"a ""b"""\n', False),
        ('x,y\n1,"a\nb"\n', False),
        ("x,y\n1,a\n\n2,b\n", False),
        ("x,y\r1,a\r2,b\r", False),
    ],
)
def test_which_files_are_plain(tmp_path: Path, text: str, plain: bool) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode())
    assert is_plain(path) is plain
    expected = [row for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")) if row][1:]
    table = read_table(path)
    assert list(zip(*(table.columns[name] for name in "xy"), strict=True)) == [tuple(row) for row in expected]


def test_a_row_that_is_too_short_is_named(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("x,y\n1,2\n3\n")
    with pytest.raises(FalllineError, match=r"^data.csv, row 2 \(line 3\): 1 values, but the header names 2 columns$"):
        read_table(tmp_path / "data.csv")


def test_numbers_of_a_whole_file_are_exact(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(5000, 4)) * 10.0 ** np.arange(-150, 250, 100)
    columns = {name: X[:, i] for i, name in enumerate("abcd")}
    arrow_csv.write_csv(pa.table(columns), tmp_path / "data.csv")
    source = open_source(tmp_path / "data.csv")
    (table,) = CsvFile(tmp_path / "data.csv", "data").blocks(["d", "a"], 700)
    assert list(table.columns) == ["d", "a"]
    some = table.on_rows(slice(700, 900)).on_rows(slice(50, None))
    assert (some.rows, some.lines[0]) == (150, 752)
    for name in "ad":
        assert np.array_equal(read_table(source).numbers(name), columns[name])
        assert np.array_equal(some.numbers(name), columns[name][750:900])
        assert some.columns[name].tolist() == table.columns[name].tolist()[750:900]


def test_a_fit_is_the_same_whoever_reads_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    lines = [
        f"{x:.3f},{x * x if random.random() < 0.9 else ''},{random.choice(['a', 'b c'])},{random.choice(['no', 'yes'])}"
        for x in random.normal(size=200)
    ]
    path = tmp_path / "data.csv"
    path.write_text("\n".join(["x,square,kind,passed", *lines]) + "\n")

    def fitted() -> Any:
        return fit(path, "passed", categories="one-hot", missing="mean", holdout=0.2, max_steps=50)

    assert is_plain(path)
    by_arrow = fitted()
    monkeypatch.setattr(csv_files, "KEPT", 0)
    assert not is_plain(path)
    by_python = fitted()
    assert by_arrow.parameters == by_python.parameters
    assert by_arrow.notes == by_python.notes


def test_a_worker_is_sent_the_path_and_not_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x\n" + "1\n" * 10_000)
    file = CsvFile(path, "data")
    before = pickle.dumps(file)
    list(file.blocks(None, None))
    assert pickle.dumps(file) == before
