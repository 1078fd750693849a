"""The array types that the rooms pass to one another."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

# What an update rule computes on: NumPy arrays, Numba scalars, torch tensors, JAX arrays, SymPy symbols.
Quantity: TypeAlias = Any

# How many numbers a pass over data may hold at once: 8 MiB, whatever the number of rows and of points asked for.
BLOCK = 2**20
