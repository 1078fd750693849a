"""The cluster engine: many runs, or the rows of a loss, spread over Dask workers."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable

import numpy as np

from fallline.engines import reference
from fallline.engines.per_run import entries
from fallline.engines.problem import Problem
from fallline.engines.spread import SpreadLoss
from fallline.engines.workers import Cluster
from fallline.errors import FalllineError, Verbatim
from fallline.models import Loss
from fallline.results.ends import Ends
from fallline.results.trajectory import Trajectory

NAME = "cluster"

# The fewest and the most runs in one task.
LEAST_RUNS, MOST_RUNS = 1 << 8, 1 << 15


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
    with cluster.opened() as workers, contextlib.closing(SpreadLoss(loss, loss.dataset, workers)) as spread_loss:
        found = reference.run(dataclasses.replace(problem, objective=spread_loss))
    return [dataclasses.replace(run, objective=loss, engine=NAME) for run in found]
