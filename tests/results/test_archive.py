"""The file of every kind of result: read back equal, and refused when it is not what it should be."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cases import few
from tests.refusals import refusal
from tests.results.samples import BOWL, KINDS, RESULTS, ROWS, named, parts, result, write

from fallline import (
    Adam,
    Ball,
    Basins,
    Box,
    Comparison,
    FalllineError,
    Fit,
    GradientDescent,
    Optimizer,
    Projected,
    Sweep,
    Trajectory,
    Tuning,
    compare,
    minimize,
    rerun,
    sweep,
    tune,
)
from fallline.fitting.fitted import FittedModel
from fallline.models import Linear
from fallline.results.archive import Archived

ONE_OF_EACH = ("trajectory", "comparison", "sweep", "basins", "tuning", "fit with rows held out")


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_comes_back_equal(name: str, tmp_path: Path) -> None:
    found = named(name)
    found.save(tmp_path / "result")
    loaded = type(found).load(tmp_path / "result")
    assert type(loaded) is KINDS[name]
    assert loaded == found
    assert repr(loaded) == repr(found)


@pytest.mark.parametrize("name", RESULTS)
def test_made_again_it_is_equal_however_long_it_took(name: str) -> None:
    assert RESULTS[name]() == named(name)
    assert named(name) != "a result"
    with pytest.raises(TypeError, match="unhashable"):
        hash(named(name))


def test_a_recipe_makes_an_equal_run() -> None:
    run = minimize(BOWL, [1.0, -2.0], Adam(0.1), max_steps=20)
    assert rerun(run.recipe) == run


def changes() -> dict[str, tuple[Any, Any]]:
    """Two results of a kind that differ in one thing each."""
    first = {kind: result(kind) for kind in (Comparison, Sweep, Basins, Tuning, Fit)}
    return {
        "label": (first[Comparison], dataclasses.replace(first[Comparison], labels=("plain", "light"))),
        "run": (first[Comparison], Comparison(first[Comparison].labels, first[Comparison].trajectories[::-1])),
        "outcome": (first[Sweep], dataclasses.replace(first[Sweep], outcome=first[Sweep].outcome[::-1])),
        "target": (first[Sweep], dataclasses.replace(first[Sweep], target=None)),
        "factor": (first[Sweep], dataclasses.replace(first[Sweep], factors=first[Sweep].factors | {"seed": (1,)})),
        "minimum": (first[Basins], dataclasses.replace(first[Basins], minima=first[Basins].minima + 1e-15)),
        "trial": (first[Tuning], dataclasses.replace(first[Tuning], trials=first[Tuning].trials[:-1])),
        "rule": (first[Tuning], dataclasses.replace(first[Tuning], best_rule=Adam())),
        "note": (first[Fit], dataclasses.replace(first[Fit], notes=())),
        "rows": (first[Fit], named("fit with rows held out")),
        "kind": (first[Basins], first[Sweep]),
    }


@pytest.mark.parametrize("name", changes())
def test_what_differs_is_unequal(name: str) -> None:
    one, other = changes()[name]
    assert one != other


def test_a_loaded_comparison_has_one_objective_for_all_runs(tmp_path: Path) -> None:
    loss = Linear([[1.0], [2.0], [3.0]], [1.0, 2.0, 4.0])
    runs = compare(loss, [0.0, 0.0], ["adam", "momentum"], max_steps=3)
    runs.save(tmp_path / "runs.npz")
    loaded = Comparison.load(tmp_path / "runs.npz")
    assert loaded == runs
    assert loaded[0].objective is loaded[1].objective
    np.testing.assert_array_equal(loaded[0].objective.value(runs[1].x), runs[1].value)


def test_runs_of_different_lengths_states_and_coordinates_share_a_file(tmp_path: Path) -> None:
    runs = Comparison(
        ("short", "long", "of a function"),
        (named("trajectory"), minimize("x**2", 3.0, "adam", max_steps=50), named("of a function")),
    )
    runs.save(tmp_path / "runs.npz")
    loaded = Comparison.load(tmp_path / "runs.npz")
    assert loaded == runs
    assert [len(run.names) for run in loaded] == [2, 1, 200]
    assert [bool(run.states) for run in loaded] == [True, False, False]
    Comparison((), ()).save(tmp_path / "none.npz")
    assert Comparison.load(tmp_path / "none.npz") == Comparison((), ())


@dataclasses.dataclass(frozen=True)
class Mine(Optimizer[None]):
    """A rule of the user's."""

    learning_rate: Any = 0.1

    def init(self, x: Any) -> None:
        return None

    def update(self, gradient: Any, state: None, rate: Any, step: Any) -> Any:
        return rate * gradient / step, state


def test_of_a_users_class_a_file_holds_the_recipe(tmp_path: Path) -> None:
    found = tune("x**2", 1.0, Mine(), {"learning_rate": [0.1, 0.2]}, trials=2, max_steps=5)
    found.save(tmp_path / "tuning.npz")
    again = Tuning.load(tmp_path / "tuning.npz")
    assert again == found
    assert again.best_rule["type"].endswith(".Mine")  # type: ignore[index]


def test_sets_and_conventions_among_the_factors_of_a_sweep_come_back(tmp_path: Path) -> None:
    grid: dict[str, list[Any]] = {"onto": [Ball(1.0), Box(0.0, 1.0)], "learning_rate": [0.1, 0.2]}
    runs = sweep("x**2 + y**2", [2.0, 2.0], Projected(GradientDescent(0.1), Ball(1.0)), grid, max_steps=5)
    runs.save(tmp_path / "sweep.npz")
    loaded = Sweep.load(tmp_path / "sweep.npz")
    assert loaded == runs
    assert loaded.factors == runs.factors


