"""A few pictures compared with reference images that were checked by eye.

After a change of what pictures look like, `python -m tests.views.test_references` writes the pictures anew, in this
folder; look at every one of them before it is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images

from fallline import GradientDescent, Momentum, Record, compare, minimize
from fallline.arguments import Rule
from fallline.views import plot, plot_contour, plot_descent, plot_surface

FOLDER = Path(__file__).parent / "references"
# Of 255. Letters differ from one FreeType to another, lines from one Agg to another, by a fraction of a shade each;
# a path of another colour, or one that is missing, makes 5 or more.
TOLERANCE = 3.0
ROSENBROCK = "(1 - x)**2 + 5*(y - x**2)**2"
HILL = "2*exp(-2*(x**2+y**2)) + 0.05*(x**2+y**2)"


def race() -> Figure:
    rules: dict[str, Rule] = {"plain": GradientDescent(0.01), "momentum": Momentum(0.01, momentum=0.9)}
    return plot_contour(compare(ROSENBROCK, (-1.5, 2), rules, max_steps=100), resolution=64)


def beside_the_hill() -> Figure:
    run = minimize(HILL, (-1.2, -1.6), GradientDescent(0.05), gradient=lambda x, y: (0, -1), max_steps=60)
    return plot_surface(run, bounds=((-2, 2), (-2, 2)), resolution=96, zscale="linear")


def forces() -> Figure:
    rule, record = Momentum(0.01, momentum=0.9), Record(state=True)
    return plot(minimize(ROSENBROCK, (-1.5, 2), rule, max_steps=100, record=record), kind="arrows", style="dark")


def along_the_path() -> Figure:
    objective = "(1 - a)**2 + 5*(b - a**2)**2 + 5*(c - b**2)**2 + d**2"
    run = minimize(objective, (-1, 1, 0.5, 1), Momentum(0.005, momentum=0.9), max_steps=200)
    return plot(run, resolution=64)


def on_one_curve() -> Figure:
    rules: dict[str, Rule] = {"plain": GradientDescent(0.05), "momentum": Momentum(0.05, momentum=0.8)}
    return plot_descent(compare("x**2 + 8*sin(x)", 10, rules, max_steps=60), together=True, style="dark")


PICTURES: list[Callable[[], Figure]] = [race, beside_the_hill, forces, along_the_path, on_one_curve]


def draw(picture: Callable[[], Figure], path: Path) -> None:
    picture().savefig(path, dpi=50)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.__name__)
def test_the_picture_is_the_one_that_was_looked_at(picture: Callable[[], Figure], tmp_path: Path) -> None:
    found = tmp_path / f"{picture.__name__}.png"
    draw(picture, found)
    assert compare_images(str(FOLDER / found.name), str(found), tol=TOLERANCE) is None


def test_another_picture_is_noticed(tmp_path: Path) -> None:
    found = tmp_path / "race.png"
    rules: dict[str, Rule] = {"plain": GradientDescent(0.01), "momentum": Momentum(0.01, momentum=0.5)}
    plot_contour(compare(ROSENBROCK, (-1.5, 2), rules, max_steps=100), resolution=64).savefig(found, dpi=50)
    assert compare_images(str(FOLDER / "race.png"), str(found), tol=TOLERANCE) is not None


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in PICTURES:
        draw(each, FOLDER / f"{each.__name__}.png")
