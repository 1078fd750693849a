from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.environments import without_coverage
from tests.experiments.stored import edit, rows_in, set_all, settings_in

from fallline import FalllineError, GradientDescent, GradientNoise, Momentum, Perturbation, Sweep, sweep
from fallline.experiments import keeping
from fallline.experiments.outcomes import Results
from fallline.experiments.store import Own, Store, own_settings
from fallline.results.sweep import NAMES

GRID = {"learning_rate": [1e-4, 1e-3, 1e-2], "momentum": [0.0, 0.9]}
PROGRAM = """
import sys
from tests.experiments.test_store import long_sweep
long_sweep(sys.argv[1])
"""


def short_sweep(store: Any = None, **settings: Any) -> Sweep:
    given: dict[str, Any] = {"grid": GRID, "x0": [0, 0], "optimizers": Momentum(), "max_steps": 50} | settings
    return sweep("booth", **given, store=store)


def long_sweep(store: Any = None) -> Sweep:
    """Many batches, since with a rule that draws chance each seed is one."""
    return short_sweep(store, optimizers=GradientNoise(Momentum()), seeds=range(40), max_steps=60)


def assert_same(one: Sweep, other: Sweep) -> None:
    for name in ("outcome", "steps", "value", "x"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_results_are_kept_and_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    made = short_sweep(path)
    assert_same(made, short_sweep())
    assert rows_in(path) == 6
    # What comes back is what is in the file.
    set_all(path, value=12345.5, outcome=NAMES.index("stuck"))
    again = short_sweep(path)
    assert (again.value == 12345.5).all()
    assert again.count("stuck") == 6


def test_a_larger_sweep_begins_with_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    short_sweep(path)
    set_all(path, steps=-1)
    larger = short_sweep(path, grid={"learning_rate": [1e-3, 5e-3], "momentum": [0.9, 0.99, 0.0]})
    assert (larger.steps[0, 0, [0, 2]] == -1).all()
    assert np.count_nonzero(larger.steps == -1) == 2
    assert rows_in(path) == 6 + 4


@pytest.mark.parametrize(
    "settings",
    [
        {"x0": [0, 1]},
        {"max_steps": 51},
        {"target": 0.0},
        {"seeds": [1]},
        {"optimizers": Momentum(convention="torch")},
        {"gradient": Perturbation(1e-6)},
    ],
)
def test_another_sweep_is_another(tmp_path: Path, settings: dict[str, Any]) -> None:
    path = tmp_path / "runs.db"
    short_sweep(path)
    assert_same(short_sweep(path, **settings), short_sweep(**settings))
    assert rows_in(path) == 12


def test_numbers_that_are_none_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    settings: dict[str, Any] = {"grid": {"learning_rate": [1e200]}, "optimizers": GradientDescent()}
    made = short_sweep(path, **settings)
    assert not np.isfinite(made.value).any()
    assert_same(short_sweep(path, **settings), made)


def test_what_another_process_works_on_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "runs.db"
    settings: dict[str, Any] = {"grid": {"convention": ["paper", "torch"], "learning_rate": [0.1, 0.2]}}
    order: list[str] = []

    class Watched(Store):
        def claim(self, portion: str) -> bool:
            # Another process, which is killed later, has claimed the first portion.
            order.append(portion)
            return len(order) > 1 and super().claim(portion)

        def add(self, problem: str, own: Own, results: Results) -> None:
            order.append(json.loads(problem)["shared"]["convention"])
            super().add(problem, own, results)

    monkeypatch.setattr(keeping, "Store", Watched)
    assert_same(short_sweep(path, **settings), short_sweep(**settings))
    assert [word for word in order if word in ("paper", "torch")] == ["torch", "paper"]
    # Its claim holds nothing up, and is gone afterwards.
    with Store(path) as store:
        assert all(map(store.claim, order[:2]))
        assert store.claim("mine")
        assert not store.claim("mine")
        store.release("mine")
        assert store.claim("mine")


@pytest.mark.long
def test_kill_9_at_any_moment_and_two_processes_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    root = Path(__file__).parents[2]
    draw = random.Random(5)

    def begin() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", PROGRAM, path], env=without_coverage(), cwd=root)

    def rows() -> int:
        try:
            return rows_in(path)
        except sqlite3.OperationalError:  # not made yet, or being made
            return 0

    killed = 0
    both = [begin(), begin()]
    while killed < 3 and all(process.poll() is None for process in both):
        before = rows()
        while rows() == before and both[0].poll() is None:
            time.sleep(0.005)
        time.sleep(draw.uniform(0, 0.05))
        both[0].kill()
        both[0].wait()
        killed += 1
        both = [both[1], begin()]
    for process in both:
        assert process.wait() == 0
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()
    runs = sorted((own["learning_rate"], own["momentum"], own["seed"]) for own in settings_in(path))
    assert runs == sorted(
        (rate, momentum, seed)
        for rate in GRID["learning_rate"] for momentum in GRID["momentum"] for seed in range(40)
    )  # fmt: skip
    assert_same(long_sweep(path), long_sweep())


def test_all_of_a_store_as_a_frame(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    short_sweep(path)
    short_sweep(path, x0=[1, 1])
    with Store(path) as store:
        frame = store.to_frame()
    assert len(frame) == 12
    assert {"learning_rate", "momentum", "start", "seed", "outcome", "steps", "value", "x", "problem"} == set(frame)
    assert json.loads(frame["problem"][0])["max_steps"] == 50


def test_a_run_is_known_by_its_problem_and_its_own_settings(tmp_path: Path) -> None:
    own = own_settings({"a": np.array([1.0, 2.0, 2.0]), "start": np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])})
    made = Results(np.zeros(3, np.int8), np.arange(3), np.array([0.5, np.nan, np.inf]), np.array([[1.0, 2.0]] * 3))
    with Store(tmp_path / "runs.db") as store, Store(tmp_path / "runs.db") as other:
        store.add("p", own[:2], Results(made.outcome[:2], made.steps[:2], made.value[:2], made.x[:2]))
        assert store.found("p", own)[0].tolist() == [True, True, False]
        assert store.found("q", own)[0].tolist() == [False] * 3
        # Existing entries are neither changed nor duplicated by adding them again.
        other.add("p", own, made._replace(steps=np.array([7, 7, 7])))
        there, results = store.found("p", own[::-1])
    assert there.all()
    assert results is not None
    assert results.steps.tolist() == [7, 1, 0]
    np.testing.assert_array_equal(results.value, made.value[::-1])
    assert rows_in(tmp_path / "runs.db") == 3


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.csv"
    text.write_text("a,b\n1,2\n" * 100)
    with pytest.raises(FalllineError, match=r"text.csv', which cannot be used: file is not a database"):
        Store(text)
    assert text.read_text() == "a,b\n1,2\n" * 100
    other = tmp_path / "other.db"
    edit(other, "CREATE TABLE cats (name TEXT)")
    with pytest.raises(FalllineError, match=r"other.db', a database of something else"):
        Store(other)
    newer = tmp_path / "newer.db"
    Store(newer).__exit__()
    for version in (1, 99):
        edit(newer, f"PRAGMA user_version = {version}")
        with pytest.raises(FalllineError, match=r"newer.db', of another version of Fallline; give the name of a new"):
            Store(newer)
    with pytest.raises(FalllineError, match=r"the folder .* does not exist"):
        Store(tmp_path / "none" / "runs.db")
    with pytest.raises(FalllineError, match=r"which cannot be used: unable to open"):
        Store(tmp_path)
    with pytest.raises(FalllineError, match=r"store is ''; it must be the name of a file"):
        Store("")


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "runs.db").touch()
    short_sweep(tmp_path / "runs.db")
    assert rows_in(tmp_path / "runs.db") == 6


def test_functions_of_python_cannot_be_told_apart(tmp_path: Path) -> None:
    functions: list[dict[str, Any]] = [
        {"objective": lambda x, y: x + y},
        {"objective": "x + y", "gradient": lambda x, y: (1, 1)},
    ]
    for settings in functions:
        with pytest.raises(FalllineError, match=r"results of .* cannot be kept: it is a Python function"):
            sweep(grid=GRID, x0=[0, 0], optimizers="momentum", store=tmp_path / "runs.db", **settings)
