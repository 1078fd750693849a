"""Checks of a user's own rule before its first steps, and notes on errors that a user's code raises."""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, Verbatim, shortened
from fallline.optimizers import Optimizer
from fallline.state import named_leaves


def note_step(error: Exception, step: int, rule: str) -> None:
    """Add a note with the step and the rule to an error that the user's code raised; not to Fallline's own errors."""
    if not isinstance(error, FalllineError):
        error.add_note(f"at step {step} of {rule}")


def check_state(optimizer: Optimizer[Any], state: Any) -> None:
    """Refuse a state from `init` that is not made of numbers and arrays."""
    for _, leaf in named_leaves(state):
        if isinstance(leaf, list | dict | set):
            raise FalllineError(
                problem=f"optimizer {type(optimizer).__name__}: init returned a state with the {type(leaf).__name__} "
                f"{shortened(leaf)} in it",
                allowed="it must be numbers and arrays, in tuples or named tuples",
            )


def check_resumed(optimizer: Optimizer[Any], x: FloatArray, own: Any, kept: Any) -> None:
    """Refuse to resume at x with a state, or a schedule's memory, whose structure is not that of the rule's own."""
    mine, theirs = (dict(named_leaves(nest)) for nest in (own, kept))
    fits = all(np.ndim(part) <= x.ndim and {*np.shape(part)} <= {1, *x.shape} for part in theirs.values())
    if list(mine) != list(theirs) or not fits:
        raise FalllineError(
            "optimizer",
            Verbatim(optimizer.label),
            "begin anew",
            problem="which cannot go on with what another remembers, or of another number of coordinates",
        )


def check_update(optimizer: Optimizer[Any], made: Any, x: FloatArray, state: Any) -> None:
    """Refuse a result of `update` unless it is a change of x's shape, and a state with the same parts as before."""
    name = f"optimizer {type(optimizer).__name__}"
    if not (isinstance(made, tuple) and len(made) == 2):
        raise FalllineError(
            problem=f"{name}: update returned {shortened(made)}",
            allowed="it must return a tuple of two, the change and the state",
        )
    if np.shape(made[0]) != x.shape:
        raise FalllineError(
            problem=f"{name}: update returned a change of shape {np.shape(made[0])} for x of shape {x.shape}",
            allowed="the two must be equal",
        )
    if np.iscomplexobj(made[0]):
        raise FalllineError(problem=f"{name}: update returned complex numbers", allowed="a change must be real")
    before, after = ([part for part, _ in named_leaves(nest)] for nest in (state, made[1]))
    if before != after:
        raise FalllineError(
            problem=f"{name}: init returned a state of the parts {before}, update one of {after}",
            allowed="the two must be equal",
        )