def test_a_loaded_tuning_has_the_best_rule_at_hand(tmp_path: Path) -> None:
    found = result(Tuning)
    found.save(tmp_path / "tuning.npz")
    loaded = Tuning.load(tmp_path / "tuning.npz")
    assert loaded.best_rule == found.best_rule
    assert loaded.best.settings == found.best.settings


def test_a_loaded_fit_predicts_and_knows_its_score_but_has_no_rows(tmp_path: Path) -> None:
    for name in ("fit", "fit with rows held out", "fit of batches"):
        found = named(name)
        found.save(tmp_path / "fit.npz")
        loaded = Fit.load(tmp_path / "fit.npz")
        np.testing.assert_array_equal(loaded.predict(ROWS), found.predict(ROWS))
        assert loaded.classify(ROWS).tolist() == found.classify(ROWS).tolist()
        assert loaded.score() == found.score()
        assert loaded.fitted == found.fitted
        assert len(loaded.plot().axes) == len(found.plot().axes)
        for one, other in zip(loaded.learning_curve(), found.learning_curve(), strict=True):
            np.testing.assert_array_equal(one, other)
        for part in ("model", "training", "held_out"):
            with pytest.raises(FalllineError, match=r"^the fit was loaded from a file, which holds no rows"):
                getattr(loaded, part)


def test_the_model_of_a_fit_is_kept_alone_too(tmp_path: Path) -> None:
    found = result(Fit)
    found.fitted.save(tmp_path / "model.json")
    loaded = FittedModel.load(tmp_path / "model.json")
    assert loaded == found.fitted
    assert loaded != found.fitted.at(found.fitted.x + 1)


# Files that are something else


def refused(kind: type[Archived], path: Path) -> str:
    """The one line that loading the file gives."""
    line = refusal(kind.load, path)
    assert line.startswith("path is ")
    return line


@pytest.mark.parametrize(
    ("kind", "called"),
    [
        (Trajectory, "a trajectory"),
        (Comparison, "a comparison"),
        (Sweep, "a sweep"),
        (Basins, "a map of basins"),
        (Tuning, "a tuning"),
        (Fit, "a fit"),
    ],
)
def test_another_file_is_refused_by_name(kind: type[Archived], called: str, tmp_path: Path) -> None:
    path = tmp_path / "result.npz"
    assert refused(kind, path) == f"path is '{path}'; there is no such file"
    path.write_text("a,b\n1,2\n")
    assert refused(kind, path) == f"path is '{path}'; it is damaged, or not {called} saved by Fallline"
    other = Sweep if kind is Basins else Basins
    result(other).save(path)
    assert refused(kind, path).endswith(f"not {called} saved by Fallline")


@pytest.mark.parametrize("name", few(ONE_OF_EACH, 2))
@settings(max_examples=60)
@given(data=st.data())
def test_a_damaged_byte_is_noticed_or_harmless(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "result.npz"
    named(name).save(path)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        loaded = KINDS[name].load(path)
    except FalllineError:
        refused(KINDS[name], path)
    else:
        # Times and attributes of the files in a zip mean nothing to us.
        assert loaded == named(name)


def test_a_hidden_array_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "result.npz"
    named("trajectory").save(path)
    content = bytearray(path.read_bytes())
    # A comment as long as the rest of the zip's directory hides the last file; zipfile does not complain.
    entry = content.rfind(b"PK\x01\x02", 0, content.rfind(b"PK\x01\x02"))
    content[entry + 33] ^= 1  # the high byte of the length of the comment
    path.write_bytes(content)
    refused(Trajectory, path)


@pytest.mark.parametrize("name", few(ONE_OF_EACH, 2))
def test_every_array_is_there_and_no_other(name: str, tmp_path: Path) -> None:
    path = tmp_path / "result.npz"
    header, arrays = parts(name, path)
    write(path, header, arrays)
    assert KINDS[name].load(path) == named(name)
    for array in arrays:
        # Without one of its states it is a run that recorded fewer.
        if not array.startswith("state."):
            write(path, header, {other: arrays[other] for other in arrays if other != array})
            refused(KINDS[name], path)
    write(path, header, arrays | {"surprise": np.zeros(3)})
    refused(KINDS[name], path)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_every_entry_of_the_header_is_checked(name: str, tmp_path: Path) -> None:
    path = tmp_path / "result.npz"
    header, arrays = parts(name, path)
    for entry in header:
        write(path, {other: header[other] for other in header if other != entry}, arrays)
        refused(KINDS[name], path)
        write(path, header | {entry: {"an": "object"} if not isinstance(header[entry], dict) else 3}, arrays)
        refused(KINDS[name], path)
    write(path, header | {"surprise": 1}, arrays)
    refused(KINDS[name], path)


def test_numbers_that_point_nowhere_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "result.npz"
    header, arrays = parts("basins", path)
    write(path, header, arrays | {"basin": arrays["basin"] + 100})
    refused(Basins, path)
    header, arrays = parts("sweep", path)
    write(path, header, arrays | {"outcome": np.full_like(arrays["outcome"], 7)})
    refused(Sweep, path)
    header, arrays = parts("tuning", path)
    write(path, header | {"best_rule": {"type": "Popen"}}, arrays)
    refused(Tuning, path)
    header, arrays = parts("fit", path)
    header["model"]["format"] = "fallline model 99"
    write(path, header, arrays)
    refused(Fit, path)


def test_every_kind_of_result_is_tested_here() -> None:
    kinds = {kind for kind in Archived.__subclasses__() if kind.__module__.startswith("fallline.")}
    assert kinds == set(KINDS.values()) == {KINDS[name] for name in ONE_OF_EACH}
