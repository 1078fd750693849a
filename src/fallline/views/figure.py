"""The figure of every picture: it shows itself in a notebook, and in a window where there is a display."""

from __future__ import annotations

import io
import sys
from importlib import import_module
from typing import Any

from matplotlib.figure import Figure

from fallline.errors import FalllineError
from fallline.views.fonts import make_legible

# Dots per inch in a notebook, where a picture is shown at half of them: sharp on screens of high density.
NOTEBOOK_DPI = 200


class Picture(Figure):
    """A Matplotlib figure that shows itself.

    As the last line of a notebook's cell it is displayed, whether or not pyplot is imported. It chooses the fonts of
    its texts when it is drawn: only then are the texts known.

    >>> import fallline
    >>> fallline.minimize("x**2", 3.0, fallline.GradientDescent(0.1)).plot()
    Picture of 8 × 6.02 inches with 1 axes: .show() opens it, .savefig(path) writes it
    """

    def draw(self, renderer: Any) -> None:
        make_legible(self)
        super().draw(renderer)

    def savefig(self, fname: Any, **options: Any) -> None:
        """Write the picture, on its own background: that of a style sheet in use may hide its texts."""
        super().savefig(fname, **{"facecolor": "auto", "edgecolor": "auto"} | options)

    def show(self, warn: bool = True) -> None:
        """Open the picture in a window, and in a script wait until it is closed; in a notebook display it.

        Arguments:
            warn: as Matplotlib has it; there is always an error where nothing can be shown.

        Raises:
            FalllineError: when there is no display, saying what to do instead.
        """
        if (display := _notebook_display()) is not None:
            display(self)
            return
        from matplotlib import pyplot  # noqa: TID251 - windows are pyplot's, which chooses their backend here

        canvas: Any = pyplot._get_backend_mod().FigureCanvas
        if canvas.required_interactive_framework is None:
            raise FalllineError(
                problem=f"a picture cannot be shown: Matplotlib ({pyplot.get_backend()}) has no display",
                allowed='write it to a file: .savefig("picture.png")',
            )
        from matplotlib._pylab_helpers import Gcf

        manager = canvas.new_manager(self, max(pyplot.get_fignums(), default=0) + 1)
        Gcf.set_active(manager)
        pyplot.show()

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """The picture for a notebook, and the size in which it is shown."""
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=NOTEBOOK_DPI)
        width, height = self.get_size_inches()
        return file.getvalue(), {"width": round(width * NOTEBOOK_DPI / 2), "height": round(height * NOTEBOOK_DPI / 2)}

    def __repr__(self) -> str:
        width, height = self.get_size_inches()
        axes = f"{len(self.axes)} axes"
        return f"Picture of {width:.4g} × {height:.4g} inches with {axes}: .show() opens it, .savefig(path) writes it"


def _notebook_display() -> Any:
    """The function that displays in the notebook in which this runs; None outside of one."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return import_module("IPython.display").display
