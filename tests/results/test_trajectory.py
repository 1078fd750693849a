"""What a run recorded: read row by row, saved, loaded, and refused when it is not what it should be."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.environments import without_coverage
from tests.optimizers.rules import RULES
from tests.refusals import refusal

from fallline import Adam, FalllineError, GradientDescent, Momentum, Record, Trajectory, minimize


@pytest.fixture(scope="module")
def run() -> Trajectory:
    return minimize("(1 - x)**2 + 10*(y - x**2)**2", [-1.2, 1.0], Adam(0.1), max_steps=40, record=Record(state=True))


@pytest.fixture(scope="module")
def saved(run: Trajectory, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("saved") / "run.npz"
    run.save(path)
    return path.read_bytes()


def test_rows_are_points(run: Trajectory) -> None:
    assert len(run) == 41
    assert run.step_count == 40
    assert [run[row].step for row in range(len(run))] == list(range(41))
    point = run[7]
    assert (point.step, point.value) == (7, run.value[7])
    np.testing.assert_array_equal(point.x, run.x[7])
    np.testing.assert_array_equal(run.start.x, [-1.2, 1.0])
    assert (run.final.step, run[-1].value) == (40, run.final.value)
    with pytest.raises(IndexError):
        run[41]
    lengths = [np.hypot(*gradient) for gradient in run.gradient]
    # hypot and the root of the sum of squares are each rounded a few times.
    np.testing.assert_allclose(run.gradient_norm, lengths, rtol=1e-15)
    np.testing.assert_allclose([run[row].gradient_norm for row in range(len(run))], lengths, rtol=1e-15)


def test_it_says_what_was_run_and_how(run: Trajectory) -> None:
    assert run.title == "(1 - x)**2 + 10*(y - x**2)**2"
    assert run.optimizer == "adam, learning_rate 0.1"
    assert (run.names, run.seed, run.engine, run.gradient_kind) == (("x", "y"), 0, "reference", "symbolic")
    assert run.seconds > 0
    assert run.steps.dtype == np.int64
    assert {array.dtype for array in (run.x, run.value, run.gradient, run.rate)} == {np.dtype(float)}


def test_equal_means_everything_that_is_saved(run: Trajectory) -> None:
    assert run == dataclasses.replace(run)
    assert run != "a run"
    # The run time is not part of the result.
    assert run == dataclasses.replace(run, seconds=run.seconds + 1)
    changed = {
        "title": "x",
        "x": np.nextafter(run.x, 2),
        "rate": np.where(np.arange(41) == 3, np.nan, run.rate),
        "states": {"m": run.states["m"]},
        "best": run.best._replace(x=run.best.x + 1),
        "recipe": {**run.recipe, "seed": 1},
        "stop": dataclasses.replace(run.stop, converged=True),
    }
    for name, value in changed.items():
        assert run != dataclasses.replace(run, **{name: value}), name  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"unhashable"):
        hash(run)


# Habits of SciPy and NumPy


def test_it_answers_to_what_scipys_results_are_asked_for() -> None:
    run = minimize("(x - 10)**2", 30, GradientDescent(0.25))
    scipy = pytest.importorskip("scipy.optimize").minimize(lambda x: (x[0] - 10) ** 2, [30.0])
    for name in ("success", "message", "fun", "nit", "nfev", "njev"):
        assert isinstance(getattr(run, name), type(getattr(scipy, name)) | int | float), name
    assert (run.success, run.message) == (True, run.stop.message)
    assert (run.fun, run.nit) == (run.final.value, run.step_count)
    assert (run.nfev, run.njev) == (run.evaluations.value, run.evaluations.gradient)
    assert not minimize("x", 0.0, GradientDescent(0.25), max_steps=3).success


def test_a_slice_is_the_trajectory_of_these_rows(run: Trajectory) -> None:
    part = run[10:20]
    assert isinstance(part, Trajectory)
    assert (len(part), part.start.step, part.final.step) == (10, 10, 19)
    for name in ("x", "value", "gradient", "rate", "steps"):
        np.testing.assert_array_equal(getattr(part, name), getattr(run, name)[10:20])
    for name, state in part.states.items():
        np.testing.assert_array_equal(state, run.states[name][10:20])
    # The best of these rows, of which the run's own best is none.
    assert part.best.value == min(run.value[10:20])
    assert (part.stop, part.recipe, part.objective) == (run.stop, run.recipe, run.objective)
    assert run[:] == run
    assert run[::10].steps.tolist() == [0, 10, 20, 30, 40]
    assert run[-3:].final.step == 40


def test_the_best_point_of_a_slice_may_be_one_that_was_not_recorded() -> None:
    run = minimize("x**2", 1.0, GradientDescent(0.95), max_steps=5, record=5)
    assert run[:].best.step == run.best.step
    assert run[:1].best.step == 0


@pytest.mark.parametrize("rows", [slice(5, 5), slice(99, None), slice(None, None, -1)])
def test_no_rows_and_rows_backwards_are_refused(run: Trajectory, rows: slice) -> None:
    with pytest.raises(FalllineError, match=r"^rows .* of 41 are none, or backwards$"):
        run[rows]


def test_as_an_array_it_is_its_points(run: Trajectory) -> None:
    points = np.asarray(run)
    np.testing.assert_array_equal(points, run.x)
    assert np.asarray(run, dtype=np.float32).dtype == np.float32
    copy = np.array(run)
    copy[0] = 99.0
    assert run.x[0, 0] == -1.2


# Saving and loading


@pytest.mark.parametrize("name", RULES)
def test_every_rule_with_its_state_comes_back_equal(name: str, tmp_path: Path) -> None:
    rule = RULES[name]
    run = minimize("x**2 + 3*y**2 - x*y", [1.0, -2.0], rule, max_steps=12, record=Record(every=5, state=True))
    run.save(tmp_path / "run.npz")
    loaded = Trajectory.load(tmp_path / "run.npz")
    assert loaded == run
    assert loaded.states.keys() == run.states.keys()
    assert loaded.objective is not None
    np.testing.assert_array_equal(loaded.objective.value(run.x), run.value)


def test_numbers_that_are_not_finite_come_back(tmp_path: Path) -> None:
    run = minimize("x**2", 1.0, GradientDescent(1e200), record=Record(state=True))
    assert not np.isfinite(run.value[-1])
    run.save(tmp_path / "run")
    assert Trajectory.load(tmp_path / "run") == run
    run = minimize(lambda x: np.nan, 1.0, GradientDescent(), gradient=lambda x: np.nan)
    run.save(tmp_path / "run")
    loaded = Trajectory.load(tmp_path / "run")
    assert loaded == run
    # A Python function cannot be rebuilt from a file.
    assert loaded.objective is None


def test_the_name_of_the_file_is_kept_as_given(run: Trajectory, tmp_path: Path) -> None:
    for name in ("run.npz", "run", "run.descent", "größe x=1.npz"):
        run.save(tmp_path / name)
        assert Trajectory.load(str(tmp_path / name)) == run
    assert len(list(tmp_path.iterdir())) == 4


def test_saving_again_replaces_the_file(run: Trajectory, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    path.write_text("something old")
    run.save(path)
    assert Trajectory.load(path) == run


@pytest.mark.long
def test_kill_9_while_saving_leaves_the_old_file_or_the_new(run: Trajectory, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    script = textwrap.dedent("""
        import sys
        import numpy as np
        from fallline import GradientDescent, minimize
        run = minimize(lambda v: v @ v, np.random.default_rng(0).normal(size=200), GradientDescent(0.01),
                       gradient=lambda v: 2 * v, max_steps=2000, stop=None)
        print("ready", flush=True)
        while True:
            run.save(sys.argv[1])
    """)
    draw = random.Random(1)
    seen = set()
    for _ in range(3):
        run.save(path)
        command = [sys.executable, "-c", script, str(path)]
        with subprocess.Popen(command, env=without_coverage(), stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(draw.uniform(0.0, 0.4))
            process.send_signal(signal.SIGKILL)
        loaded = Trajectory.load(path)
        seen.add(len(loaded.names))
        assert loaded == run or len(loaded) == loaded.step_count + 1
    assert seen <= {2, 200}


def test_where_it_cannot_be_saved_is_said(run: Trajectory, tmp_path: Path) -> None:
    with pytest.raises(FalllineError, match=r"^path is '.*none/run.npz', but the folder '.*none' does not exist$"):
        run.save(tmp_path / "none" / "run.npz")
    with pytest.raises(FalllineError, match=r"^path is '.*', a folder; give the name of a file$"):
        run.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


# Files that are something else


def refused(path: Path) -> str:
    """The one line that loading the file gives."""
    line = refusal(Trajectory.load, path)
    assert line.startswith("path is ")
    return line


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.npz") == f"path is '{tmp_path}/none.npz'; there is no such file"
    assert refused(tmp_path / ("n" * 300)).endswith("there is no such file")
    assert refused(tmp_path).endswith("it is damaged, or not a trajectory saved by Fallline (Is a directory)")


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"a,b\n1,2\n", b"\x93NUMPY", b"PK\x03\x04" + bytes(60), b"\x00" * 1000]
)
def test_a_file_of_something_else_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    path.write_bytes(content)
    assert refused(path) == f"path is '{path}'; it is damaged, or not a trajectory saved by Fallline"


def test_numpys_own_files_are_refused(tmp_path: Path) -> None:
    for write in (np.save, np.savez):
        path = tmp_path / write.__name__
        with path.open("wb") as file:
            write(file, np.arange(3.0))
        refused(path)


def test_a_pickle_inside_is_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "sprung"),)

    path = tmp_path / "run.npz"
    np.savez(path, header=np.array([Trap()], dtype=object))
    refused(path)
    assert not (tmp_path / "sprung").exists()


@settings(max_examples=150)
@given(data=st.data())
def test_a_damaged_byte_is_noticed_or_harmless(
    data: st.DataObject, run: Trajectory, saved: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = data.draw(st.integers(0, len(saved) - 1))
    damaged = bytearray(saved)
    damaged[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("damaged") / "run.npz"
    path.write_bytes(damaged)
    try:
        loaded = Trajectory.load(path)
    except FalllineError:
        refused(path)
    else:
        # Times and attributes of the files in a zip mean nothing to us.
        assert loaded == run


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_a_file_cut_short_is_refused(share: float, saved: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    path.write_bytes(saved[: int(share * len(saved))])
    refused(path)


def changed(saved: bytes, path: Path, change: Any) -> Path:
    """The saved file with its arrays changed."""
    with np.load(io.BytesIO(saved)) as archive:
        arrays = dict(archive)
    header = json.loads(str(arrays["header"]))
    change(arrays, header)
    if "header" in arrays:
        arrays["header"] = np.array(json.dumps(header))
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays, header: arrays.pop("x"),
        lambda arrays, header: arrays.pop("header"),
        lambda arrays, header: arrays.pop("best_value"),
        lambda arrays, header: header.pop("stop"),
        lambda arrays, header: header.pop("names"),
        lambda arrays, header: header.update(format="fallline trajectory 99"),
        lambda arrays, header: header.update(surprise=1),
        lambda arrays, header: header.update(recipe=3),
        lambda arrays, header: header["recipe"].update(objective={"formula": "__import__('os')"}),
        lambda arrays, header: header["recipe"].update(objective={"model": "none"}),
        lambda arrays, header: arrays.update(x=arrays["x"][:-1]),
        lambda arrays, header: arrays.update(value=arrays["value"][:5]),
        lambda arrays, header: arrays.update({"state.m": arrays["state.m"][:5]}),
        lambda arrays, header: arrays.update({name: arrays[name][:0] for name in ("steps", "x", "value", "gradient")}),
    ],
)
def test_a_file_with_parts_missing_or_wrong_is_refused(change: Any, saved: bytes, tmp_path: Path) -> None:
    refused(changed(saved, tmp_path / "run.npz", change))


def test_a_file_that_claims_more_than_memory_holds_is_refused(saved: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    claim = io.BytesIO()
    np.lib.format.write_array_header_1_0(claim, {"descr": "<f8", "fortran_order": False, "shape": (10**15,)})
    with zipfile.ZipFile(io.BytesIO(saved)) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, claim.getvalue() if name == "value.npy" else old.read(name))
    refused(path)


# To a table


def test_the_table_has_a_row_for_each_row(run: Trajectory) -> None:
    frame = run.to_frame()
    assert list(frame.columns) == ["step", "x", "y", "d/dx", "d/dy", "value", "gradient_norm", "rate"]
    assert frame["step"].tolist() == run.steps.tolist()
    np.testing.assert_array_equal(frame[["x", "y"]], run.x)
    np.testing.assert_array_equal(frame[["d/dx", "d/dy"]], run.gradient)
    np.testing.assert_array_equal(frame["value"], run.value)
    np.testing.assert_array_equal(frame["rate"], run.rate)
    frame.loc[0, "x"] = 99.0
    assert run.x[0, 0] == -1.2


@pytest.mark.parametrize("record", [Record(), Record(every=3), Record(every=None), Record(state=True)])
def test_records_are_kept_as_they_are(record: Record) -> None:
    assert Record.of(record) is record
    assert Record.of("all") == Record(every=1)
    assert Record.of("ends") == Record(every=None)
    assert Record.of(np.int64(4)) == Record(every=4)  # type: ignore[arg-type]


def test_a_momentum_run_has_its_velocity_where_it_was_asked_for() -> None:
    run = minimize("x**2", 1.0, Momentum(0.1), max_steps=10, record=Record(state=True))
    # The velocity is what the last step subtracted, up to the rounding of x.
    np.testing.assert_allclose(run.states["velocity"][1:], -np.diff(run.x, axis=0), rtol=0, atol=4e-16)


def test_a_coordinate_never_hides_a_column_of_the_frame() -> None:
    run = minimize("value**2", 1.0, GradientDescent(0.1), max_steps=2)
    with pytest.raises(FalllineError, match="names has 'value', which to_frame calls a column of its own"):
        run.to_frame()
