"""The files that come with Fallline: data, and recipes."""

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
    return _folder() / "challenger.csv"


def four_blobs() -> Path:
    """The path of a CSV file: 1,000 points (x, y) of four blobs (0 to 3), and the part, "training" or "kept", of each.

    The points are scikit-learn's `make_blobs(1000, centers=4, random_state=0)`, the parts those of its
    `train_test_split`, stratified by whether the blob is odd, with `random_state=0`.

    >>> four_blobs().read_text().splitlines()[:2]
    ['x,y,blob,part', '-2.508043,7.864081,3,training']
    """
    return _folder() / "four_blobs.csv"


def recipes() -> dict[str, Path]:
    """The paths of recipe files by their names: the worked examples, which `fallline run NAME` runs.

    >>> from fallline import Recipe
    >>> Recipe.load(recipes()["twelve_epochs"]).run().step_count
    12
    """
    return {path.stem: path for path in sorted(_folder().glob("*.toml"))}


def _folder() -> Path:
    return Path(str(resources.files("fallline.examples")))
