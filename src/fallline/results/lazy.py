"""A sequence whose items are made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, overload

Item = TypeVar("Item")

# Items that are made together where all are asked for.
_BLOCK = 1 << 10
# Items that a repr shows of many.
_SHOWN = 3


class Lazy(Sequence[Item]):
    """A sequence whose items are made when they are asked for, each once; equal to any other with equal items.

    Arguments:
        count: how many there are.
        make: makes the items at some places, in their order.

    >>> squares = Lazy(1000, lambda places: [place**2 for place in places])
    >>> squares[-1], squares[:3], len(squares)
    (998001, (0, 1, 4), 1000)
    """

    def __init__(self, count: int, make: Callable[[Sequence[int]], Sequence[Item]]) -> None:
        self._count, self._make = count, make
        self._made: dict[int, Item] = {}

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Item: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Item, ...]: ...
    def __getitem__(self, place: int | slice) -> Item | tuple[Item, ...]:
        # As a range reads them: from the end where they are negative, and none beyond it.
        places = range(self._count)[place]
        return tuple(self._at(places)) if isinstance(places, range) else self._at([places])[0]

    def __iter__(self) -> Iterator[Item]:
        for first in range(0, self._count, _BLOCK):
            yield from self[first : first + _BLOCK]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Lazy | tuple | list):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        items = [*map(repr, self[:_SHOWN]), *([f"... ({self._count} in all)"] if self._count > _SHOWN else [])]
        return f"({', '.join(items)}{',' if self._count == 1 else ''})"

    def _at(self, places: Sequence[int]) -> list[Any]:
        missing = [place for place in places if place not in self._made]
        if missing:
            self._made.update(zip(missing, self._make(missing), strict=True))
        return [self._made[place] for place in places]
