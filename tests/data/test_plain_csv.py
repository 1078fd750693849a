"""Plain CSV files are read by PyArrow, and hold what Python's own reader finds in them."""

from __future__ import annotations

import csv
import gc
import io
import pickle
import re
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline import fit
from fallline.data import csv_files, open_source, plain_csv, read_table, source
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
        ("x,y\r1,a\r2,b\n", False),
        ("x,y\r1,a\n2,b\n", False),
        ('x,y\r1,"a\nb"\r2,c\r', False),
        ("x,y\r\r\n1,a\r\n", False),
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
    opened = open_source(tmp_path / "data.csv")
    (table,) = CsvFile(tmp_path / "data.csv", "data").blocks(["d", "a"], None)
    assert list(table.columns) == ["d", "a"]
    some = table.on_rows(slice(700, 900)).on_rows(slice(50, None))
    assert (some.rows, some.lines[0]) == (150, 752)
    for name in "ad":
        assert np.array_equal(read_table(opened).numbers(name), columns[name])
        assert np.array_equal(some.numbers(name), columns[name][750:900])
        assert some.columns[name].tolist() == table.columns[name].tolist()[750:900]


@pytest.mark.parametrize("kept", [0, 2**26])
def test_a_fit_is_the_same_whoever_reads_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    monkeypatch.setattr(source, "KEPT", kept)
    monkeypatch.setattr(source, "BLOCK", 100)
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
    monkeypatch.setattr(csv_files, "readable", lambda form: False)
    assert not is_plain(path)
    by_python = fitted()
    assert by_arrow.parameters == by_python.parameters
    assert by_arrow.notes == by_python.notes
    assert by_arrow.held_out.whole().y.tolist() == by_python.held_out.whole().y.tolist()


def test_a_worker_is_sent_the_path_and_not_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x\n" + "1\n" * 10_000)
    file = CsvFile(path, "data")
    before = pickle.dumps(file)
    list(file.blocks(None, None))
    assert pickle.dumps(file) == before


def test_blocks_are_cut_alike_by_both_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,y\n" + "".join(f"{i},{i}{i}\n" for i in range(25)))

    def blocks() -> Any:
        cut = CsvFile(path, "data").blocks(["y"], 10)
        return [(table.columns["y"].tolist(), list(table.lines), table.first_row) for table in cut]

    by_arrow = blocks()
    assert [len(lines) for _, lines, _ in by_arrow] == [10, 10, 5]
    monkeypatch.setattr(csv_files, "readable", lambda form: False)
    assert by_arrow == blocks()


@pytest.mark.parametrize("at_once", [1, 20, 64, 1000])
@pytest.mark.parametrize(
    "odd",
    [
        "30,3030\n",
        '"30","3030"\r\n',
        '30,"30\n30"\n',
        '"3\n0","30\n30"\n',
        "30,3030\n\n",
        '30,"a ""b"""\n',
        "30\n",
        '30,"3030\n',
        "30,inf\n",
        "30,\0\n",
        "\ufeff30,3030\n",
    ],
)
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_file_read_piece_by_piece_is_what_it_is_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, odd: str, end: str
) -> None:
    path = tmp_path / "data.csv"
    rows = [f"{i},{i}{i}\n" for i in range(59)]
    path.write_text("x,y\n" + "".join([*rows[:30], odd, *rows[31:]]) + f"59,5959{end}", encoding="utf-8", newline="")

    def blocks() -> Any:
        found: list[Any] = []
        try:
            for table in CsvFile(path, "data").blocks(["y", "x"], 7):
                found.append((table.columns["y"].tolist(), list(table.lines), table.first_row, list(table.columns)))
                found.append(table.numbers("x", missing=True).tolist())
        except FalllineError as error:
            found.append(str(error))
        return found

    monkeypatch.setattr(plain_csv, "AT_ONCE", at_once)
    in_pieces = blocks()
    monkeypatch.setattr(csv_files, "readable", lambda form: False)
    assert in_pieces == blocks()
    assert len(in_pieces) > 8


def test_a_large_folder_of_files_is_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"x,y\n{i},{i}\n" for i in range(5)]
    for i, text in enumerate(texts):
        (tmp_path / f"{i}.csv").write_text(text)
    tables: list[weakref.ref[Any]] = []

    def noted(*given: Any) -> Any:
        for table in plain_csv.plain_tables(*given):
            tables.append(weakref.ref(table.columns))
            yield table

    monkeypatch.setattr(csv_files, "plain_tables", noted)
    monkeypatch.setattr(source, "KEPT", sum(map(len, texts)) - 1)
    opened = open_source(tmp_path)
    values = [t.numbers("x").tolist() for part in range(5) for t in opened.blocks(part, ["x"])]
    assert values == [[float(i)] for i in range(5)]
    gc.collect()
    assert len(tables) == 5
    assert not any(table() for table in tables)


