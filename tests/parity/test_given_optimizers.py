"""An optimizer of another library given as a rule: the error says what to write instead."""

from __future__ import annotations

import optax
import pytest
import torch

from fallline import FalllineError, compare, minimize


@pytest.mark.parametrize("called", [False, True])
def test_a_torch_optimizer_is_told_the_rule_that_is_the_same(called: bool) -> None:
    given = torch.optim.Adam
    if called:
        given = given([torch.nn.Parameter(torch.zeros(2))])
    with pytest.raises(FalllineError, match=r"^optimizer is .*; it is PyTorch's: write 'adam@torch'$") as caught:
        compare("x**2", 1.0, [given])
    assert "\n" not in str(caught.value)
    with pytest.raises(FalllineError, match=r"write 'gradient_descent@torch' or 'momentum@torch'$"):
        minimize("x**2", 1.0, torch.optim.SGD)
    with pytest.raises(FalllineError, match=r"it is PyTorch's: .*Allowed: gradient_descent, "):
        minimize("x**2", 1.0, torch.optim.SparseAdam)


def test_an_optax_transformation_is_told_its_bridge() -> None:
    for given in (optax.adam(0.1), optax.chain(optax.clip(1.0), optax.sgd(0.1)), optax.adam):
        with pytest.raises(FalllineError, match=r"it is optax's: give fallline\.bridges\.optax\.from_optax of it"):
            minimize("x**2", 1.0, given)
