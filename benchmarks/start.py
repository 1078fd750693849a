"""How long a process takes until it is ready, compared with Python and NumPy: `python -m benchmarks.start`."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import Row, faster, in_turn, measured, show

TITLE = "Start"
ABOUT = """\
Whole processes, from start to end, alternately with the peer: what a user waits for before anything is computed, and
for a run that is over at once. The modules' compiled files and the machine code of the run are there from an earlier
process. *import* is what a program pays that uses the library."""

# The script that pip installs beside Python.
COMMAND = (str(Path(sys.executable).with_name("fallline")),)
LIBRARIES, FIRST_NAME = "import numpy, rich, typer", "import fallline; fallline.minimize"
COMPLETION = {"_FALLLINE_COMPLETE": "complete_bash", "COMP_WORDS": "fallline r", "COMP_CWORD": "1"}


def rows(repeats: int = 9) -> Iterator[Row]:
    """Every kind of start."""
    return measured(*(functools.partial(part, repeats) for part in (answers, imports, run)))


def answers(repeats: int) -> Iterator[Row]:
    """What the command line answers without computing, in at most three times the time of an empty program."""
    ours = {
        "fallline --help": process(*COMMAND, "--help"),
        "fallline --version": process(*COMMAND, "--version"),
        "completion of `fallline r`": process(*COMMAND, **COMPLETION),
    }
    yield from beside("pass", ours, repeats, 1 / 3)


def imports(repeats: int) -> Iterator[Row]:
    """The package, and its first name, in at most 1.25 times the time of NumPy; the second has no aim."""
    yield from beside("import numpy", {"import fallline": python("import fallline")}, repeats, 1 / 1.25)
    yield from beside("import numpy", {FIRST_NAME: python(FIRST_NAME)}, repeats)


def run(repeats: int) -> Iterator[Row]:
    """A run with its table, in at most 1.3 times the time of the libraries it needs, and 50 ms."""
    taken = in_turn({"peer": python(LIBRARIES), "ours": process(*COMMAND, "run", "x**2", "--start", "1")}, repeats)
    allowed = [1.3 * seconds + 0.05 for seconds in taken["peer"]]
    yield faster(f'fallline run "x**2" --start 1: 1.3 × `python -c "{LIBRARIES}"` + 50 ms', allowed, taken["ours"], 1.0)


def beside(peer: str, ours: dict[str, Callable[[], Any]], repeats: int, aim: float | None = None) -> Iterator[Row]:
    """Processes compared with one of Python that executes `peer`."""
    taken = in_turn({peer: python(peer), **ours}, repeats)
    for name in ours:
        yield faster(f'{name}: `python -c "{peer}"`', taken[peer], taken[name], aim)


def python(program: str) -> Callable[[], Any]:
    """A process of Python that executes a program."""
    return process(sys.executable, "-c", program)


def process(*command: str, **variables: str) -> Callable[[], Any]:
    """A process with these environment variables more, from its start to its end."""
    return functools.partial(
        subprocess.run, command, env={**os.environ, **variables}, check=True, stdout=subprocess.DEVNULL
    )


if __name__ == "__main__":
    show(rows)
