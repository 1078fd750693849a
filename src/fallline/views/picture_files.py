"""Writing pictures to files, and the file name endings allowed for pictures and films."""

from __future__ import annotations

import os
from pathlib import Path

from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure

from fallline.errors import FalllineError, nearest
from fallline.files import whole_file
from fallline.views.encoders import encoder

# Matplotlib saves these as well, but they are not pictures to look at, or need LaTeX.
_NO_PICTURES = {"pgf", "raw", "rgba"}
PICTURE_ENDINGS = tuple(f".{kind}" for kind in sorted(set(FigureCanvasBase.filetypes) - _NO_PICTURES))
PAGE = ".html"
FILM_ENDINGS = (".gif", PAGE, ".mp4", ".webp")


def check_picture_path(path: str | os.PathLike[str], parameter: str = "path", *, page: bool = False) -> None:
    """Check that a file name has a picture's ending, or that of a page if there may be one, before any work starts.

    Raises:
        FalllineError: naming `parameter` and the endings allowed.

    >>> check_picture_path("descent.pgn")
    Traceback (most recent call last):
    fallline.errors.FalllineError: path is 'descent.pgn', which ends in '.pgn'; did you mean '.png'? ...
    """
    _check_ending(path, (*PICTURE_ENDINGS, PAGE) if page else PICTURE_ENDINGS, parameter)


def check_film_path(path: str | os.PathLike[str], parameter: str = "path") -> None:
    """Check that a file name has a film's ending, before any work starts.

    Raises:
        FalllineError: naming `parameter` and the endings allowed, or the encoder that is not installed.

    >>> check_film_path("descent.mov", parameter="--animate")
    Traceback (most recent call last):
    fallline.errors.FalllineError: --animate is 'descent.mov', which ends in '.mov'; Allowed: .gif, .html, .mp4, .webp
    """
    _check_ending(path, FILM_ENDINGS, parameter)
    if Path(path).suffix.lower() == ".mp4":
        encoder(parameter, str(path))


def save_picture(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure to a file, whole or not at all, in the format given by the ending.

    Raises:
        FalllineError: when the ending is not a picture's, or the file cannot be written.

    >>> import tempfile
    >>> save_picture(Figure(), tempfile.mkdtemp() + "/empty.svg")
    """
    check_picture_path(path)
    with whole_file(path) as draft:
        figure.savefig(draft)


def _check_ending(path: str | os.PathLike[str], endings: tuple[str, ...], parameter: str) -> None:
    if not isinstance(path, str | os.PathLike):
        raise FalllineError(parameter, path, "it must be the name of a file")
    ending = Path(path).suffix.lower()
    if ending not in endings:
        which = f"ends in {ending!r}" if ending else "has no ending"
        raise FalllineError(parameter, str(path), nearest(ending, endings), problem=f"which {which}")
