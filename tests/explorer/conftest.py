"""A browser for all tests of the page, and a page without anything given.

Tests in Node run where it is installed and `make js` was run; on CI they always do.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.explorer.node import is_ready

import fallline

NEED_NODE = ["test_firefox.py", "test_formulas.py", "test_fuzzed_links.py", "test_library.py", "test_runs.py"]
collect_ignore = [] if os.environ.get("CI") or is_ready() else NEED_NODE


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as it is without arguments."""
    path = tmp_path_factory.mktemp("explorer") / "page.html"
    fallline.explore().save(path)
    return path
