"""What the tests of runs share."""

from __future__ import annotations

import dataclasses

from fallline import Trajectory


def same(one: Trajectory, other: Trajectory) -> bool:
    """Whether two runs are the same to the last bit in all but the time they took."""
    return dataclasses.replace(one, seconds=0.0) == dataclasses.replace(other, seconds=0.0)
