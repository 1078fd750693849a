"""The same source of a rule, run unmodified on torch tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tests.optimizers.rules import RULES, START, changes, gradients

from fallline.proxy import Library, carried


def double(part: Any) -> torch.Tensor:
    return torch.as_tensor(part, dtype=torch.float64)


TORCH: Library = {
    "sqrt": torch.sqrt,
    "sign": torch.sign,
    "log": torch.log,
    "cos": torch.cos,
    "maximum": lambda a, b: torch.maximum(double(a), double(b)),
    "minimum": lambda a, b: torch.minimum(double(a), double(b)),
    "where": lambda condition, yes, no: torch.where(torch.as_tensor(condition), yes, no),
    "cumsum": lambda x, axis: torch.cumsum(x, dim=axis),
    "sum": lambda x, axis, keepdims: torch.sum(x, dim=axis, keepdim=keepdims),
    "norm": lambda x, axis, keepdims: torch.linalg.vector_norm(x, dim=axis, keepdim=keepdims),
}


@pytest.mark.parametrize("name", RULES)
def test_rule_on_torch_tensors_equals_numpy(name: str) -> None:
    rule = RULES[name]
    given = gradients(200)
    update = carried(rule.update, TORCH)
    state = carried(rule.init, TORCH)(torch.from_numpy(START))
    found = []
    for step, gradient in enumerate(given, start=1):
        change, state = update(torch.from_numpy(gradient), state, rule.rate(step), step)
        assert isinstance(change, torch.Tensor)
        found.append(change.numpy())
    expected = changes(rule, given)
    # A power or a root may differ in its last place from library to library; and a difference of two points,
    # such as x - z, is known no better than the last place of each.
    assert np.all(np.abs(np.array(found) - expected) <= 1e-12 * np.abs(expected) + 2 * np.spacing(np.abs(START)))
