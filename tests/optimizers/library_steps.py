"""What other libraries made of a few gradients, as tests/parity/recording.py wrote it down."""

from __future__ import annotations

from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("library_steps.json")
STEPS = 6
START = (1.0, -0.5)
# Of different sizes and changing signs, with a step without a slope.
GIVEN = np.array([[1.0, -0.02], [0.5, 0.3], [-2.0, 0.0], [0.25, -0.7], [0.75, 4.0], [-0.125, 0.5]])
