"""Rows prepared for a model, read block by block from their source in every pass: the training or held-out split."""

from __future__ import annotations

import contextlib
import itertools
import operator
import queue
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from fallline.arrays import BoolArray
from fallline.data.preparation import Preparation, incomplete
from fallline.data.rows import Rows
from fallline.data.source import Source
from fallline.data.table import Table
from fallline.tables import Printed

Item = TypeVar("Item")

# The number of blocks prepared ahead of the one a model computes on.
AHEAD = 2


@dataclass(frozen=True)
class Split:
    """Which rows are held out: a share of each block, drawn by the seed.

    Attributes:
        share: between 0 and 1.
        seed: the seed of the draw.

    >>> int(Split(0.2, seed=0).held_out((0, 0), 100).sum())
    20
    """

    share: float
    seed: int

    def held_out(self, block: tuple[int, int], rows: int) -> BoolArray:
        """The mask of the held-out rows of a block (part, number in the part); always the same."""
        random = np.random.default_rng([self.seed, *block])
        held = np.zeros(rows, bool)
        # Rounded up or down at random, so that small blocks hold out the share on average.
        held[random.permutation(rows)[: int(self.share * rows + random.random())]] = True
        return held


@dataclass(frozen=True, repr=False)
class Dataset(Printed):
    """The training rows, or those held out, as inputs and targets.

    Attributes:
        source: where they come from.
        preparation: how columns become inputs and targets.
        counts: the number of rows in each part of the source.
        split: which rows are held out; None: none.
        held_out: whether these are the rows held out.
        checksum: of all entries of the source as first read, so that a run never resumes from a checkpoint made on
            other data.
    """

    source: Source
    preparation: Preparation
    counts: tuple[int, ...]
    split: Split | None
    held_out: bool
    checksum: int

    @property
    def weighted(self) -> bool:
        """Whether the rows have weights."""
        return self.preparation.weights is not None

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(self.counts)

    def blocks(self, parts: Sequence[int] | None = None) -> Generator[Rows]:
        """The rows, block by block, prepared in a background thread while the caller computes.

        Arguments:
            parts: the parts of the source, in the order to read them; None: all, in their own order.
        """
        return read_ahead(self._blocks(range(len(self.source.parts)) if parts is None else parts))

    def by_part(self) -> Iterator[Iterator[Rows]]:
        """The `blocks` of each part that has any, so that sums over a part do not depend on the others."""
        blocks = ((part, block) for part in range(len(self.counts)) for block in self.part(part))
        for _, group in itertools.groupby(read_ahead(blocks), operator.itemgetter(0)):
            yield (block for _, block in group)

    def part(self, number: int) -> Iterator[Rows]:
        """The `blocks` of one part."""
        return self._blocks([number])

    def whole(self) -> Rows:
        """All rows, in memory."""
        return Rows.joined(list(self._blocks(range(len(self.source.parts)))))

    def located(self, row: int) -> tuple[Table, int]:
        """The table in which a row, counted in the order of `blocks`, was found, and its row there."""
        for table, kept, _ in self._tables(range(len(self.source.parts))):
            if row < kept.sum():
                return table, int(np.flatnonzero(kept)[row])
            row -= int(kept.sum())
        raise IndexError(row)

    def _blocks(self, parts: Iterable[int]) -> Iterator[Rows]:
        for _, kept, rows in self._tables(parts):
            if kept.all():
                yield rows
            elif kept.any():
                yield rows[kept]

    def _tables(self, parts: Iterable[int]) -> Iterator[tuple[Table, BoolArray, Rows]]:
        preparation = self.preparation
        for part in parts:
            for number, table in enumerate(self.source.blocks(part, preparation.needed)):
                rows = Rows(preparation.inputs(table), preparation.targets(table), preparation.row_weights(table))
                kept = ~np.isnan(rows.y)
                if preparation.missing == "drop":
                    kept &= ~incomplete(rows.X)
                if self.split is not None:
                    kept &= self.split.held_out((part, number), table.rows) == self.held_out
                yield table, kept, rows


def read_ahead(items: Iterator[Item]) -> Generator[Item]:
    """The items, produced by a background thread a few ahead of the one needed.

    The thread ends when the generator is exhausted, closed or garbage collected.

    >>> list(read_ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    ready: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(AHEAD)
    closed = threading.Event()

    def make() -> None:
        try:
            for item in items:
                _put(ready, (item, None), closed)
                if closed.is_set():
                    return
            _put(ready, (None, None), closed)
        except BaseException as error:  # to be raised in the caller's thread
            _put(ready, (None, error), closed)

    thread = threading.Thread(target=make, name="reading data", daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        closed.set()
        with contextlib.suppress(queue.Empty):
            while True:
                ready.get_nowait()
        thread.join()


def _put(ready: queue.Queue[Item], item: Item, closed: threading.Event) -> None:
    while not closed.is_set():
        with contextlib.suppress(queue.Full):
            ready.put(item, timeout=0.1)
            return
