"""A run killed at any moment goes on from its checkpoint, and ends with the bits of an undisturbed one."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.environments import without_coverage
from tests.optimizers.rules import RULES
from tests.runs import same

from fallline import (
    Adam,
    Backtracking,
    Diverging,
    FalllineError,
    GradientDescent,
    GradientNorm,
    Lookahead,
    Momentum,
    Optimizer,
    Perturbation,
    Point,
    Record,
    ReduceOnPlateau,
    Seconds,
    StepSize,
    Target,
    Trajectory,
    compare,
    minimize,
)
from fallline.engines import Part, Problem, execute
from fallline.engines.checkpoint import Checkpoint
from fallline.models import SigmoidNeuron
from fallline.objectives import as_objective
from fallline.stopping import conditions

VALLEY = "(1 - x)**2 + 10*(y - x**2)**2"
START = [-1.2, 1.0]


def neuron() -> Any:
    """Made-up data for a neuron with three inputs, in shuffled batches."""
    draw = np.random.default_rng(0)
    X = draw.normal(size=(50, 3))
    y = 1 / (1 + np.exp(-X @ [1.0, -2.0, 0.5])) > draw.random(50)
    return SigmoidNeuron(X, y.astype(float), reduction="mean").batches(7, order="shuffled")


# Each takes about half a second on the reference engine, and `checkpoint=` as minimize does.
RUNS: dict[str, Callable[..., Any]] = {
    "mini-batches": lambda **kept: minimize(
        neuron(), np.zeros(4), Adam(0.01), max_steps=4_500, stop=StepSize(0), seed=5, engine="reference", **kept
    ),
    "a schedule with a memory": lambda **kept: minimize(
        VALLEY, START, Momentum(ReduceOnPlateau(0.001, factor=0.9, patience=30)), max_steps=10_000, stop=StepSize(0),
        record=50, engine="reference", **kept,
    ),
    "a rule around a rule": lambda **kept: minimize(
        VALLEY, START, Lookahead(Adam(1e-3), period=6), max_steps=7_500, stop=StepSize(0),
        record=Record(every=7, state=True), engine="reference", **kept,
    ),
    "a line search": lambda **kept: minimize(
        VALLEY, START, GradientDescent(Backtracking()), max_steps=1_500, stop=StepSize(0), engine="reference", **kept
    ),
    "a comparison": lambda **kept: compare(
        VALLEY, [START, [1.0, 1.0], [0.5, 0.9], [9.0, 9.0]], [GradientDescent(0.01), Adam(0.002), "nesterov"],
        max_steps=3_000, stop=GradientNorm(1e-9) | Diverging(1e5), record="ends", engine="reference", **kept,
    ),
}  # fmt: skip


def trajectories(made: Any) -> list[Trajectory]:
    return [made] if isinstance(made, Trajectory) else list(made)


def kill_again_and_again(folder: str, kills: int) -> Iterator[tuple[int, int, int, int]]:
    """Kill processes of each run until as many have died, and let one end.

    Returns:
        How many died, how many of them had gone on from a checkpoint, how many had to begin anew (the first, and the
        next after one that had ended), and how many ended by themselves.
    """
    draw = random.Random(4)
    for number, run in enumerate(RUNS.values()):
        expected, path = trajectories(run()), f"{folder}/{number}.npz"
        died = went_on = began = ended = 0
        while died < kills or not ended:
            before = os.path.exists(path) and os.stat(path).st_ino
            child = os.fork()
            if child == 0:
                done = trajectories(run(checkpoint=path))
                os._exit(0 if all(map(same, done, expected)) and len(done) == len(expected) else 1)
            if died < kills:
                # The first has to have written; the others die at any moment.
                while not (os.path.exists(path) or os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT)):
                    time.sleep(0.001)
                time.sleep(draw.uniform(0.0, 0.15))
                os.kill(child, signal.SIGKILL)
            status = os.waitpid(child, 0)[1]
            if os.WIFSIGNALED(status):
                died += 1
                went_on += bool(before)
                began = 1 + ended
            else:
                assert status == 0, number
                ended += 1
                os.remove(path)
        yield died, went_on, began, ended


@pytest.mark.long
def test_killed_at_fifty_random_moments(tmp_path: Path) -> None:
    program = f"from tests.engines.test_checkpoint import *; print([*kill_again_and_again({str(tmp_path)!r}, 10)])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        env=without_coverage(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    fared = json.loads(done.stdout.replace("(", "[").replace(")", "]"))
    assert len(fared) == len(RUNS)
    for died, went_on, began, ended in fared:
        assert died == 10
        assert went_on >= died - began
        assert ended >= 1


def interrupting(step: int) -> Callable[[Point], None]:
    """A callback that presses Ctrl-C at a step."""

    def callback(point: Point) -> None:
        if point.step == step:
            raise KeyboardInterrupt

    return callback


@pytest.mark.parametrize("name", RULES)
def test_every_rule_goes_on_where_ctrl_c_ended_it(tmp_path: Path, name: str) -> None:
    rule = RULES[name]
    settings: dict[str, Any] = {"max_steps": 24, "record": Record(every=3, state=True), "stop": StepSize(0)}
    path, bowl = tmp_path / "run.npz", "(1 - x)**2 + 3*(y - x)**2 + x**4/10"
    expected = minimize(bowl, [2.0, -1.0], rule, **settings)
    # Some line searches are at the minimum before that.
    assert expected.step_count == 24 or "conjugate" in name or "lbfgs" in name
    for step in (0, 1, 5, 13):
        cut = minimize(bowl, [2.0, -1.0], rule, callback=interrupting(step), checkpoint=path, **settings)
        assert cut.step_count == min(step, expected.step_count)
    whole = minimize(bowl, [2.0, -1.0], rule, checkpoint=path, **settings)
    assert same(whole, expected)
    # Seconds and all: it is read, not run.
    assert minimize(bowl, [2.0, -1.0], rule, checkpoint=path, **settings) == whole


@pytest.mark.parametrize(
    "name", ["adam@paper", "lbfgs@paper", "lookahead@paper:momentum", "gradient_noise@paper:momentum"]
)
def test_a_batch_that_differs_in_its_settings_goes_on(tmp_path: Path, name: str) -> None:
    """Runs that have ended, that end later, and that have a setting each."""
    rule = RULES[name]
    if isinstance(rule.learning_rate, float) and not hasattr(rule, "rule"):
        rates: Any = np.array([[0.01], [0.02], [0.05], [0.1], [0.2]])
        rule = dataclasses.replace(rule, learning_rate=rates)
    starts = np.array([[-1.2, 1.0], [1.0, 1.0], [0.9, 0.8], [3.0, -4.0], [1e9, 2.0]])

    def run(checkpoint: Part | None, callback: Callable[[Point], None] | None) -> list[Trajectory]:
        return execute(
            Problem(
                objective=as_objective(VALLEY),
                starts=starts,
                optimizer=rule,
                max_steps=40,
                conditions=conditions(Target(0.01) | GradientNorm(1e-3) | Diverging(1e4)),
                record=Record(every=3, state=True),
                seed=3,
                callback=callback,
                report=lambda done: None,
                checkpoint=checkpoint,
            ),
            "reference",
        )

    def part() -> Part:
        return Checkpoint(tmp_path / "runs", {"objective": ("valley", VALLEY)}, 1).part(0)

    expected = run(None, None)
    assert len({(run.stop.reason, run.step_count) for run in expected}) > 1
    for step in (0, 1, 5, 6):
        run(part(), interrupting(step))
    went_on = run(part(), None)
    assert all(map(same, went_on, expected))
    assert run(part(), None) == went_on


def test_a_comparison_goes_on_with_the_rule_it_was_at(tmp_path: Path) -> None:
    calls = 0

    def bowl(x: Any, y: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 130:
            raise KeyboardInterrupt
        return x * x + 3 * y * y

    def run(**kept: Any) -> Any:
        rules: list[Optimizer[Any]] = [GradientDescent(0.01), Adam(0.1), Momentum(0.01)]
        return compare(bowl, START, rules, gradient=lambda x, y: (2 * x, 6 * y), max_steps=99, **kept)

    cut = run(checkpoint=tmp_path / "c.npz")
    assert [one.stop.reason for one in cut] == ["step limit", "interrupted"]
    went_on = run(checkpoint=tmp_path / "c.npz")
    # The call that was cut short is made again, and no other.
    assert calls == 3 * 100 + 1
    expected = run()
    assert went_on.labels == expected.labels
    assert all(map(same, went_on, expected))
    assert same(went_on[0], cut[0])


def test_the_seconds_go_on(tmp_path: Path) -> None:
    def slow(point: Point) -> None:
        time.sleep(0.02)
        if point.step == 15:
            raise KeyboardInterrupt

    path = tmp_path / "run.npz"
    cut = minimize(VALLEY, START, Adam(), stop=Seconds(1e6), callback=slow, checkpoint=path)
    assert (cut.stop.reason, cut.step_count) == ("interrupted", 15)
    assert cut.seconds >= 15 * 0.02

    def until_16(point: Point) -> None:
        if point.step == 16:
            raise StopIteration

    went_on = minimize(VALLEY, START, Adam(), stop=Seconds(1e6), callback=until_16, checkpoint=path)
    assert went_on.step_count == 16
    assert went_on.seconds > cut.seconds


def a_run(path: Any, **changed: Any) -> Trajectory:
    settings: dict[str, Any] = {"objective": VALLEY, "x0": START, "optimizer": Adam(0.01), "max_steps": 20}
    return minimize(**(settings | changed), checkpoint=path)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"objective": "x**2 + y**2"}, "objective is (1 - x)**2 + 10*(y - x**2)**2, not x**2 + y**2"),
        ({"x0": [0.0, 1.0]}, "x0 is [[-1.2, 1.0]], not [[0.0, 1.0]]"),
        ({"optimizer": Adam(0.02)}, "optimizer is adam, learning_rate 0.01, not adam, learning_rate 0.02"),
        ({"optimizer": "momentum", "seed": 3}, "seed is 0, not 3"),
        ({"max_steps": 30}, "max_steps is 20, not 30"),
        ({"stop": StepSize(0.1)}, "StepSize(tolerance=0.1)"),
        (
            {"record": "ends"},
            "record is Record(every=1, state=False, at=()), not Record(every=None, state=False, at=())",
        ),
        ({"gradient": Perturbation()}, "gradient is symbolic, not forward differences"),
        ({"gradient": lambda x, y: (x, y)}, "gradient is symbolic, not given"),
    ],
)
def test_the_checkpoint_of_another_run_is_refused_and_left(tmp_path: Path, changed: dict[str, Any], told: str) -> None:
    path = tmp_path / "run.npz"
    a_run(path)
    before = path.read_bytes()
    with pytest.raises(FalllineError, match=r"of another run, whose .*: remove it, or give another path") as refused:
        a_run(path, **changed)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["run.npz"]


def test_other_data_or_code_are_another_run(tmp_path: Path) -> None:
    def bowl(scale: Any, power: int = 2) -> Callable[[Any], Any]:
        return lambda x: scale * x**power

    runs: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "closure": (lambda: bowl(1.0), lambda: bowl(2.0)),
        "code": (lambda: lambda x: x**2, lambda: lambda x: x**4),
        "data": (
            lambda: SigmoidNeuron(np.arange(20_000.0) / 20_000, np.full(20_000, 0.5)),
            lambda: SigmoidNeuron(np.arange(20_000.0) / 20_000, np.full(20_000, 0.25)),
        ),
    }
    for name, (one, other) in runs.items():
        path, x0 = tmp_path / name, [0.1, 0.2] if name == "data" else 1.0
        run = a_run(path, objective=one(), x0=x0, max_steps=3)
        # The same made anew is the same.
        assert a_run(path, objective=one(), x0=x0, max_steps=3) == run
        with pytest.raises(FalllineError, match=r"whose objective is .* with other data or code"):
            a_run(path, objective=other(), x0=x0, max_steps=3)


@dataclass(frozen=True)
class Drawing(Optimizer[Any]):
    """A rule of a user's, whose state no file can hold."""

    learning_rate: float = 0.1

    def init(self, x: Any) -> Any:
        return (np.random.default_rng(0),)

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        return rate * gradient, state


