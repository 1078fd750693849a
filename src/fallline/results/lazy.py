"""A sequence whose items are made when they are accessed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, overload

Item = TypeVar("Item")

# The number of items made together in an iteration over all.
_BLOCK = 1 << 10
# The number of items in the repr.
_SHOWN = 3


class Lazy(Sequence[Item]):
    """A sequence whose items are made when they are accessed, each once; equal to any sequence with equal items.

    Arguments:
        count: the number of items.
        make: makes the items with the given indices, in their order.

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
        # A range resolves negative indices and raises IndexError beyond the ends.
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
