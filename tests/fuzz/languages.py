"""Formulas made up and spoilt, each read by Python and by the page: `python -m tests.fuzz.languages MINUTES`.

Both must accept or refuse it alike, in the same words, with the same values. A text on which they part is printed with
the seed of its batch, and belongs into tests/explorer/traps.txt.
"""

from __future__ import annotations

import random
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.explorer.formulas import TRAPS, texts
from tests.explorer.mutations import mutated
from tests.explorer.node import built
from tests.explorer.test_formulas import compare

BATCH = 500
SIGNS = "0123456789.,;=()[]|*/+-^<>'_ \n\t\0²½√πéx𝑥\u0301\u200b\u202e\ud800"
PIECES = [
    "sum(",
    "i=1..3",
    "1e999",
    " if ",
    " else ",
    "np.",
    "__proto__",
    "²⁻¹",
    "x'",
    "d/dx ",
    "\r\n",
    "9" * 40,
    "x[",
    "{}",
]


def batch(seed: int) -> list[str]:
    """Texts as people write them, half of them spoilt by single characters."""
    chance, written = random.Random(seed), [*texts(seed, BATCH), *TRAPS]
    return [
        mutated(text, chance, SIGNS, PIECES) if chance.random() < 0.5 else text
        for text in chance.sample(written, BATCH)
    ]


def main() -> None:
    """Make up and compare for some minutes."""
    end, count, faults = time.monotonic() + 60 * float(sys.argv[1]), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        programs = built(Path(folder))
        while time.monotonic() < end:
            seed = secrets.randbits(32)
            try:
                compare(programs, batch(seed))
            except (AssertionError, subprocess.SubprocessError) as fault:
                faults += 1
                print(f"seed {seed}: {fault}", flush=True)
            count += BATCH
    print(f"{count} texts in both languages, {faults} batches with a difference")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
