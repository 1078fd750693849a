"""Files of results with one array or one entry made wrong: refused when they are loaded, or of use ever after."""

from __future__ import annotations

import copy
import dataclasses
import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from tests.cases import few
from tests.refusals import refusal
from tests.results.samples import KINDS, parts, write

from fallline import Basins, Comparison, FalllineError, Sweep, Trajectory, Tuning, minimize
from fallline.tables import summary_of

ONE_OF_EACH = ("trajectory", "of a function", "comparison", "sweep", "basins", "tuning", "fit with rows held out")
Change = Callable[[Any], Any]

# Each makes an array wrong in its dtype or shape, whatever it was.
WRONG: dict[str, Change] = {
    "complex": lambda array: array.astype(complex),
    "dates": lambda array: np.zeros(array.shape, "M8[s]"),
    "durations": lambda array: np.zeros(array.shape, "m8[ns]"),
    "texts": lambda array: array.astype(str),
    "bytes": lambda array: array.astype("S8"),
    "structured": lambda array: np.zeros(array.shape, [("re", "f8"), ("im", "f8")]),
    "of raw bytes": lambda array: np.zeros(array.shape, "V8"),
    "of half the width": lambda array: array.astype(f"{array.dtype.kind}{max(array.dtype.itemsize // 2, 2)}"),
    "in the other byte order": lambda array: array.astype(f">{array.dtype.kind}{max(array.dtype.itemsize, 2)}"),
    "with an axis before": lambda array: array[None],
    "with an axis behind": lambda array: array[..., None],
    "cut short": lambda array: array[:-1] if array.ndim else array[None],
    "longer": lambda array: np.concatenate([np.atleast_1d(array)] * 2),
    "without rows": lambda array: array[:0] if array.ndim else array[None],
    "of one number": lambda array: array.ravel()[0] if array.ndim else array[None],
}
# A state may be of any number, with any axes behind its rows.
HARMLESS = {"state.": ("with an axis behind", "of half the width", "in the other byte order")}

ENTRIES: list[Any] = [
    None, True, -1, 1, 1.5, 10**30, 10**400, 1e308, float("nan"), float("inf"), "", "x", "\ud800", "a\nb\0", [], [1],
    ["x"], ["a", "b"], ["x", "x"], [1.0, 2.0, 3.0], [None], [{}], [[]], {}, {"a": 1}, {"type": "Adam"},
    {"type": "Popen"}, {"formula": "x"}, {"formula": "x + y + z"}, {"type": "Linear", "X": [[1]], "y": [1]},
]  # fmt: skip


def refused(kind: type[Any], path: Path) -> str:
    """The one line with which a file is refused."""
    line = refusal(kind.load, path)
    assert line.startswith(f"path is '{path}'; it is damaged, or not ")
    return line


@pytest.mark.parametrize("name", few(ONE_OF_EACH, 3))
def test_every_wrong_array_is_refused_by_its_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / "result.npz"
    header, arrays = parts(name, path)
    for array, right in arrays.items():
        harmless = [kind for start, kinds in HARMLESS.items() if start in array for kind in kinds]
        for wrong in WRONG.keys() - harmless:
            write(path, header, arrays | {array: WRONG[wrong](right)})
            line = refused(KINDS[name], path)
            # The first array of several with one axis in common says how long it is.
            shorter = wrong in ("cut short", "longer", "without rows", "of one number")
            assert f": {array.rpartition('/')[2]} is " in line or shorter, f"{array} {wrong}: {line}"
            assert "it must be " in line


