"""Every benchmark in one run, written to docs/performance.md: `python -m benchmarks.page`, which is `make bench`."""

from __future__ import annotations

import importlib
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Row, machine, printed, verdict, versions

from fallline.files import whole_file

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
# Each has a TITLE, what it is ABOUT, and rows().
BENCHMARKS = ("engines", "growth", "losses", "gradients", "films", "parquet", "cluster")

HEAD = """\
<!-- Made by `make bench` from the files in benchmarks/. Do not edit. -->
# How fast it is

What a figure of speed means depends on the machine and on what else it does, so none stands here alone: each is
measured beside a *peer*, another way to the same result, in turn with it, in one run on one machine. What counts is the
ratio: how many times faster Fallline is. Below 1 it is slower. Times are the median (least to most) of several repeats.
*Aim* is what this project wants of it; where it is missed, the table says **NO**.

Measured on: {machine}.
With: {versions}.

{reached} of {aims} aims are reached.
"""
FOOT = """\
## Limits

- One machine, and not a large one. On another the ratios differ: they depend on its vector registers, on how quickly it
  divides, and on the speed of its memory beside that of its processor.
- The peers are used as their documentation shows, by people who know Fallline better. Where you know a quicker way,
  change the benchmark and tell us.
- Before each timed call there is a rest of a tenth of a second: the threads of some libraries wait for more work after
  theirs, and would take a processor from whoever comes next.
- Times do not include installing, importing or, but where it is said, compiling: every call is made once before it is
  timed.
- A model of two coordinates is where an engine's own costs weigh most. In large networks the time goes into matrix
  products, and all libraries are alike.

## Measure it yourself

```console
$ make bench                      # all of the above, and this page anew; minutes; needs gcc
$ python -m benchmarks.engines    # one of them; benchmarks/ has the others
```

A peer that is not installed is left out, and the table says so.
"""


@dataclass(frozen=True)
class Section:
    """One benchmark's part of the page."""

    title: str
    about: str
    rows: Sequence[Row]


def main() -> None:
    """Measure everything, and write the page."""
    print(f"{machine()}\n{versions()}\n")
    sections = [section(name) for name in BENCHMARKS]
    with whole_file(PAGE) as draft:
        Path(draft).write_text(page(sections), encoding="utf-8")
    print(f"\n{PAGE} is written")


def section(name: str) -> Section:
    """One benchmark, in a process of its own, so that none changes what the next finds."""
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


def page(sections: Sequence[Section]) -> str:
    """The text of the page."""
    aims = [row.reached for section in sections for row in section.rows if row.reached is not None]
    head = HEAD.format(machine=machine(), versions=versions(), reached=sum(aims), aims=len(aims))
    return "\n".join([head, *map(part, sections), FOOT])


def part(section: Section) -> str:
    """A heading, what it is about, and the table."""
    table = ["| what, and beside what | peer | Fallline | ratio | aim | reached |", "|---|---|---|---|---|---|"]
    for row in section.rows:
        told = verdict(row).replace("NO", "**NO**")
        table.append(f"| {row.claim} | {row.peer} | {row.ours} | {row.ratio} | {row.aim} | {told} |")
    return "\n".join([f"## {section.title}", "", section.about, "", *table, ""])


if __name__ == "__main__":
    main()
