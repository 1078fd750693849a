"""The data files that come with Fallline."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def challenger() -> Path:
    """The path of a CSV file: joint temperature (°F) and O-ring distress (0, 1) of 23 Space Shuttle launches.

    Rogers Commission (1986), Report to the President; Dalal, Fowlkes and Hoadley (1989), Risk analysis of the
    space shuttle. The file `challenger.md` beside it describes the data.

    >>> challenger().read_text().splitlines()[:2]
    ['temperature_F,distress', '66,0']
    """
    return Path(str(resources.files("fallline.examples") / "challenger.csv"))
