"""The PyTorch and optax examples of docs/bridges.md run, and do what the page says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from tests.bridges.pages import code


def test_the_code_on_torch_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "page.py"
    script.write_text(code("PyTorch"))
    left = runpy.run_path(str(script))
    # A product of two inputs is learned, by the end.
    assert left["objective"].value(left["objective"].start) < 1e-2


def test_the_code_on_optax_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "page.py"
    script.write_text(code("optax"))
    left = runpy.run_path(str(script))
    assert abs(left["params"]["b"]) < 0.1
    assert (tmp_path / "race.png").stat().st_size > 10_000