def test_the_line_says_what_an_array_is_and_what_it_must_be(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    header, arrays = parts("trajectory", path)
    rows = len(arrays["steps"])
    write(path, header, arrays | {"x": arrays["x"].astype(complex)})
    assert refused(Trajectory, path).endswith(
        f"saved by Fallline: x is complex128 of shape ({rows}, 2); it must be float64 of shape ({rows}, 2)"
    )
    write(path, header, arrays | {"value": arrays["value"][:-1]})
    assert refused(Trajectory, path).endswith(
        f": value is float64 of shape ({rows - 1},); it must be float64 of shape ({rows},)"
    )
    header, arrays = parts("comparison", path)
    write(path, header, arrays | {"gradient": arrays["gradient"].astype("M8[s]")})
    wrong = refused(Comparison, path)
    assert ": run 'plain': gradient is datetime64[s] of shape (" in wrong
    assert wrong.endswith("; it must be float64 of shape (31, 2)")


def test_a_run_without_coordinates_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    header, arrays = parts("trajectory", path)
    none = {name: array[..., :0] for name, array in arrays.items() if name in ("x", "gradient")}
    none |= {name: array[:0] for name, array in arrays.items() if name in ("best_x", "best_gradient")}
    write(path, header | {"names": []}, arrays | none)
    assert refused(Trajectory, path).endswith("names is []; it must be a list of different texts, at least one")


def changed(header: dict[str, Any], *steps: Any, to: Any) -> dict[str, Any]:
    """The header with another value at a place."""
    header = copy.deepcopy(header)
    place: Any = header
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = to
    return header


CONTRADICTIONS: dict[str, tuple[str, Change, str]] = {
    "names of another objective": (
        "trajectory",
        lambda header: changed(header, "recipe", "objective", to={"formula": "x + y + z"}),
        "names is ['x', 'y']; it must be 3 names, as the objective has coordinates",
    ),
    "a reason that is none": (
        "trajectory",
        lambda header: changed(header, "stop", "converged", to="yes"),
        "converged is 'yes'; it must be true or false",
    ),
    "evaluations of three kinds": (
        "trajectory",
        lambda header: changed(header, "evaluations", to=[1, 2, 3]),
        "evaluations is [1, 2, 3]; it must be a list of two counts",
    ),
    "half a character": (
        "trajectory",
        lambda header: changed(header, "title", to="x\ud800"),
        r"a text has '\ud800', which is no Unicode character",
    ),
    "too few labels": (
        "comparison",
        lambda header: changed(header, "labels", to=["plain"]),
        "labels is ['plain']; it must be 2 texts, as there are runs",
    ),
    "starts of three coordinates": (
        "sweep",
        lambda header: changed(header, "factors", -2, 1, to=[[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]),
        "start is [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]; it must be a list of points of 2 numbers",
    ),
    "a seed that is a text": (
        "sweep",
        lambda header: changed(header, "factors", -1, 1, to=["0"]),
        "seed is ['0']; it must be a list of whole numbers",
    ),
    "an axis twice": (
        "basins",
        lambda header: changed(header, "axes", to=["x", "x"]),
        "axes is ['x', 'x']; it must be a list of different texts, at least one",
    ),
    "a held coordinate that varies": (
        "basins",
        lambda header: changed(header, "held", to={"x": 1.0}),
        "axes is ('x', 'y'); it must be two of the names, and the others held",
    ),
    "a rule that is a schedule": (
        "tuning",
        lambda header: changed(header, "best_rule", to={"type": "Cosine", "initial": 0.1, "steps": 10}),
        "; it must be the recipe of an update rule",
    ),
    "a trial of another setting": (
        "tuning",
        lambda header: changed(header, "settings", 0, to={"momentum": 0.5}),
        "; it must have the same names in every trial",
    ),
    "a target beyond any float": (
        "tuning",
        lambda header: changed(header, "target", to=10**400),
        "; it must be at most 1.8e308",
    ),
    "a score of rows that are not there": (
        "fit",
        lambda header: changed(header, "score_held_out", to=0.5),
        "score_held_out is 0.5; 0 rows are held out",
    ),
}


@pytest.mark.parametrize("contradiction", CONTRADICTIONS)
def test_entries_that_contradict_the_others_are_refused(contradiction: str, tmp_path: Path) -> None:
    name, change, line = CONTRADICTIONS[contradiction]
    path = tmp_path / "result.npz"
    header, arrays = parts(name, path)
    write(path, change(header), arrays)
    assert refused(KINDS[name], path).endswith(line)


def test_numbers_in_no_order_or_outside_of_their_range_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "result.npz"
    header, arrays = parts("trajectory", path)
    for steps in (arrays["steps"][::-1], arrays["steps"] - 1, arrays["steps"] * 0):
        write(path, header, arrays | {"steps": steps})
        assert refused(Trajectory, path).endswith("it must be steps, at least 0, ascending")
    for name, kind, array, wrong in (
        ("basins", Basins, "basin", 100),
        ("basins", Basins, "x", np.nan),
        ("basins", Basins, "y", 1.0),
        ("sweep", Sweep, "outcome", 7),
    ):
        header, arrays = parts(name, path)
        write(path, header, arrays | {array: np.full_like(arrays[array], wrong)})
        assert f": {array} is [" in refused(kind, path)


def test_nothing_is_saved_that_could_not_be_loaded(tmp_path: Path) -> None:
    run = dataclasses.replace(minimize("x**2", 1.0, "adam", max_steps=2), title="half \udc80")
    with pytest.raises(FalllineError, match="no Unicode character"):
        run.save(tmp_path / "run.npz")
    assert not list(tmp_path.iterdir())


# Files by chance


def mutated(header: dict[str, Any], arrays: dict[str, Any], chance: random.Random) -> None:
    """Change one array, or one entry at any depth of the header."""
    if chance.random() < 0.4:
        array = chance.choice(sorted(arrays))
        changes: list[Change] = [*WRONG.values(), np.negative, lambda right: np.full_like(right, 99)]
        arrays[array] = chance.choice(changes)(arrays[array])
        if arrays[array].dtype == np.float64 and chance.random() < 0.5:
            arrays[array] = np.full_like(arrays[array], chance.choice((np.nan, np.inf, -1e308)))
        return
    place: Any = header
    while True:
        key = chance.choice(sorted(place) if isinstance(place, dict) else range(len(place)))
        if not (isinstance(place[key], dict | list) and place[key] and chance.random() < 0.8):
            break
        place = place[key]
    if chance.random() < 0.15:
        del place[key]
    else:
        place[key] = chance.choice(ENTRIES)


def use(result: Any, path: Path, drawn: bool) -> None:
    """Do with a result what a user does."""
    assert str(result)
    assert summary_of(result).html
    for name in ("start", "final", "best", "gradient_norm", "success", "message", "reasons", "parameters"):
        getattr(result, name, None)
    for run in result if isinstance(result, Comparison) else ():
        use(run, path, drawn=False)
    result.to_frame()
    if isinstance(result, Sweep):
        result.to_csv(path.with_suffix(".csv"))
    if isinstance(result, Sweep | Basins | Tuning | Comparison):
        result.ranked(3)
    result.save(path)
    assert type(result).load(path) == result
    if drawn:
        result.plot()
        plt.close("all")


@pytest.mark.long
@pytest.mark.parametrize("name", few(ONE_OF_EACH, 3))
def test_a_crafted_file_is_refused_or_of_use(name: str, tmp_path: Path) -> None:
    path = tmp_path / "result.npz"
    header, arrays = parts(name, path)
    chance = random.Random(name)
    loaded, lines = 0, []
    for _ in range(120):
        crafted, columns = copy.deepcopy(header), dict(arrays)
        mutated(crafted, columns, chance)
        write(path, crafted, columns)
        try:
            result = KINDS[name].load(path)
        except FalllineError:
            refused(KINDS[name], path)
            continue
        loaded += 1
        with warnings.catch_warnings():
            # Numbers beyond any size may overflow.
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                use(result, tmp_path / "again.npz", drawn=loaded % 4 == 0)
            except FalllineError as error:
                lines.append(str(error))
    assert loaded
    assert not any("\n" in line for line in lines)
