"""Bridges to other libraries, one module each: torch, optax, JAX, SciPy and scikit-learn."""

from __future__ import annotations

from typing import Any

from fallline.names import public


def __getattr__(name: str) -> Any:
    # Each module is imported, with the library it needs, only when it is first used.
    return public(name, __name__)
