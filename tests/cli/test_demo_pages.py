"""What the demonstration opens with: the explorer with the tutorials' problems, and a diagnosis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fallline
from fallline import Recipe
from fallline.examples import recipes
from fallline.examples.demo import Demo
from fallline.examples.explorations import NEURONS, Exploration, explorations, neuron_formula
from fallline.examples.results import Results


@pytest.fixture(scope="module")
def shown() -> list[Exploration]:
    return list(explorations())


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """The demonstration's page, as far as the diagnosis, in a browser of which nothing may be complained."""
    demo = Demo(Results(tmp_path, lambda text: None))
    demo.opening()
    demo.diagnosis()
    assert demo.finish()
    tab = browser.new_page(viewport={"width": 1200, "height": 800})
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto((tmp_path / "index.html").as_uri())
    yield tab
    tab.close()
    assert complaints == []


@pytest.mark.parametrize("name", list(NEURONS))
def test_the_formula_of_a_neuron_is_its_loss(name: str) -> None:
    loss = Recipe.load(recipes()[name]).objective
    formula = fallline.objectives.as_objective(neuron_formula(loss.X[:, 0], loss.y))
    for w, b in np.random.default_rng(0).normal(0, 3, (20, 2)):
        point = np.array([{"w": w, "b": b}[symbol] for symbol in formula.names])
        assert formula.value(point) == pytest.approx(loss.value(np.array([w, b])), rel=1e-12)


@pytest.mark.parametrize(("number", "start"), [(0, "w=-2,b=-2"), (1, "w=-6,b=4")])
def test_neurons_start_where_the_tutorial_does(shown: list[Exploration], number: int, start: str) -> None:
    names = fallline.objectives.as_objective("(w + b)**2").names
    numbers = dict(part.split("=") for part in start.split(","))
    assert f"&start={','.join(numbers[name] for name in names)}&" in shown[number].page.link


def test_the_problems_are_chosen_in_one_frame(opened: Any) -> None:
    frame = opened.frame_locator("iframe")
    formula = frame.get_by_label("Formula to minimise")
    formula.wait_for()
    assert "exp(-(2.5*w+b))" in formula.input_value()
    opened.get_by_role("link", name="Out of a local minimum").click()
    opened.wait_for_function("() => document.activeElement && frames[0].length === 0")
    frame.get_by_text("Windowed Momentum").first.wait_for(state="attached")
    assert formula.input_value() == "x**2+8*sin(x)"


def test_the_diagnosis_tells_its_proof(opened: Any) -> None:
    facts = opened.locator("dl").inner_text()
    assert "GradientDescent(0.017)" in facts
    assert "5 of 5 starts" in facts
    # Curvatures of 2 and 60: descent is stable below 2 / 60.
    assert "allows 0.0333" in opened.locator("main section p").first.inner_text()
