"""`fallline predict`: predictions of a saved model for files of data."""

from __future__ import annotations

import contextlib
import csv as csv_format
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, TextIO

import numpy as np
import numpy.typing as npt
import typer

from fallline.arrays import FloatArray
from fallline.cli import options, report
from fallline.cli.groups import CsvOptions, with_groups
from fallline.errors import FalllineError
from fallline.files import check_writable, whole_file
from fallline.fitting.fitted import FittedModel

# A block of rows: columns by name.
Columns = dict[str, npt.NDArray[Any]]

ENDINGS = (".csv", ".parquet")


@with_groups
def predict(
    model: Annotated[
        Path, typer.Argument(parser=options.path, metavar="MODEL", help="What fallline fit --save wrote: .json.")
    ],
    data: Annotated[
        Path,
        typer.Argument(parser=options.path, metavar="DATA", help="A CSV file, a Parquet file, or a folder of them."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            parser=options.path, metavar="FILE", help="Write the predictions: .csv or .parquet. [default: print]"
        ),
    ] = None,
    *,
    csv: CsvOptions,
) -> None:
    """Print a fitted model's prediction for each row of files, in order.

    There is one line per row: the prediction, and for classes the probability of each, or the margin. Both are empty
    where an entry is missing, if the model was fitted with --missing drop.
    """
    if out is not None:
        if out.suffix not in ENDINGS:
            raise FalllineError("--out", str(out), f"its name must end in {' or '.join(ENDINGS)}")
        check_writable(out, "--out")
    fitted = FittedModel.load(model, "MODEL")
    blocks = (_columns(fitted, answers) for _, answers in fitted.answers(data, **csv.reading))
    if out is None:
        for text in _lines(blocks):
            report.say(text)
        return
    rows = 0
    with whole_file(out, "--out") as draft, _writer(draft) as write:
        for columns in blocks:
            write(columns)
            rows += len(columns["prediction"])
    report.say(f"{rows} predictions of {fitted.preparation.target}\n\nwritten: {out}")


def _columns(fitted: FittedModel, answers: FloatArray) -> Columns:
    classes = fitted.preparation.classes
    if classes is None:
        return {"prediction": answers}
    named = {"prediction": fitted.named(answers)}
    if answers.ndim == 2:
        return named | {f"P({name})": answers[:, i] for i, name in enumerate(classes.names)}
    if fitted.boundary == 0:
        return named | {"margin": answers}
    return named | {f"P({name})": p for name, p in zip(classes.names, (1 - answers, answers), strict=True)}


@contextlib.contextmanager
def _writer(path: Path) -> Iterator[Callable[[Columns], object]]:
    """A function that appends a block to a file."""
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            yield _csv_writer(file)
        return
    try:
        import pyarrow as pa
        import pyarrow.parquet as parquet
    except ImportError:
        raise FalllineError(
            "--out", problem='is a Parquet file, which needs PyArrow: pip install "fallline[parquet]"'
        ) from None
    with contextlib.ExitStack() as stack:
        writers: list[Any] = []

        def write(columns: Columns) -> None:
            table = pa.table({name: pa.array(column, from_pandas=True) for name, column in columns.items()})
            if not writers:
                writers.append(stack.enter_context(parquet.ParquetWriter(path, table.schema)))
            writers[0].write_table(table.cast(writers[0].schema))

        yield write


def _csv_writer(file: TextIO) -> Callable[[Columns], None]:
    writer = csv_format.writer(file, lineterminator="\n")
    headed: list[bool] = []

    def write(columns: Columns) -> None:
        if not headed:
            writer.writerow(columns)
            headed.append(True)
        cells = (["" if _is_gap(entry) else entry for entry in column.tolist()] for column in columns.values())
        writer.writerows(zip(*cells, strict=True))

    return write


def _lines(blocks: Iterator[Columns]) -> Iterator[str]:
    """The blocks as the lines of a CSV file, without the last line break."""
    text = io.StringIO()
    write = _csv_writer(text)
    for columns in blocks:
        write(columns)
        yield text.getvalue().rstrip("\n")
        text.seek(0)
        text.truncate()


def _is_gap(entry: Any) -> bool:
    return entry is None or (isinstance(entry, float) and np.isnan(entry))
