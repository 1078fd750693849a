from __future__ import annotations

import gc
import importlib
import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.array
import dask.dataframe
import distributed
import numpy as np
import pandas
import psutil
import pyarrow as pa
import pyarrow.parquet
import pytest
from tests.environments import processes_without_coverage, without_coverage
from threadpoolctl import threadpool_limits

from fallline import (
    LBFGS,
    Adam,
    Cluster,
    Cosine,
    FalllineError,
    GradientDescent,
    GradientNoise,
    Logistic,
    Momentum,
    Network,
    Optimizer,
    Softmax,
    Trajectory,
    basins,
    fit,
    minimize,
    sweep,
)
from fallline.engines import WorkersLost, spread, workers
from fallline.models import Loss

GRID = {"learning_rate": [1e-5, 1e-4, 1e-3, 0.01], "momentum": [0.0, 0.5, 0.9]}
STARTS = [[-1.2, 1.0], [0.5, 2.0]]


@pytest.fixture(scope="module", autouse=True)
def _without_coverage_and_with_patience() -> Iterator[None]:
    with processes_without_coverage(), pytest.MonkeyPatch.context() as patch:
        # A busy machine takes long to begin a process.
        patch.setattr(workers, "PATIENCE", 120.0)
        patch.setattr(workers, "WITHOUT_WORKERS", 600.0)
        yield


@pytest.fixture(scope="module")
def here() -> Iterator[Cluster]:
    """Two processes, for all tests that do not need their own."""
    with Cluster("local:2").opened() as workers:
        yield Cluster(workers.client)


