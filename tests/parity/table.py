"""The parity table: every rule that an installed library, or its authors' own package, has too."""

from __future__ import annotations

import importlib
from pathlib import Path

from tests.parity.row import Row

# One file a family: rows_momentum.py, rows_adam.py, ...
TABLE: tuple[Row, ...] = tuple(
    row
    for path in sorted(Path(__file__).parent.glob("rows_*.py"))
    for row in importlib.import_module(f"tests.parity.{path.stem}").ROWS
)
