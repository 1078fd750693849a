"""The labelled suite: all of its cases.

The cases are frozen: they were made before any threshold of the diagnosis was tuned on them. A case may be changed
only for a reason that lies in the case, such as a run that does not show the fault it was made for, and the commit says
which. Thresholds are tuned on the cases of even seeds; those of odd seeds are held back, and both are reported.
"""

from __future__ import annotations

import dataclasses
import functools

from tests.diagnosis.suite import data, functions, healthy, landscapes, networks, programs, rates, rules
from tests.diagnosis.suite.case import CASES, HEALTHY, Draw, Labelled

FINDINGS = (*rates.ALL, *rules.ALL, *networks.ALL, *data.ALL, *landscapes.ALL, *functions.ALL)
# What is labelled: the names of the findings.
LABELS = tuple(builder.__name__ for builder in FINDINGS)


# Each case as its builder, its seed, and whether it is healthy: those of each finding, the programs, the healthy runs.
PLANS = (
    *((builder, seed, False) for builder in FINDINGS for seed in range(CASES)),
    *((builder, seed, False) for builder in programs.ALL for seed in range(programs.COUNT)),
    *((builder, seed, True) for builder in healthy.ALL for seed in range(healthy.COUNT)),
)


@functools.cache
def built(place: int) -> Labelled:
    """The case at a place in PLANS."""
    builder, seed, is_healthy = PLANS[place]
    case = builder(Draw(builder.__name__, seed))
    return dataclasses.replace(case, label=HEALTHY) if is_healthy else case


def all_cases() -> tuple[Labelled, ...]:
    """All of them."""
    return tuple(built(place) for place in range(len(PLANS)))
