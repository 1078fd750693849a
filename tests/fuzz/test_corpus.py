"""What was once read wrongly, and a few inputs that are spoilt anew in each run."""

from __future__ import annotations

import os
import random

import pytest
from tests.fuzz.campaign import CORPUS, READERS, fault_of


@pytest.mark.parametrize("name", sorted(path.name for path in CORPUS.iterdir()))
def test_what_was_read_wrongly_is_taken_or_refused(name: str) -> None:
    assert fault_of(READERS[name.partition("-")[0]], (CORPUS / name).read_bytes()) is None


@pytest.mark.parametrize("name", sorted(READERS))
def test_a_spoilt_input_is_taken_or_refused(name: str) -> None:
    reader, draw = READERS[name], random.Random(os.environ["FALLLINE_FUZZ_SEED"])
    examples = reader.examples()
    for _ in range(20):
        content = reader.spoilt(draw.choice(examples), draw)
        assert fault_of(reader, content) is None, content