def assert_same_sweep(one: Any, other: Any) -> None:
    for name in ("outcome", "steps", "value", "x"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def assert_same_run(one: Trajectory, other: Trajectory) -> None:
    for name in ("x", "value", "gradient", "rate"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.stop == other.stop
    assert one.evaluations == other.evaluations


def made_up(rows: int, features: int = 4) -> tuple[Any, Any]:
    draw = np.random.default_rng(0)
    X = draw.normal(size=(rows, features))
    return X, (X @ np.arange(1, features + 1) + draw.normal(size=rows) > 0).astype(float)


def write_folder(folder: Path, rows: int = 700) -> Path:
    folder.mkdir()
    X, y = made_up(rows)
    columns = {f"x{i}": X[:, i] for i in range(X.shape[1])} | {"y": y}
    for number, start in enumerate(range(0, rows, 250)):
        table = pa.table({name: column[start : start + 250] for name, column in columns.items()})
        pyarrow.parquet.write_table(table, folder / f"{number}.parquet", row_group_size=100)
    return folder


def kill_a_worker(client: Any) -> None:
    """As kill -9 does, from wherever this runs."""
    pid = next(iter(client.run(os.getpid).values()))
    os.kill(pid, signal.SIGKILL)


@pytest.mark.long
@pytest.mark.parametrize("within", [120.0, 0.0])
@pytest.mark.parametrize("asked", [None, False])
def test_workers_are_asked_past_the_scheduler_where_they_answer(
    here: Cluster, monkeypatch: pytest.MonkeyPatch, within: float, asked: bool | None
) -> None:
    monkeypatch.setattr(workers, "DIRECT", within)
    X, y = made_up(300)
    loss = Logistic(dask.array.from_array(X, chunks=(60, 4)), y)
    used: list[bool | None] = []
    address = here.at.scheduler.address
    with distributed.Client(address, set_as_default=False, direct_to_workers=asked) as client:
        run = minimize(
            loss, np.zeros(5), Adam(0.1), max_steps=3, engine=Cluster(client),
            callback=lambda point: used.append(client.direct_to_workers),
        )  # fmt: skip
        assert client.direct_to_workers is asked
    assert set(used) == {asked is None and within > 0}
    assert_same_run(run, minimize(loss, np.zeros(5), Adam(0.1), max_steps=3))


@pytest.mark.parametrize("rules", [["momentum"], [Momentum(Cosine(0.1, 300)), Momentum(convention="torch")]])
def test_a_sweep_has_the_bits_of_one_machine(here: Cluster, rules: Any) -> None:
    settings: dict[str, Any] = {"target": 1e-3, "max_steps": 300}
    assert_same_sweep(
        sweep("rosenbrock", STARTS, rules, GRID, engine=here, **settings),
        sweep("rosenbrock", STARTS, rules, GRID, **settings),
    )


@pytest.mark.long
def test_functions_losses_and_rules_of_the_users_own_go_out_to_the_workers(here: Cluster) -> None:
    @dataclass(frozen=True)
    class Halving(Optimizer[None]):
        learning_rate: float = 0.5

        def init(self, x: Any) -> None:
            return None

        def update(self, gradient: Any, state: None, rate: Any, step: Any) -> Any:
            return rate * gradient / step, state

    steepness = 3.0
    for objective, start, seeds in (
        (lambda x, y: x**2 + steepness * y**2, [1.0, 1.0], [0]),
        (Logistic(*made_up(50)).batches(10, order="shuffled"), np.zeros(5), [0, 1]),
    ):
        one, other = (
            sweep(objective, start, Halving(), {"learning_rate": [0.01, 0.1]}, seeds=seeds, max_steps=20, engine=who)
            for who in (here, "auto")
        )
        assert_same_sweep(one, other)


@pytest.mark.parametrize("rule", [Momentum(0.01), LBFGS()])
def test_a_map_of_basins_has_the_bits_of_one_machine(here: Cluster, rule: Any) -> None:
    one, other = (basins("himmelblau", None, rule, resolution=20, max_steps=100, engine=who) for who in (here, "auto"))
    for name in ("minima", "values", "basin", "steps"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.engine == other.engine


@pytest.mark.parametrize(
    "model",
    [
        lambda X, y: Logistic(X, y, reduction="mean", l2=0.1),
        lambda X, y: Logistic(X, y, sample_weight=np.arange(500) % 3, class_weight="balanced"),
        lambda X, y: Softmax(X, y, classes=["no", "yes"]),
        lambda X, y: Network(X, y, hidden=(3,), activation="tanh", classes=["no", "yes"]),
    ],
)
def test_a_dask_array_is_descended_on_with_the_bits_of_one_machine(here: Cluster, model: Any) -> None:
    X, y = made_up(500)
    loss = model(dask.array.from_array(X, chunks=(90, 3)), dask.array.from_array(y, chunks=200))
    start = np.linspace(-0.5, 0.5, loss.dimension)
    one, other = (minimize(loss, start, Momentum(1e-3), max_steps=8, engine=who) for who in (here, "auto"))
    assert_same_run(one, other)
    assert (one.engine, other.engine) == ("cluster", "reference")
    assert one.objective is loss
    # In memory the rows are summed in another order; eight steps hardly make more of the last digits.
    whole = minimize(model(X, y), start, Momentum(1e-3), max_steps=8)
    np.testing.assert_allclose(one.x, whole.x, rtol=1e-12)


@pytest.mark.long
def test_neither_the_threads_of_blas_nor_the_order_of_a_frame_are_anything_to_the_bits(here: Cluster) -> None:
    # A worker's BLAS has one thread, which adds a long row in another order than two.
    wide = dask.array.from_array(made_up(4, 40_000)[0], chunks=(2, 40_000))
    # The columns of a frame lie one after another, until it is sent to a worker.
    frame = dask.dataframe.from_pandas(pandas.DataFrame(made_up(60, 3)[0]), npartitions=4)
    for X in (wide, frame.to_dask_array(lengths=True)):
        loss, start = Logistic(X, np.arange(len(X)) % 2), np.zeros(X.shape[1] + 1)
        with threadpool_limits(2):
            one, other = (minimize(loss, start, Momentum(1e-3), max_steps=3, engine=who) for who in (here, "auto"))
        assert_same_run(one, other)


@pytest.mark.long
@pytest.mark.parametrize("share", [spread.KEPT_SHARE, 0.0])
def test_a_folder_is_fitted_with_the_bits_of_one_machine_kept_or_read_again(
    here: Cluster, tmp_path: Path, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "KEPT_SHARE", share)
    folder = write_folder(tmp_path / "data")
    one, other = (
        fit(folder, "y", holdout=0.2, max_steps=6, **settings) for settings in ({"engine": here}, {"stream": True})
    )
    assert_same_run(one.trajectory, other.trajectory)
    assert one.parameters == other.parameters
    assert one.score() == other.score()


@pytest.mark.long
def test_the_number_of_workers_is_nothing_to_the_bits(here: Cluster) -> None:
    X, y = made_up(400)
    loss = Logistic(dask.array.from_array(X, chunks=(37, 4)), y)
    alone = minimize(loss, np.zeros(5), Adam(0.1), max_steps=4, engine=Cluster("local:1"))
    assert_same_run(minimize(loss, np.zeros(5), Adam(0.1), max_steps=4, engine=here), alone)


@pytest.mark.parametrize("fan_out", [1, 2])
def test_a_tree_of_shards_and_chunks_of_any_size_are_nothing_to_the_bits(
    fan_out: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "FAN_OUT", fan_out)
    X, y = made_up(400)
    loss = Logistic(dask.array.from_array(X, chunks=((1, 99, 7, 3, 150, 40, 100), 4)), y)
    with (
        distributed.LocalCluster(5, threads_per_worker=1, processes=False, dashboard_address=None) as threads,
        distributed.Client(threads, set_as_default=False) as client,
    ):
        run = minimize(loss, np.zeros(5), Adam(0.1), max_steps=4, engine=Cluster(client))
    assert_same_run(run, minimize(loss, np.zeros(5), Adam(0.1), max_steps=4))


@pytest.mark.long
def test_rows_that_do_not_fit_are_computed_anew_with_the_same_bits(
    here: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "KEPT_SHARE", 0.0)
    X, y = made_up(400)
    loss = Logistic(dask.array.from_array(X, chunks=(37, 4)), y)
    one, other = (minimize(loss, np.zeros(5), Adam(0.1), max_steps=4, engine=who) for who in (here, "auto"))
    assert_same_run(one, other)


@pytest.mark.parametrize(
    ("counts", "threads", "rows"),
    [
        ([10] * 16, {"a": 1, "b": 1}, {"a": 80, "b": 80}),
        ([10] * 16, {"a": 1, "b": 3}, {"a": 40, "b": 120}),
        ([90, 10, 10, 10, 10, 10, 10, 10, 10, 10], {"a": 2, "b": 2}, {"a": 90, "b": 90}),
        ([5], {"a": 1, "b": 1}, {"b": 5}),
    ],
)
def test_rows_are_laid_evenly(counts: list[int], threads: dict[str, int], rows: dict[str, int]) -> None:
    shares = list(spread._shares(counts, threads))
    assert {share.worker: sum(counts[part] for part in share.parts) for share in shares} == rows
    assert [part for share in shares for part in share.parts] == list(range(len(counts)))


def test_rows_stay_where_they_were_laid(here: Cluster) -> None:
    X, y = made_up(400)
    loss = Logistic(dask.array.from_array(X, chunks=(50, 4)), y)
    held: list[list[int]] = []

    def parts() -> list[int]:
        info = here.at.run(lambda dask_worker: sum(isinstance(one, list) for one in dask_worker.data.values()))
        return sorted(info.values())

    def look(_: Any) -> None:
        held.append(parts())

    # The workers release what an earlier test kept there a little after it.
    deadline = time.monotonic() + 60
    while any(parts()) and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.1)
    minimize(loss, np.zeros(5), Adam(0.1), max_steps=12, engine=here, callback=look)
    assert held[1:] == [[4, 4]] * len(held[1:])


def test_an_error_of_the_model_at_the_workers_is_that_of_one_machine(here: Cluster) -> None:
    X, y = made_up(100)
    X[70, 1] = np.nan
    loss = Logistic(dask.array.from_array(X, chunks=(50, 4)), y)
    with pytest.raises(FalllineError, match=r"counted from row 50: X\[20, 1\] is missing"):
        minimize(loss, np.zeros(5), Adam(0.1), max_steps=4, engine=here)


def test_chunks_of_rows_are_batches_too() -> None:
    X, y = made_up(60)
    chunked = Logistic(dask.array.from_array(X, chunks=(20, 4)), dask.array.from_array(y, chunks=20))
    one, other = (
        minimize(loss.batches(7, order="sequential"), np.zeros(5), GradientDescent(0.1), max_steps=12)
        for loss in (chunked, Logistic(X, y))
    )
    np.testing.assert_array_equal(one.x, other.x)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.array([[1.0], [2.0], [np.nan]]), [0, 1, 0], r"counted from row 2: X\[0, 0\] is missing"),
        (np.ones((3, 1)), [0, 1, 2], r"counted from row 2: y\[0\] is 2; the labels of a logistic model are 0 and 1"),
        (np.ones((3, 1)), [0, 1], r"y has the shape \(2,\), but X has 3 rows"),
        (np.ones((0, 1)), [], r"X has the shape \(0, 1\); it needs rows of features"),
    ],
)
def test_mistakes_in_chunks_are_named(X: Any, y: Any, message: str) -> None:
    chunked = dask.array.from_array(X, chunks=(1, 1))
    with pytest.raises(FalllineError, match=message):
        Logistic(chunked, y).value(np.zeros(2))


