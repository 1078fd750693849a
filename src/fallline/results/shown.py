"""Base classes of results that can be shown as text, picture, film or in a notebook; they import the views by name."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, ClassVar

from fallline.errors import FalllineError
from fallline.tables import Printed, Summary, summary_of


class Shown(Printed):
    """A result that prints as a few lines, has a picture, and is displayed in a notebook as a small table."""

    # The name of the function of `fallline.views` that draws it.
    picture: ClassVar[str]

    def plot(self, path: str | os.PathLike[str] | None = None, **options: Any) -> Any:
        """Draw the picture of this result.

        Arguments:
            path: the file to write, such as picture.png, .svg or .pdf, or of runs .html, a page; None: no file.
            options: the keywords of the function of `fallline.views` that draws it: `plot_runs` for a run and a
                comparison, `plot_heat_map` for a sweep, `plot_basins` for basins, `plot_tuning` for a tuning.

        Returns:
            The Matplotlib figure.

        Raises:
            FalllineError: when an argument is wrong or the file cannot be written.

        >>> import fallline
        >>> run = fallline.minimize("x**2", 3.0, fallline.GradientDescent(0.1), max_steps=50)
        >>> run.plot(style="dark").axes[0].get_xlabel()
        'x'
        """
        return views_room().plot(self, path, **options)

    def drawn(self, views: Any, **options: Any) -> Any:
        """The picture, drawn by the functions of `fallline.views`."""
        return getattr(views, self.picture)(self, **options)

    def _repr_html_(self) -> str:
        """The HTML for a notebook."""
        return self._summary().html

    def _summary(self) -> Summary:
        # The summaries of all kinds of results stand together, and are imported when one is shown.
        import_module("fallline.results.printing")
        return summary_of(self)


class Diagnosed:
    """A result that can be diagnosed; it imports the diagnosis by name, as `Shown` does the views."""

    def diagnose(self, **options: Any) -> Any:
        """Why it went as it did: see `fallline.diagnose`.

        >>> import fallline
        >>> run = fallline.minimize("x**2 + c", [1.0, 1.0], fallline.GradientDescent(0.1))
        >>> run.diagnose()[0].name
        'unbounded'
        """
        return import_module("fallline.diagnosis").diagnose(self, **options)


class Explored:
    """A result that the explorer's page can show; it imports the page by name, as `Shown` does the views."""

    def explore(self) -> Any:
        """The page on which its formula, starts and rules can be changed, in any browser: see `fallline.explore`.

        Raises:
            FalllineError: when the page cannot show it, such as a Python function.

        >>> import fallline
        >>> race = fallline.compare("rosenbrock", [-1.2, 1.0], ["adam", "nesterov"], max_steps=300)
        >>> race.explore().title
        'rosenbrock – Fallline'
        """
        return import_module("fallline.explorer.page").explore(self)


class Repeatable:
    """A result that can be written as a recipe file; it imports the recipes by name, as `Shown` does the views."""

    def save_recipe(self, path: str | os.PathLike[str]) -> None:
        """Write what repeats it to a TOML file of plain data: see `fallline.Recipe`.

        Raises:
            FalllineError: when the file cannot be written, or would have to hold what is not plain data.

        >>> import fallline, tempfile
        >>> run = fallline.minimize("x**2", 3.0, fallline.GradientDescent(0.1))
        >>> path = tempfile.mkdtemp() + "/run.toml"
        >>> run.save_recipe(path)
        >>> fallline.Recipe.load(path).run() == run
        True
        """
        import_module("fallline.recipes.recipe").Recipe.of(self).save(path)


class Explained:
    """A run of which each step can be explained; it imports the explanation by name, as `Shown` does the views."""

    def explain(self, step: int, **options: Any) -> Any:
        """The update of a step, counted from 1, by the rule's own formula with its numbers: see `fallline.explain`.

        >>> import fallline
        >>> run = fallline.minimize("x**2", 3.0, fallline.GradientDescent(0.25), max_steps=2)
        >>> print(run.explain(2).text.splitlines()[-1].strip())
        = 0.75
        """
        return import_module("fallline.diagnosis.explanation").explain(self, step, **options)


class Filmed(Shown):
    """A result with paths, which can be animated and plays in a notebook."""

    picture: ClassVar[str] = "plot_runs"

    def animate(self, path: str | os.PathLike[str] | None = None, kind: str = "auto", **options: Any) -> Any:
        """Make a film in which the paths grow.

        Arguments:
            path: the file to write: .gif, .mp4, .webp, or an .html page that plays; None: no file.
            kind: "curve", "contour", "contour_3d", "surface" or "auto".
            options: frames, frames_per_second, size, quality and the other keywords of `fallline.views.animate`.

        Returns:
            The film. In a notebook it plays.

        Raises:
            FalllineError: when an argument is wrong or the file cannot be written.

        >>> import fallline
        >>> fallline.minimize("x**2", 3.0, fallline.GradientDescent(0.1), max_steps=50).animate(frames=6).frames
        6
        """
        return views_room().animate(self, path, kind, **options)

    def _repr_html_(self) -> str:
        """The HTML for a notebook: the player; histories without a landscape; a table if nothing can be drawn."""
        try:
            return views_room().notebook(self)  # type: ignore[no-any-return]
        except FalllineError:
            return super()._repr_html_()


def views_room() -> Any:
    """The package `fallline.views`, imported only when something is drawn."""
    return import_module("fallline.views")
