"""What a reader of a picture file sees."""

from __future__ import annotations

import io
import os

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from PIL import Image


def colours(figure: Figure) -> set[tuple[int, ...]]:
    """The colours in the figure as it is saved."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    picture = Image.open(file).convert("RGB")
    found = picture.getcolors(maxcolors=picture.width * picture.height)
    assert found is not None
    return {colour for _, colour in found}  # type: ignore[misc]


def frames(path: str | os.PathLike[str]) -> list[npt.NDArray[np.uint8]]:
    """The frames of a film."""
    with Image.open(path) as film:
        pictures = []
        for number in range(getattr(film, "n_frames", 1)):
            film.seek(number)
            pictures.append(np.array(film.convert("RGB")))
    return pictures
