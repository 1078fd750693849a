"""The state of an update rule: a quantity, or tuples and named tuples of states, or None."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def map_state(function: Callable[[Any], Any], state: Any) -> Any:
    """The same nested tuples with `function` applied to every quantity in them.

    >>> map_state(lambda leaf: 2 * leaf, (1, (2, 3), None))
    (2, (4, 6), None)
    """
    if state is None:
        return None
    if isinstance(state, tuple):
        parts = [map_state(function, part) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return function(state)


def named_leaves(state: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every quantity of the state with its name; parts of a plain tuple are named by their number.

    >>> list(named_leaves((1, (2, 3), None), "history"))
    [('history.0', 1), ('history.1.0', 2), ('history.1.1', 3)]
    """
    if state is None:
        return
    if isinstance(state, tuple):
        names = getattr(state, "_fields", range(len(state)))
        for name, part in zip(names, state, strict=True):
            yield from named_leaves(part, f"{prefix}.{name}" if prefix else str(name))
    else:
        yield prefix or "state", state


def refilled(state: Any, parts: Any) -> Any:
    """The parts, which have lists in place of tuples, as a state with the structure of `state`.

    >>> refilled((1, (2, 3), None), [10, [20, 30], None])
    (10, (20, 30), None)
    """
    if not isinstance(state, tuple):
        return parts
    inner = [refilled(*pair) for pair in zip(state, parts, strict=True)]
    return type(state)(*inner) if hasattr(state, "_fields") else tuple(inner)


def with_x(state: Any, x: Any) -> Any:
    """The same state with every part named x, at any depth, replaced by the point x.

    A rule that needs its point keeps it in its state under that name. A wrapper that changes the step of its inner
    rule uses this to correct it.

    >>> from collections import namedtuple
    >>> State = namedtuple("State", "x velocity")
    >>> with_x((State(x=1, velocity=2), None), 5)
    (State(x=5, velocity=2), None)
    """
    if not isinstance(state, tuple):
        return state
    names = getattr(state, "_fields", range(len(state)))
    parts = [x if name == "x" else with_x(part, x) for name, part in zip(names, state, strict=True)]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
