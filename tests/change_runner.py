"""A pytest plugin that runs the collected tests once for each change of the code, each time in a forked process.

It collects once, which takes longer than most changes need. First it runs every test without a change, to see how long
it takes and which functions it reaches. `tests.mutation` names the changes in a file, whose path is in CHANGES.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

# A test that takes so many times as long as without a change, and so many seconds more, hangs.
SLOWER, PATIENCE = 20, 10
# What the exit status of a change's process tells.
SURVIVED, KILLED, UNREACHED, STOPPED = range(4)
OUTCOMES = {SURVIVED: "survived", UNREACHED: "no tests", STOPPED: "not all tests", -signal.SIGALRM: "timeout"}


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Try all changes, and write the outcome of each on a line."""
    folder = Path(os.environ["CHANGES"]).parent
    told = json.loads(Path(os.environ["CHANGES"]).read_text(encoding="utf-8"))
    # Each call of a function that has changes takes three frames.
    sys.setrecursionlimit(3 * sys.getrecursionlimit())
    # One change may have been in force since the start: then any test may show what it did at import.
    anywhere = os.environ["MUTANT_UNDER_TEST"] != "stats"
    at_import = set(reached())
    reached().clear()
    tests = recorded(session.items, folder / "reached.json")
    items = {item.nodeid: item for item in session.items}
    with (folder / "outcomes.txt").open("w", encoding="utf-8", buffering=1) as outcomes:

        def trial(change: str) -> int:
            os.environ["MUTANT_UNDER_TEST"] = change
            function = function_of(change)
            reaching = {test: seen for test, seen in tests.items() if anywhere or function in seen["functions"]}
            quick_first = sorted(reaching, key=lambda test: float(reaching[test]["seconds"]))
            return outcome_of({items[test]: reaching[test]["seconds"] for test in quick_first}, told["seconds"])

        def ended(change: str, status: int) -> None:
            outcome = OUTCOMES.get(status, "killed")
            # A function that ran at import has left behind what it made, and needs a process of its own.
            if outcome != "killed" and function_of(change) in at_import:
                outcome = "at import"
            outcomes.write(f"{change}: {outcome}\n")

        in_processes(told["changes"], trial, ended)
    return True


def reached() -> set[str]:
    """The functions that ran since this was cleared; mutmut adds to it."""
    from mutmut.state import state  # only `make mutation` has it

    functions: set[str] = state()._stats
    return functions


def function_of(change: str) -> str:
    """The function that it changes."""
    return change.rpartition("__mutmut_")[0]


def in_processes(parts: Iterable[Any], work: Callable[[Any], int], ended: Callable[[Any, int], None]) -> None:
    """Do a piece of work for each part in a silent process of its own, as many at once as there are processors."""
    running: dict[int, Any] = {}

    def wait() -> None:
        process, status = os.wait()
        ended(running.pop(process), os.waitstatus_to_exitcode(status))

    for part in parts:
        while len(running) >= (os.cpu_count() or 1):
            wait()
        process = os.fork()
        if not process:
            nothing = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(nothing, descriptor)
            try:
                os._exit(work(part))
            finally:
                os._exit(KILLED)
        running[process] = part
    while running:
        wait()


def recorded(items: list[pytest.Item], path: Path) -> dict[str, dict[str, Any]]:
    """Of each test that passes without a change: its seconds, and the functions it reaches; kept in a file."""
    if not path.exists():
        # A slice each. Later ones see what a fixture of a module did only for the first test; so the slices are long.
        count = os.cpu_count() or 1
        edges = [len(items) * place // count for place in range(count + 1)]
        parts = [path.with_suffix(f".{place}") for place in range(count)]

        def record(place: int) -> int:
            os.environ["MUTANT_UNDER_TEST"] = "stats"
            seen = dict(seen_of(items[edges[place] : edges[place + 1]]))
            parts[place].write_text(json.dumps(seen), encoding="utf-8")
            return SURVIVED

        in_processes(range(count), record, lambda place, status: None)
        whole: dict[str, Any] = {}
        for part in parts:
            whole |= json.loads(part.read_text(encoding="utf-8"))
        path.write_text(json.dumps(whole), encoding="utf-8")
    known = {item.nodeid for item in items}
    seen = json.loads(path.read_text(encoding="utf-8"))
    return {test: it for test, it in seen.items() if it["passed"] and test in known}


def seen_of(items: list[pytest.Item]) -> Iterable[tuple[str, dict[str, Any]]]:
    """Run tests and tell of each whether it passed, how long it took, and which functions it reached."""
    for item, following in zip(items, [*items[1:], None], strict=True):
        failed, began = item.session.testsfailed, time.monotonic()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        seconds = time.monotonic() - began
        passed = item.session.testsfailed == failed
        yield item.nodeid, {"passed": passed, "seconds": seconds, "functions": sorted(reached())}
        reached().clear()


def outcome_of(tests: dict[pytest.Item, float], seconds: float) -> int:
    """Run tests until one fails, for about so many seconds at most; each comes with its own."""
    if not tests:
        return UNREACHED
    began, left = time.monotonic(), list(tests)
    for item, following in zip(left, [*left[1:], None], strict=True):
        if time.monotonic() - began > seconds:
            return STOPPED
        signal.alarm(int(PATIENCE + SLOWER * tests[item]))
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if item.session.testsfailed:
            return KILLED
    return SURVIVED
