"""Settings encoded for JSON and decoded: what the recipe in a trajectory is, from which its run can be repeated."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from fallline.errors import FalllineError, nearest, shortened
from fallline.fields import fields_of
from fallline.slips import in_our_words


def encode(value: Any) -> Any:
    """Turn numbers, strings, arrays, sequences and dataclasses of these into what JSON can hold.

    Of any other object, such as a function in a user's rule, only the type is kept.

    >>> from fallline.schedules import StepDecay
    >>> encode(StepDecay(0.1, factor=0.5, every=10))["type"]
    'StepDecay'
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: encode(getattr(value, field.name)) for field in fields_of(value) if field.init}
        return {"type": _name_of(type(value)), **fields}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return {"type": _name_of(type(value))}


def _name_of(kind: type) -> str:
    # With the module, since a user's class may also be called Adam.
    return kind.__name__ if kind.__module__.startswith("fallline.") else f"{kind.__module__}.{kind.__qualname__}"


def decode(recipe: Any, types: Mapping[str, type]) -> Any:
    """Rebuild what `encode` wrote; only the dataclasses named in `types` are instantiated.

    Raises:
        FalllineError: when the recipe names a type that is not among them, or settings it does not have.

    >>> from fallline.schedules import StepDecay
    >>> decode(encode(StepDecay(0.1, factor=0.5, every=10)), {"StepDecay": StepDecay})
    StepDecay(initial=0.1, factor=0.5, every=10, convention='paper')
    """
    if isinstance(recipe, list):
        return tuple(decode(item, types) for item in recipe)
    if not isinstance(recipe, dict):
        return recipe
    name = recipe.get("type")
    if name not in tuple(types):
        raise FalllineError(
            "recipe",
            problem=f"names the type {shortened(name)}, which is not known here",
            allowed=nearest(str(name), types),
        )
    settings = {key: decode(value, types) for key, value in recipe.items() if key != "type"}
    return in_our_words(types[name])(**settings)
