"""A map of starts: the minimum in which each one ends."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.files import whole_file

# What stands on the map where there is no minimum's number.
NOT_ARRIVED, DIVERGED = -1, -2

FORMAT = "fallline basins 2"


@dataclass(frozen=True, eq=False)
class Basins:
    """A map of starts: the minimum in which each one ends.

    Row i and column j belong to the start with the coordinates `x[j]` and `y[i]`.

    Attributes:
        title: what was minimised.
        optimizer: the rule in a few words.
        names: the coordinates' names, n of them.
        axes: the two that differ from start to start.
        x: the starts' first coordinate, shape (columns,).
        y: their second, shape (rows,).
        held: the other coordinates, and where every run starts in them.
        minima: the minima that were reached, those with the largest basins first, shape (m, n).
        values: the objective there, shape (m,).
        basin: the place in `minima` of the one reached, shape (rows, columns); NOT_ARRIVED where the run used up its
            steps or came to rest at a saddle or on a plateau, DIVERGED where it left for infinity.
        steps: the updates made until the run ended, shape (rows, columns).
        engine: who executed the runs.
        gradient_kind: how the gradient was found, as in a trajectory.
    """

    title: str
    optimizer: str
    names: tuple[str, ...]
    axes: tuple[str, str]
    x: FloatArray
    y: FloatArray
    held: Mapping[str, float]
    minima: FloatArray
    values: FloatArray
    basin: npt.NDArray[np.int32]
    steps: npt.NDArray[np.int32]
    engine: str
    gradient_kind: str

    def share(self, place: int) -> float:
        """The share of the starts that end in the minimum with this place, NOT_ARRIVED or DIVERGED."""
        return float(np.mean(self.basin == place))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the map to one file (NumPy's .npz, whatever the ending of its name).

        Raises:
            FalllineError: when the file cannot be written; nothing is left behind then.
        """
        header = {name: getattr(self, name) for name in _HEADER}
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        with whole_file(path) as draft, draft.open("wb") as file:
            np.savez_compressed(file, header=np.array(json.dumps({"format": FORMAT, **header})), **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Basins:
        """Read a map that `save` wrote.

        Raises:
            FalllineError: when there is no such file, or it is damaged or something else.

        >>> import fallline, tempfile
        >>> path = tempfile.mkdtemp() + "/map.npz"
        >>> fallline.basins("himmelblau", None, fallline.GradientDescent(0.01), resolution=8).save(path)
        >>> len(Basins.load(path).minima)
        4
        """
        if not isinstance(path, str | os.PathLike) or not os.path.exists(path):
            raise FalllineError(f"path is {str(path)!r}; there is no such file")
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
                header = json.loads(str(archive["header"]))
                if header.pop("format") != FORMAT:
                    raise ValueError("another format")
                arrays = {name: archive[name] for name in _ARRAYS}
            names, axes = tuple(header.pop("names")), tuple(header.pop("axes"))
            return cls(names=names, axes=axes, **header, **arrays)
        except Exception as error:  # a file that is not ours may fail anywhere in zip, NumPy or JSON
            raise FalllineError(
                f"path is {str(path)!r}; it is damaged, or not a map of basins saved by Fallline"
            ) from error


_HEADER = ("title", "optimizer", "names", "axes", "held", "engine", "gradient_kind")
_ARRAYS = ("x", "y", "minima", "values", "basin", "steps")