def test_chunks_of_unknown_lengths_are_refused() -> None:
    X = dask.array.ones((6, 2), chunks=3)
    with pytest.raises(FalllineError, match=r"X is a Dask array with chunks of unknown lengths; call its"):
        Logistic(X[X[:, 0] > 0], np.zeros(6))
    with pytest.raises(FalllineError, match="y is a Dask array, but X is not"):
        Logistic(np.ones((6, 2)), dask.array.zeros(6))


def test_a_worker_killed_in_a_sweep_costs_no_result(here: Cluster, tmp_path: Path) -> None:
    marker = str(tmp_path / "killed")

    def deadly_once(x: Any, y: Any) -> Any:
        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return (1 - x) ** 2 + 5 * (y - x**2) ** 2
        return os.kill(os.getpid(), signal.SIGKILL)

    grid: dict[str, Any] = {"learning_rate": [0.001, 0.002], "convention": ["paper", "torch"]}
    settings: dict[str, Any] = {"max_steps": 40, "gradient": lambda x, y: (2 * x, 2 * y)}
    killed = sweep(deadly_once, STARTS, "momentum", grid, engine=here, **settings)
    assert os.path.exists(marker)
    assert_same_sweep(killed, sweep(deadly_once, STARTS, "momentum", grid, **settings))


