"""Hyperparameters that differ from run to run in a batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, TypeGuard, TypeVar

import numpy as np
import numpy.typing as npt

from fallline.fields import fields_of

Settings = TypeVar("Settings")


class PerRun(np.ndarray[Any, np.dtype[Any]]):
    """One number per run, shape (k, 1), with the same results, bit for bit, as k single numbers.

    NumPy guarantees that except for powers, where an array may differ in the last digit from a number. So powers are
    computed run by run.
    """

    def __pow__(self, exponent: Any, modulo: None = None) -> Any:
        return np.power(self, exponent)

    def __rpow__(self, base: Any, modulo: None = None) -> Any:
        return np.power(base, self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        if ufunc is np.power and method == "__call__":
            base, exponent = (as_single(part, len(self)) for part in inputs)
            result: Any = np.stack([np.atleast_1d(b**e) for b, e in zip(base, exponent, strict=True)])
        else:
            plain = (part.view(np.ndarray) if isinstance(part, PerRun) else part for part in inputs)
            result = getattr(ufunc, method)(*plain, **settings)
        among_numbers = all(isinstance(part, PerRun) or np.ndim(part) == 0 for part in inputs)
        return result.view(PerRun) if among_numbers and np.ndim(result) == 2 else result


def as_single(part: Any, runs: int) -> list[Any]:
    """This operand as each run alone would have it."""
    if isinstance(part, PerRun):
        return part.ravel().tolist()
    return list(part) if np.ndim(part) == 2 and len(part) == runs else [part] * runs


def is_per_run(setting: Any) -> TypeGuard[npt.NDArray[Any]]:
    """Whether a setting holds one number per run of a batch."""
    return isinstance(setting, np.ndarray) and setting.ndim == 2 and setting.shape[1] == 1


def per_run_settings(settings: Any) -> Iterator[npt.NDArray[Any]]:
    """The settings of a rule, and of its parts, that hold one number per run, in order."""
    for field in fields_of(settings):
        value = getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            yield from per_run_settings(value)
        elif is_per_run(value):
            yield value


def form(settings: Any) -> tuple[Any, ...]:
    """A key that is equal for rules that differ only in per-run numbers."""
    parts = [getattr(settings, field.name) for field in fields_of(settings)]
    return type(settings), *(
        form(part) if dataclasses.is_dataclass(part) else PerRun if is_per_run(part) else part for part in parts
    )


def entries(settings: Settings, chosen: slice | int | npt.NDArray[np.bool_ | np.int64]) -> Settings:
    """A rule, or a part of it, with its per-run settings reduced to the chosen runs."""
    changed: dict[str, Any] = {}
    for field in fields_of(settings):
        value = getattr(settings, field.name)
        if not field.init:
            continue
        if dataclasses.is_dataclass(value):
            changed[field.name] = entries(value, chosen)
        elif is_per_run(value):
            picked = np.asarray(value).view(PerRun)[chosen]
            changed[field.name] = picked.item() if isinstance(chosen, int) else picked
    return dataclasses.replace(settings, **changed) if changed else settings  # type: ignore[type-var]
