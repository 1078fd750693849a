"""What is told of two runs that part: the words, the labels, the distances, of runs changed by hand in one place."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import fallline
from fallline import Parting, Trajectory, differ, minimize

VALLEY = "x**2 + 10*y**2"


def run(rule: Any = None, **settings: Any) -> Trajectory:
    objective = settings.pop("objective", VALLEY)
    return minimize(objective, [3.0, 1.0], rule or fallline.GradientDescent(0.01), **{"max_steps": 20} | settings)


def parting(**settings: Any) -> Parting:
    known: dict[str, Any] = {"labels": ("one", "other"), "step": 3, "by": "rule", "facts": {"rate": "1 and 2"}}
    known |= {"lines": {"v": ("a + b", "a - b")}, "steps": np.arange(5), "distance": np.array([0, 0, 0, 2.0, 1.0])}
    return Parting(**known | settings)


LONG = "a rule with a label of thirty-one"


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        (
            {},
            [
                "one and other part at step 3, by the rule",
                "rate  1 and 2",
                "v =   a + b (one)",
                "      a - b (other)",
            ],
        ),
        ({"by": "rounding"}, ["one and other part at step 3, by rounding only"]),
        ({"by": "nothing", "step": None}, ["one and other do not differ"]),
        ({"by": "stopping", "step": None}, ["one and other take the same steps and differ by the stopping"]),
        ({"by": "start", "step": 0}, ["one and other start at different points"]),
        (
            {"labels": (LONG, "other")},
            [f"{LONG} and other part at", "v =   a + b (the first)", "a - b (other)"],
        ),
        ({"labels": ("one", LONG)}, ["a + b (one)", "a - b (the second)"]),
    ],
)
def test_the_words(settings: dict[str, Any], lines: list[str]) -> None:
    found = parting(**settings)
    for line in lines:
        assert line in found.text
    assert repr(found) == found.text
    assert bool(found) == (found.by != "nothing")
    assert found.text.splitlines()[0] in found._repr_html_()


def test_a_label_of_thirty_letters_stands_behind_its_line() -> None:
    for letters, shown in ((30, "x" * 30), (31, "the second")):
        assert f"a - b ({shown})" in parting(labels=("one", "x" * letters)).text


def test_contents_and_frame_hold_the_distances() -> None:
    found = parting(distance=np.array([0, 0, np.nan, 2.0, 1.0]))
    contents = found.contents()
    assert contents == {
        "runs": ("one", "other"),
        "step": 3,
        "by": "rule",
        "facts": {"rate": "1 and 2"},
        "lines": {"v": ("a + b", "a - b")},
        "largest_distance": 2.0,
    }
    assert parting(steps=np.arange(0), distance=np.empty(0)).contents()["largest_distance"] == 0
    frame = found.to_frame()
    assert frame["step"].tolist() == [0, 1, 2, 3, 4]
    assert frame["distance"].tolist()[3:] == [2.0, 1.0]


@pytest.mark.parametrize(
    ("one", "other", "labels"),
    [
        (fallline.Adam(0.1), fallline.Adam(0.2), ("adam, learning_rate 0.1", "adam, learning_rate 0.2")),
        (
            fallline.Momentum(0.01, momentum=0.5),
            fallline.Momentum(0.01, momentum=0.8),
            ("momentum, momentum 0.5", "momentum, momentum 0.8"),
        ),
        (fallline.GradientDescent(0.01), fallline.GradientDescent(0.01), ("gradient_descent (first)", "(second)")),
        (fallline.Adam(0.01), fallline.Lion(0.01), ("adam", "lion")),
        (
            fallline.GradientDescent(fallline.Cosine(0.01, 50)),
            fallline.GradientDescent(fallline.Cosine(0.01, 60)),
            ("Cosine(initial=0.01, steps=50,", "Cosine(initial=0.01, steps=60,"),
        ),
    ],
)
def test_runs_are_called_by_what_only_one_of_them_has(one: Any, other: Any, labels: tuple[str, str]) -> None:
    found = differ(run(one), run(other)).labels
    for name, told in zip(found, labels, strict=True):
        assert told in name
    assert found[0] != found[1]
    assert differ(run(one), run(other), ("this", "that")).labels == ("this", "that")


def moved(path: Trajectory, step: int, **far: float) -> Trajectory:
    """The run with its points from a step on moved along each coordinate."""
    x = path.x.copy()
    for name, distance in far.items():
        x[step:, path.names.index(name)] += distance
    return dataclasses.replace(path, x=x)


@pytest.mark.parametrize(
    ("step", "told"),
    [(1, "5 at step 1, 4 at step 20"), (7, "5 at step 7, 4 at step 20"), (20, "5 at step 20")],
)
def test_distances_are_told_where_they_part_at_their_largest_and_at_the_end(step: int, told: str) -> None:
    path = run()
    other = dataclasses.replace(moved(path, step, x=3.0, y=4.0), rule=fallline.Momentum(0.01), optimizer="momentum")
    other = moved(other, 10, x=-3.0) if step < 10 else other
    found = differ(path, other)
    assert (found.step, found.by) == (step, "rule")
    assert found.distance[step] == pytest.approx(5)
    assert found.facts["distance"] == told


def test_a_distance_that_is_no_number_is_not_the_largest() -> None:
    path = run()
    other = moved(moved(path, 5, x=2.0), 15, y=np.nan)
    found = differ(path, dataclasses.replace(other, rule=fallline.Momentum(0.01)))
    assert found.facts["distance"].startswith("2 at step 5, ")
    assert found.facts["distance"].endswith(", nan at step 20")
    assert "step 15" not in found.facts["distance"]
    assert found.contents()["largest_distance"] == pytest.approx(2)


@pytest.mark.parametrize(("part", "by"), [(60, "rounding"), (70, "rule")])
def test_differences_of_64_roundings_are_no_more_than_rounding(part: int, by: str) -> None:
    path = run()
    other = moved(path, 20, x=part * float(np.finfo(float).eps * np.linalg.norm(path.x[20])))
    found = differ(path, dataclasses.replace(other, rule=fallline.Momentum(0.01)))
    assert (found.step, found.by) == (20, by)


def test_where_rounding_shows_first_the_step_at_which_the_rules_part_is_told() -> None:
    path = run()
    other = moved(moved(path, 5, x=4 * float(np.finfo(float).eps * np.linalg.norm(path.x[5]))), 9, x=1.0)
    found = differ(path, dataclasses.replace(other, rule=fallline.Momentum(0.01)))
    assert (found.step, found.by) == (9, "rule")
    assert found.facts["before"] == "from step 5 on the same but for rounding"
    assert found.facts["distance"].startswith("1 at step 9")
    # Where the rules are the same it is rounding that grew.
    same = differ(path, other)
    assert (same.step, same.by) == (5, "rounding")
    assert "before" not in same.facts


@pytest.mark.parametrize(
    ("part", "words"), [(5e-10, "at most 5e-10 of x: the last digits"), (5e-9, "up to 5e-09 of x")]
)
def test_rounding_that_grew_is_told_as_such(part: float, words: str) -> None:
    path = run()
    other = moved(path, 20, x=part * float(np.linalg.norm(path.x[20])))
    # The same rule, so that only rounding can part them.
    found = differ(path, dataclasses.replace(other, engine="another"))
    assert found.by == "rounding"
    assert found.facts["size"].startswith(words)
    assert found.facts["engine"] == f"{path.engine} and another"
    assert "engine" not in differ(path, other).facts


def test_beside_a_start_at_0_no_rounding_is_large() -> None:
    path = minimize("(x - 1)**2 + (y - 2)**2", [0.0, 0.0], fallline.GradientDescent(0.01), max_steps=5)
    found = differ(path, moved(path, 5, x=1e-17))
    assert (found.step, found.by) == (5, "rounding")
    assert found.facts["size"].startswith("at most ")


def test_another_gradient_at_the_same_point() -> None:
    path = run()
    gradient = path.gradient.copy()
    gradient[4] = [3.0, 4.0]
    other = dataclasses.replace(moved(path, 5, x=1.0), gradient=gradient)

    def told(**settings: Any) -> Parting:
        return differ(path, dataclasses.replace(other, **settings), ("a", "b"))

    found = told()
    assert (found.step, found.by) == (5, "gradient")
    slope = path.gradient[4]
    assert found.facts["gradient"] == f"[{slope[0]:.6g}, {slope[1]:.6g}] and [3, 4]"
    apart = np.linalg.norm(slope - [3, 4]) / np.linalg.norm(slope)
    assert found.facts["apart"] == f"{apart:.3g} of the gradient's length"
    assert told(gradient_kind="given").facts["kind"] == "symbolic and given"
    assert told(title="g").facts["objective"] == f"{path.title} and g"
    assert told(title="g", seed=5).by == "objective"
    assert (told(seed=5).by, told(seed=5).facts["seed"]) == ("batches", "0 and 5")
    by_engine = told(engine="another")
    assert (by_engine.by, by_engine.facts["engine"]) == ("rounding", f"{path.engine} and another")
    # No engine's rounding moves a point by 1, another rule does.
    assert told(engine="another", rule=fallline.Momentum(0.01)).by == "rule"


def test_of_a_rule_that_is_not_at_hand_the_gradient_is_taken_where_the_run_is() -> None:
    path = run()
    gradient = path.gradient + np.where(np.arange(21) == 4, 1.0, 0.0)[:, None]
    other = dataclasses.replace(moved(path, 5, x=1.0), gradient=gradient)
    for pair in ((path, dataclasses.replace(other, rule=None)), (dataclasses.replace(path, rule=None), other)):
        found = differ(*pair)
        assert (found.step, found.by) == (5, "gradient")


def test_another_rate_and_a_state_of_an_earlier_run() -> None:
    path = run()
    rate = path.rate.copy()
    rate[4] = 0.5
    found = differ(path, dataclasses.replace(moved(path, 5, x=1.0), rate=rate, rule=None))
    assert (found.step, found.by, found.facts["rate"]) == (5, "rate", "0.01 and 0.5")
    resumed = dataclasses.replace(moved(path, 5, x=1.0), recipe={**path.recipe, "resumed": True})
    assert differ(path, resumed, ("a", "b")).facts["state"] == "that of an earlier run, with which began b"
    both = differ(dataclasses.replace(path, recipe=resumed.recipe), resumed, ("a", "b"))
    assert both.facts["state"].endswith("began a and b")


def test_rules_that_are_not_at_hand_are_told_by_their_names() -> None:
    path = run()
    other = dataclasses.replace(moved(path, 5, x=1.0), rule=None, optimizer="my_rule")
    found = differ(path, other)
    assert (found.by, found.facts["rule"]) == ("rule", f"{path.optimizer} and my_rule")
    assert found.lines == {}
    assert differ(path, dataclasses.replace(other, optimizer=path.optimizer)).by == "rounding"


@pytest.mark.parametrize("record", ["all", 3, "ends"])
def test_runs_that_part_late_and_did_not_record_all_are_repeated(record: Any) -> None:
    # The rates part in the step after 300, beyond the 64 that are looked at first.
    late = fallline.StepDecay(0.001, factor=0.5, every=300)
    one, other = (run(fallline.GradientDescent(rate), max_steps=400, record=record) for rate in (0.001, late))
    found = differ(one, other)
    assert (found.step, found.by) == (301, "rate")
    assert np.array_equal(found.steps, np.arange(len(found.steps)))
    assert len(found.steps) > 301


def test_the_stopping_of_each_is_told() -> None:
    found = differ(run(max_steps=5), run(max_steps=8), ("a", "b"))
    assert (found.step, found.by) == (None, "stopping")
    assert "5 steps" in found.facts["a"]
    assert "8 steps" in found.facts["b"]
    assert "(step limit)" in found.facts["a"]
    same = differ(run(), run(), ("a", "b"))
    assert same.facts["both"].startswith("bit for bit; ")
    assert same.facts["both"].endswith("(step limit)")
    assert not same.distance.any()
    assert len(same.distance) == 21


def test_starts_are_told_by_their_coordinates() -> None:
    path = run()
    found = differ(path, moved(path, 0, y=-2.0))
    assert (found.step, found.by, found.facts["start"]) == (0, "start", "x = 3, y = 1 and x = 3, y = -1")
    assert found.distance == pytest.approx(np.full(21, 2.0))
