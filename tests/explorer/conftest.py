"""A browser for all tests of the page, and a page without anything given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fallline
from tests.views.browser import chromium


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
