"""Contact sheets: every kind of picture in every style and context, to be looked at.

`python -m tests.views.contact_sheet` writes them to docs/images/pictures.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import fallline
from fallline import views
from fallline.views.look import SIZES
from fallline.views.theme import THEMES

FOLDER = Path(__file__).parents[2] / "docs" / "images" / "pictures"
# The width of a picture on a sheet, in pixels, and how many stand side by side.
WIDTH, COLUMNS = 360, 5


def kinds() -> dict[str, Callable[..., Any]]:
    """A picture of each kind, by its name: a function of the keywords of its look."""
    random = np.random.default_rng(0)
    hours, sleep, noise = random.normal(5, 2, 120), random.normal(0, 1, 120), random.normal(0, 1, 120)
    passed = np.where(hours + 2 * sleep + noise > 5, "passed", "failed")
    rules: list[Any] = [fallline.Momentum(0.0005), fallline.Adam(0.05), fallline.RMSProp(0.01)]
    race = fallline.compare("rosenbrock", (-1.2, 1.0), rules, max_steps=400)
    run = fallline.minimize("rosenbrock", (-1.2, 1.0), rules[0], max_steps=200, record=fallline.Record(state=True))
    line = fallline.minimize("x**2 + 8*sin(x)", 9.0, fallline.GradientDescent(0.05), max_steps=40)
    lines = fallline.compare("x**2 + 8*sin(x)", 9.0, [fallline.GradientDescent(0.05), fallline.Momentum(0.02)])
    far = fallline.minimize("a**2 + 5*b**2 + c**2*d**2 + d**2", (3.0, 1.0, 2.0, 1.0), rules[1], max_steps=400)
    loss = fallline.models.Logistic(np.stack([hours, sleep], axis=1), passed == "passed")
    noisy: Any = [fallline.Momentum(0.05), fallline.Adam(0.05)]
    seeds = fallline.compare(loss.batches(4), np.zeros(3), noisy, seeds=range(12), max_steps=150)
    exact = fallline.compare("x**2 + 3*y**2", (2.0, 1.0), ["gradient_descent", "bfgs"], max_steps=400)
    many = fallline.compare("himmelblau", random.uniform(-5, 5, (20, 2)), [fallline.GradientDescent(0.01)])
    grid: Any = {"learning_rate": np.geomspace(1e-3, 3, 24), "momentum": np.linspace(0, 0.98, 18)}
    classes = fallline.fit({"hours": hours, "sleep": sleep, "result": passed}, "result", holdout=0.25)
    number = fallline.fit({"hours": hours, "marks": 3 * hours + 2 * noise}, "marks", model="linear", holdout=0.25)
    space = {"learning_rate": (1e-4, 1e-2), "momentum": (0, 0.99)}
    tuned = fallline.tune("rosenbrock", (-1.2, 1.0), "momentum", space, trials=24)
    several = {name: fallline.minimize("x**2", 3.0, rule) for name, rule in (("slow", rules[0]), ("quick", rules[1]))}
    pictures = {
        "contour": (race, {}),
        "contour of one run": (run, {}),
        "twenty runs": (many, {}),
        "principal plane": (far, {}),
        "contours in space": (race, {"kind": "contour_3d"}),
        "surface": (race, {"kind": "surface"}),
        "surface of one run": (run, {"kind": "surface"}),
        "arrows": (run, {"kind": "arrows"}),
        "curve": ("x**2 + 8*sin(x)", {}),
        "descent": (line, {}),
        "descents": (lines, {}),
        "epochs": (line, {"kind": "epochs"}),
        "histories": (race, {"kind": "histories"}),
        "histories over seeds": (seeds, {"kind": "histories"}),
        "histories to rounding": (exact, {"kind": "histories"}),
        "steps": (several, {"kind": "steps"}),
        "heat map": (fallline.sweep("x**2/2", 1.0, "momentum", grid, target=1e-6), {}),
        "basins": (fallline.basins("himmelblau", None, fallline.GradientDescent(0.01), resolution=96), {}),
        "tuning": (tuned, {}),
        "chain rule": (fallline.chain_rule("u = 3*a**2 + b; y = 2*u + c", [1.0, 1.0, 1.0]), {}),
        "fit": (number, {}),
        "regions": (classes, {}),
        "scores": (classes, {"kind": "scores"}),
        "residuals": (number, {"kind": "residuals"}),
        "learning curve": (classes, {"kind": "learning"}),
    }
    return {
        name: lambda thing=thing, options=options, **look: views.plot(thing, **options, **look)
        for name, (thing, options) in pictures.items()
    }


def sheet(drawn: dict[str, Callable[..., Any]], style: str, context: str) -> Image.Image:
    """All kinds in one style and context, each scaled to one width."""
    images = []
    for draw in drawn.values():
        file = io.BytesIO()
        draw(style=style, context=context).savefig(file, format="png")
        image = Image.open(file).convert("RGB")
        images.append(image.resize((WIDTH, round(WIDTH * image.height / image.width)), Image.Resampling.LANCZOS))
    rows = [images[start : start + COLUMNS] for start in range(0, len(images), COLUMNS)]
    height = sum(max(one.height for one in row) for row in rows)
    page = Image.new("RGB", (WIDTH * COLUMNS, height), images[0].getpixel((0, 0)))
    top = 0
    for row in rows:
        for column, image in enumerate(row):
            page.paste(image, (column * WIDTH, top))
        top += max(image.height for image in row)
    return page


def main() -> None:
    """Write a sheet for each style and context."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    drawn = kinds()
    for style, context in itertools.product(THEMES, SIZES):
        sheet(drawn, style, context).save(FOLDER / f"{style}-{context}.webp", quality=65, method=6)


if __name__ == "__main__":
    main()
