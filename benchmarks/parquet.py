"""Fitting a model to Parquet and CSV files, compared with plain reading: `python -m benchmarks.parquet`."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from benchmarks.measure import Row, compared, measured, show

from fallline import fit

COLUMNS = 50
ROWS_OF_A_GROUP = 2**17
GROUPS_OF_A_FILE = 5
GIGABYTE = 10**9
TITLE = "Data on disk"
ABOUT = """\
A logistic model of 50 features fitted to a folder of Parquet files, which may be larger than memory. The folder here is
small; `python -m benchmarks.parquet --gigabytes 16` makes it as large as you like. The peer is Arrow only reading the
same files, pass by pass, so a ratio of 1 is the fastest possible; memory is the peak of the process. The same data in
one CSV file, with labels that are texts, are read once and stay in memory; the peer is Arrow reading the file."""

# The rows of the CSV file, which is about 100 MB large.
CSV_ROWS = 100_000

# The peak memory allowed for the fit, whatever the size of the data.
MOST_MEMORY = GIGABYTE

READING = "plain reading, one file after the other"
# Each runs in its own process, to measure its own peak memory. The name `folder` is defined there.
TASKS = {
    READING: """
        import pathlib, pyarrow.parquet
        for path in sorted(pathlib.Path(folder).iterdir()):
            with pyarrow.parquet.ParquetFile(path, buffer_size=2**18) as file:
                for batch in file.iter_batches():
                    pass
        passes = 1
    """,
    "fit, L-BFGS, 4 steps": """
        import fallline
        fitted = fallline.fit(folder, "y", max_steps=4)
        # Survey, then each value and gradient at once, then the check for perfect separation.
        passes = 2 + fitted.trajectory.evaluations.gradient
        loss = fitted.value
    """,
    "fit, Adam, shuffled batches of 4096, 1 epoch": """
        import fallline
        fitted = fallline.fit(folder, "y", optimizer=fallline.Adam(0.01), batch_size=4096, epochs=1)
        # Survey, the epoch, the value before and after it, then the check for perfect separation.
        passes = 5
        loss = fitted.value
    """,
}

PROGRAM = """
import json, sys, time
from benchmarks.measure import peak_memory
folder = sys.argv[1]
loss = None
began = time.perf_counter()
{task}
seconds = time.perf_counter() - began
print(json.dumps(dict(passes=passes, seconds=seconds, peak=peak_memory(), loss=loss)))
"""


def generate(folder: Path, size: int) -> int:
    """Write files of about `size` bytes in total, with normal features and logistic labels; returns the bytes."""
    random = np.random.default_rng(0)
    weights = random.normal(size=COLUMNS) / np.sqrt(COLUMNS)
    names = [f"x{i}" for i in range(COLUMNS)]
    import pyarrow as pa
    import pyarrow.parquet as parquet

    written = number = 0
    while written < size:
        path = folder / f"part-{number:04}.parquet"
        schema = pa.schema([(name, pa.float64()) for name in names] + [("y", pa.int8())])
        with parquet.ParquetWriter(path, schema, compression="snappy", use_dictionary=False) as writer:
            for _ in range(GROUPS_OF_A_FILE):
                X = random.normal(loc=3, scale=2, size=(COLUMNS, ROWS_OF_A_GROUP))
                chance = 1 / (1 + np.exp(-(weights @ (X - 3))))
                labels = (random.random(ROWS_OF_A_GROUP) < chance).astype(np.int8)
                writer.write_table(pa.table([*X, labels], schema=schema))
        written += path.stat().st_size
        number += 1
    return written


def rows(gigabytes: float = 0.5, folder: Path | None = None) -> Iterator[Row]:
    """Each fit; without a folder, a temporary one."""
    return measured(functools.partial(fits, gigabytes, folder), functools.partial(fit_of_csv, folder))


def fits(gigabytes: float, where: Path | None) -> Iterator[Row]:
    """Generate the files and run each task."""
    with tempfile.TemporaryDirectory(prefix="fallline-parquet-", dir=where) as folder:
        size = generate(Path(folder), int(gigabytes * GIGABYTE))
        speeds = {}
        for name, task in TASKS.items():
            program = PROGRAM.format(task=textwrap.dedent(task))
            done = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True, check=True)
            told = json.loads(done.stdout)
            speeds[name] = size * told["passes"] / told["seconds"] / GIGABYTE
            if name != READING:
                yield Row(
                    f"{name}, {size / GIGABYTE:.2f} GB: {READING}",
                    f"{speeds[READING]:.2f} GB/s",
                    f"{speeds[name]:.2f} GB/s",
                    f"{speeds[name] / speeds[READING]:.2f} ×",
                )
                yield Row(
                    f"{name}: most memory",
                    ours=f"{told['peak'] / 1e6:.0f} MB",
                    aim=f"< {MOST_MEMORY / GIGABYTE:g} GB",
                    reached=told["peak"] < MOST_MEMORY,
                )


def fit_of_csv(where: Path | None, repeats: int = 7) -> Iterator[Row]:
    """A fit of a few steps to a CSV file."""
    import pyarrow as pa
    from pyarrow import csv

    random = np.random.default_rng(0)
    X = random.normal(loc=3, scale=2, size=(COLUMNS, CSV_ROWS))
    passed = np.where(random.random(CSV_ROWS) < 1 / (1 + np.exp(3 - X[0])), "yes", "no")
    with tempfile.TemporaryDirectory(prefix="fallline-csv-", dir=where) as folder:
        path = Path(folder, "data.csv")
        csv.write_csv(pa.table([*X, passed], names=[*(f"x{i}" for i in range(COLUMNS)), "y"]), path)
        yield compared(
            f"fit, 5 steps, a CSV file of {path.stat().st_size / 1e6:.0f} MB: pyarrow.csv.read_csv",
            lambda: csv.read_csv(path),
            lambda: fit(path, "y", max_steps=5),
            repeats,
            0.5,
        )


if __name__ == "__main__":
    show(rows)