def test_numbers_cannot_be_changed_by_who_asks_for_them(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("x\n1\n2\n")
    table = read_table(tmp_path / "data.csv")
    with pytest.raises(ValueError, match="read-only"):
        table.numbers("x")[:] = 7
    assert table.numbers("x").tolist() == [1, 2]
    assert table.columns["x"] is table.columns["x"]


def test_a_slice_is_pickled_alone(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("x,y\n" + "".join(f"{i},a{i}\n" for i in range(10_000)))
    table = read_table(tmp_path / "data.csv")
    table.numbers("x")
    some = table.on_rows(slice(10, 15))
    again = pickle.loads(pickle.dumps(some))
    assert len(pickle.dumps(some)) < 4000
    assert again.numbers("x").tolist() == [10, 11, 12, 13, 14]
    assert again.columns["y"].tolist() == some.columns["y"].tolist()
    assert (list(again.lines), again.first_row) == (list(some.lines), some.first_row)


@pytest.mark.parametrize(
    ("data", "reading"),
    [
        (b"\xef\xbb\xbf1,2\n3,4\n", {"encoding": "utf-8", "header": False}),
        (b"\xef\xbb\xbf1,2\n3,4\n", {"encoding": "utf-8-sig", "header": False}),
        (b"\xef\xbb\xbfx,y\n3,4\n", {"encoding": "utf-8"}),
        (b"x,y\n\xef\xbb\xbf1,2\n", {}),
        (b"\xef\xbb\xbf\xef\xbb\xbf1,2\n", {"header": False}),
        (b"x,y\n" + b"a" * 131_073 + b",1\n", {}),
        (b"x,y\n" + b"a" * 131_072 + b",1\n", {}),
        (b"x" * 131_073 + b",y\n1,1\n", {}),
        *((f"x,y\n0.5,1\n{blank}1,2\n".encode(), {}) for blank in "\x1c\x1d\x1e\x1f\x0b\x0c\x85\xa0\u2003\u200b\ufeff"),
        *((f"x,y\n0.5,1\n{blank}NA,2\n".encode(), {}) for blank in "\x1c\x1f\x0c\x85\u2003\u200b"),
    ],
    ids=lambda given: repr(given)[:40],
)
def test_both_readers_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, reading: Any) -> None:
    (tmp_path / "data.csv").write_bytes(data)

    def numbers(table: Any, name: str) -> Any:
        try:
            return repr(table.numbers(name, missing=True).tolist())
        except FalllineError as error:
            return str(error)

    def read() -> Any:
        try:
            table = read_table(tmp_path / "data.csv", **reading)
        except FalllineError as error:
            return str(error)
        return [
            (name, table.columns[name].tolist(), numbers(table, name), table.is_text(name)) for name in table.columns
        ]

    by_arrow = read()
    monkeypatch.setattr(csv_files, "readable", lambda form: False)
    assert by_arrow == read()


@pytest.mark.parametrize(
    "late",
    [
        *["warm", "inf", "nAn", "-nan", "NaN", '"7"', "+7", "1e400", "007", "0x7", "?", '""'],
        " NA ",
        " 7 ",
        "",
        "7" * 200_000,
    ],
    ids=lambda text: repr(text)[:12],
)
@pytest.mark.parametrize("separator", [",", ";"])
def test_what_comes_late_in_a_column_of_numbers_is_read_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: str, separator: str
) -> None:
    monkeypatch.setattr(plain_csv, "PIECE", 100)
    rows = [f"{i}.5{separator}{i % 2}\n" for i in range(60)]
    (tmp_path / "data.csv").write_text("".join([f"x{separator}y\n", *rows, f"{late}{separator}1\n", *rows]))

    def read() -> Any:
        try:
            table = read_table(tmp_path / "data.csv")
            numbers = table.numbers("x", missing=True).tolist()
        except FalllineError as error:
            return str(error)
        return repr((numbers, table.columns["x"].tolist(), table.columns["y"].tolist(), table.is_text("x")))

    by_arrow = read()
    monkeypatch.setattr(csv_files, "readable", lambda form: False)
    assert by_arrow == read()


@pytest.mark.parametrize("target", ["kind", "code", "size"])
def test_codes_and_classes_are_those_of_the_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    random = np.random.default_rng(0)
    kinds, codes = random.choice(["no", " yes", "yes"], 400), random.choice(["01", "1", "2.0", ""], 400)
    lines = [
        f"{random.normal():.3f},{kind},{code},{int(random.random() < 0.5)}"
        for kind, code in zip(kinds, codes, strict=True)
    ]
    (tmp_path / "data.csv").write_text("\n".join(["x,kind,code,size", *lines]) + "\n")

    def fitted() -> Any:
        found = fit(
            tmp_path / "data.csv", target, model="softmax", categories=["code"] if target != "code" else "one-hot",
            features=["x", "code"] if target != "code" else ["x", "kind"], missing="drop", max_steps=20,
        )  # fmt: skip
        return found.parameters, found.notes, found.classes, found.score()

    by_arrow = fitted()
    monkeypatch.setattr(csv_files, "readable", lambda form: False)
    assert by_arrow == fitted()
