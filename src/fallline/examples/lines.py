"""The line of Python that does what a recipe does."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

from fallline.hyperparameters import hyperparameters
from fallline.models import Batches, Loss
from fallline.recipes.recipe import Recipe
from fallline.results.trajectory import Record

# The keywords of `minimize` and `compare` that a recipe has.
_KEYWORDS = ("gradient", "max_steps", "stop", "record", "seed", "engine")


def line_of(recipe: Recipe) -> str:
    """The call that runs a recipe of a formula or a model with data.

    >>> from fallline import Adam
    >>> line_of(Recipe(objective="x**2", starts=[3.0], optimizers=[Adam(0.1)], max_steps=50))
    "minimize('x**2', 3.0, Adam(0.1), max_steps=50)"
    """
    rules = recipe.rules
    starts = list(recipe.starts)
    usual = {field.name: field.default for field in dataclasses.fields(Recipe)}
    given = {name: getattr(recipe, name) for name in _KEYWORDS if getattr(recipe, name) != usual[name]}
    keywords = [f"{name}={_written(value)}" for name, value in given.items()]
    objective = _written(recipe.objective)
    if len(starts) == len(rules) == 1:
        return f"minimize({', '.join([objective, _written(starts[0]), *map(_written, rules.values()), *keywords])})"
    several = [start if isinstance(start, list | dict) else [start] for start in starts]
    labelled = ", ".join(f"{label!r}: {_written(rule)}" for label, rule in rules.items())
    where = _written(several if len(starts) > 1 else starts[0])
    return f"compare({', '.join([objective, where, f'{{{labelled}}}', *keywords])})"


def _written(thing: Any) -> str:
    """The Python that makes an object: without settings that are the defaults."""
    if isinstance(thing, Record) and not (thing.state or thing.at):
        return repr("ends" if thing.every is None else thing.every)
    if isinstance(thing, Batches):
        usual = {name: each.default for name, each in inspect.signature(Loss.batches).parameters.items()}
        given = {name: getattr(thing, name) for name in ("order", "remainder", "epoch_value")}
        keywords = [f"{name}={value!r}" for name, value in given.items() if value != usual[name]]
        return f"{_written(thing.loss)}.batches({', '.join([str(thing.size), *keywords])})"
    if isinstance(thing, Loss):
        X = thing.X[:, 0] if thing.X.shape[1] == 1 else thing.X
        usual = {"reduction": "mean"} | {field.name: field.default for field in dataclasses.fields(thing)}
        keywords = [f"{name}={getattr(thing, name)!r}" for name in usual if getattr(thing, name) != usual[name]]
        return f"{type(thing).__name__}({', '.join([str(X.tolist()), str(thing.y.tolist()), *keywords])})"
    if not dataclasses.is_dataclass(thing):
        return repr(thing)
    known = hyperparameters(thing)
    parts: list[str] = []
    for field in dataclasses.fields(thing):
        value, default = getattr(thing, field.name), field.default
        if field.name in known:
            default = known[field.name].defaults.get(getattr(thing, "convention", ""), known[field.name].default)
        if field.init and value != default:
            parts.append(_written(value) if not parts and not field.kw_only else f"{field.name}={_written(value)}")
    return f"{type(thing).__name__}({', '.join(parts)})"
