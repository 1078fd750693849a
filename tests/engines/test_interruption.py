"""Ctrl-C at any moment: the run so far is returned, whole and consistent, and nothing afterwards is affected."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.environments import without_coverage
from tests.runs import same

from fallline import Adam, GradientDescent, Point, Record, StepSize, Trajectory, compare, minimize
from fallline.engines.interruption import Interruption


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def interrupted_while_asleep() -> None:
    """Ctrl-C during a long sleep."""
    threading.Timer(0.05, interrupt).start()
    time.sleep(60)


@pytest.fixture(autouse=True)
def _handler_is_restored() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    assert before is signal.default_int_handler
    yield
    assert signal.getsignal(signal.SIGINT) is before


def falls_slowly(max_steps: int, under_way: Callable[[], object] = lambda: None, **settings: Any) -> Trajectory:
    """A run that no condition ends, and that says when it is under way."""
    calls = itertools.count(1)

    def bowl(x: Any, y: Any) -> Any:
        if next(calls) == 3:
            under_way()
        return x * x + 3 * y * y

    return minimize(
        bowl,
        [1.0, 2.0],
        Adam(1e-7),
        gradient=lambda x, y: (2 * x, 6 * y),
        max_steps=max_steps,
        stop=StepSize(0),
        **settings,
    )


INTERRUPTED = """
import os, random, signal, sys, threading
from tests.engines.test_interruption import SETTINGS, falls_slowly

draw = random.Random(1)
for number in range(60):
    timer = threading.Timer(draw.uniform(0.001, 0.05), os.kill, (os.getpid(), signal.SIGINT))
    run = falls_slowly(10**9, timer.start, **SETTINGS[number % 4])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    run.save(f"{sys.argv[1]}/{number}")
