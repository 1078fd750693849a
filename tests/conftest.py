"""What every test runs under."""

from __future__ import annotations

import os
import random
import secrets
import signal
import tempfile
from collections import defaultdict
from collections.abc import Generator, Iterator
from typing import Any

import hypothesis
import pytest
from tests.views.browser import chromium

# Pictures are drawn without a screen, here and in the processes that tests start.
os.environ["MPLBACKEND"] = "Agg"
# Output is read as plain text of the default width, whatever terminal the tests were started from.
for name in ("COLUMNS", "FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS"):
    os.environ.pop(name, None)
# Keras computes in its own code on this backend; on torch it hands some rules on to torch. JAX needs
# to be told before its import that float64 means float64.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_ENABLE_X64", "1")

# Where processes of tests run side by side, threads of BLAS would keep from working whom they wait for. Tests that are
# about those threads ask for them.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A shell that starts the tests in the background makes them ignore Ctrl-C, which some of them press.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Compiled code is kept for the time of the tests, and none of the user's is touched.
_cache = tempfile.TemporaryDirectory()
os.environ["FALLLINE_CACHE"] = _cache.name

# No example fails for the time that it took, nor that it took to be made up: a busy machine takes any.
hypothesis.settings.register_profile("local", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
# On CI the same examples every time: a red run then points at the change, and the blob reproduces it.
hypothesis.settings.register_profile("ci", hypothesis.settings.get_profile("local"), derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


# Texts that are made up anew in each session are the same again with its seed, which the processes of the tests share.
os.environ.setdefault("FALLLINE_FUZZ_SEED", str(secrets.randbelow(2**32)))


# Of each test, `make test` runs at most so many cases.
CASES = 4


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the cases of each test beyond a few, drawn by its name, as `more`: `make test-long` runs them."""
    short = defaultdict(list)
    for item in items:
        if item.get_closest_marker("long") is None:
            short[item.nodeid.partition("[")[0]].append(item)
    for name, cases in short.items():
        for case in random.Random(name).sample(cases, max(len(cases) - CASES, 0)):
            case.add_marker(pytest.mark.more)


def pytest_xdist_auto_num_workers() -> int:
    """More processes than processors: tests wait for browsers and for processes that they start."""
    return (3 * (os.cpu_count() or 1) + 1) // 2


def pytest_report_header() -> str:
    """The seed, told at the start of every session."""
    return f"seed of made-up texts: FALLLINE_FUZZ_SEED={os.environ['FALLLINE_FUZZ_SEED']}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a skip as a failure: what a test needs is installed, or the installation is wrong."""
    report = yield
    if report.skipped:
        report.outcome, report.longrepr = "failed", f"a test must run, but it was skipped: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that skips itself as a whole."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"a test must run, but its file was skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One browser for all tests of a process: Playwright runs once in each."""
    with chromium() as running:
        yield running