@pytest.mark.long
def test_a_worker_killed_in_a_descent_costs_no_bit(here: Cluster) -> None:
    X, y = made_up(500)
    loss = Logistic(dask.array.from_array(X, chunks=(60, 4)), dask.array.from_array(y, chunks=60))

    def kill(point: Any) -> None:
        if point.step == 3:
            kill_a_worker(here.at)

    killed = minimize(loss, np.zeros(5), Momentum(1e-3), max_steps=9, engine=here, callback=kill)
    assert_same_run(killed, minimize(loss, np.zeros(5), Momentum(1e-3), max_steps=9))


@pytest.mark.long
def test_work_that_kills_its_workers_again_and_again_is_given_up_and_the_rest_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "DEATHS", 1)

    @dataclass(frozen=True)
    class Deadly(Optimizer[None]):
        learning_rate: float = 0.1
        mood: str = "gentle"

        def init(self, x: Any) -> None:
            return None

        def update(self, gradient: Any, state: None, rate: Any, step: Any) -> Any:
            if self.mood == "deadly":
                os.kill(os.getpid(), signal.SIGKILL)
            return rate * gradient, state

    store = tmp_path / "runs.db"
    grid = {"learning_rate": [0.1]}
    gentle = sweep("x**2", 1.0, Deadly(), grid, max_steps=5, store=store)
    with pytest.raises(WorkersLost, match=rf"^cluster is 'local:1', where several .*; store '{store}' keeps what"):
        sweep("x**2", 1.0, [Deadly(), Deadly(mood="deadly")], grid, max_steps=5, store=store, engine=ONE)
    assert_same_sweep(gentle, sweep("x**2", 1.0, Deadly(), grid, max_steps=5, store=store))


ONE = Cluster("local:1")


