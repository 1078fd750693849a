"""A cluster whose scheduler and workers have an address each, as on several machines, and speak TLS."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask.array
import distributed
import numpy as np
import pytest
from distributed.security import Security
from tests.engines.test_cluster import assert_same_run, assert_same_sweep, made_up
from tests.environments import without_coverage

from fallline import Adam, Cluster, FalllineError, Logistic, minimize, sweep
from fallline.engines import workers

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("certificates"))


def written(folder: Path) -> Path:
    """Certificates of a new authority, as files."""
    made = Security.temporary()
    (folder / "ca.pem").write_text(made.tls_ca_file)
    (folder / "cert.pem").write_text(made.tls_client_cert)
    (folder / "key.pem").write_text(made.tls_client_key)
    return folder


def security(folder: Path) -> Security:
    files = {"tls_ca_file": "ca.pem", "tls_client_cert": "cert.pem", "tls_client_key": "key.pem"}
    return Security(require_encryption=True, **{name: str(folder / file) for name, file in files.items()})


@contextmanager
def process(certificates: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    files = {"--tls-ca-file": "ca.pem", "--tls-cert": "cert.pem", "--tls-key": "key.pem"}
    options = [word for name, file in files.items() for word in (name, str(certificates / file))]
    started = subprocess.Popen(
        [sys.executable, "-m", "dask", *command, "--no-dashboard", *options],
        env=without_coverage(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


@pytest.fixture(scope="module")
def address(certificates: Path) -> Iterator[str]:
    """A scheduler on one address, and a worker on each of two more."""
    command = ("scheduler", "--protocol", "tls", "--host", "127.0.0.2", "--port", "0", "--no-show")
    with process(certificates, *command) as scheduler:
        assert scheduler.stderr is not None
        at = next(line.split()[-1] for line in scheduler.stderr if "Scheduler at:" in line)
        with worker(certificates, at, "127.0.0.3"), worker(certificates, at, "127.0.0.4"):
            with distributed.Client(at, security=security(certificates), set_as_default=False) as client:
                client.wait_for_workers(2, timeout=120)
            yield at


def worker(certificates: Path, address: str, host: str) -> Any:
    return process(certificates, "worker", address, "--host", host, "--nthreads", "1", "--no-nanny")


def kill_worker(client: Any, host: str) -> None:
    pids = client.run(os.getpid)
    os.kill(next(pid for at, pid in pids.items() if host in at), signal.SIGKILL)


def test_a_sweep_and_a_descent_on_two_machines_have_the_bits_of_one(address: str, certificates: Path) -> None:
    there = Cluster(address, security(certificates))
    grid = {"learning_rate": [1e-4, 1e-3, 0.01]}
    assert_same_sweep(
        sweep("rosenbrock", [-1.2, 1.0], "momentum", grid, max_steps=200, engine=there),
        sweep("rosenbrock", [-1.2, 1.0], "momentum", grid, max_steps=200),
    )
    X, y = made_up(500)
    loss = Logistic(dask.array.from_array(X, chunks=(60, 4)), y)
    one, other = (minimize(loss, np.zeros(5), Adam(0.1), max_steps=6, engine=engine) for engine in (there, "auto"))
    assert_same_run(one, other)


def test_certificates_of_another_authority_are_refused_in_one_line(address: str, tmp_path: Path) -> None:
    with pytest.raises(FalllineError, match=r"^cluster is 'tls://.*', which does not go with the certificates given; "):
        sweep("x**2", 1.0, "momentum", {"learning_rate": [0.1]}, engine=Cluster(address, security(written(tmp_path))))


def test_certificates_that_are_not_there_are_named_in_one_line(address: str, tmp_path: Path) -> None:
    with pytest.raises(FalllineError, match=r"^cluster is 'tls://.*', for which a file of certificates is missing; "):
        sweep("x**2", 1.0, "momentum", {"learning_rate": [0.1]}, engine=Cluster(address, security(tmp_path)))


def test_the_command_line_takes_the_certificates_of_dasks_configuration(address: str, certificates: Path) -> None:
    command = ("sweep", "x**2", "--start", "1", "--optimizer", "momentum", "--grid", "learning_rate=0.1,0.2")
    asked = [sys.executable, "-m", "fallline", *command, "--cluster", address]
    tls = "DASK_DISTRIBUTED__COMM__TLS__"
    files = {"CA_FILE": "ca.pem", "CLIENT__CERT": "cert.pem", "CLIENT__KEY": "key.pem"}
    given = {f"{tls}{name}": str(certificates / file) for name, file in files.items()}
    done = subprocess.run(asked, env=without_coverage() | given, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    without = subprocess.run(asked, env=without_coverage(), capture_output=True, text=True)
    assert without.returncode == 2
    assert "Dask has no certificates" in without.stderr
    assert "Traceback" not in without.stderr


# The last test: it leaves one worker.
def test_a_machine_lost_in_the_middle_of_a_descent_costs_no_bit(
    address: str, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody replaces it.
    monkeypatch.setattr(workers, "REPLACED", 0.1)
    X, y = made_up(700)
    loss = Logistic(dask.array.from_array(X, chunks=(60, 4)), dask.array.from_array(y, chunks=60))
    with distributed.Client(address, security=security(certificates), set_as_default=False) as client:

        def lose_one(point: Any) -> None:
            if point.step == 3:
                kill_worker(client, "127.0.0.4")

        killed = minimize(loss, np.zeros(5), Adam(0.1), max_steps=8, engine=Cluster(client), callback=lose_one)
        assert len(client.scheduler_info()["workers"]) == 1
    assert_same_run(killed, minimize(loss, np.zeros(5), Adam(0.1), max_steps=8))
