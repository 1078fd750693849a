"""Dask workers: connecting to them, starting and stopping local ones, and sending problems to them."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import logging
import multiprocessing
import re
import signal
import ssl
import threading
import time
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

# Seconds within which a scheduler must answer, and a worker must have connected.
PATIENCE = 10.0
# Seconds without any worker after which the work is given up.
WITHOUT_WORKERS = 30.0
# Seconds within which a worker that died is expected to be replaced.
REPLACED = 5.0
# Seconds within which each worker must answer to be asked without the scheduler between.
DIRECT = 1.0
# Seconds between two looks at which workers there are.
_LOOK = 2.0
# How many workers may die of one task before Dask gives up the task.
DEATHS = 3
# Seconds between two checks of processes that are to end, and of workers that are to begin.
_SOON = 0.05
# Tasks queued for each thread of a worker, so that it never waits for the next.
AHEAD = 3
# Packages whose versions must be the same everywhere, for the same results or for Dask to work at all.
SAME = ("fallline", "numpy", "llvmlite", "pyarrow", "dask", "distributed", "cloudpickle")

Item = TypeVar("Item")
Made = TypeVar("Made")


class WorkersLost(FalllineError):
    """The workers died or were disconnected before the work was done."""


class WorkerGone(Exception):
    """A worker that tasks were tied to is gone."""


@dataclass(frozen=True)
class Cluster:
    """Dask workers as an engine: `sweep` and `basins` spread their runs over them, `minimize` and `fit` their rows.

    The results have the same bits as on one machine, for any number of workers: each run is computed by one worker,
    and a loss is summed part by part (a row group of a Parquet file, a CSV file, a chunk of a Dask array), each part
    by one worker, and the parts are added in pairs, pairs of pairs, and so on. This holds for processors of one kind;
    others may round the sums of a part differently, by about 1e-15 of their terms. The runs of a worker that is killed
    are repeated by another, and its rows are laid on the others.

    Rows are kept on the workers, adjacent parts on each, if they fit into half of their memory; otherwise every pass
    reads or computes them again.

    It is worth it for work of minutes: local workers take seconds to start. A compiled sweep, and a loss on data that
    fit into memory, already use all threads of this machine and gain nothing from workers on it. A sweep that is not
    compiled, such as one of a Python function, uses one thread, so local workers speed it up.

    Arguments:
        at: "local:2" for two processes of one thread each on this machine, which live as long as the work (in a
            script, call it under `if __name__ == "__main__":`, since each process imports the script); the address of
            a scheduler, "tcp://HOST:8786" or "tls://HOST:8786"; or a Dask client.
        security: the `distributed.security.Security` with the certificates for tls://; None for those of Dask's
            configuration (`distributed.comm.tls`, or variables such as DASK_DISTRIBUTED__COMM__TLS__CA_FILE).

    Raises:
        FalllineError: when `at` is not one of these.

    >>> Cluster("local:2")
    Cluster('local:2')
    >>> Cluster("local:none")
    Traceback (most recent call last):
    fallline.errors.FalllineError: cluster is 'local:none'; the number of local workers must be whole, 1 to 9999
    """

    at: Any
    security: Any = None

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
        """The cluster's name in error texts."""
        return repr(self.at) if isinstance(self.at, str) else shortened(self.at)

    @property
    def _local(self) -> int | None:
        """The number of processes to start on this machine; None if the workers are elsewhere."""
        count = re.fullmatch(r"local:0*([1-9]\d{0,3})", self.at)
        return int(count[1]) if count else None

    @contextlib.contextmanager
    def opened(self) -> Iterator[Workers]:
        """Connect to the workers and check their versions; local ones are stopped at the end of the `with` block.

        Raises:
            FalllineError: when Dask is not installed, there is no scheduler or no worker, or versions differ.
        """
        try:
            import dask
            import distributed
        except ImportError:
            raise _refusal(self.title, 'which needs Dask: pip install "fallline[cluster]"') from None
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            # A local worker importing the script that started it; the parent process reports what is wrong.
            raise SystemExit(1)
        own = contextlib.ExitStack()
        others = multiprocessing.active_children()
        opening = _beside(lambda: self._begun(own, dask, distributed))
        try:
            with Interruption() as interruption, interruption.at_once:
                workers = opening.result()
            # The code in the `with` block deals with Ctrl-C itself.
            with interruption.at_once:
                yield workers
        finally:
            with Interruption():
                # After Ctrl-C during the start, kill processes that have not finished starting.
                while not opening.done() and isinstance(self.at, str) and self._local:
                    for process in multiprocessing.active_children():
                        if process not in others:
                            process.kill()
                    wait([opening], timeout=_SOON)
                # The thread that waits for a scheduler cleans up by itself, without blocking this one.
                opening.add_done_callback(lambda _: own.close())

    def _begun(self, own: contextlib.ExitStack, dask: Any, distributed: Any) -> Workers:
        """The workers; what has to be closed with them is put into `own`."""
        own.enter_context(dask.config.set(_SETTINGS))
        client = own.enter_context(self._client(distributed)) if isinstance(self.at, str) else self.at
        workers = Workers(client, self.title)
        workers.check()
        own.enter_context(workers.asked_directly())
        return workers

    @contextlib.contextmanager
    def _client(self, distributed: Any) -> Iterator[Any]:
        """A Dask client, closed at the end."""
        with contextlib.ExitStack() as stack:
            # Errors are reported by FalllineError instead.
            stack.enter_context(distributed.utils.silence_logging_cmgr(logging.CRITICAL))
            address = self.at if self._local is None else stack.enter_context(self._processes(distributed))
            security = self.security or distributed.Security()
            try:
                if str(address).startswith("tls:") and not security.get_connection_args("client")["ssl_context"]:
                    raise _refusal(
                        self.title,
                        "for which Dask has no certificates",
                        "set distributed.comm.tls in its configuration, or give security",
                    )
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    client = distributed.Client(address, timeout=PATIENCE, set_as_default=False, security=security)
            except (distributed.comm.core.FatalCommClosedError, ssl.SSLError):
                raise _refusal(
                    self.title,
                    "which does not go with the certificates given",
                    "give those that its scheduler was started with",
                ) from None
            except FileNotFoundError:
                raise _refusal(
                    self.title,
                    "for which a file of certificates is missing",
                    "check the paths in security or in distributed.comm.tls of Dask's configuration",
                ) from None
            except (OSError, TimeoutError):
                raise _refusal(self.title, f"where no Dask scheduler answers within {PATIENCE:g} seconds") from None
            with contextlib.closing(client):
                yield client

    @contextlib.contextmanager
    def _processes(self, distributed: Any) -> Iterator[Any]:
        """A local cluster, reachable from this machine only."""
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
            raise _refusal(
                self.title,
                "whose processes do not start",
                "a script must ask for them under if __name__ == '__main__':",
            ) from None
        with contextlib.closing(cluster):
            yield cluster


