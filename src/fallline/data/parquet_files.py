"""Parquet files, read row group by row group in blocks of rows, with bounded memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.data.table import Table, check_names
from fallline.errors import FalllineError

# The read buffer of each column in bytes: without one, PyArrow reads whole row groups.
BUFFER = 2**18


@dataclass(frozen=True)
class RowGroup:
    """One row group of a Parquet file: rows that can be read without those before them.

    Attributes:
        path: the file.
        metadata: its footer, as PyArrow reads it.
        number: which row group.
        first_row: the number of rows in the row groups before.
        nested: the type of each column whose entries are not single values.
    """

    path: Path
    metadata: Any
    number: int
    first_row: int
    nested: Mapping[str, str]

    def blocks(self, columns: Sequence[str] | None, rows: int | None) -> Iterator[Table]:
        """Some columns of the row group (None: all), in blocks of `rows` rows (None: one block).

        Raises:
            FalllineError: when the file is damaged, or a column is nested.
        """
        parquet = _parquet()
        names = self.metadata.schema.to_arrow_schema().names if columns is None else list(columns)
        for name in names:
            if name in self.nested:
                raise FalllineError(
                    problem=f"{self.path.name}, column {name!r}: its entries are {self.nested[name]}, "
                    "not single values",
                    allowed="leave it out of the features",
                )
        first_row = self.first_row
        with (
            _refused(self.path),
            parquet.ParquetFile(self.path, metadata=self.metadata, buffer_size=BUFFER) as file,
        ):
            size = rows or self.metadata.row_group(self.number).num_rows
            for batch in file.iter_batches(size, row_groups=[self.number], columns=names):
                entries = {name: _entries(batch.column(name)) for name in names}
                yield Table(self.path.name, entries, first_row=first_row)
                first_row += batch.num_rows


def row_groups(path: Path, parameter: str) -> tuple[tuple[str, ...], list[RowGroup]]:
    """The names of a Parquet file's columns, and its row groups.

    Raises:
        FalllineError: when it is not a Parquet file, or PyArrow is not installed.
    """
    parquet = _parquet()
    with _refused(path, parameter), parquet.ParquetFile(path) as file:
        schema, metadata = file.schema_arrow, file.metadata
    check_names(schema.names, path.name)
    nested = {field.name: str(field.type) for field in schema if field.type.num_fields}
    counts = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    starts = np.cumsum([0, *counts])
    groups = [RowGroup(path, metadata, i, int(starts[i]), nested) for i, count in enumerate(counts) if count]
    return tuple(schema.names), groups


def _parquet() -> Any:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise FalllineError(
            "data", problem='is a Parquet file, which needs PyArrow: pip install "fallline[parquet]"'
        ) from None
    return parquet


@contextlib.contextmanager
def _refused(path: Path, parameter: str | None = None) -> Iterator[None]:
    """Turn PyArrow's errors into a FalllineError that names the file, in one line."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        reason = " ".join(reason.split()).split(". ")[0].rstrip(".")[:120]
        problem = f"cannot be read as a Parquet file: {reason}"
        if parameter is None:
            raise FalllineError(problem=problem, of=path.name) from None
        raise FalllineError(parameter, str(path), problem=f"which {problem}") from None


def _entries(column: Any) -> npt.NDArray[Any]:
    """A column as a NumPy array: numbers with NaN for nulls, or objects with None."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    entries: npt.NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return entries
