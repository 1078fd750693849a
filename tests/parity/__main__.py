"""Write docs/conventions.md, with the parity table measured anew: `python -m tests.parity`."""

from __future__ import annotations

import os
import sys

# As in tests/conftest.py: before Keras and JAX are imported.
os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

from importlib.metadata import version

from tests.conventions_page import MEASURED, PAGE, conventions_part
from tests.parity.measure import STEPS, Measured, measured, measured_by_default
from tests.parity.objectives import COURSES
from tests.parity.row import Row
from tests.parity.table import TABLE

from fallline.files import whole_file

INTRODUCTION = f"""\
{MEASURED}

Every rule below has walked beside its library's own optimizer, in float64, over {STEPS} steps unless the table says
fewer, with every hyperparameter moved at least once, on four objectives
({", ".join(course.name for course in COURSES)}), and once more with all of the library's defaults.
The difference is the largest of |Δx| in any coordinate, relative to the largest |x| of that coordinate so far.
`make parity` repeats it.
"""


def main() -> None:
    """Measure every row and write the page."""
    lines = ["| Rule | Library | Runs | Fewest steps | Largest difference |", "|---|---|---|---|---|"]
    notes: list[str] = []
    for row in TABLE:
        runs = _runs(row)
        worst = max(run.difference for run in runs)
        note = ""
        if row.why:
            if row.why not in notes:
                notes.append(row.why)
            note = f" ({notes.index(row.why) + 1})"
        steps = min(run.steps for run in runs)
        name = row.name.rpartition(" - ")[0]
        lines.append(f"| {name} | {row.library} {version(row.library)} | {len(runs)} | {steps} | {worst:.1e}{note} |")
        sys.stderr.write(f"{lines[-1]}\n")
    text = "\n".join([conventions_part(), INTRODUCTION, *lines])
    text += "".join(f"\n\n({number}) {note}" for number, note in enumerate(notes, start=1)) + "\n"
    with whole_file(PAGE, "page") as file:
        file.write_text(text)


def _runs(row: Row) -> list[Measured]:
    runs = [measured(row, settings, course) for settings in row.grid for course in row.courses]
    return [*runs, measured_by_default(row, COURSES[2])] if row.defaults else runs


if __name__ == "__main__":
    main()
