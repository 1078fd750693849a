"""Diagnosis of a run: why it went as it did. Each module looks for one finding."""

from __future__ import annotations

from fallline.diagnosis import unbounded
from fallline.diagnosis.finding import Finding
from fallline.errors import FalllineError
from fallline.results.trajectory import Trajectory

__all__ = ["Finding", "diagnose"]

FINDINGS = (unbounded.find,)


def diagnose(trajectory: Trajectory) -> tuple[Finding, ...]:
    """All findings about a run, the most serious first.

    >>> import fallline
    >>> run = fallline.minimize("x**2 + c", [1.0, 1.0], fallline.GradientDescent(0.1))
    >>> [finding.title for finding in diagnose(run)]
    ['f has no lower bound along c']
    """
    if not isinstance(trajectory, Trajectory):
        raise FalllineError("trajectory", trajectory, "it must be what minimize returns")
    found = (find(trajectory) for find in FINDINGS)
    return tuple(finding for finding in found if finding is not None)
