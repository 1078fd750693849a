"""A CSV file is read as it is written, which is found and told, or asked for where it can be read in two ways."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.data import open_source, read_table
from fallline.data import source as source_module
from fallline.data.csv_format import CsvFormat
from fallline.errors import FalllineError
from fallline.fitting.fit import fit

FRAME = pd.DataFrame({"height": [1.5, 2.25, -3.125], "name": ["Zoë", "b|c", "d e"], "n": [10, 2000, 3]})


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "data.csv"
    path.write_bytes(text.encode(encoding))
    return path


def same(path: Path, frame: pd.DataFrame, **reading: Any) -> tuple[str, ...]:
    """Check that a file holds a frame, and return what was found of its format."""
    source = open_source(path, **reading)
    table = read_table(path, **reading)
    assert list(table.columns) == list(frame.columns)
    for name, column in frame.items():
        if column.dtype.kind in "if":
            assert table.numbers(str(name)).tolist() == column.tolist()
        else:
            assert table.columns[str(name)].tolist() == column.tolist()
    return source.notes


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_pandas_writes_is_found(tmp_path: Path, separator: str, decimal: str, encoding: str) -> None:
    path = tmp_path / "data.csv"
    FRAME.to_csv(path, sep=separator, decimal=decimal, encoding=encoding, index=False)
    reading = {"decimal": ","} if separator == decimal == "," else {}
    if reading:
        # Quoted decimal commas between commas are read only on request.
        with pytest.raises(FalllineError, match=r"is '1,5', which is not a number; .*, or decimal=','$"):
            read_table(path).numbers("height")
    notes = same(path, FRAME, **reading)
    told = " ".join(notes)
    assert ("columns separated by" in told) == (separator != ",")
    assert ("decimal comma" in told) == (decimal == "," and separator != ",")
    assert ("UTF-16" in told) == (encoding == "utf-16")
    assert not same(path, FRAME, separator=separator, decimal=decimal, encoding=encoding)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16-le"])
def test_an_encoding_that_cannot_be_found_is_asked_for(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "größe;ort\n1;Köln\n2;Fürth\n", encoding)
    with pytest.raises(FalllineError, match=r"not UTF-8 text; .* encoding='latin-1'") as caught:
        read_table(path)
    assert "\n" not in str(caught.value)
    assert read_table(path, encoding=encoding).columns["ort"].tolist() == ["Köln", "Fürth"]


@pytest.mark.long
def test_a_byte_that_is_not_utf_8_is_found_late_in_the_file_too(tmp_path: Path) -> None:
    path = written(tmp_path, "a;b\n" + "1;2\n" * 50_000 + "3;é\n", "latin-1")
    with pytest.raises(FalllineError, match="encoding='latin-1'"):
        read_table(path)
    assert read_table(path, encoding="latin-1").rows == 50_001


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.5,2\n2.5,3\n", "data.csv: the first line holds '1.5', so it may be data and not the names"),
        ("5.1,3.5,setosa\n4.9,3,virginica\n", "the first line holds '5.1'"),
        ("red;1,5;2\nblue;2,5;3\nred;1;4\n", "the first line holds '1,5'"),
        ("red,?\nblue,large\n", "the first line holds '?', so it may be data"),
        ("red,low\nblue,high\ngreen,low\nred,high\n", "'red', 'low', which recur below, so it may be data and not"),
        ("e;x;s\nb;y;t\n e;x;s\n", "'e', 'x', 's', which recur below"),
        ("yes\nno\nyes\n", "'yes', which recur below, so it may be data"),
        ("p,x,s,n,s\ne,x,s,y,t\n", "columns 3 and 5 are both called 's'; every column needs its own name, or header="),
        ("p,x,\ne,x,s\n", "column 3 has no name; every column needs one in the header, or header=False if the first"),
        ("a b y\n1 2 3\n2 3 5\n", "the columns may be separated by spaces (3); say which: separator=' '"),
        ("name y\nann 3\nbob 5\ncut of", "may be separated by spaces (2); say which: separator=' '"),
        ("a   y\n1.5 2\n10  3\n", "may be separated by spaces (2); write one comma in place of the spaces"),
        ("sep=;\na;y\n1;2\n2;3\n", "the first line is 'sep=;', which tells Excel the separator; delete it"),
        ('"sep=,"\r\na,y\r\n1,2\r\n', "which tells Excel the separator; delete it"),
        ("# made today\na,y\n1,2\n", "the first line is '# made today', which looks like a comment; delete it"),
        ("# one, two, three\n# four\na;y\n1;2\n", "'# one, two, three', which looks like a comment; delete it"),
        ("name,2019,2020\na,1,2\n", "header=False names them x1, x2, ..., or header=True"),
        ("1,5;2,5\n2,5;3,5\n", "data.csv: the columns may be separated by ',' (3) or by ';' (2); say which"),
        ("a,b\tc\n1,2\t3\n", "may be separated by ',' (2) or by tabs (2); say which: separator='tab'"),
    ],
)
def test_a_file_that_can_be_read_in_two_ways_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FalllineError, match=re.escape(message)) as caught:
        read_table(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_the_first_line_is_read_as_asked(tmp_path: Path) -> None:
    path = written(tmp_path, "1.5,2\n2.5,3\n")
    without = read_table(path, header=False)
    assert (list(without.columns), without.rows) == (["x1", "x2"], 2)
    assert without.numbers("x1").tolist() == [1.5, 2.5]
    assert without.error_at(0, "x1", "is odd").of.startswith("data.csv, row 1 (line 1)")
    assert read_table(path, header=True).columns["1.5"].tolist() == ["2.5"]
    assert list(read_table(written(tmp_path, "a,b\n1,2\n"), header=False).columns["x1"]) == ["a", "1"]
    path.write_text("red,low\nblue,high\ngreen,low\nred,high\n")
    assert read_table(path, header=False).columns["x1"].tolist() == ["red", "blue", "green", "red"]
    assert read_table(path, header=True).rows == 3
    # One of the names does not recur.
    path.write_text("red,size\nblue,high\nred,low\n")
    assert list(read_table(path).columns) == ["red", "size"]
    assert list(read_table(written(tmp_path, "inf,nan,x1\n1,2,3\n")).columns) == ["inf", "nan", "x1"]


def test_spaces_and_a_leading_hash_are_kept_where_they_belong_to_names(tmp_path: Path) -> None:
    path = written(tmp_path, "a b y\n1 2 3\n2 3 5\n")
    frame = pd.read_csv(path, sep=" ")
    assert read_table(path, separator=" ").matrix(["a", "b", "y"]).tolist() == frame.to_numpy(float).tolist()
    path.write_text("full name\nAnn Lee\nBob Ray\n")
    assert list(read_table(path).columns) == ["full name"]
    path.write_text("hours studied\n1.5\n2\n")
    assert read_table(path).numbers("hours studied").tolist() == [1.5, 2]
    path.write_text("#id,y\n1,2\n2,3\n")
    assert read_table(path).numbers("#id").tolist() == [1, 2]


def test_a_comma_that_may_mark_thousands_is_left_until_it_is_used(tmp_path: Path) -> None:
    path = written(tmp_path, "people;area\n1,234;2\n5,678;3\n")
    assert read_table(path).numbers("area").tolist() == [2, 3]
    with pytest.raises(FalllineError, match=r"'1,234', which is not a number; .*, or decimal=','$"):
        read_table(path).numbers("people")
    assert read_table(path, decimal=",").numbers("people").tolist() == [1.234, 5.678]
    # Points before a comma are thousands; and one number with another count of digits settles it.
    path.write_text("people;area\n1.234.567,5;2\n5,25;3\n")
    assert read_table(path).numbers("people").tolist() == [1234567.5, 5.25]
    path.write_text("people;area\n1.234;2\n5;3\n")
    assert read_table(path).numbers("people").tolist() == [1.234, 5]
    assert read_table(path, decimal=",").numbers("people").tolist() == [1234, 5]
    path.write_text("people;area\n1,234;2\n5,6;3\n")
    assert read_table(path).numbers("people").tolist() == [1.234, 5.6]


@pytest.mark.parametrize("cell", ["1.25", "0.5", "1234.5", "0.125", ".5", "1.5e3", "-2.5", "12.3456"])
def test_a_point_is_no_decimal_mark_where_the_comma_is(tmp_path: Path, cell: str) -> None:
    path = written(tmp_path, f"a;b\n1.125;1,5\n{cell};2,5\n")
    message = f"row 2 (line 3), column 'a': the value is {cell!r}, but the decimal mark is a comma; write "
    with pytest.raises(FalllineError, match=re.escape(message + cell.replace(".", ",")) + "$"):
        read_table(path, decimal=",").numbers("a", missing=True)
    path.write_text(f"a;b\n1.125;1,5\n{cell.replace('.', ',')};2,5\n")
    frame = pd.read_csv(path, sep=";", decimal=",", thousands=".")
    assert read_table(path, decimal=",").matrix(["a", "b"]).tolist() == frame.to_numpy(float).tolist()
    # A column of such cells alone is one of wrong numbers, not of texts.
    path.write_text(f"a;b\n{cell};1,5\n{cell};2,5\n")
    assert read_table(path, decimal=",").is_text("a") is False


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("1,500", "its comma marks thousands; write 1500"),
        ("1,500.5", "its comma marks thousands; write 1500.5"),
        ("-12,345,678.25", "its commas mark thousands; write -12345678.25"),
        ("1 500", "its space marks thousands; write 1500"),
        ("1\u202f500\u202f000", "its spaces mark thousands; write 1500000"),
        ("1'500.5", "its apostrophe marks thousands; write 1500.5"),
        ("1.5%", "it looks like a percentage; write 1.5"),
        ("25 %", "it looks like a percentage; write 25"),
        ("$1,500", "it looks like an amount of money; write 1500"),
        ("20 €", "it looks like an amount of money; write 20"),
    ],
)
@pytest.mark.parametrize("others", ["0.5", "2,500.25"])
def test_a_number_written_otherwise_is_told_as_one(tmp_path: Path, cell: str, told: str, others: str) -> None:
    path = written(tmp_path, f'a,b,y\n"{cell}","{others}",1\n"{cell}","{others}",2\n')
    with pytest.raises(FalllineError) as caught:
        fit(path, "y", features=["a"], model="linear")
    place = "data.csv, row 1 (line 2), column 'a'"
    assert str(caught.value) == f"{place}: the value is {' '.join(cell.split())!r}, which is not a number: {told}"
    with pytest.raises(FalllineError, match=re.escape(told)):
        fit({"a": [cell, cell], "b": [others, others], "y": [1, 2]}, "y", model="linear")


def test_a_decimal_comma_next_to_decimal_points_is_advised_to_be_written_as_they_are(tmp_path: Path) -> None:
    path = written(tmp_path, 'a,b\n"1,5",0.5\n2,1.5\n')
    with pytest.raises(FalllineError, match=r"is '1,5', which is not a number; write 1\.5$"):
        read_table(path).numbers("a")
    path.write_text('a,b\n"1,500",5\n2,1\n')
    with pytest.raises(FalllineError, match=r"; write 1500 if its comma marks thousands, or decimal=','$"):
        read_table(path).numbers("a")


def test_question_marks_and_marks_asked_for_are_missing(tmp_path: Path) -> None:
    path = written(tmp_path, "x,y\n1,2\n?,3\n-999,4\n")
    with pytest.raises(FalllineError, match=re.escape("row 2 (line 3), column 'x': the value is missing (marked '?')")):
        read_table(path).numbers("x")
    marks: list[Any] = ["-999", -999, [-999, "none"]]
    for na in marks:
        found = read_table(path, na=na).numbers("x", missing=True)
        np.testing.assert_array_equal(found, [1, np.nan, np.nan])
    path.write_text("x;y\n1;2\n-;3\n.;4\n")
    with pytest.raises(FalllineError, match=r"which is not a number; .*, or na='-' if it marks a missing entry$"):
        read_table(path).numbers("x")
    np.testing.assert_array_equal(read_table(path, na=["-", "."]).numbers("x", missing=True), [1, np.nan, np.nan])


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        ({"separator": ""}, "separator is ''; it must be one character, such as ';', or 'tab'"),
        ({"separator": "ab"}, "separator is 'ab'"),
        ({"separator": '"'}, "separator is '\"'"),
        ({"decimal": ";"}, "decimal is ';'; allowed: '.', ','"),
        ({"encoding": "latin-eins"}, "encoding is 'latin-eins'; such as 'utf-8', 'latin-1'"),
        ({"encoding": "hex"}, "encoding is 'hex'; such as"),
        ({"encoding": 8}, "encoding is 8; such as"),
        ({"header": "yes"}, "header is 'yes'; allowed: True, False, None"),
    ],
)
def test_impossible_formats_are_refused(reading: Any, message: str) -> None:
    with pytest.raises(FalllineError, match=re.escape(message)):
        CsvFormat(**reading)


def test_data_that_are_no_csv_file_have_no_such_format(tmp_path: Path) -> None:
    assert open_source({"a": [1]}, separator=None, header=None, na=()).columns == ("a",)
    with pytest.raises(FalllineError, match=r"^decimal is ',', but data is no CSV file; leave it out$"):
        open_source({"a": [1]}, decimal=",")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "data.parquet")
    for path in (tmp_path, tmp_path / "data.parquet"):
        assert open_source(path, na=()).columns == ("a",)
        with pytest.raises(FalllineError, match=r"^na is -999, but data is no CSV file; leave it out$"):
            open_source(path, na=-999)


def test_a_large_file_and_a_pipe_are_read_as_a_small_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a;b\n" + "".join(f"{i},5;{i}\n" for i in range(500))
    small = read_table(written(tmp_path, text))
    monkeypatch.setattr(source_module, "KEPT", 0)
    large = open_source(tmp_path / "data.csv")
    (table,) = large.blocks(0, ["a", "b"])
    assert table.numbers("a").tolist() == small.numbers("a").tolist() == (np.arange(500) + 0.5).tolist()
    assert large.notes == ("CSV read as: columns separated by ';', numbers with a decimal comma",)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(text,))
    writer.start()
    piped = open_source(pipe)
    writer.join()
    assert piped.notes == large.notes


@pytest.mark.long
@given(
    st.lists(
        st.lists(st.floats(-1e6, 1e6).map(lambda number: round(number, 3)), min_size=2, max_size=2),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([";", "\t", "|", ","]),
)
def test_numbers_between_any_separators_are_found(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[float]], separator: str
) -> None:
    text = separator.join("ab") + "\n" + "".join(separator.join(map(str, row)) + "\n" for row in rows)
    path = written(tmp_path_factory.mktemp("csv"), text)
    assert read_table(path).matrix(["a", "b"]).tolist() == rows
