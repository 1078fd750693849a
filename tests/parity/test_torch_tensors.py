"""The same source of a rule, run unmodified on torch tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.optimizers.rules import RULES, START, changes, gradients

from fallline.libraries import torch_library
from fallline.proxy import carried


@pytest.mark.parametrize("name", RULES)
def test_rule_on_torch_tensors_equals_numpy(name: str) -> None:
    rule = RULES[name]
    given = gradients(200)
    update = carried(rule.update, torch_library())
    state = carried(rule.init, torch_library())(torch.from_numpy(START))
    found = []
    for step, gradient in enumerate(given, start=1):
        change, state = update(torch.from_numpy(gradient), state, rule.rate(step), step)
        assert isinstance(change, torch.Tensor)
        found.append(change.numpy())
    expected = changes(rule, given)
    # A power or a root may differ in its last place from library to library; and a difference of two points,
    # such as x - z, is known no better than the last place of each.
    assert np.all(np.abs(np.array(found) - expected) <= 1e-12 * np.abs(expected) + 2 * np.spacing(np.abs(START)))
