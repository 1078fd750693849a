"""Functions written in torch as objectives: their precision, and what they return."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from fallline import GradientDescent, check_gradient, minimize


def cubes(x: Any, dtype: Any = torch.float32) -> torch.Tensor:
    return torch.sum((torch.tensor(x, dtype=dtype) - 0.3) ** 3)


FUNCTIONS = {
    "a tensor": cubes,
    "a number": lambda x: cubes(x).item(),
    "a Python float": lambda x: float(cubes(x)),
    "a vector of one": lambda x: cubes(x).reshape(1),
    "an array": lambda x: cubes(x).numpy(),
    "a tensor that records": lambda x: torch.sum((torch.tensor(x, dtype=torch.float32, requires_grad=True) - 0.3) ** 3),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_step_suits_float32_however_the_value_comes(name: str) -> None:
    run = minimize(FUNCTIONS[name], [1.0, 2.0], GradientDescent(0.1), max_steps=1)
    # The error of the best central difference is of the order of eps^(2/3), 2.4e-5, with derivatives below 6.
    np.testing.assert_allclose(run.gradient[0], [3 * 0.7**2, 3 * 1.7**2], atol=10 * 2 ** (-23 * 2 / 3))
    assert run.gradient_kind.startswith("central differences of float32 values (")
    assert "torch.tensor(...) in test_torch_functions.py:" in run.gradient_kind


@pytest.mark.parametrize(
    ("dtype", "digits", "kind"), [(torch.float64, 52, ""), (torch.bfloat16, 7, " of bfloat16 values")]
)
def test_other_precisions_have_their_own_steps(dtype: Any, digits: int, kind: str) -> None:
    run = minimize(lambda x: cubes(x, dtype), [1.0, 2.0], GradientDescent(0.1), max_steps=1)
    np.testing.assert_allclose(run.gradient[0], [3 * 0.7**2, 3 * 1.7**2], atol=10 * 2 ** (-digits * 2 / 3))
    assert run.gradient_kind.startswith(f"central differences{kind} (")


def test_a_model_is_fitted_in_float32() -> None:
    random = np.random.default_rng(0)
    X = torch.tensor(random.normal(size=(50, 2)), dtype=torch.float32)
    y = X @ torch.tensor([1.0, -2.0]) + 0.1

    def loss(w: Any) -> float:
        w = torch.tensor(w, dtype=torch.float32)
        return float(torch.nn.functional.mse_loss(X @ w[:2] + w[2], y))

    run = minimize(loss, [0.0, 0.0, 0.0], GradientDescent(0.1), max_steps=300)
    # The loss is exact to 1e-7 in its own size, so near 0 the end is far better than that of a loss of size 1.
    np.testing.assert_allclose(run.final.x, [1, -2, 0.1], atol=1e-3)


def test_check_gradient_allows_for_it() -> None:
    def given(x: Any) -> Any:
        return 3 * (x - 0.3) ** 2

    assert [slope.verdict for slope in check_gradient(cubes, [1.0, 2.0], gradient=given).slopes] == ["right"] * 2
    wrong = check_gradient(cubes, [1.0, 2.0], gradient=lambda x: -given(x))
    assert [slope.verdict for slope in wrong.slopes] == ["wrong"] * 2
