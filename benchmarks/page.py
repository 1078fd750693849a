"""Run every benchmark and write docs/performance.md: `python -m benchmarks.page`, or `make bench`."""

from __future__ import annotations

import importlib
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Row, machine, printed, verdict, versions

from fallline.files import whole_file

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
# Each module has a TITLE, a description (ABOUT), and rows().
BENCHMARKS = ("start", "engines", "xla", "growth", "losses", "gradients", "diagnosis", "films", "explorer",
              "parquet", "cluster")  # fmt: skip

HEAD = """\
<!-- Made by `make bench` from the files in benchmarks/. Do not edit. -->
# How fast it is

Times depend on the machine and its load, so each is measured together with that of a *peer*, another way to the same
result, alternately on the same machine. The ratio says how many times faster Fallline is; below 1 it is slower. Times
are the median (least to most) of several repeats. *Aim* is this project's goal for the ratio: to take at most 1.25
times as long as the peer is a ratio of at least 0.8. Where it is missed, the table says **NO**.

Measured on: {machine}.
With: {versions}.

{reached} of {aims} aims are reached. All of it took {minutes:.0f} minutes.
"""
FOOT = """\
## Limits

- This is one machine, and not a large one. Ratios differ on others: they depend on the width of vector registers, the
  speed of division, and the speed of memory relative to the processor.
- The peers are used as their documentation shows, by people who know Fallline better. If you know a faster way, change
  the benchmark and tell us.
- There is a pause of a tenth of a second before each timed call: threads of some libraries busy-wait after their work,
  and would slow the next call.
- Times do not include installing, nor, unless stated, importing and compiling: every call is made once before it is
  timed.
- The overhead of an engine matters most for functions of two coordinates. In large networks matrix products dominate,
  and all libraries take about the same time.

## Measure it yourself

```console
$ make bench                      # all of the above, and rewrite this page; minutes; needs gcc
$ python -m benchmarks.engines    # one of them; benchmarks/ has the others
```

A peer that is not installed is left out, and the table says so.
"""


@dataclass(frozen=True)
class Section:
    """The page's section on one benchmark."""

    title: str
    about: str
    rows: Sequence[Row]


def main() -> None:
    """Measure everything, and write the page."""
    print(f"{machine()}\n{versions()}\n")
    began = time.monotonic()
    sections = [section(name) for name in BENCHMARKS]
    with whole_file(PAGE) as draft:
        Path(draft).write_text(page(sections, time.monotonic() - began), encoding="utf-8")
    print(f"\n{PAGE} is written")


def section(name: str) -> Section:
    """Run one benchmark in its own process, so that none affects the next."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(measure, name).result()
        except BrokenProcessPool:
            return Section(name.title(), "", [Row("not measured: its process was killed, perhaps for its memory")])


def measure(name: str) -> Section:
    """Run one benchmark, printing as it goes."""
    benchmark = importlib.import_module(f"benchmarks.{name}")
    print(f"\n{benchmark.TITLE}")
    return Section(benchmark.TITLE, benchmark.ABOUT, list(printed(benchmark.rows())))


def page(sections: Sequence[Section], seconds: float) -> str:
    """The text of the page, whose measurements took so many seconds."""
    aims = [row.reached for section in sections for row in section.rows if row.reached is not None]
    about = {"machine": machine(), "versions": versions(), "reached": sum(aims), "aims": len(aims)}
    head = HEAD.format(minutes=seconds / 60, **about)
    return "\n".join([head, *map(part, sections), FOOT])


def part(section: Section) -> str:
    """A section's text: heading, description and table."""
    table = ["| what, and beside what | peer | Fallline | ratio | aim | reached |", "|---|---|---|---|---|---|"]
    for row in section.rows:
        told = verdict(row).replace("NO", "**NO**")
        table.append(f"| {row.claim} | {row.peer} | {row.ours} | {row.ratio} | {row.aim} | {told} |")
    return "\n".join([f"## {section.title}", "", section.about, "", *table, ""])


if __name__ == "__main__":
    main()
