"""Dask workers: where they are found, begun and ended, and how they are given problems."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import multiprocessing
import re
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, wait
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any, TypeVar

import numpy as np

from fallline.engines.interruption import Interruption
from fallline.engines.problem import Problem, unheard
from fallline.errors import FalllineError, Verbatim, shortened
from fallline.machine_code.threads import limited
from fallline.objectives.base import Objective

# Seconds within which a scheduler must answer, and a worker must be there.
PATIENCE = 10.0
# Seconds for which all workers may be gone, before nobody waits for them any more.
WITHOUT_WORKERS = 30.0
# Workers that may die over one task, which Dask then takes to be its fault.
DEATHS = 3
# Seconds between two looks at processes that are to end.
_SOON = 0.05
# Tasks that each thread of a worker has waiting, so that it never waits for the next.
AHEAD = 3
# What must be the same on all machines, for the same results or for Dask to work at all.
SAME = ("fallline", "numpy", "llvmlite", "pyarrow", "dask", "distributed", "cloudpickle")

Item = TypeVar("Item")
Made = TypeVar("Made")


class WorkersLost(FalllineError):
    """The workers died, or went away, before the work was done."""


@dataclass(frozen=True)
class Cluster:
    """Dask workers as an engine: `sweep` and `basins` spread their runs over them, `minimize` and `fit` their rows.

    The results are those of one machine to the last bit, on whatever number of workers: a run is computed whole by
    one of them, and a loss is summed part by part (a row group of a Parquet file, a CSV file, a chunk of a Dask
    array), each part by one worker, and the parts in their order. That holds among processors of one kind; others
    may round the sums of a part differently, to about 1e-15 of their terms. A worker that is killed costs the time
    of what it had, which another does again.

    It pays for work of minutes: workers of this machine take seconds to begin. A compiled sweep, and a loss on data
    that fit into memory, take all threads of this machine without them, and less time. A sweep that is not compiled,
    as of a Python function, takes one thread, so workers help it on one machine, too.

    Arguments:
        at: "local:2" for two processes of one thread each on this machine, begun with the work and ended with it (in
            a script, under `if __name__ == "__main__":`, since each reads the script first); the address of a
            scheduler, "tcp://HOST:8786"; or a Dask client.

    Raises:
        FalllineError: when it is none of these.

    >>> Cluster("local:2")
    Cluster('local:2')
    >>> Cluster("local:none")
    Traceback (most recent call last):
    fallline.errors.FalllineError: cluster is 'local:none'; the number of local workers must be whole, 1 to 9999
    """

    at: Any

    def __post_init__(self) -> None:
        if not isinstance(self.at, str):
            if not (hasattr(self.at, "scheduler_info") and hasattr(self.at, "submit")):
                raise FalllineError("cluster", self.at, f"it must be {_ALLOWED}")
            return
        if self.at.startswith("local:"):
            if self._local is None:
                raise FalllineError(
                    "cluster", Verbatim(self.title), "the number of local workers must be whole, 1 to 9999"
                )
        elif not re.fullmatch(r"(tcp|tls)://[^\s/:]+:\d+|(tcp|tls)://\[[0-9a-fA-F:]+\]:\d+", self.at):
            raise FalllineError("cluster", Verbatim(self.title), f"it must be {_ALLOWED}")

    def __repr__(self) -> str:
        return f"Cluster({self.at!r})"

    @property
    def title(self) -> str:
        """What error texts call it."""
        return repr(self.at) if isinstance(self.at, str) else shortened(self.at)

    @property
    def _local(self) -> int | None:
        """How many processes are to be begun on this machine."""
        count = re.fullmatch(r"local:0*([1-9]\d{0,3})", self.at)
        return int(count[1]) if count else None

    @contextlib.contextmanager
    def opened(self) -> Iterator[Workers]:
        """The workers, there and of our versions; those that are begun here end with the `with` block.

        Raises:
            FalllineError: in one line, when there is no Dask, no scheduler, no worker, or not the same versions.
        """
        try:
            import dask
            import distributed
        except ImportError:
            raise FalllineError(
                "cluster", Verbatim(self.title), problem='which needs Dask: pip install "fallline[cluster]"'
            ) from None
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            # A process that reads the script that it is begun from; who began it says what is wrong.
            raise SystemExit(1)
        own = contextlib.ExitStack()
        others = multiprocessing.active_children()
        opening = _beside(lambda: self._begun(own, dask, distributed))
        try:
            with Interruption() as interruption, interruption.at_once:
                workers = opening.result()
            # Whoever works with them sees to Ctrl-C.
            with interruption.at_once:
                yield workers
        finally:
            with Interruption():
                # After a Ctrl-C in the midst of it, processes that do not begin are soon given up.
                while not opening.done() and isinstance(self.at, str) and self._local:
                    for process in multiprocessing.active_children():
                        if process not in others:
                            process.kill()
                    wait([opening], timeout=_SOON)
                # Who waits for a scheduler that does not answer, waits alone.
                opening.add_done_callback(lambda _: own.close())

    def _begun(self, own: contextlib.ExitStack, dask: Any, distributed: Any) -> Workers:
        """The workers, and in `own` what is to be ended with them."""
        own.enter_context(dask.config.set(_SETTINGS))
        client = own.enter_context(self._client(distributed)) if isinstance(self.at, str) else self.at
        workers = Workers(client, self.title)
        workers.check()
        return workers

    @contextlib.contextmanager
    def _client(self, distributed: Any) -> Iterator[Any]:
        """A client of our own."""
        with contextlib.ExitStack() as stack:
            # What goes wrong we say ourselves.
            stack.enter_context(distributed.utils.silence_logging_cmgr(logging.CRITICAL))
            address = self.at if self._local is None else stack.enter_context(self._processes(distributed))
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
            except (OSError, TimeoutError):
                raise FalllineError(
                    "cluster",
                    Verbatim(self.title),
                    problem=f"where no Dask scheduler answers within {PATIENCE:g} seconds",
                ) from None
            except TypeError:
                raise FalllineError(
                    "cluster",
                    Verbatim(self.title),
                    "set distributed.comm.tls in its configuration, or give a client",
                    problem="for which Dask has no certificates",
                ) from None
            with contextlib.closing(client):
                yield client

    @contextlib.contextmanager
    def _processes(self, distributed: Any) -> Iterator[Any]:
        """Workers on this machine, seen by nobody else."""
        try:
            with _deaf_to_ctrl_c():
                cluster = distributed.LocalCluster(
                    n_workers=self._local,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    dashboard_address=_ANY_PORT,
                    worker_dashboard_address=_ANY_PORT,
                    silence_logs=logging.CRITICAL,
                    scheduler_kwargs={"allowed_failures": DEATHS, "dashboard": False},
                )
        except RuntimeError:
            raise FalllineError(
                "cluster",
                Verbatim(self.title),
                "a script must ask for them under if __name__ == '__main__':",
                problem="whose processes do not start",
            ) from None
        with contextlib.closing(cluster):
            yield cluster


def _beside(make: Callable[[], Made]) -> Future[Made]:
    """What another thread makes, which nobody waits for at the end of the process."""
    future: Future[Made] = Future()

    def work() -> None:
        try:
            future.set_result(make())
        except BaseException as error:  # for who asked
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Threads and processes begun within do not hear Ctrl-C, nor do those that they begin: it is for this one to hear.

    A terminal sends it to all processes, and workers would each complain of it.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Begun later, it would let Ctrl-C through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_SETTINGS = {
    # What we send is meant to be sent, however large.
    "distributed.admin.large-graph-warning-threshold": "1 PB",
    # Nobody looks at it, and it takes time from the work.
    "distributed.worker.profile.enabled": False,
}
# Dask has an HTTP server in every process, which without an address is for all the network, on a port of its choice.
_ANY_PORT = "127.0.0.1:0"
_ALLOWED = "local:COUNT, the tcp://HOST:PORT of a scheduler, or a Dask client"


class Workers:
    """The workers of a cluster that is open.

    Arguments:
        client: a Dask client.
        title: what error texts call the cluster.
    """

    def __init__(self, client: Any, title: str) -> None:
        self.client = client
        self.title = title

    def check(self) -> None:
        """Refuse workers that are not there, or not of our versions."""
        if getattr(self.client, "asynchronous", False) or self.client.status != "running":
            raise FalllineError(
                "cluster", Verbatim(self.title), "give a client that works", problem="which is closed or asynchronous"
            )
        with self.errors():
            try:
                self.client.wait_for_workers(1, timeout=PATIENCE)
            except TimeoutError:
                raise FalllineError(
                    "cluster",
                    Verbatim(self.title),
                    problem=f"whose scheduler has no worker within {PATIENCE:g} seconds",
                ) from None
            versions = self.client.get_versions(packages=SAME)
        own = versions["client"]["packages"]
        for address, worker in versions["workers"].items():
            theirs = worker["packages"]
            for name in ("python", *SAME):
                here, there = (_short(packages.get(name)) for packages in (own, theirs))
                if here != there:
                    raise FalllineError(
                        "cluster",
                        Verbatim(self.title),
                        "both must be the same",
                        problem=f"whose worker {address} has {name} {there}, and here is {here}",
                    )

    @property
    def threads(self) -> int:
        """How many tasks they can work on at the same time."""
        count: int = sum(worker["nthreads"] for worker in self._known().values())
        return max(1, count)

    @property
    def memory(self) -> float:
        """The bytes that they may take, all together."""
        limits = [worker["memory_limit"] or np.inf for worker in self._known().values()]
        return float(sum(limits))

    def each(
        self, solve: Callable[[Problem], Made], work: Iterable[tuple[Item, Problem]]
    ) -> Iterator[tuple[Item, Made]]:
        """What `solve` makes of each problem, as it comes, with the item beside it.

        Raises:
            WorkersLost: when the workers died of it.
        """
        objectives: dict[int, tuple[Objective, Any]] = {}
        waiting: dict[Any, Item] = {}
        most = AHEAD * self.threads
        coming = iter(work)
        with self.errors():
            while True:
                for item, problem in _first(coming, most - len(waiting)):
                    of = problem.objective
                    if id(of) not in objectives:
                        objectives[id(of)] = of, self.sent(of, "objective", of.title)
                    rest = dataclasses.replace(problem, objective=_ELSEWHERE, callback=None, report=unheard)
                    sent = _pickled((solve, rest), "optimizer", type(problem.optimizer).__name__)
                    task = self.client.submit(_solved, objectives[id(of)][1], sent, pure=False)
                    waiting[task] = item
                if not waiting:
                    return
                for task in self.finished(list(waiting), all_of_them=False):
                    yield waiting.pop(task), task.result()

    def sent(self, thing: Any, parameter: str, title: str) -> Any:
        """The thing at the workers: lost with one of them, it is there again."""
        return self.client.submit(_unpickled, _pickled(thing, parameter, title), pure=False)

    def finished(self, tasks: Sequence[Any], all_of_them: bool) -> list[Any]:
        """Wait for one of the tasks, or all; those that are done then.

        Raises:
            WorkersLost: when there is no worker for long.
        """
        import distributed

        when = "ALL_COMPLETED" if all_of_them else "FIRST_COMPLETED"
        while True:
            with contextlib.suppress(TimeoutError), self.client.as_current():
                return list(distributed.wait(tasks, timeout=WITHOUT_WORKERS, return_when=when).done)
            if not self._known():
                raise WorkersLost(
                    "cluster", Verbatim(self.title), problem=f"which has had no worker for {WITHOUT_WORKERS:g} seconds"
                )

    def _known(self) -> dict[str, Any]:
        """What the scheduler knows of each worker."""
        known: dict[str, Any] = self.client.scheduler_info(n_workers=-1)["workers"]
        return known

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Say in one line what became of the cluster."""
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker

        try:
            yield
        except KilledWorker:
            raise WorkersLost(
                "cluster",
                Verbatim(self.title),
                problem="where worker after worker died over the same task: for want of memory?",
            ) from None
        except (CancelledError, CommClosedError):
            raise WorkersLost("cluster", Verbatim(self.title), problem="whose scheduler has gone away") from None
        except ModuleNotFoundError as error:
            raise FalllineError(
                "cluster",
                Verbatim(self.title),
                "install it there, too",
                problem=f"whose workers have no module {error.name!r}",
            ) from None


# Of a problem on its way, whose objective goes by itself, once to each worker.
_ELSEWHERE: Any = None


def _solved(objective: Objective, sent: bytes) -> Any:
    """What a task makes of its problem, by a worker. Others compute beside it, so it takes one thread."""
    solve, problem = _unpickled(sent)
    with limited(1):
        return solve(dataclasses.replace(problem, objective=objective))


def _pickled(thing: Any, parameter: str, title: str) -> bytes:
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(thing))
    except Exception as error:  # what a user's own thing holds may fail in any way
        reason = " ".join(str(error).split())
        raise FalllineError(
            parameter, Verbatim(title), problem=f"which cannot be sent to the workers: {reason}"
        ) from None


def _unpickled(sent: bytes) -> Any:
    import pickle

    return pickle.loads(sent)


def _first(items: Iterator[Item], count: int) -> Iterator[Item]:
    for _ in range(count):
        try:
            yield next(items)
        except StopIteration:
            return


def _short(version: str | None) -> str:
    """A version as a message gives it; of Python's the first two numbers are enough."""
    return "none" if version is None else re.sub(r"^(\d+\.\d+)\.\d+\.final\.\d+$", r"\1", version)