def test_a_store_is_filled_by_a_cluster_and_gone_on_from(here: Cluster, tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    settings: dict[str, Any] = {"max_steps": 50, "store": store}
    # Two of the rates by one machine, all by the workers, and then there is nothing left to do.
    sweep("booth", STARTS, "momentum", {"learning_rate": [0.01, 0.1]}, **settings)
    grid = {"learning_rate": [0.001, 0.01, 0.02, 0.1]}
    spread = sweep("booth", STARTS, "momentum", grid, engine=here, **settings)
    again = sweep("booth", STARTS, "momentum", grid, engine=here, **settings)
    expected = sweep("booth", STARTS, "momentum", grid, max_steps=50)
    assert_same_sweep(spread, expected)
    assert_same_sweep(again, expected)


@pytest.mark.long
def test_a_sweep_interrupted_on_a_cluster_goes_on_from_its_store(here: Cluster, tmp_path: Path) -> None:
    grid: dict[str, Any] = {"learning_rate": [0.001, 0.002]}
    settings: dict[str, Any] = {"max_steps": 2000, "store": tmp_path / "runs.db", "engine": here}
    stopping = threading.Event()

    def interrupt_when_some_are_kept() -> None:
        from fallline.experiments.store import Store

        while not stopping.is_set():
            time.sleep(0.01)
            with Store(tmp_path / "runs.db") as store:
                if store._connection.execute("SELECT coalesce(sum(count), 0) FROM runs").fetchone() > (8,):
                    os.kill(os.getpid(), signal.SIGINT)
                    return

    # As many portions as seeds: far more than are made until the first are seen.
    seeds, rule = list(range(36)), GradientNoise(Momentum())
    watching = threading.Thread(target=interrupt_when_some_are_kept)
    watching.start()
    try:
        begun = sweep("booth", STARTS, rule, grid, seeds=seeds, **settings)
    finally:
        stopping.set()
        watching.join()
    assert not begun.complete
    whole = sweep("booth", STARTS, rule, grid, seeds=seeds, **settings)
    assert_same_sweep(whole, sweep("booth", STARTS, rule, grid, seeds=seeds, max_steps=2000))


@pytest.mark.parametrize("address", ["local:2", "tcp://10.0.0.1:8786", "tls://host:1"])
def test_a_cluster_says_what_it_is(address: str) -> None:
    assert repr(Cluster(address)) == f"Cluster({address!r})"
    assert Cluster(address) == Cluster(address)


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("local:0", "^cluster is 'local:0'; the number of local workers must be whole, 1 to 9999$"),
        ("local:x", "^cluster is 'local:x'; the number of local workers must be"),
        ("local:-1", "^cluster is 'local:-1'; the number of local workers must be"),
        ("foo", "^cluster is 'foo'; it must be local:COUNT, the tcp://HOST:PORT of a scheduler, or a Dask client$"),
        ("tcp://host", "^cluster is 'tcp://host'; it must be local:COUNT"),
        (2, "^cluster is 2; it must be local:COUNT"),
    ],
)
def test_an_address_that_is_none_is_refused_at_once(at: Any, message: str) -> None:
    with pytest.raises(FalllineError, match=message):
        Cluster(at)


def no_workers() -> Any:
    """A scheduler by itself."""
    return distributed.LocalCluster(
        n_workers=0,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    )


def test_a_scheduler_that_is_not_there_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 0.2)
    with pytest.raises(FalllineError, match=r"^cluster is 'tcp://127.0.0.1:9', where no Dask scheduler answers within"):
        basins("himmelblau", None, "momentum", resolution=4, engine=Cluster("tcp://127.0.0.1:9"))


