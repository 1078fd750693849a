"""The committed page of conventions says what the rules do now."""

from __future__ import annotations

from tests.conventions_page import MEASURED, PAGE, conventions_part

from fallline.optimizers import OPTIMIZERS


def test_the_committed_page_is_current() -> None:
    kept, heading, figures = PAGE.read_text().partition(MEASURED)
    current = conventions_part().rstrip()
    # One comparison of lines at a time, so that a failure shows the line and not two pages.
    for line, (written, now) in enumerate(zip(kept.rstrip().split("\n"), current.split("\n"), strict=False), start=1):
        assert written == now, f"docs/conventions.md:{line} is old; make docs"
    assert kept.rstrip() == current, "docs/conventions.md is old; make docs"
    assert heading
    assert figures.count("\n|") > 10


def test_every_rule_with_conventions_of_libraries_is_on_the_page() -> None:
    page = PAGE.read_text()
    for kind in OPTIMIZERS.values():
        if len(kind.conventions) > 1:
            assert f"\n## {kind.__name__}\n" in page
