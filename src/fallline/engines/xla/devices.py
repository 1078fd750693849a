"""The devices of XLA that runs may be executed on."""

from __future__ import annotations

from typing import Any

from fallline.errors import FalllineError, listed
from fallline.libraries import jax_library


def device_named(name: str | None) -> Any:
    """The device of a name such as "cpu", "gpu" or "gpu:1"; JAX's default device for None.

    Raises:
        FalllineError: when JAX is not installed, or there is no such device, naming those that there are.

    >>> device_named("cpu").platform
    'cpu'
    """
    jax_library()
    import jax

    if name is None:
        return next(iter(jax.numpy.zeros(()).devices()))
    there = {f"{device.platform}:{device.id}": device for device in (*jax.devices(), *jax.devices("cpu"))}
    kinds = {full.partition(":")[0]: device for full, device in reversed(there.items())}
    if isinstance(name, str) and name in (there | kinds):
        return (there | kinds)[name]
    raise FalllineError("device", name, f"this machine has: {listed([*kinds, *there])}")
