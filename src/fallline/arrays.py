"""The array types used in annotations, and the size of blocks."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

# What an update rule computes on: NumPy arrays, graph nodes, torch tensors, JAX arrays, SymPy symbols.
Quantity: TypeAlias = Any

# How many numbers a pass over data holds at once: 8 MiB, for any number of rows and points.
BLOCK = 2**20
