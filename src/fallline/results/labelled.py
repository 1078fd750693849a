"""Labelled runs: looked up by label, as one table, and as the contents of one file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from fallline.errors import FalllineError, nearest, shortened
from fallline.results.archive import Contents, joined, parted
from fallline.results.schema import OBJECT, TEXTS, check_header
from fallline.results.trajectory import Trajectory

if TYPE_CHECKING:
    import pandas as pd


def place_of(label: str, labels: Sequence[str]) -> int:
    """The index of the run with this label, or of the only run whose rule has this name.

    Raises:
        FalllineError: when there is none, or several runs have that rule.

    >>> place_of("adam", ("momentum, learning_rate 0.01", "adam, learning_rate 0.001"))
    1
    """
    if label in labels:
        return labels.index(label)
    places = [place for place, name in enumerate(labels) if name.startswith(f"{label}, ")]
    if len(places) != 1:
        raise FalllineError("label", label, nearest(label, labels))
    return places[0]


def labelled_frame(labels: Sequence[str], runs: Iterable[Trajectory]) -> pd.DataFrame:
    """All rows of all runs, the label in the first column."""
    frames = [run.to_frame() for run in runs]
    import pandas as pd

    for label, frame in zip(labels, frames, strict=True):
        frame.insert(0, "label", label)
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"label": []})


def joined_runs(labels: Sequence[str], runs: Iterable[Trajectory]) -> Contents:
    """The contents of the file of labelled runs."""
    header, arrays = joined(run.contents() for run in runs)
    return Contents({"labels": list(labels), "runs": header}, arrays)


def parted_runs(header: dict[str, Any], arrays: dict[str, Any]) -> tuple[tuple[str, ...], tuple[Trajectory, ...]]:
    """The labels and the runs from the contents of their file."""
    check_header(header, {"labels": TEXTS, "runs": OBJECT})
    labels, runs = header["labels"], parted(header["runs"], arrays)
    if len(labels) != len(runs):
        raise FalllineError("labels", labels, f"it must be {len(runs)} texts, as there are runs")
    made: list[Trajectory] = []
    for label, run in zip(labels, runs, strict=True):
        try:
            # Runs on one objective share the object, as before saving: a loss holds its data.
            alike = made and made[-1].recipe.get("objective") == run.header["recipe"].get("objective")
            made.append(Trajectory.restored(*run, made[-1].objective if alike else None))
        except FalllineError as error:
            raise FalllineError(problem=f"run {shortened(label)}: {error}") from None
    return tuple(labels), tuple(made)
