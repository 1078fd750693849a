"""`fallline landscapes`: the named test functions."""

from __future__ import annotations

from fallline.cli import options, report
from fallline.json_text import written
from fallline.objectives import LANDSCAPES, Landscape
from fallline.tables import text_table


def landscapes(json: options.JsonOption = False) -> None:
    """List the landscapes that can be named in place of a formula: their usual search box, and their minima."""
    if json:
        report.say(written([vars(landscape) for landscape in LANDSCAPES.values()]))
        return
    rows = [[name, _box(landscape), _minima(landscape), landscape.formula] for name, landscape in LANDSCAPES.items()]
    report.say(text_table(["name", "searched in", "minima", "formula"], rows, left=(0, 3)))


def _box(landscape: Landscape) -> str:
    return ", ".join(f"{low:g}:{high:g}" for low, high in landscape.bounds)


def _minima(landscape: Landscape) -> str:
    """The first of the minima and how many more there are."""
    first, *others = landscape.minima
    place = f"({', '.join(f'{number:.5g}' for number in first)})"
    return f"{place} and {len(others)} more" if others else place