def test_ctrl_c_does_not_wait_for_a_scheduler_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    # Then it would be another error.
    monkeypatch.setattr(workers, "PATIENCE", 5.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def interrupt_when_called() -> None:
            silent.accept()
            os.kill(os.getpid(), signal.SIGINT)

        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        threading.Thread(target=interrupt_when_called).start()
        with pytest.raises(KeyboardInterrupt):
            basins("himmelblau", None, "momentum", resolution=4, engine=Cluster(address))


def test_a_scheduler_behind_certificates_that_are_not_there_is_named() -> None:
    with pytest.raises(FalllineError, match=r"^cluster is 'tls://127.0.0.1:9', for which Dask has no certificates"):
        basins("himmelblau", None, "momentum", resolution=4, engine=Cluster("tls://127.0.0.1:9"))


def test_a_scheduler_without_workers_and_a_closed_client_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # Time enough for the scheduler to answer on a busy machine.
    monkeypatch.setattr(workers, "PATIENCE", 2.0)
    with no_workers() as empty:
        client = distributed.Client(empty, set_as_default=False)
        with pytest.raises(FalllineError, match=r"^cluster is <Client: .*, whose scheduler has no worker within 2 s"):
            basins("himmelblau", None, "momentum", resolution=4, engine=Cluster(client))
        client.close()
    with pytest.raises(FalllineError, match=r"which is closed or asynchronous"):
        basins("himmelblau", None, "momentum", resolution=4, engine=Cluster(client))


@pytest.mark.long
def test_a_scheduler_that_goes_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # For as long a client looks for it anew.
    monkeypatch.setattr(workers, "PATIENCE", 3.0)
    X, y = made_up(100)
    loss = Logistic(dask.array.from_array(X, chunks=(50, 4)), y)
    with no_workers() as scheduler:
        scheduler.scale(1)
        scheduler.wait_for_workers(1)
        address = scheduler.scheduler_address
        with pytest.raises(WorkersLost, match=rf"^cluster is '{address}', whose scheduler has gone away$"):
            minimize(loss, np.zeros(5), "adam", engine=Cluster(address), callback=lambda point: scheduler.close())


def test_workers_of_another_version_are_refused(tmp_path: Path) -> None:
    # What the workers find first says that another version is installed.
    installed = tmp_path / "fallline-0.0.9.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: fallline\nVersion: 0.0.9\n")
    paths = os.pathsep.join([str(tmp_path), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    with no_workers() as scheduler:
        address = scheduler.scheduler_address
        command = [
            sys.executable,
            "-m",
            "dask",
            "worker",
            address,
            "--no-nanny",
            "--no-dashboard",
            "--host",
            "127.0.0.1",
        ]
        worker = subprocess.Popen(command, env=without_coverage() | {"PYTHONPATH": paths}, stderr=subprocess.DEVNULL)
        try:
            with pytest.raises(
                FalllineError, match=r"whose worker tcp://127.* has fallline 0.0.9, and here is .* must"
            ):
                basins("himmelblau", None, "momentum", resolution=4, engine=Cluster(address))
        finally:
            worker.kill()
            worker.wait()


def test_what_cannot_be_sent_is_named(here: Cluster) -> None:
    lock = threading.Lock()

    def locked(x: Any) -> Any:
        with lock:
            return x**2

    with pytest.raises(FalllineError, match=r"^objective is locked.*, which cannot be sent to the workers: .*lock"):
        sweep(locked, 1.0, "gradient_descent", {"learning_rate": [0.1]}, engine=here)


def test_a_module_that_the_workers_lack_is_named(
    here: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bowls_of_mine.py").write_text("def bowl(x):\n    return x**2\n")
    # Here it can be found; the workers have begun without it.
    monkeypatch.syspath_prepend(tmp_path)
    bowl = importlib.import_module("bowls_of_mine").bowl
    with pytest.raises(
        FalllineError, match=r"^cluster is .*, whose workers have no module 'bowls_of_mine'; install it"
    ):
        sweep(bowl, 1.0, "gradient_descent", {"learning_rate": [0.1]}, engine=here)


def test_errors_at_the_workers_are_those_of_one_machine(here: Cluster) -> None:
    def broken(x: Any) -> Any:
        raise RuntimeError(f"no value at {x}")

    with pytest.raises(RuntimeError, match=r"no value at 1.0"):
        sweep(broken, 1.0, "gradient_descent", {"learning_rate": [0.1]}, gradient=lambda x: x, engine=here)


@pytest.mark.parametrize(
    "objective",
    ["x**2", Logistic(*made_up(20)), Logistic(*made_up(20)).batches(5)],
    ids=["formula", "array", "batches"],
)
def test_what_a_cluster_has_no_part_in_is_refused(objective: Any) -> None:
    start = np.zeros(objective.dimension) if not isinstance(objective, str) else 1.0
    with pytest.raises(FalllineError, match=r"^cluster is 'local:1', which takes the runs of sweep and basins, and"):
        minimize(objective, start, "adam", max_steps=2, engine=ONE)


def test_a_run_on_a_cluster_is_done_again_on_one_machine(here: Cluster) -> None:
    from fallline import rerun

    X, y = made_up(100)
    loss = Logistic(dask.array.from_array(X, chunks=(40, 4)), y)
    run = minimize(loss, np.zeros(5), "adam", max_steps=3, engine=here)
    assert_same_run(rerun(run.recipe, objective=loss), run)


def started(*command: str, cwd: Path) -> subprocess.Popen[str]:
    """A process in a session of its own, as in a terminal."""
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=cwd,
        env=without_coverage(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def of_session(session: int) -> list[psutil.Process]:
    """The processes of a session that still run."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


def left_of(session: int) -> list[psutil.Process]:
    """The processes of a session that have not ended by themselves after half a minute; they are killed."""
    for _ in range(300):
        left = of_session(session)
        if not left:
            break
        time.sleep(0.1)
    for process in left:
        process.kill()
    return left


def wait_for_workers(session: int, store: Path) -> None:
    """Until something has been made."""
    for _ in range(1200):
        if store.exists() and store.stat().st_size and len(of_session(session)) >= 3 and _has_rows(store):
            return
        time.sleep(0.1)
    raise AssertionError("nothing was made in two minutes")


def _has_rows(store: Path) -> bool:
    import sqlite3

    try:
        with sqlite3.connect(store) as connection:
            return bool(connection.execute("SELECT coalesce(sum(count), 0) FROM runs").fetchone()[0])
    except sqlite3.OperationalError:
        return False


ENDLESS = (
    *("-m", "fallline", "sweep", "rosenbrock", "--start=-1.2,1", "--optimizer", "momentum", "--max-steps", "100000"),
    *("--grid", "learning_rate=1e-7:1e-6:2000", "--grid", "momentum=0:0.5:50", "--store", "runs.db"),
    *("--cluster", "local:1"),
)


def test_ctrl_c_means_what_it_always_does_while_a_cluster_is_open(here: Cluster) -> None:
    with Cluster(here.at).opened():
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.long
def test_ctrl_c_ends_workers_and_work_without_a_word_of_dask(tmp_path: Path) -> None:
    process = started(*ENDLESS, cwd=tmp_path)
    wait_for_workers(process.pid, tmp_path / "runs.db")
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=600)
    assert (process.returncode, err) == (130, "")
    assert "interrupted" in out
    assert not left_of(process.pid)


@pytest.mark.long
def test_ctrl_c_while_processes_begin_leaves_none_behind(tmp_path: Path) -> None:
    process = started(*ENDLESS, cwd=tmp_path)
    while process.poll() is None and len(of_session(process.pid)) < 3:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    assert not left_of(process.pid)


@pytest.mark.long
def test_kill_9_leaves_no_workers_behind(tmp_path: Path) -> None:
    process = started(*ENDLESS, cwd=tmp_path)
    wait_for_workers(process.pid, tmp_path / "runs.db")
    process.kill()
    process.communicate()
    assert not left_of(process.pid)


@pytest.mark.long
def test_a_script_that_does_not_guard_its_beginning_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import fallline

            fallline.basins("himmelblau", None, "momentum", resolution=4, engine=fallline.Cluster("local:1"))
            """
        )
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=600, env=without_coverage())
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1
    assert done.stderr.endswith("a script must ask for them under if __name__ == '__main__':\n")


def test_without_dask_its_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "distributed.py").write_text("raise ImportError")
    script = "import fallline; fallline.basins('himmelblau', None, 'momentum', engine=fallline.Cluster('local:1'))"
    paths = os.pathsep.join([str(tmp_path), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=without_coverage() | {"PYTHONPATH": paths},
    )
    assert done.stderr.splitlines()[-1] == (
        "fallline.errors.FalllineError: cluster is 'local:1', which needs Dask: pip install \"fallline[cluster]\""
    )


def test_nothing_of_dask_is_imported_before_it_is_used() -> None:
    script = (
        "import sys, fallline; fallline.Cluster('local:2'); loss = fallline.Logistic([[1.0]], [1]); "
        "fallline.minimize(loss, [0.0, 0.0], 'adam', max_steps=1); "
        "print([name for name in ('dask', 'distributed', 'cloudpickle') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_worker_computes_on_one_thread() -> None:
    from fallline.machine_code.threads import limited, threads

    with limited(1):
        assert threads() == 1
        with limited(8):
            assert threads() == 1
    assert threads() == len(os.sched_getaffinity(0))


def test_a_loss_knows_its_type_when_its_rows_are_elsewhere() -> None:
    X, y = made_up(30)
    loss: Loss = Logistic(dask.array.from_array(X, chunks=(10, 4)), y)
    assert (loss.rows, loss.title) == (30, "mean cross-entropy of a logistic model, 30 rows")
    assert loss.recipe() is None
    np.testing.assert_allclose(loss.smoothness(), Logistic(X, y).smoothness(), rtol=1e-12)  # sums in another order
