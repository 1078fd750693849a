"""The page of benchmarks: its text for known figures, and for peers that are not installed."""

from __future__ import annotations

import importlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks import page
from benchmarks.growth import Curve, draw
from benchmarks.measure import Row, faster, in_turn, measured, spread
from PIL import Image

import fallline


def test_a_row_says_how_many_times_faster_and_whether_that_is_enough() -> None:
    row = faster("a claim", [0.2, 0.4, 0.9], [0.1, 0.1, 0.3], 3.0)
    assert row == Row("a claim", "400 (200 to 900) ms", "100 (100 to 300) ms", "3 (2 to 4) ×", "≥ 3 ×", reached=True)
    assert faster("a claim", [0.2, 0.4, 0.9], [0.1, 0.1, 0.3], 3.1).reached is False
    assert faster("a claim", [1.0], [2.0]).reached is None


@pytest.mark.parametrize(
    ("seconds", "told"), [(2e-6, "2 (2 to 2) µs"), (0.5, "500 (500 to 500) ms"), (90.0, "90 (90 to 90) s")]
)
def test_seconds_are_told_in_the_unit_that_suits_them(seconds: float, told: str) -> None:
    assert spread([seconds]) == told


def test_calls_are_made_in_turn_after_one_untimed() -> None:
    made: list[str] = []
    taken = in_turn({"a": lambda: made.append("a"), "b": lambda: made.append("b")}, 3)
    assert "".join(made) == "ab" * 4
    assert {name: len(seconds) for name, seconds in taken.items()} == {"a": 3, "b": 3}


def test_a_peer_that_is_not_there_costs_its_own_row_only() -> None:
    def without_a_library() -> Iterator[Row]:
        yield Row("before it was needed")
        importlib.import_module("no_such_library")

    def without_a_program() -> Iterator[Row]:
        subprocess.run(["no-such-compiler"], check=True)
        yield Row("compiled")

    def without_an_extra() -> Iterator[Row]:
        raise fallline.FalllineError('needs dask: pip install "fallline[cluster]"')

    def measurable() -> Iterator[Row]:
        yield Row("after")

    claims = [row.claim for row in measured(without_a_library, without_a_program, without_an_extra, measurable)]
    assert claims[0] == "before it was needed"
    assert claims[1] == "not measured: No module named 'no_such_library'"
    assert "no-such-compiler" in claims[2]
    assert claims[3] == 'not measured: needs dask: pip install "fallline[cluster]"'
    assert claims[4:] == ["after"]


def test_the_page_shows_what_is_missed_as_plainly_as_what_is_reached() -> None:
    rows = [
        Row("quick", "2 s", "1 s", "2 ×", "≥ 2 ×", reached=True),
        Row("slow", aim="< 1 s", reached=False),
        Row("so"),
    ]
    text = page.page([page.Section("Runs", "What they are.", rows)], 1234.0)
    assert "## Runs\n\nWhat they are.\n\n| what" in text
    assert "| quick | 2 s | 1 s | 2 × | ≥ 2 × | yes |" in text
    assert "| slow |  |  |  | < 1 s | **NO** |" in text
    assert "| so |  |  |  |  |  |" in text
    assert "1 of 2 aims are reached. All of it took 21 minutes." in text


def test_the_exponent_is_the_power_that_the_time_grows_with(tmp_path: Path) -> None:
    sizes = [10, 100, 1000]
    # A least-squares fit on logarithms, where the points lie on a line: exact within rounding.
    curves = [Curve(f"power {p}", sizes, [3e-6 * size**p for size in sizes]) for p in (0.5, 1.0, 2.0)]
    assert [curve.exponent for curve in curves] == pytest.approx([0.5, 1.0, 2.0], rel=1e-12)
    draw(curves, tmp_path / "cost.png")
    with Image.open(tmp_path / "cost.png") as picture:
        assert picture.size == (800, 600)


@pytest.mark.parametrize("name", page.BENCHMARKS)
def test_every_benchmark_has_what_the_page_needs(name: str) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    assert module.TITLE
    assert module.ABOUT.endswith((".", ")"))
    assert callable(module.rows)
