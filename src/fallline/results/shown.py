"""Runs that show themselves: the one way up from what was recorded to its pictures."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from fallline.errors import FalllineError


class Shown:
    """A run or several that can be filmed, and that play in a notebook."""

    def animate(self, path: str | os.PathLike[str] | None = None, kind: str = "auto", **options: Any) -> Any:
        """Make a film in which the paths grow.

        Arguments:
            path: the file to write: .gif, .mp4, .webp, or an .html page that plays; None: no file.
            kind: "curve", "contour", "contour_3d", "surface" or "auto".
            options: frames, frames_per_second, size, quality and all else that `fallline.views.animate` takes.

        Returns:
            The film. In a notebook it plays.

        Raises:
            FalllineError: when an argument is wrong or the file cannot be written.

        >>> import fallline
        >>> fallline.minimize("x**2", 3.0, fallline.GradientDescent(0.1), max_steps=50).animate(frames=6).frames
        6
        """
        return _views().animate(self, path, kind, **options)

    def _repr_html_(self) -> str | None:
        """What a notebook shows: the player, or histories where there is no landscape; None is shown as text."""
        try:
            return _views().notebook(self)  # type: ignore[no-any-return]
        except FalllineError:
            return None


def _views() -> Any:
    """The room that draws, by name: it is imported only when somebody wants to see."""
    return import_module("fallline.views")
