"""Labelled runs: looked up by label, as one table, and as the contents of one file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
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


def numbered(place: int | str, labels: Sequence[str], parameter: str) -> int:
    """The index of a run that is given by its number, from the end if negative, or by its label.

    Raises:
        FalllineError: when there is no such run.

    >>> numbered(-1, ("plain", "adam"), "a"), numbered("plain", ("plain", "adam"), "a")
    (1, 0)
    """
    if isinstance(place, str):
        return place_of(place, labels)
    count = len(labels)
    if isinstance(place, bool) or not isinstance(place, Integral) or not -count <= place < count:
        raise FalllineError(parameter, place, f"it must be a label, or a whole number from {-count} to {count - 1}")
    return int(place) % count


def labelled_frame(labels: Sequence[str], rules: Sequence[str], runs: Sequence[Trajectory]) -> pd.DataFrame:
    """All rows of all runs; the label, its rule's, and the seed are the first columns."""
    frames = [run.to_frame() for run in runs]
    import pandas as pd

    for label, rule, run, frame in zip(labels, rules, runs, frames, strict=True):
        first: dict[str, Any] = {"label": label, "rule": rule, "seed": run.seed}
        for place, (name, value) in enumerate(first.items()):
            if name in frame:
                raise FalllineError(
                    "names",
                    problem=f"has {name!r}, which to_frame calls a column of its own",
                    allowed="rename the coordinate",
                )
            frame.insert(place, name, value)
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"label": []})


def joined_runs(labels: Sequence[str], rules: Sequence[str], runs: Iterable[Trajectory]) -> Contents:
    """The contents of the file of labelled runs."""
    header, arrays = joined(run.contents() for run in runs)
    return Contents({"labels": list(labels), "rules": list(rules), "runs": header}, arrays)


def parted_runs(
    header: dict[str, Any], arrays: dict[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Trajectory, ...]]:
    """The labels, the rules' labels and the runs from the contents of their file."""
    check_header(header, {"labels": TEXTS, "rules": TEXTS, "runs": OBJECT})
    labels, runs = header["labels"], parted(header["runs"], arrays)
    for name in ("labels", "rules"):
        if len(header[name]) != len(runs):
            raise FalllineError(name, header[name], f"it must be {len(runs)} texts, as there are runs")
    made: list[Trajectory] = []
    for label, run in zip(labels, runs, strict=True):
        try:
            # Runs on one objective share the object, as before saving: a loss holds its data.
            alike = made and made[-1].recipe.get("objective") == run.header["recipe"].get("objective")
            made.append(Trajectory.restored(*run, made[-1].objective if alike else None))
        except FalllineError as error:
            raise FalllineError(problem=f"run {shortened(label)}: {error}") from None
    return tuple(labels), tuple(header["rules"]), tuple(made)
