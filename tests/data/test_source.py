from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from tests.refusals import refusal

from fallline.data import open_source, read_table
from fallline.data.csv_files import CsvFile
from fallline.errors import FalllineError

FRAME = pd.DataFrame(
    {
        "number": [1.5, None, -2.0, 4.0],
        "whole": pd.array([1, 2, None, 4], dtype="Int64"),
        "text": ["a", None, "b", "a"],
        "category": pd.Categorical(["x", "y", "x", "y"]),
        "flag": [True, False, True, True],
    }
)


def test_parquet_is_read_row_group_by_row_group(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    FRAME.to_parquet(path, row_group_size=3)
    source = open_source(path)
    assert source.columns == tuple(FRAME.columns)
    assert len(source.parts) == 2
    (last,) = source.blocks(1, ["text", "number"])
    assert last.columns["text"].tolist() == ["a"]
    assert str(last.error_at(0, "text", "is odd")) == "data.parquet, row 4, column 'text': the value is odd"
    table = read_table(path)
    np.testing.assert_array_equal(table.numbers("number", missing=True), [1.5, np.nan, -2, 4])
    np.testing.assert_array_equal(table.numbers("whole", missing=True), [1, 2, np.nan, 4])
    assert table.numbers("flag").tolist() == [1, 0, 1, 1]
    assert table.columns["text"].tolist() == ["a", None, "b", "a"]
    assert table.columns["category"].tolist() == ["x", "y", "x", "y"]


def test_parquet_is_known_by_its_content_too(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "data.bin")
    assert open_source(tmp_path / "data.bin").columns == tuple(FRAME.columns)


def test_a_column_with_a_point_in_its_name_is_read(tmp_path: Path) -> None:
    pd.DataFrame({"a.b": [1, 2], "a": [3, 4]}).to_parquet(tmp_path / "data.parquet")
    assert read_table(tmp_path / "data.parquet").numbers("a.b").tolist() == [1, 2]


def test_nested_columns_are_refused_by_name_where_they_are_used(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    parquet.write_table(pa.table({"a": [1, 2], "list": [[1], [2]], "struct": [{"p": 1}, {"p": 2}]}), path)
    source = open_source(path)
    assert [table.numbers("a").tolist() for table in source.blocks(0, ["a"])] == [[1, 2]]
    assert "data.parquet, column 'list': its entries are list<" in refusal(list, source.blocks(0, ["a", "list"]))
    assert "column 'struct': its entries are struct<" in refusal(list, source.blocks(0, ["struct"]))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"junk" * 100, b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_what_is_no_parquet_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.parquet"
    path.write_bytes(content)
    assert refusal(open_source, path).startswith(f"data is {str(path)!r}, which cannot be read as a Parquet file: ")


def test_a_damaged_parquet_file_is_refused_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    pd.DataFrame({"a": np.random.default_rng(0).normal(size=5000)}).to_parquet(path, compression="snappy")
    content = bytearray(path.read_bytes())
    content[4:2000] = b"\xff" * 1996  # where the first page says what it is
    path.write_bytes(content)
    assert "data.parquet: cannot be read as a Parquet file" in refusal(read_table, path)


def test_an_absent_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "absent.parquet"
    assert refusal(open_source, path).startswith(f"data is {str(path)!r}, which cannot be read as a Parquet file: ")


def test_parquet_columns_need_different_names(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    parquet.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
    assert "columns 1 and 2 are both called 'a'" in refusal(open_source, path)


def test_a_folder_stands_for_its_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "year=2").mkdir()
    (tmp_path / "b.csv").write_text("y,x\n0,2\n")
    pd.DataFrame({"x": [1], "y": [1]}).to_parquet(tmp_path / "a.parquet")
    (tmp_path / "year=2" / "c.CSV").write_text("x,y\n3,0\n4,1\n")
    (tmp_path / "year=2" / "empty.csv").write_text("x,y\n")
    for passed_over in ("_temporary.csv", ".hidden.csv", "notes.txt"):
        (tmp_path / passed_over).write_text("p,q\n")
    table = read_table(tmp_path)
    assert table.numbers("x").tolist() == [1, 2, 3, 4]
    assert table.numbers("y").tolist() == [1, 0, 0, 1]
    (tmp_path / "year=2" / "d.csv").write_text("x,z\n1,2\n")
    assert refusal(read_table, tmp_path) == (
        "d.csv lacks the column 'y', which a.parquet has; all files of a folder need the same columns"
    )
    (tmp_path / "year=2" / "d.csv").write_text("x,y,z\n1,2,3\n")
    assert "a.parquet lacks the column 'z', which d.csv has" in refusal(read_table, tmp_path)


def test_a_folder_without_rows_is_refused(tmp_path: Path) -> None:
    assert "a folder without data files" in refusal(read_table, tmp_path)
    (tmp_path / "a.csv").write_text("x,y\n")
    assert refusal(read_table, tmp_path) == f"{tmp_path.name} has columns but no rows"


def test_csv_in_blocks_is_csv_at_once(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text('a,b\n1,x\n\n2,"y\ny"\n3,z\n4,\n5,w\n')
    (whole,) = CsvFile(path, "data").blocks(None, None)
    blocks = list(CsvFile(path, "data").blocks(["b", "a"], 2))
    assert [table.rows for table in blocks] == [2, 2, 1]
    for name in ("a", "b"):
        assert [entry for table in blocks for entry in table.columns[name]] == whole.columns[name].tolist()
    assert [line for table in blocks for line in table.lines] == list(whole.lines)
    assert str(blocks[2].error_at(0, "b", "is odd")) == str(whole.error_at(4, "b", "is odd"))
    path.write_text("a,b\n1,2\n3,4\n5,6\n7\n")
    assert refusal(lambda: list(CsvFile(path, "data").blocks(["a"], 2))) == (
        "data.csv, row 4 (line 5): 1 values, but the header names 2 columns"
    )


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/random", "/dev/full", "/dev/null"])
def test_a_device_which_may_have_no_end_is_refused(device: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").symlink_to(device)
    for path in (device, tmp_path / "rows.csv"):
        with pytest.raises(FalllineError, match=r"which is a device; a file, a folder or a pipe is needed$"):
            open_source(path)


def test_a_pipe_is_read_once_and_kept(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("x,y\n1,2\n3,4\n",))
    writer.start()
    source = open_source(pipe)
    writer.join()
    for _ in range(2):
        assert [table.numbers("y").tolist() for table in source.blocks(0, ["y"])] == [[2, 4]]
