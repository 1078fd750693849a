"""A loss whose rows lie on Dask workers: laid there once, and summed there for each evaluation."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fallline.arrays import FloatArray
from fallline.data import Dataset
from fallline.data.rows import Rows
from fallline.engines.workers import DEATHS, WorkerGone, Workers
from fallline.machine_code.threads import limited
from fallline.models import Loss
from fallline.models.chunked import ChunkedRows
from fallline.models.pairwise import Node, in_pairs
from fallline.models.summing import InOnePass

# Rows are kept in the workers' memory if they fit into this share of it; otherwise every pass reads them again.
KEPT_SHARE = 0.5
# The most shards that the client, or another shard, asks itself; they ask the others.
FAN_OUT = 8


class SpreadLoss(InOnePass):
    """A loss whose rows are on the workers: each evaluation is one reduction.

    Each worker has a shard: adjacent parts of the rows. The point is sent to each shard once; the sums over its parts
    come back, added in pairs as they are on one machine.

    Arguments:
        loss: the loss.
        dataset: its rows.
        workers: those of an open cluster.
    """

    def __init__(self, loss: Loss, dataset: Dataset | ChunkedRows, workers: Workers) -> None:
        from dask import delayed

        self.loss = loss
        self.names = loss.names
        self.gradient_kind = loss.gradient_kind
        self._workers = workers
        # The model is sent with one row; the workers have the rest.
        self._model = workers.sent(loss.on_part(loss.X[:1], loss.y[:1]), "objective", loss.title)
        self._counts = [count for count in dataset.counts if count]
        self._parts = _parts_of(dataset, workers)
        self._keeps = 8 * dataset.rows * loss.X.shape[1] <= KEPT_SHARE * workers.memory
        if self._keeps:
            self._parts = [delayed(list, pure=False)(part) for part in self._parts]
        # All that must stay on the workers, the shards asked from here, and the number of workers that have them.
        self._laid: list[Any] = []
        self._shards: list[Any] = []
        self._places = 1

    @property
    def title(self) -> str:
        return self.loss.title

    def close(self) -> None:
        """Free the workers' memory."""
        self._laid, self._shards = [], []

    def _sums(self, x: FloatArray, value: bool = False, gradient: bool = False) -> tuple[FloatArray, FloatArray]:
        of = self._of_shards if self._keeps else self._of_read_parts
        return self.loss.total(x, functools.partial(of, value=value, gradient=gradient))

    def _of_shards(self, points: FloatArray, value: bool, gradient: bool) -> list[Node]:
        """The sums of all shards, which are laid again when a worker was lost."""
        for _ in range(DEATHS):
            with self._workers.errors():
                self._shards = self._shards or self._lay()
                try:
                    answer = _joined(_asked(self._shards, points, value, gradient))
                except Exception:  # Dask raises several kinds for a worker that is gone
                    self._shards = []
                    self._workers.reach()
                    continue
            if isinstance(answer, Exception):
                raise answer
            return answer
        raise self._workers.several_died()

    def _lay(self) -> list[Any]:
        """Lay the rows on the workers, and return the shards to be asked."""
        while True:
            places = self._workers.places(wanted=self._places)
            laid: list[Any] = []
            asked = self._shards_on(list(_shares(self._counts, places)), laid)
            try:
                self._workers.finished(laid, all_of_them=True, on=places)
            except WorkerGone:
                continue
            self._laid, self._places = laid, len(places)
            with self._workers.client.as_current():
                return [shard.result() for shard in asked]

    def _shards_on(self, shares: Sequence[Share], laid: list[Any]) -> list[Any]:
        """Futures of the shards to be asked; all that is to stay on the workers is added to `laid`.

        A shard asks only shards of later shares, so no two wait for each other, not even those of two losses.
        """
        client = self._workers.client
        asked = []
        together = -(-len(shares) // FAN_OUT)
        for start in range(0, len(shares), max(1, together)):
            first, *others = shares[start : start + together]
            further = self._shards_on(others, laid)
            parts = [self._parts[number] for number in first.parts]
            # Tied loosely: what is lost with a worker can be made again on another.
            rows = client.compute(parts, workers=[first.worker], allow_other_workers=True)
            shard = client.submit(
                Shard, self._model, first, rows, further, actor=True, workers=[first.worker], pure=False
            )
            laid += [*rows, shard]
            asked.append(shard)
        return asked

    def _of_read_parts(self, points: FloatArray, value: bool, gradient: bool) -> list[Node]:
        """The sums over each part, which is read for it."""
        from dask import delayed

        workers, sums = self._workers, delayed(_sums, pure=False)
        # The point is a task of its own: it is sent once.
        what = (self._model, delayed(points), value, gradient)
        with workers.errors():
            tasks = workers.client.compute([sums(*what, number, [part]) for number, part in enumerate(self._parts)])
            workers.finished(tasks, all_of_them=True)
            return [node for nodes in workers.client.gather(tasks) for node in nodes]


class Share(NamedTuple):
    """The parts of the rows that one worker has, and how many threads it has for them."""

    worker: str
    threads: int
    parts: range


def _shares(counts: Sequence[int], places: dict[str, int]) -> Iterator[Share]:
    """The parts of each worker: adjacent ones, as nearly as many rows for each thread as they allow.

    >>> [list(share.parts) for share in _shares([5, 5, 4, 6, 10, 10], {"a": 1, "b": 1})]
    [[0, 1, 2, 3], [4, 5]]
    """
    threads = np.array(list(places.values()))
    middles = np.cumsum(counts) - np.array(counts) / 2
    owners = np.searchsorted(np.cumsum(threads) * sum(counts) / threads.sum(), middles, side="right")
    for number, (worker, its_threads) in enumerate(places.items()):
        start, end = np.searchsorted(owners, [number, number + 1]).tolist()
        if start < end:
            yield Share(worker, its_threads, range(start, end))


class Shard:
    """The rows of one share in a worker's memory, as a Dask actor, which a message reaches sooner than a task.

    Arguments:
        model: the loss, without its rows.
        share: the numbers of its parts.
        parts: the blocks of each.
        further: shards of later parts, which it asks.
    """

    def __init__(self, model: Loss, share: Share, parts: Sequence[Iterable[Rows]], further: Sequence[Any]) -> None:
        self.model = model
        self.share = share
        self.parts = parts
        self.further = further

    def sums(self, points: FloatArray, value: bool, gradient: bool) -> list[Node] | Exception:
        """The sums over its rows and those of the further shards.

        An error of the model is returned: one that is raised means that a shard was not reached.
        """
        others = _asked(self.further, points, value, gradient)
        try:
            with limited(self.share.threads):
                own = _sums(self.model, points, value, gradient, self.share.parts.start, self.parts)
        except Exception as error:
            return error
        return _joined([own, *others])


def _asked(shards: Sequence[Any], points: FloatArray, value: bool, gradient: bool) -> Iterator[Any]:
    """The answers of shards, which are all asked at once, in their order."""
    coming = [shard.sums(points, value, gradient) for shard in shards]
    return (one.result() for one in coming)


def _joined(answers: Iterable[list[Node] | Exception]) -> list[Node] | Exception:
    nodes: list[Node] = []
    for answer in answers:
        if isinstance(answer, Exception):
            return answer
        nodes += answer
    return in_pairs(nodes)


def _sums(
    model: Loss, points: FloatArray, value: bool, gradient: bool, first: int, parts: Iterable[Iterable[Rows]]
) -> list[Node]:
    """The sums over some parts of the rows, numbered from `first` on, computed on a worker."""
    with np.errstate(all="ignore"):
        return in_pairs(model.part_sums(enumerate(parts, first), points, value, gradient))


@dataclass(frozen=True)
class FilePart:
    """The blocks of one part of some files, read whenever they are iterated over."""

    dataset: Dataset
    number: int

    def __iter__(self) -> Iterator[Rows]:
        return self.dataset.part(self.number)


def _parts_of(dataset: Dataset | ChunkedRows, workers: Workers) -> list[Any]:
    """The blocks of each part that has rows, as Dask's delayed objects."""
    from dask import delayed

    if isinstance(dataset, ChunkedRows):
        return dataset.delayed()
    sent = workers.sent(dataset, "data", dataset.source.name)
    part = delayed(FilePart, pure=False)
    return [part(sent, number) for number, count in enumerate(dataset.counts) if count]