"""
SETTINGS: list[dict[str, Any]] = [
    {},
    {"record": "ends"},
    {"record": Record(every=7, state=True)},
    {"record": Record(every=None, state=True), "callback": lambda point: None},
]


@pytest.mark.long
def test_a_run_interrupted_at_a_random_moment_is_the_beginning_of_the_undisturbed_one(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", INTERRUPTED, tmp_path], check=True, env=without_coverage(), cwd=root)
    runs = [Trajectory.load(tmp_path / str(number)) for number in range(60)]
    undisturbed = falls_slowly(max(run.step_count for run in runs), record=Record(state=True))
    assert len({run.step_count for run in runs}) > 30
    for number, run in enumerate(runs):
        last, every = run.step_count, (1, None, 7, None)[number % 4]
        assert (run.stop.reason, run.stop.converged) == ("interrupted", False)
        assert run.stop.message == f"interrupted at step {last}"
        kept = [0, last] if every is None else [*range(0, last, every), last]
        assert run.steps.tolist() == kept
        for name in ("x", "value", "gradient"):
            np.testing.assert_array_equal(getattr(run, name), getattr(undisturbed, name)[kept])
        np.testing.assert_array_equal(run.rate, [1e-7] * (len(kept) - 1) + [np.nan])
        assert sorted(run.states) == ([] if number % 4 < 2 else ["m", "v"])
        for name, column in run.states.items():
            np.testing.assert_array_equal(column, undisturbed.states[name][kept])
        assert run.best.step == last
        # An evaluation that Ctrl-C cut off may have been counted already, or not yet.
        assert run.evaluations.value - (last + 1) in (0, 1)


def test_a_slow_function_is_cut_off_at_once() -> None:
    def slow(x: Any) -> Any:
        if x < 1:
            interrupted_while_asleep()
            slept.append(x)
        return x**2

    slept: list[float] = []
    run = minimize(slow, 1.0, GradientDescent(0.1), gradient=lambda x: 2 * x)
    assert slept == []
    assert run.stop.message == "interrupted at step 0"
    np.testing.assert_array_equal(run.x, [[1.0]])


@pytest.mark.parametrize("record", ["all", "ends"])
def test_a_slow_callback_is_cut_off_at_once(record: str) -> None:
    def slow(point: Point) -> None:
        if point.step == 3:
            interrupted_while_asleep()

    run = minimize("x**2", 1.0, GradientDescent(0.1), callback=slow, record=record)
    assert run.stop.message == "interrupted at step 3"
    assert run.steps.tolist() == ([0, 1, 2, 3] if record == "all" else [0, 3])


def at_call(number: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, pressing Ctrl-C in the call of this number."""
    calls = 0

    def counting(x: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            interrupt()
        return function(x)

    return counting


def test_where_the_run_is_interrupted_is_where_it_ends() -> None:
    full = minimize("x**2", 1.0, GradientDescent(0.1), max_steps=20)
    for step in range(1, 20):
        # The value is asked for first, so the new point has no row yet.
        run = minimize(at_call(step + 1, lambda x: x * x), 1.0, GradientDescent(0.1), gradient=lambda x: 2 * x)
        assert run.step_count == step - 1
        np.testing.assert_array_equal(run.x, full.x[:step])
        # In the callback it has one.
        run = minimize("x**2", 1.0, GradientDescent(0.1), callback=at_call(step + 1, lambda point: None))
        assert run.step_count == step
        np.testing.assert_array_equal(run.x, full.x[: step + 1])


def test_a_keyboard_interrupt_of_the_functions_own_is_the_same() -> None:
    def raises(point: Point) -> None:
        if point.step == 2:
            raise KeyboardInterrupt

    run = minimize("x**2", 1.0, GradientDescent(0.1), callback=raises)
    assert (run.step_count, run.stop.reason, len(run)) == (2, "interrupted", 3)


def test_before_the_first_value_there_is_nothing_to_return() -> None:
    with pytest.raises(KeyboardInterrupt):
        minimize(at_call(1, lambda x: x * x), 1.0, GradientDescent(0.1), gradient=lambda x: 2 * x)
    # And the next run is not affected.
    assert minimize("x**2", 1.0, GradientDescent(0.25)).stop.reason == "small step"


def test_a_later_run_is_unaffected() -> None:
    expected = minimize("x**2", 1.0, GradientDescent(0.1))
    assert minimize("x**2", 1.0, Adam(), callback=at_call(9, lambda point: None)).stop.reason == "interrupted"
    assert same(minimize("x**2", 1.0, GradientDescent(0.1)), expected)


def test_ctrl_c_again_while_the_first_is_obeyed_is_no_worse() -> None:
    def impatient(point: Point) -> None:
        if point.step == 4:
            try:
                interrupt()
            finally:
                interrupt()

    run = minimize("x**2", 1.0, GradientDescent(0.1), callback=impatient)
    assert (run.step_count, run.stop.reason, len(run)) == (4, "interrupted", 5)


def test_a_comparison_returns_what_it_has() -> None:
    def function(x: Any) -> Any:
        return x * x

    # 11 calls for each start of the first rule, then Ctrl-C in the second.
    rules = {"first": GradientDescent(0.1), "second": GradientDescent(0.2), "third": GradientDescent(0.3)}
    starts = [[1.0], [2.0]]
    runs = compare(at_call(30, function), starts, rules, gradient=lambda x: 2 * x, max_steps=10)
    assert runs.labels == ("first from (1)", "first from (2)", "second from (1)", "second from (2)")
    assert [run.stop.reason for run in runs] == ["step limit"] * 2 + ["interrupted"] * 2
    expected = compare(function, starts, rules, gradient=lambda x: 2 * x, max_steps=10)
    for run, whole in zip(runs, expected, strict=False):
        np.testing.assert_array_equal(run.x, whole.x[: len(run)])
    # Cut off before the second rule had a first value, or in the first rule.
    assert compare(at_call(23, function), starts, rules, gradient=lambda x: 2 * x, max_steps=10).labels == (
        "first from (1)",
        "first from (2)",
    )
    with pytest.raises(KeyboardInterrupt):
        compare(at_call(1, function), starts, rules, gradient=lambda x: 2 * x)


def test_a_comparison_ends_though_its_first_run_had_ended_by_itself() -> None:
    # The first start is a minimum, so its run has long ended when Ctrl-C comes.
    runs = compare(
        at_call(200, lambda x: x * x), [[0.0], [1.0]], [GradientDescent(1e-6), "adam"], gradient=lambda x: 2 * x
    )
    assert [run.stop.reason for run in runs] == ["small step", "interrupted"]


def test_a_run_inside_a_run_ends_with_it() -> None:
    pressed = at_call(500, lambda y: y * y)

    def inner(x: Any) -> Any:
        return minimize(pressed, float(x), GradientDescent(0.1), gradient=lambda y: 2 * y, max_steps=100).best.value

    run = minimize(inner, 1.0, GradientDescent(0.1), gradient=lambda x: 2 * x)
    # 101 calls a run, so the fifth evaluation is cut short: that of step 4.
    assert run.stop.message == "interrupted at step 4"


def test_a_handler_of_the_users_own_is_left_alone() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        run = minimize(at_call(3, lambda x: x * x), 1.0, GradientDescent(0.1), gradient=lambda x: 2 * x, max_steps=9)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (heard, run.step_count) == ([signal.SIGINT], 9)


def test_outside_the_main_thread_runs_run() -> None:
    runs: list[Trajectory] = []
    thread = threading.Thread(target=lambda: runs.append(minimize("x**2", 1.0, GradientDescent(0.1))))
    thread.start()
    thread.join()
    assert same(runs[0], minimize("x**2", 1.0, GradientDescent(0.1)))


def test_between_two_stretches_ctrl_c_waits_for_the_next() -> None:
    done = []
    with Interruption() as interruption:
        with interruption.at_once:
            done.append("a stretch")
        interrupt()
        done.append("what belongs together")
        with pytest.raises(KeyboardInterrupt), interruption.at_once:
            done.append("never")
        interrupt()
    assert done == ["a stretch", "what belongs together"]
