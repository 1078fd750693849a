"""Large data through BLAS: threads share them in fixed parts, so that neither threads nor other points change a bit."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

import numpy as np
import pytest
from tests.costs import peak_bytes
from tests.models.test_fused import LAYOUTS, data
from threadpoolctl import threadpool_info, threadpool_limits

from fallline import FalllineError
from fallline.machine_code.threads import share
from fallline.models import Linear, Network, Softmax
from fallline.models.parts import WORTHWHILE, single_blas

MODELS: dict[str, Any] = {"softmax": (Softmax, {}), "network": (Network, {"hidden": (5,), "activation": "tanh"})}


@pytest.mark.parametrize("layout", ["rows", "columns", "float32 rows", "CSR"])
@pytest.mark.parametrize("classes", [2, 10, pytest.param(100, marks=pytest.mark.long)])
@pytest.mark.parametrize("model", MODELS)
def test_large_data_give_the_sum_of_small_parts(model: str, classes: int, layout: str) -> None:
    kind, settings = MODELS[model]
    settings = {**settings, "classes": [str(name) for name in range(classes)]}
    X, y = data(17_011, 63), np.arange(17_011) % classes
    assert X.size > WORTHWHILE
    large = kind(LAYOUTS[layout](X), y, reduction="mean", l2=0.5, **settings)
    x = np.random.default_rng(1).normal(size=(2, large.dimension)) / 4
    value, gradient = large.value_and_gradient(x)
    # Each of these is too small to be shared.
    size = WORTHWHILE // (2 * max(63, large.outputs))
    parts = [large.on_part(X[i : i + size], y[i : i + size].astype(float)) for i in range(0, len(y), size)]
    shares = [part.rows / large.rows for part in parts]
    # Each sum of as many terms as rows and features is rounded by less than 1e-13 of it.
    expected = sum(part.value(x) * share for part, share in zip(parts, shares, strict=True))
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    expected = sum(part.gradient(x) * share for part, share in zip(parts, shares, strict=True))
    np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("model", MODELS)
def test_neither_other_points_nor_threads_change_a_bit(model: str) -> None:
    kind, settings = MODELS[model]
    loss = kind(data(30_003, 41), np.arange(30_003) % 3, **settings)
    x = np.random.default_rng(2).normal(size=(3, loss.dimension))
    value, gradient = loss.value_and_gradient(x)
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        for i in range(3):
            assert value[i] == loss.value(x[i])
            assert np.array_equal(gradient[i], loss.gradient(x[i]))
    finally:
        os.sched_setaffinity(0, allowed)


def test_a_network_holds_the_activations_of_few_rows_only() -> None:
    rows = 60_000
    network = Network(data(rows, 20), np.arange(rows) % 3, hidden=(200,))
    x = network.initial()
    network.gradient(x)
    # The activations of all rows take 96 MB.
    assert peak_bytes(lambda: network.value_and_gradient(x)) < 20e6


def test_without_threadpoolctl_the_sums_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from fallline.models import parts

    loss = Softmax(data(30_000, 40), np.arange(30_000) % 3)
    x = np.random.default_rng(5).normal(size=loss.dimension)
    value, gradient = loss.value_and_gradient(x)
    parts._blas.cache_clear()
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with threadpool_limits(2):
        plain = loss.value_and_gradient(x)
    parts._blas.cache_clear()
    # BLAS may add in another order on several threads; the rounding is that of the sums above.
    assert plain[0] == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(plain[1], gradient, rtol=1e-12, atol=1e-9)


def test_blas_has_its_threads_again_after_several_losses_at_a_time() -> None:
    def of_blas() -> list[int]:
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    with threadpool_limits(2, user_api="blas"):
        before = of_blas()
        first, second = single_blas(), single_blas()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        inside = of_blas()
        second.__exit__(None, None, None)
        assert inside == [1] * len(before)
        assert of_blas() == before == [2] * len(before)


def test_what_is_beyond_all_numbers_makes_no_noise() -> None:
    loss = Network(data(30_000, 40), np.arange(30_000) % 3, hidden=(3,), activation="relu")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not np.isfinite(loss.value(np.full(loss.dimension, 1e300)))


def test_an_error_in_a_part_comes_through() -> None:
    def work(number: int) -> None:
        if number == 3:
            raise FalllineError("the fourth part is wrong")

    with pytest.raises(FalllineError, match=r"^the fourth part is wrong$"):
        share(work, 5)


def test_small_data_are_one_part() -> None:
    X, y = data(100, 3), np.arange(100.0)
    x = np.array([0.5, -0.25, 1.0, 2.0])
    residual = X @ x[:3] + x[3] - y
    # Eighths and quarters: every sum is exact.
    assert Linear(X, y, reduction="sum").value(x) == 0.5 * (residual**2).sum()
