from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from tests.views.pixels import colours
from tests.views.runs import halving, in_space, on_bowl, two_on_bowl

import fallline
from fallline import FalllineError, GradientDescent, Record
from fallline.pictures.kinds import check_kind
from fallline.stopping import GradientNorm
from fallline.views import plot


def test_the_picture_that_fits() -> None:
    assert plot(halving()).axes[0].get_ylabel() == "f(x)"
    assert plot(on_bowl(), resolution=8).axes[0].get_ylabel() == "y"
    assert plot(two_on_bowl(), resolution=8).axes[0].get_title() == "bowl"
    assert {ax.get_ylabel() for ax in plot(in_space(), kind="histories").axes} >= {"a", "b", "c"}
    assert plot(in_space(), coordinates=("b", "c"), resolution=8).axes[0].get_ylabel() == "c"
    assert plot(dataclasses.replace(halving(), objective=None)).axes[0].get_ylabel() == "f"


@pytest.mark.parametrize("kind", ["contour", "contour_3d", "surface", "histories", "steps", "arrows"])
def test_every_kind(kind: str) -> None:
    assert plot(on_bowl(), kind=kind).axes


def test_kinds_of_one_coordinate() -> None:
    assert len(plot(halving(), kind="epochs").axes) == 6
    assert len(plot(halving(), kind="curve").axes) == 1


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(FalllineError, match="kind is 'surfac'; did you mean 'surface'\\?"):
        plot(on_bowl(), kind="surfac")


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("curve", {"dimension": 2}, "--picture is 'curve', but there are 2 coordinates; Allowed: auto, contour"),
        ("surface", {"dimension": 1}, "--picture is 'surface', but there is 1 coordinate; Allowed: auto, curve, hist"),
        ("arrows", {"several": True}, "--picture is 'arrows', which shows one run; Allowed: auto, curve"),
        ("steps", {"chosen": True}, "--picture is 'steps', which shows no two chosen coordinates; Allowed: auto, con"),
        ("arows", {}, "--picture is 'arows'; did you mean 'arrows'"),
    ],
)
def test_what_cannot_be_drawn_is_told_beforehand(kind: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(FalllineError, match=message):
        check_kind(kind, parameter="--picture", **settings)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(FalllineError, match="rows is no option of this picture; Allowed: coordinates, bounds"):
        plot(on_bowl(), rows=3)


@pytest.mark.parametrize("kind", ["contour", "contour_3d", "surface", "arrows"])
def test_a_run_that_made_no_step_shows_its_start_in_red(kind: str) -> None:
    run = fallline.minimize(
        "x**2 + y**2", (1.0, 2.0), GradientDescent(0.1), stop=GradientNorm(100), record=Record(state=True)
    )
    assert run.step_count == 0
    figure = plot(run, kind=kind)
    legend = figure.axes[0].get_legend()
    assert legend is not None
    words = [text.get_text() for text in legend.get_texts()]
    assert words[0] == "start"
    assert "step 0" not in words
    legend.remove()
    shown = colours(figure)
    assert (255, 0, 0) in shown
    assert (255, 255, 0) not in shown


def test_an_objective_alone_is_drawn_where_it_is_usually_looked_at() -> None:
    flat = plot("himmelblau", resolution=16).axes[0]
    assert flat.get_xlim() == pytest.approx((-5, 5))
    assert plot("x**2 + 8*sin(x)").axes[0].get_ylabel() == "value"
    solid: Any = plot(lambda x, y: x + y**2, kind="surface", resolution=16).axes[0]
    assert solid.get_zlabel() == "f"
    with pytest.raises(FalllineError, match="kind is 'arrows', which shows runs, but an objective is given alone"):
        plot("rosenbrock", kind="arrows")
    with pytest.raises(FalllineError, match="name two of them"):
        plot("a + b*c")


def test_one_function_draws_every_result(tmp_path: Path) -> None:
    rule = fallline.GradientDescent(0.1)
    things = {
        "run": fallline.minimize("x**2", 3.0, rule),
        "comparison": fallline.compare("x**2", 3.0, [rule]),
        "sweep": fallline.sweep("x**2", 1.0, rule, {"learning_rate": [0.1, 0.5]}),
        "basins": fallline.basins("himmelblau", None, fallline.GradientDescent(0.01), resolution=8),
        "tuning": fallline.tune("x**2", 1.0, "gradient_descent", ["learning_rate"], trials=3),
        "fit": fallline.fit({"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.5]}, "y", model="linear"),
        "chain rule": fallline.chain_rule("u = x**2; y = 3*u", 2),
    }
    for name, thing in things.items():
        path = tmp_path / f"{name}.png"
        assert plot(thing, path).axes
        assert path.stat().st_size > 1000
