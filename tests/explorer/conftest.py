"""A browser for all tests of the page, and a page without anything given.

Tests in Node run where it is installed and `make js` was run; on CI they always do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.explorer.node import is_ready
from tests.views.browser import chromium

import fallline

collect_ignore = [] if os.environ.get("CI") or is_ready() else ["test_formulas.py"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with chromium() as program:
        yield program


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as it is without arguments."""
    path = tmp_path_factory.mktemp("explorer") / "page.html"
    fallline.explore().save(path)
    return path
