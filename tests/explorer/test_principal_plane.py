"""The plane along which the runs vary most is that of the library's pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.explorer.opened import Opened

import fallline
from fallline.pictures.paths import Labelled
from fallline.pictures.plane import principal_plane

pytestmark = pytest.mark.long

FORMULAS = {
    "three": ("(x - 1)**2 + 4*(y - x**2)**2 + (z - y)**2", [-1.0, 1.0, 2.0]),
    # All points lie on a line, so that the second direction is free.
    "a line": ("x**2 + y**2 + z**2", [3.0, 2.0, 1.0]),
    "almost flat": ("x**2 + 3*y**2 + 1e-6*z + 2e-9*w*y", [2.0, -1.0, 0.5, 1.0]),
    "six": ("a**2 + 2*b**2 + 3*c**2 + 5*d**4 + (p - a*b)**2 + 0.1*q**2", [1.0, -1.0, 0.5, 0.8, 2.0, -3.0]),
    # One of the runs leaves; its last points are outliers.
    "diverging": ("x**4 + y**4 + z**2 + x*z", [1.0, 1.5, 2.0]),
}
RULES: list[Any] = [fallline.Momentum(0.02), fallline.Adam(0.1)]
PLANE = (
    "(({origin, directions, variance}) =>"
    " ({origin: [...origin], directions: directions.map(one => [...one]), variance}))(fallline.plane)"
)


def opened_on(browser: Any, path: Path, text: str, x0: list[float], rules: Any, steps: int = 60) -> Opened:
    fallline.explore(text, x0, rules, max_steps=steps).save(path)
    opened = Opened(browser, path)
    opened.page.click("text=Principal plane")
    opened.settled()
    return opened


@pytest.mark.parametrize("name", FORMULAS)
def test_it_is_the_plane_of_the_pictures(browser: Any, tmp_path: Path, name: str) -> None:
    text, x0 = FORMULAS[name]
    rules: list[Any] = [fallline.GradientDescent(0.2), fallline.Adam(0.1)] if name == "diverging" else RULES
    race = fallline.compare(text, x0, rules, max_steps=60)
    ours = principal_plane([Labelled("", run) for run in race])
    with opened_on(browser, tmp_path / "page.html", text, x0, rules) as opened:
        found = opened.page.evaluate(PLANE)
        told = opened.page.locator(".side .hint").first.inner_text()
    np.testing.assert_allclose(found["origin"], ours.origin, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found["variance"], ours.variance, rtol=0, atol=1e-9)
    # A free direction is any at a right angle to the others.
    fixed = 1 + (ours.variance[1] > 1e-20)
    np.testing.assert_allclose(found["directions"][:fixed], ours.directions[:fixed], atol=1e-9)
    np.testing.assert_allclose(np.array(found["directions"]) @ np.transpose(found["directions"]), np.eye(2), atol=1e-12)
    assert f"{100 * ours.variance.sum():.4g}".rstrip("0").rstrip(".") in told


def test_a_start_is_dragged_in_the_plane(browser: Any, tmp_path: Path) -> None:
    text, x0 = FORMULAS["three"]
    with opened_on(browser, tmp_path / "page.html", text, x0, RULES) as opened:
        plane = opened.page.evaluate(PLANE)
        box = opened.page.locator(".start").first.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        opened.page.mouse.move(x, y)
        opened.page.mouse.down()
        opened.page.mouse.move(x + 40, y - 25)
        opened.page.mouse.up()
        opened.settled()
        moved = np.array(opened.state["starts"][0]) - x0
    along = np.array(plane["directions"])
    assert np.linalg.norm(moved) > 0.01
    # It moves in the plane, to the right and up.
    np.testing.assert_allclose(along.T @ (along @ moved), moved, atol=1e-9)
    assert (along @ moved > 0).all()


def test_it_is_in_the_link_and_is_left_again(browser: Any, tmp_path: Path) -> None:
    text, x0 = FORMULAS["three"]
    with opened_on(browser, tmp_path / "page.html", text, x0, RULES) as opened:
        link = opened.link()
        assert "plane=principal" in link
        assert opened.page.locator("text=Basins").is_hidden()
    with Opened(browser, tmp_path / "page.html", link) as opened:
        assert opened.page.evaluate("fallline.plane !== null")
        opened.page.click("button:has-text('Slice')")
        opened.settled()
        assert opened.page.evaluate("fallline.plane") is None
        assert "plane" not in opened.link()
