"""What docs/bridges.md shows of JAX, SciPy and scikit-learn runs."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from tests.bridges.pages import code


@pytest.mark.parametrize("title", ["JAX", "SciPy", "scikit-learn"])
def test_the_code_runs(title: str, tmp_path: Path) -> None:
    script = tmp_path / "page.py"
    script.write_text(code(title))
    left = runpy.run_path(str(script))
    if title == "SciPy":
        assert left["result"].success
    if title == "scikit-learn":
        # A logistic regression gets about 0.98 here.
        assert left["scores"].mean() > 0.96
