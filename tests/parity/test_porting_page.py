"""The PyTorch example of the page about porting: Keras's rule as an optimizer of PyTorch."""

from __future__ import annotations

import runpy
from pathlib import Path

import keras
import numpy as np
import torch
from tests.diagnosis.pages import sections


def test_the_rule_of_keras_makes_the_steps_of_keras_in_torch(tmp_path: Path) -> None:
    introduction, *_, last = sections()
    script = tmp_path / "page.py"
    script.write_text(introduction.code + last.code)
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    optimizer = runpy.run_path(str(script))["RMSPropOfKeras"]([weight])
    kept = keras.Variable(np.array([1.0, -2.0]), dtype="float64")
    theirs = keras.optimizers.RMSprop()
    theirs.build([kept])
    for step in range(1, 21):
        slope = np.array([np.sin(step), 1e-3 * step])
        weight.grad = torch.tensor(slope)
        optimizer.step()
        theirs.apply([keras.ops.convert_to_tensor(slope)], [kept])
    # Keras holds its rate in float32.
    assert np.allclose(weight.detach().numpy(), np.asarray(kept.value), rtol=1e-7)
