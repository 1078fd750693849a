"""Shared by all benchmarks: timing calls in turn, and the table rows that compare them."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from fallline.errors import FalllineError

THREADS = len(os.sched_getaffinity(0))
# The errors of a peer that cannot be measured here: it is not installed, or its compiler or program fails.
ABSENT = (ImportError, OSError, FalllineError, subprocess.CalledProcessError)
# Seconds before each timed call: BLAS threads busy-wait for more work for some 30 ms.
REST = 0.1


@dataclass(frozen=True)
class Row:
    """One claim, measured.

    Attributes:
        claim: what was measured, and the peer.
        peer: the peer's time: median, least and most.
        ours: Fallline's time.
        ratio: how many times faster Fallline is, or another ratio that the claim is about.
        aim: the aim for the ratio, or for the time if there is no peer.
        reached: whether the aim is reached; None if there is none.
    """

    claim: str
    peer: str = ""
    ours: str = ""
    ratio: str = ""
    aim: str = ""
    reached: bool | None = None


def timed(call: Callable[[], Any]) -> float:
    """The time of a call, in seconds."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def in_turn(calls: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, list[float]]:
    """The times of each call, after an untimed one; in turn, so that other load on the machine affects all equally."""
    for call in calls.values():
        call()
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            time.sleep(REST)
            taken[name].append(timed(call))
    return taken


def ratios(theirs: list[float], ours: list[float]) -> list[float]:
    """How many times faster ours was, for each repeat."""
    return [one / other for one, other in zip(theirs, ours, strict=True)]


def faster(claim: str, theirs: list[float], ours: list[float], aim: float | None = None) -> Row:
    """The row that compares times measured in turn."""
    found = ratios(theirs, ours)
    reached = None if aim is None else statistics.median(found) >= aim
    wanted = "" if aim is None else f"≥ {aim:.3g} ×"
    return Row(claim, spread(theirs), spread(ours), spread(found, "×"), wanted, reached)


def compared(
    claim: str, peer: Callable[[], Any], ours: Callable[[], Any], repeats: int, aim: float | None = None
) -> Row:
    """The row that measures and compares two calls."""
    taken = in_turn({"peer": peer, "ours": ours}, repeats)
    return faster(claim, taken["peer"], taken["ours"], aim)


def spread(numbers: list[float], unit: str = "s") -> str:
    """Median, least and most; seconds in the unit that suits them."""
    if unit == "s":
        middle = statistics.median(numbers)
        scale, unit = (1e6, "µs") if middle < 1e-3 else (1e3, "ms") if middle < 1 else (1.0, "s")
        numbers = [scale * number for number in numbers]
    return f"{statistics.median(numbers):.3g} ({min(numbers):.3g} to {max(numbers):.3g}) {unit}"


def peak_memory() -> int:
    """The peak memory of this process in bytes, on Linux. Not from getrusage, which may give the parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def measured(*parts: Callable[[], Iterable[Row]]) -> Iterator[Row]:
    """The rows of each part; for a part whose peer is missing, one row that says why."""
    for part in parts:
        try:
            yield from part()
        except ABSENT as reason:
            first, *_ = str(reason).splitlines() or [type(reason).__name__]
            yield Row(f"not measured: {first}")


def printed(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows, each printed as soon as it is measured."""
    print(f"{'':96} {'peer':>26} {'Fallline':>26} {'ratio':>26} {'aim':>10}")
    for row in rows:
        print(f"{row.claim:96} {row.peer:>26} {row.ours:>26} {row.ratio:>26} {row.aim:>10} {verdict(row)}", flush=True)
        yield row


def show(rows: Callable[..., Iterable[Row]]) -> None:
    """Print the machine, the versions, and the rows; the arguments of `rows` are options of the command line."""

    @functools.wraps(rows)
    def command(**options: Any) -> None:
        print(f"{machine()}\n{versions()}\n")
        for _ in printed(rows(**options)):
            pass

    typer.run(command)


def verdict(row: Row) -> str:
    """The text that says whether the aim is reached."""
    return {True: "yes", False: "NO", None: ""}[row.reached]


def machine() -> str:
    """The description of this machine."""
    names = [platform.processor() or platform.machine()]
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        names = named or names
    return f"{names[0]}, {THREADS} threads, {platform.system()}"


def versions() -> str:
    """The versions of Python, the C compiler, and the libraries that are compared."""
    found = [f"Python {platform.python_version()}"]
    for name in ("numpy", "llvmlite", "matplotlib", "jax", "optax", "torch", "dask", "pyarrow"):
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join([*found, *compiler()])


@functools.cache
def compiler() -> list[str]:
    """The C compiler's name and version, if there is one."""
    try:
        told = subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=True).stdout
    except ABSENT:
        return []
    return told.splitlines()[:1]
