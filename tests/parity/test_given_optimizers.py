"""An optimizer or a schedule of another library given as a rule: the error says what to write instead."""

from __future__ import annotations

import re
from typing import Any

import keras
import optax
import pytest
import torch

from fallline import Adam, FalllineError, compare, minimize, sweep
from fallline.errors import shortened


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


def test_an_optax_transformation_is_one_rule_wherever_rules_are_taken() -> None:
    for given in (optax.adam(0.1), optax.chain(optax.clip(1.0), optax.sgd(0.1)), optax.lbfgs()):
        said = re.escape(f"optimizer is {shortened(given)}; ")
        for call, *arguments in (
            (minimize, given),
            (compare, given),
            (compare, [given]),
            (sweep, given, {"learning_rate": [0.1]}),
        ):
            with pytest.raises(FalllineError, match=rf"^{said}.*give fallline\.bridges\.optax\.from_optax of it$"):
                call("x**2", 1.0, *arguments)


def of_torch(kind: Any, **settings: Any) -> Any:
    return kind(torch.optim.SGD([torch.nn.Parameter(torch.zeros(2))], 0.1, momentum=0.9), **settings)


KERAS = keras.optimizers.schedules
TORCH = torch.optim.lr_scheduler


@pytest.mark.parametrize(
    ("rate", "library", "ours"),
    [
        (of_torch(TORCH.StepLR, step_size=3), "PyTorch", "StepDecay(initial, factor, every)"),
        (of_torch(TORCH.ExponentialLR, gamma=0.9), "PyTorch", "Exponential(initial, decay)"),
        (of_torch(TORCH.CosineAnnealingLR, T_max=9), "PyTorch", "Cosine(initial, steps, final)"),
        (of_torch(TORCH.OneCycleLR, max_lr=1.0, total_steps=9), "PyTorch", "OneCycle(peak, "),
        (of_torch(TORCH.ReduceLROnPlateau), "PyTorch", "ReduceOnPlateau(after, "),
        (TORCH.CosineAnnealingWarmRestarts, "PyTorch", "CosineRestarts(initial, "),
        (of_torch(TORCH.LambdaLR, lr_lambda=float), "PyTorch", "one of Constant, StepDecay, "),
        (optax.cosine_decay_schedule(0.1, 9), "optax", "Cosine(initial, steps, final)"),
        (optax.exponential_decay(0.1, 9, 0.9), "optax", "Exponential(initial, decay)"),
        (optax.linear_schedule(0.1, 0.0, 9), "optax", "Polynomial(initial, "),
        (optax.warmup_cosine_decay_schedule(0.0, 0.1, 5, 9), "optax", "WarmUp(after, "),
        (optax.piecewise_constant_schedule(0.1, {5: 0.1}), "optax", "PiecewiseConstant(initial, "),
        (KERAS.CosineDecay(0.1, 9), "Keras", "Cosine(initial, steps, final)"),
        (KERAS.CosineDecayRestarts(0.1, 9), "Keras", "CosineRestarts(initial, "),
        (KERAS.InverseTimeDecay(0.1, 9, 0.5), "Keras", "InverseTime(initial, decay)"),
    ],
)
def test_a_schedule_of_another_library_is_told_the_one_of_that_name(rate: Any, library: str, ours: str) -> None:
    said = re.escape(f"it must be a number above 0, or a schedule; it is {library}'s: write {ours}")
    with pytest.raises(FalllineError, match=rf"^Adam: learning_rate is .*; {said}") as caught:
        Adam(rate)
    assert "\n" not in str(caught.value)


def test_a_tensor_is_no_schedule() -> None:
    assert Adam(torch.tensor(0.5)).learning_rate == 0.5
