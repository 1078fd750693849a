"""Write tests/optimizers/library_steps.json: `python -m tests.parity.recording`.

It has what the libraries make of a few gradients; tests that run without them hold every convention to it.
"""

from __future__ import annotations

import json
import os
from typing import Any

# As in tests/conftest.py: before Keras and JAX are imported.
os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

from tests.optimizers.library_steps import FILE, GIVEN, START, STEPS
from tests.parity.drivers import DRIVERS, torch_style
from tests.parity.measure import peer
from tests.parity.objectives import Course
from tests.parity.row import Row
from tests.parity.table import TABLE

from fallline.encoding import encode

COURSE = Course("given gradients", START, lambda x, step: GIVEN[step - 1].copy())


def recorded(row: Row) -> dict[str, Any]:
    """The rule of a row with all settings moved that its grid moves, and the points of its peer."""
    settings: dict[str, Any] = {}
    for moved in row.grid:
        # Of several values the first, which fits the first of the others.
        settings = {**moved, **settings}
    rule = row.ours(**settings)
    drive = row.drive or DRIVERS.get(row.library, torch_style)
    points = drive(peer(row, dict(row.arguments(rule))), COURSE, STEPS)
    return {"name": row.name, "rule": encode(rule), "at_lookahead": row.at_lookahead, "bound": row.bound, "points": points.tolist()}


def main() -> None:
    """Write the file."""
    lines = (json.dumps(recorded(row)) for row in TABLE)
    FILE.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
