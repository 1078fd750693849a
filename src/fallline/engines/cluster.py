"""The cluster engine: many runs, or the rows of a loss, spread over Dask workers."""

from __future__ import annotations

import dataclasses
import functools
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.data import Dataset
from fallline.data.rows import Rows
from fallline.engines import reference
from fallline.engines.per_run import entries
from fallline.engines.problem import Problem
from fallline.engines.workers import Cluster, Workers
from fallline.errors import FalllineError, Verbatim
from fallline.machine_code.threads import limited
from fallline.models import Loss
from fallline.models.chunked import ChunkedRows
from fallline.objectives.base import Objective
from fallline.results.ends import Ends
from fallline.results.trajectory import Trajectory

NAME = "cluster"

# The fewest and the most runs in one task.
LEAST_RUNS, MOST_RUNS = 1 << 8, 1 << 15
# Files are kept in the workers' memory if they fit into this share of it; otherwise every pass reads them again.
KEPT_SHARE = 0.5


def ends(problem: Problem, cluster: Cluster, solve: Callable[[Problem], Ends]) -> Ends:
    """Where the runs of a problem end, block by block on the workers.

    Arguments:
        solve: the function that computes one block.
    """
    with cluster.opened() as workers:
        k = len(problem.starts)
        size = int(np.clip(-(-k // (4 * workers.threads)), LEAST_RUNS, MOST_RUNS))
        blocks = [slice(start, min(start + size, k)) for start in range(0, k, size)]
        work = (
            (
                number,
                dataclasses.replace(problem, starts=problem.starts[block], optimizer=entries(problem.optimizer, block)),
            )
            for number, block in enumerate(blocks)
        )
        found: dict[int, Ends] = {}
        for number, part in workers.each(solve, work):
            found[number] = part
            problem.report(problem.max_steps * len(found) // len(blocks))
    return Ends.joined([found[number] for number in range(len(blocks))])


def run(problem: Problem, cluster: Cluster) -> list[Trajectory]:
    """Execute the runs of a problem whose loss is summed on the workers.

    Raises:
        FalllineError: when the objective is not a loss on a Dask array or on files.
    """
    loss = problem.objective
    if not (isinstance(loss, Loss) and loss.dataset is not None):
        raise FalllineError(
            "cluster",
            Verbatim(cluster.title),
            f"objective is {loss.title}, which a single machine must take",
            problem="which takes the runs of sweep and basins, and losses on all rows of a Dask array or of files",
        )
    with cluster.opened() as workers:
        found = reference.run(dataclasses.replace(problem, objective=SpreadLoss(loss, loss.dataset, workers)))
    return [dataclasses.replace(run, objective=loss, engine=NAME) for run in found]


class SpreadLoss(Objective):
    """A loss whose rows are on the workers: each evaluation is one reduction.

    The point is sent once; the sums over each part of the rows come back and are added in the order of the parts.

    Arguments:
        loss: the loss.
        dataset: its rows.
        workers: those of an open cluster.
    """

    def __init__(self, loss: Loss, dataset: Dataset | ChunkedRows, workers: Workers) -> None:
        self.loss = loss
        self.names = loss.names
        self.gradient_kind = loss.gradient_kind
        self._workers = workers
        # The model is sent with one row; the workers have the rest.
        self._model = workers.sent(loss.on_part(loss.X[:1], loss.y[:1]), "objective", loss.title)
        self._parts = list(self._parts_of(dataset))

    @property
    def title(self) -> str:
        return self.loss.title

    def value(self, x: FloatArray) -> FloatArray:
        return self._sums(x, value=True)[0]

    def gradient(self, x: FloatArray) -> FloatArray:
        return self._sums(x, gradient=True)[1]

    def value_and_gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self._sums(x, value=True, gradient=True)

    def _sums(self, x: FloatArray, value: bool = False, gradient: bool = False) -> tuple[FloatArray, FloatArray]:
        return self.loss.total(x, functools.partial(self._part_sums, value=value, gradient=gradient))

    def _part_sums(self, points: FloatArray, value: bool, gradient: bool) -> Iterable[tuple[FloatArray, FloatArray]]:
        workers = self._workers
        with workers.errors():
            # One message. The point is a task of its own: it is sent once, and Dask recomputes it if it is lost.
            look = uuid.uuid4().hex
            graph: dict[str, Any] = {f"point-{look}": points}
            names = [f"sums-{look}-{number}" for number in range(len(self._parts))]
            for name, (sums, rows) in zip(names, self._parts, strict=True):
                graph[name] = (sums, self._model, f"point-{look}", value, gradient, *rows)
            tasks = workers.client.get(graph, names, sync=False)
            workers.finished(tasks, all_of_them=True)
            found: list[tuple[FloatArray, FloatArray]] = workers.client.gather(tasks)
        return found

    def _parts_of(self, dataset: Dataset | ChunkedRows) -> Iterator[tuple[Callable[..., Any], tuple[Any, ...]]]:
        """For each part, the function that sums it and its arguments: rows in the worker's memory, or files."""
        workers = self._workers
        if isinstance(dataset, ChunkedRows):
            yield from ((_part_sums, (rows,)) for rows in workers.client.compute(dataset.delayed()))
            return
        sent = workers.sent(dataset, "data", dataset.source.name)
        keeps = 8 * dataset.rows * self.loss.X.shape[1] <= KEPT_SHARE * workers.memory
        for number, count in enumerate(dataset.counts):
            if count and keeps:
                yield _part_sums, (workers.client.submit(_read, sent, number, pure=False),)
            elif count:
                yield _part_sums_read, (sent, number)


def _read(dataset: Dataset, number: int) -> list[Rows]:
    """The blocks of one part, to be kept in a worker's memory."""
    return list(dataset.part(number))


def _part_sums(
    model: Loss, points: FloatArray, value: bool, gradient: bool, blocks: Iterable[Rows]
) -> tuple[FloatArray, FloatArray]:
    """The sums over one part of the rows, computed on a worker."""
    with limited(1), np.errstate(all="ignore"):
        return model.sums_over(blocks, points, value, gradient)


def _part_sums_read(
    model: Loss, points: FloatArray, value: bool, gradient: bool, dataset: Dataset, number: int
) -> tuple[FloatArray, FloatArray]:
    """The same, with the rows read from files."""
    return _part_sums(model, points, value, gradient, dataset.part(number))