def _beside(make: Callable[[], Made]) -> Future[Made]:
    """A future of what `make` returns, run in a daemon thread, which does not delay the end of the process."""
    future: Future[Made] = Future()

    def work() -> None:
        try:
            future.set_result(make())
        except BaseException as error:  # raised again by `result`
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Block Ctrl-C in threads and processes started inside the block; only this process reacts to it.

    A terminal sends it to all processes, and each worker would print a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # If it started later, it would unblock Ctrl-C again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_SETTINGS = {
    # No warning about large objects: they are sent on purpose.
    "distributed.admin.large-graph-warning-threshold": "1 PB",
    # The profile is not used, and it takes time.
    "distributed.worker.profile.enabled": False,
}
# Each Dask process has an HTTP server, which by default listens on all interfaces.
_ANY_PORT = "127.0.0.1:0"
_ALLOWED = "local:COUNT, the tcp://HOST:PORT of a scheduler, or a Dask client"


def _refusal(title: str, problem: str, allowed: str = "") -> FalllineError:
    return FalllineError("cluster", Verbatim(title), allowed, problem=problem)


class Workers:
    """The workers of a cluster that is open.

    Arguments:
        client: a Dask client.
        title: what error texts call the cluster.
    """

    def __init__(self, client: Any, title: str) -> None:
        self.client = client
        self.title = title
        # Whether the client leaves open how requests are sent.
        self._open = False

    def check(self) -> None:
        """Refuse a cluster without workers, or with other versions than here."""
        if getattr(self.client, "asynchronous", False) or self.client.status != "running":
            raise _refusal(self.title, "which is closed or asynchronous", "give a client that works")
        with self.errors():
            try:
                self.client.wait_for_workers(1, timeout=PATIENCE)
            except TimeoutError:
                raise _refusal(self.title, f"whose scheduler has no worker within {PATIENCE:g} seconds") from None
            versions = self.client.get_versions(packages=SAME)
        own = versions["client"]["packages"]
        for address, worker in versions["workers"].items():
            theirs = worker["packages"]
            for name in ("python", *SAME):
                here, there = (_short(packages.get(name)) for packages in (own, theirs))
                if here != there:
                    raise _refusal(
                        self.title,
                        f"whose worker {address} has {name} {there}, and here is {here}",
                        "both must be the same",
                    )

    @contextlib.contextmanager
    def asked_directly(self) -> Iterator[None]:
        """Send requests straight to the workers where they can be reached, unless the client says how to send them."""
        before = self.client.direct_to_workers
        self._open = before is None
        self.reach()
        try:
            yield
        finally:
            self.client.direct_to_workers = before

    def reach(self) -> None:
        """Find out whether all workers can be reached from here; if not, requests go through the scheduler."""
        addresses = list(self._known())

        async def answers() -> None:
            every = asyncio.gather(*(self.client.rpc(at).identity() for at in addresses))
            await asyncio.wait_for(every, DIRECT)

        if not self._open:
            return
        try:
            self.client.sync(answers)
            self.client.direct_to_workers = True
        except (OSError, TimeoutError):
            self.client.direct_to_workers = False

    @property
    def threads(self) -> int:
        """The number of threads of all workers."""
        count: int = sum(worker["nthreads"] for worker in self._known().values())
        return max(1, count)

    def places(self, wanted: int) -> dict[str, int]:
        """The number of threads of each worker by its address, in the order of the addresses.

        Arguments:
            wanted: for how many workers to wait, but not for longer than `REPLACED`.

        Raises:
            WorkersLost: when there is no worker for `WITHOUT_WORKERS` seconds.
        """
        began = time.monotonic()
        while (waited := time.monotonic() - began) < WITHOUT_WORKERS:
            running = {at: one["nthreads"] for at, one in sorted(self._known().items()) if one["status"] == "running"}
            if len(running) >= wanted or (running and waited > REPLACED):
                return running
            time.sleep(_SOON)
        raise self._alone()

    @property
    def memory(self) -> float:
        """The memory limit of all workers together, in bytes."""
        limits = [worker["memory_limit"] or np.inf for worker in self._known().values()]
        return float(sum(limits))

    def each(
        self, solve: Callable[[Problem], Made], work: Iterable[tuple[Item, Problem]]
    ) -> Iterator[tuple[Item, Made]]:
        """Yield each item with the result of `solve` for its problem, in the order in which they finish.

        Raises:
            WorkersLost: when the workers died.
        """
        objectives: dict[int, tuple[Objective, Any]] = {}
        waiting: dict[Any, Item] = {}
        most = AHEAD * self.threads
        coming = iter(work)
        with self.errors():
            while True:
                for item, problem in itertools.islice(coming, most - len(waiting)):
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
        """A future of the object on the workers; if the worker that holds it is lost, Dask sends it again."""
        return self.client.submit(_unpickled, _pickled(thing, parameter, title), pure=False)

    def finished(self, tasks: Sequence[Any], all_of_them: bool, on: Iterable[str] = ()) -> list[Any]:
        """Wait for one of the tasks, or for all, and return those that are finished.

        Arguments:
            on: the addresses of the workers that they are tied to.

        Raises:
            WorkersLost: when there was no worker for `WITHOUT_WORKERS` seconds.
            WorkerGone: when one that the tasks are tied to is gone.
        """
        import distributed

        when = "ALL_COMPLETED" if all_of_them else "FIRST_COMPLETED"
        without = 0.0
        while without < WITHOUT_WORKERS:
            with contextlib.suppress(TimeoutError), self.client.as_current():
                return list(distributed.wait(tasks, timeout=_LOOK, return_when=when).done)
            known = self._known()
            if not known.keys() >= set(on):
                raise WorkerGone
            without = 0.0 if known else without + _LOOK
        raise self._alone()

    def _alone(self) -> WorkersLost:
        return self._lost(f"which has had no worker for {WITHOUT_WORKERS:g} seconds")

    def several_died(self) -> WorkersLost:
        """The error for work that its workers die of."""
        return self._lost("where several workers died on the same task, perhaps out of memory")

    def _known(self) -> dict[str, Any]:
        """The scheduler's information about each worker."""
        try:
            known: dict[str, Any] = self.client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, KeyError):  # a client that has given up knows nothing
            raise self._lost("whose scheduler has gone away") from None
        return known

    def _lost(self, problem: str) -> WorkersLost:
        return WorkersLost("cluster", Verbatim(self.title), problem=problem)

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Turn Dask's errors into FalllineError."""
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker

        try:
            yield
        except KilledWorker:
            raise self.several_died() from None
        except (CancelledError, CommClosedError):
            raise self._lost("whose scheduler has gone away") from None
        except ModuleNotFoundError as error:
            raise _refusal(
                self.title, f"whose workers have no module {error.name!r}", "install it there, too"
            ) from None


# Replaces the objective of a problem that is sent; the objective is sent separately, once to each worker.
_ELSEWHERE: Any = None


def _solved(objective: Objective, sent: bytes) -> Any:
    """Solve a problem on a worker, in one thread, since other tasks run at the same time."""
    solve, problem = _unpickled(sent)
    with limited(1):
        return solve(dataclasses.replace(problem, objective=objective))


def _pickled(thing: Any, parameter: str, title: str) -> bytes:
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(thing))
    except Exception as error:  # a user's object may fail to pickle in any way
        reason = " ".join(str(error).split())
        raise FalllineError(
            parameter, Verbatim(title), problem=f"which cannot be sent to the workers: {reason}"
        ) from None


def _unpickled(sent: bytes) -> Any:
    import pickle

    return pickle.loads(sent)


def _short(version: str | None) -> str:
    """A version for a message; only the first two numbers of Python's."""
    return "none" if version is None else re.sub(r"^(\d+\.\d+)\.\d+\.final\.\d+$", r"\1", version)
