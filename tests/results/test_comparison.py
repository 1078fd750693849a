"""A comparison's columns are those of its runs, whether or not the runs were recorded."""

from __future__ import annotations

import importlib
import os
import pickle
import signal
from typing import Any

import numpy as np
import pytest

from fallline import Adam, FalllineError, GradientDescent, Momentum, Optimizer, Target, compare, minimize, rerun
from fallline.results.lazy import Lazy

STARTS = np.random.default_rng(3).uniform(-2, 2, (300, 2))


@pytest.mark.parametrize("engine", ["reference", "compiled", "auto"])
@pytest.mark.parametrize("objective", ["rosenbrock", "ackley"])
def test_a_run_that_is_made_when_asked_for_is_the_run_of_minimize(engine: str, objective: str) -> None:
    rules: dict[str, Optimizer[Any]] = {"adam": Adam(0.05), "momentum": Momentum(0.001)}
    runs = compare(objective, STARTS, rules, max_steps=120, record="ends", engine=engine, target=1e-4)
    assert len(runs) == 600
    for place in (0, 299, 300, -1, 417):
        run, name = runs[place], "adam" if place in (0, 299) else "momentum"
        start = STARTS[place % 300]
        alone = minimize(objective, start, rules[name], max_steps=120, record="ends", engine=run.engine, target=1e-4)
        assert rerun(run.recipe) == run
        for part in ("x", "value", "gradient", "steps"):
            np.testing.assert_array_equal(getattr(run, part), getattr(alone, part))
        assert (run.stop, run.best.step, run.evaluations) == (alone.stop, alone.best.step, alone.evaluations)
        np.testing.assert_array_equal(runs.x[place], run.final.x)
        assert runs.value[place] == run.final.value
        assert runs.lowest[place] == run.best.value
        assert runs.steps[place] == run.step_count
        assert runs.reasons[place] == run.stop.reason
        assert runs.labels[place] == f"{name} from ({start[0]:g}, {start[1]:g})"
        assert runs[place] is run


def test_the_columns_are_those_of_recorded_runs() -> None:
    settings: dict[str, Any] = {"max_steps": 60, "stop": Target(0.5)}
    columns = compare("rosenbrock", STARTS, Momentum(0.001), record="ends", engine="compiled", **settings)
    recorded = compare("rosenbrock", STARTS, Momentum(0.001), record="all", engine="compiled", **settings)
    for name in ("x", "value", "lowest", "steps", "reasons"):
        np.testing.assert_array_equal(getattr(columns, name), getattr(recorded, name))
    np.testing.assert_array_equal(recorded.lowest, [np.nanmin(run.value) for run in recorded])
    assert set(recorded.reasons) == {"target reached", "step limit", "not finite"}
    assert columns.labels == recorded.labels
    assert columns.best.best.value == recorded.best.best.value == recorded.lowest.min()
    assert [run.best.value for run in columns.ranked(5)] == np.sort(recorded.lowest)[:5].tolist()
    assert len(columns.to_frame()) == 2 * 300 - np.count_nonzero(columns.steps == 0)


def test_a_run_that_was_never_finite_is_ranked_last() -> None:
    starts = np.linspace(-1, 1, 300)[:, None]
    runs = compare("log(x)", starts, GradientDescent(1e-3), max_steps=2, record="ends", engine="compiled")
    assert np.isnan(runs.lowest[:150]).all()
    assert runs.best is runs[150]
    assert runs.ranked(0) == []
    with pytest.raises(FalllineError, match="count is -1; it must be a whole number at least 0"):
        runs.ranked(-1)


def test_functions_and_the_users_rules_are_run_once() -> None:
    calls = 0

    def bowl(x: Any, y: Any) -> Any:
        nonlocal calls
        calls += 1
        return x**2 + y**2

    runs = compare(bowl, STARTS, GradientDescent(0.1), max_steps=2, record="ends", gradient=lambda x, y: (2 * x, 2 * y))
    assert calls == 900
    assert (runs[7].final.x == runs.x[7]).all()
    assert calls == 900


def test_after_ctrl_c_there_is_no_part_of_many_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    room: Any = importlib.import_module("fallline.experiments.compare")
    honest = room.ends
    made = []

    def pressed(*arguments: Any) -> Any:
        made.append(arguments)
        if len(made) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return honest(*arguments)

    monkeypatch.setattr(room, "ends", pressed)
    runs = compare("booth", STARTS, ["momentum", "adam"], max_steps=5, record="ends", engine="compiled")
    assert len(runs) == 300
    assert runs[0].optimizer.startswith("momentum")
    made[:] = [()]
    with pytest.raises(KeyboardInterrupt):
        compare("booth", STARTS, ["momentum", "adam"], max_steps=5, record="ends", engine="compiled")


def test_it_can_be_pickled() -> None:
    runs = compare("booth", STARTS, "momentum", max_steps=5, record="ends", engine="compiled")
    again = pickle.loads(pickle.dumps(runs))
    np.testing.assert_array_equal(again.x, runs.x)
    assert again.labels[4] == runs.labels[4]
    np.testing.assert_array_equal(again[4].final.x, runs.x[4])


def test_a_lazy_sequence_makes_each_item_once() -> None:
    made: list[int] = []

    def make(places: Any) -> list[int]:
        made.extend(places)
        return [place * place for place in places]

    items = Lazy(5, make)
    assert (items[1], items[-1], items[1:3], items[1]) == (1, 16, (1, 4), 1)
    assert list(items) == [0, 1, 4, 9, 16]
    assert sorted(made) == [0, 1, 2, 3, 4]
    assert items == (0, 1, 4, 9, 16)
    assert items != (0, 1)
    assert repr(items) == "(0, 1, 4, ... (5 in all))"
    with pytest.raises(IndexError):
        items[5]


def test_of_thousands_of_runs_a_notebook_shows_the_table_and_a_picture_asks_for_some() -> None:
    runs = compare("booth", np.zeros((3000, 2)), "momentum", max_steps=5, record="ends")
    assert len(runs._repr_html_()) < 10_000
    with pytest.raises(FalllineError, match=r"runs are 3000, and one picture shows at most 100; take some of them"):
        runs.plot()
    runs[:3].plot()


def test_no_runs_make_a_table_without_rows() -> None:
    assert len(compare("booth", STARTS, "momentum", max_steps=5)[:0].to_frame()) == 0


def test_a_label_is_a_text() -> None:
    labels: dict[Any, Any] = {1: "momentum"}
    with pytest.raises(FalllineError, match=r"optimizers has the label 1; a label must be a text"):
        compare("booth", STARTS, labels, max_steps=5)