def test_a_state_that_no_file_can_hold_is_refused_at_the_first_step(tmp_path: Path) -> None:
    with pytest.raises(FalllineError, match="a Generator; a checkpoint can only hold numbers and arrays"):
        a_run(tmp_path / "run", optimizer=Drawing())
    assert os.listdir(tmp_path) == []


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    expected = a_run(path)
    whole = path.read_bytes()
    draw = random.Random(0)
    damaged = [whole[: draw.randrange(len(whole))] for _ in range(40)] + [b"", b"text\n", whole + whole]
    for _ in range(200):
        at = draw.randrange(len(whole))
        damaged.append(whole[:at] + bytes([whole[at] ^ 1 << draw.randrange(8)]) + whole[at + 1 :])
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            run = a_run(path)
        except FalllineError as error:
            told = str(error)
            refused += 1
        else:
            # A bit that is never read, such as one of an entry's date, may differ.
            assert run == expected
            continue
        assert "it is damaged, or no checkpoint of Fallline" in told
        assert "\n" not in told
        assert path.read_bytes() == content
    assert refused > 200


def test_another_file_is_refused_and_left(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    run = minimize(VALLEY, START, Adam())
    run.save(path)
    with pytest.raises(FalllineError, match="no checkpoint of Fallline"):
        a_run(path)
    assert Trajectory.load(path) == run


@pytest.mark.parametrize("path", ["no/such/folder.npz", "", ".", 7])
def test_a_path_that_cannot_be_written_is_refused_before_the_run(path: Any) -> None:
    def never(point: Point) -> None:
        raise AssertionError(point)

    with pytest.raises(FalllineError, match="checkpoint is"):
        a_run(path, callback=never)


def test_drafts_of_killed_processes_are_cleared_away(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    a_run(path)
    old, young, other = tmp_path / ".run-abcdefgh.npz", tmp_path / ".run-ijklmnop.npz", tmp_path / ".run-b-abcdefgh.npz"
    for draft in (old, young, other):
        draft.write_text("half")
    for draft in (old, other):
        os.utime(draft, (0, 0))
    a_run(path)
    assert sorted(tmp_path.iterdir()) == sorted([path, young, other])
