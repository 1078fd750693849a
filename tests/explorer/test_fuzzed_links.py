"""Ten thousand links with changed characters: each is read at once, and what of it was not taken is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.explorer.links import FULL, mutated_links
from tests.explorer.node import built
from tests.explorer.runs import run_program

COUNT = 10_000


@pytest.mark.long
def test_mutated_links_are_read_at_once_and_nothing_is_dropped_in_silence(tmp_path: Path) -> None:
    seed = int(os.environ["FALLLINE_FUZZ_SEED"])
    links = mutated_links(seed, COUNT)
    outcomes = run_program(built(tmp_path), "links", {"links": links, "full": FULL})
    for link, outcome in zip(links, outcomes, strict=True):
        where = (link, f"FALLLINE_FUZZ_SEED={seed}")
        assert outcome["faults"] == [], where
        assert outcome["milliseconds"] < 1000, where
        for told in outcome["refused"]:
            assert len(told) <= 80, where
            assert not set(told) & set("\0\n\u202e\u2028"), where
    refused = sum(bool(outcome["refused"]) for outcome in outcomes)
    assert COUNT / 10 < refused < COUNT
