"""Who executes a problem, and how long it takes."""

from __future__ import annotations

from fallline.engines import reference
from fallline.engines.checkpoint import Checkpoint, Part
from fallline.engines.problem import Begun, Problem
from fallline.errors import FalllineError, nearest
from fallline.trajectory import Trajectory

__all__ = ["Begun", "Checkpoint", "Part", "Problem", "execute"]

ENGINES = {"auto": reference.run, "reference": reference.run}


def execute(problem: Problem, engine: str) -> list[Trajectory]:
    """Run the problem on an engine: "reference", or "auto" for the one that suits it best.

    Raises:
        FalllineError: when there is no such engine.
    """
    if engine not in ENGINES:
        raise FalllineError(f"engine is {engine!r}; {nearest(str(engine), ENGINES)}")
    return ENGINES[engine](problem)
