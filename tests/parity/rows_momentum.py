"""Gradient descent and momentum beside the libraries'."""

from __future__ import annotations

import keras
import torch

from fallline import GradientDescent
from tests.parity.row import Row

ROWS = (
    Row(
        rule=GradientDescent,
        convention="paper",
        library="torch",
        peer=torch.optim.SGD,
        arguments=lambda rule: {"lr": rule.learning_rate},
        rate=0.0005,
        grid=({}, {"learning_rate": 0.0001}),
        defaults=False,
    ),
    Row(
        rule=GradientDescent,
        convention="paper",
        library="keras",
        peer=keras.optimizers.SGD,
        arguments=lambda rule: {"learning_rate": rule.learning_rate},
        rate=0.0005,
        grid=({},),
    ),
)
