"""Findings about a torch module: its output and its loss do not suit the targets."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import fallline
from fallline.bridges.torch import from_torch
from fallline.diagnosis import diagnose
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck
from fallline.diagnosis.outputs import outputs_of

RANDOM = np.random.default_rng(0)
X = torch.tensor(RANDOM.normal(size=(120, 3)))
NUMBERS = X @ torch.tensor([1.0, -2.0, 0.5]).double() + 5
COLUMN = NUMBERS[:, None]
LABELS = (NUMBERS > 5).long()
BITS = LABELS[:, None].double()


def told(outputs: int, last: nn.Module, loss: Callable[..., Any], targets: torch.Tensor) -> list[str]:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, outputs), last)
    objective = from_torch(module, loss, (X, targets))
    run = fallline.minimize(objective, objective.start, fallline.Adam(0.02), max_steps=300)
    return [finding.title for finding in diagnose(run, proof=False).alarms if finding.name == "output_mismatch"]


@pytest.mark.parametrize(
    ("outputs", "last", "loss", "targets", "title"),
    [
        (1, nn.Sigmoid(), nn.MSELoss(), COLUMN, "out of the output's reach"),
        (1, nn.Tanh(), nn.functional.l1_loss, COLUMN, "out of the output's reach"),
        (1, nn.ReLU(), nn.MSELoss(), -COLUMN, "out of the output's reach"),
        (1, nn.Softplus(), nn.HuberLoss(), -COLUMN, "out of the output's reach"),
        (2, nn.Softmax(dim=1), nn.CrossEntropyLoss(), LABELS, "expects logits"),
        (2, nn.Softmax(dim=1), nn.functional.cross_entropy, LABELS, "expects logits"),
        (1, nn.Sigmoid(), nn.BCEWithLogitsLoss(), BITS, "expects logits"),
        (1, nn.Softmax(dim=1), nn.BCELoss(), BITS, "does not depend on the parameters"),
        (1, nn.Softmax(dim=1), nn.MSELoss(), COLUMN, "does not depend on the parameters"),
        (1, nn.Identity(), nn.MSELoss(), NUMBERS, "the targets (rows)"),
        (1, nn.Flatten(0), nn.MSELoss(), COLUMN, "the targets (rows, 1)"),
    ],
)
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_what_does_not_suit_is_told(
    outputs: int, last: nn.Module, loss: Callable[..., Any], targets: torch.Tensor, title: str
) -> None:
    (found,) = told(outputs, last, loss, targets)
    assert title in found


@pytest.mark.parametrize(
    ("outputs", "last", "loss", "targets"),
    [
        (1, nn.Identity(), nn.MSELoss(), COLUMN),
        (1, nn.Flatten(0), nn.MSELoss(), NUMBERS),
        (1, nn.Softplus(), nn.MSELoss(), COLUMN.clamp(min=0)),
        (1, nn.ReLU(), nn.MSELoss(), COLUMN.clamp(min=0)),
        (1, nn.Sigmoid(), nn.MSELoss(), BITS),
        (1, nn.Sigmoid(), nn.BCELoss(), BITS),
        (1, nn.Identity(), nn.BCEWithLogitsLoss(), BITS),
        (1, nn.Tanh(), nn.MSELoss(), 2 * BITS - 1),
        (2, nn.Identity(), nn.CrossEntropyLoss(), LABELS),
        (2, nn.LogSoftmax(dim=1), nn.CrossEntropyLoss(), LABELS),
        (2, nn.LogSoftmax(dim=1), nn.NLLLoss(), LABELS),
        (2, nn.Softmax(dim=1), lambda p, y: -torch.log(p[range(len(y)), y]).mean(), LABELS),
        (1, nn.Identity(), lambda z, y: ((z[:, 0] - y) ** 2).mean(), NUMBERS),
    ],
)
def test_what_suits_is_not_told(outputs: int, last: nn.Module, loss: Callable[..., Any], targets: torch.Tensor) -> None:
    assert not told(outputs, last, loss, targets)


def test_the_module_is_left_as_it_was_and_a_data_set_of_one_number_is_no_fault() -> None:
    module = nn.Linear(1, 1)
    before = [parameter.detach().clone() for parameter in module.parameters()]
    objective = from_torch(module, nn.MSELoss(), (torch.ones(1, 1), torch.ones(1, 1)))
    run = fallline.minimize(objective, objective.start, fallline.GradientDescent(0.1), max_steps=50)
    assert not diagnose(run, proof=False).alarms
    for parameter, old in zip(module.parameters(), before, strict=True):
        assert torch.equal(parameter, old)


def test_a_module_whose_answers_take_longer_than_the_run_allows_for_is_not_checked() -> None:
    module = nn.Linear(3, 1)
    module.register_forward_hook(lambda *_: time.sleep(0.1))
    objective = from_torch(module, nn.MSELoss(), (X, COLUMN))
    run = fallline.minimize(objective, objective.start, fallline.GradientDescent(0.1), max_steps=2)
    with pytest.raises(CannotCheck, match="more time"):
        outputs_of(Case.of(run))
