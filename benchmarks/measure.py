"""What all benchmarks share: timing two things in turn, and a row of a table that sets one beside the other."""

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

from fallline.errors import FalllineError

THREADS = len(os.sched_getaffinity(0))
# Why something cannot be measured here: it is not installed, or its compiler or program fails.
ABSENT = (ImportError, OSError, FalllineError, subprocess.CalledProcessError)
# Seconds before each timed call: the threads of BLAS wait for more work for some 30 ms, and take a processor meanwhile.
REST = 0.1


@dataclass(frozen=True)
class Row:
    """One claim, measured.

    Attributes:
        claim: what was done, and beside which peer.
        peer: what the peer took: the median, the least and the most.
        ours: what Fallline took.
        ratio: how many times faster Fallline is, or what else the claim is about.
        aim: what the ratio, or the time if there is no peer, is to be.
        reached: whether it is; None where nothing is aimed at.
    """

    claim: str
    peer: str = ""
    ours: str = ""
    ratio: str = ""
    aim: str = ""
    reached: bool | None = None


def timed(call: Callable[[], Any]) -> float:
    """The seconds a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def in_turn(calls: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, list[float]]:
    """The seconds of each call, after one untimed; in turn, so that what else runs here slows all alike."""
    for call in calls.values():
        call()
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            time.sleep(REST)
            taken[name].append(timed(call))
    return taken


def ratios(theirs: list[float], ours: list[float]) -> list[float]:
    """How many times faster ours was, each time."""
    return [one / other for one, other in zip(theirs, ours, strict=True)]


def faster(claim: str, theirs: list[float], ours: list[float], aim: float | None = None) -> Row:
    """The row that says how many times faster Fallline is, by seconds taken in turn."""
    found = ratios(theirs, ours)
    reached = None if aim is None else statistics.median(found) >= aim
    wanted = "" if aim is None else f"≥ {aim:.3g} ×"
    return Row(claim, spread(theirs), spread(ours), spread(found, "×"), wanted, reached)


def compared(
    claim: str, peer: Callable[[], Any], ours: Callable[[], Any], repeats: int, aim: float | None = None
) -> Row:
    """The same of two calls."""
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
    """The most bytes this process has had in memory, on Linux. What getrusage says may be those of its parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def measured(*parts: Callable[[], Iterable[Row]]) -> Iterator[Row]:
    """The rows of each part; one that tells why, for a part whose peer is not there."""
    for part in parts:
        try:
            yield from part()
        except ABSENT as reason:
            first, *_ = str(reason).splitlines() or [type(reason).__name__]
            yield Row(f"not measured: {first}")


def printed(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows, each printed as soon as it is there."""
    print(f"{'':96} {'peer':>26} {'Fallline':>26} {'ratio':>26} {'aim':>10}")
    for row in rows:
        print(f"{row.claim:96} {row.peer:>26} {row.ours:>26} {row.ratio:>26} {row.aim:>10} {verdict(row)}", flush=True)
        yield row


def show(rows: Iterable[Row]) -> None:
    """Print what was measured on, and the rows."""
    print(f"{machine()}\n{versions()}\n")
    for _ in printed(rows):
        pass


def verdict(row: Row) -> str:
    """Whether the aim is reached."""
    return {True: "yes", False: "NO", None: ""}[row.reached]


def machine() -> str:
    """What is measured on."""
    names = [platform.processor() or platform.machine()]
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        names = named or names
    return f"{names[0]}, {THREADS} threads, {platform.system()}"


def versions() -> str:
    """Of Python, the C compiler, and the libraries that are compared."""
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
