"""Fits a model to a folder of Parquet files larger than memory: peak memory, and speed beside plain reading."""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

COLUMNS = 50
ROWS_OF_A_GROUP = 2**17
GROUPS_OF_A_FILE = 5
GIGABYTE = 10**9

# What the fit may take at its peak, whatever the size of the data.
MOST_MEMORY = GIGABYTE

# Each runs in a process of its own, whose peak is then its own. `folder` is given.
TASKS = {
    "plain reading": """
        import pyarrow.dataset
        for batch in pyarrow.dataset.dataset(folder).to_batches():
            pass
        passes = 1
    """,
    "plain reading, one file after the other": """
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
import json, resource, sys, time
folder = sys.argv[1]
loss = None
began = time.perf_counter()
{task}
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps(dict(passes=passes, seconds=seconds, peak=peak, loss=loss)))
"""


def generate(folder: Path, size: int) -> int:
    """Write files of about so many bytes together: normal features, labels drawn from a logistic model; its bytes."""
    random = np.random.default_rng(0)
    weights = random.normal(size=COLUMNS) / np.sqrt(COLUMNS)
    names = [f"x{i}" for i in range(COLUMNS)]
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


def main() -> None:
    """Generate, run each task, print the table, clean up."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--gigabytes", type=float, default=8.0, help="size of the folder (8)")
    arguments.add_argument("--folder", type=Path, help="where to make it: a folder with room (the temporary one)")
    given = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fallline-parquet-", dir=given.folder))
    try:
        size = generate(folder, int(given.gigabytes * GIGABYTE))
        print(f"{size / GIGABYTE:.2f} GB of Parquet, {COLUMNS} features of float64; {platform.machine()}, ", end="")
        print(f"Python {platform.python_version()}, PyArrow {pa.__version__}\n")
        print(f"{'':46}{'passes':>7}{'seconds':>9}{'GB/s a pass':>13}{'peak MB':>9}")
        peaks = {}
        for name, task in TASKS.items():
            program = PROGRAM.format(task=textwrap.dedent(task))
            done = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, text=True)
            if done.returncode:
                sys.exit(done.stderr)
            told = json.loads(done.stdout)
            speed = size * told["passes"] / told["seconds"] / GIGABYTE
            peaks[name] = told["peak"]
            print(f"{name:46}{told['passes']:7}{told['seconds']:9.1f}{speed:13.2f}{told['peak'] / 1e6:9.0f}")
        worst = max(peak for name, peak in peaks.items() if name.startswith("fit"))
        print(f"\npeak of the fits: {worst / 1e6:.0f} MB; allowed: {MOST_MEMORY / 1e6:.0f} MB")
        if worst > MOST_MEMORY:
            sys.exit("the fit took too much memory")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
