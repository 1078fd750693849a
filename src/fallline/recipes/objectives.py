"""Models with data as tables of a recipe file: the model, its data and settings, its batches, and a slice of it."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

from fallline.errors import FalllineError
from fallline.models import MODELS, Batches, Loss, Slice, loss_from_recipe
from fallline.recipes.settings import check_keys, chosen, made
from fallline.recipes.toml import place_of

# The keys of the tables inside that of the model.
BATCHES, SLICE = "batches", "slice"


def objective_table(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """What `Objective.recipe` gives for a model with data, as the table of a recipe file.

    >>> from fallline.models import Linear
    >>> objective_table(Linear([1.0, 2.0], [3.0, 5.0]).batches(1).recipe())["batches"]
    {'size': 1, 'order': 'shuffled', 'remainder': 'keep', 'epoch_value': 'full'}
    """
    settings = {name: value for name, value in recipe.items() if value is not None}
    kind = settings.pop("type")
    for key, whole, part in ((SLICE, "Slice", "objective"), (BATCHES, "Batches", "loss")):
        if kind == whole:
            return objective_table(settings.pop(part)) | {key: settings}
    if all(len(row) == 1 for row in settings["X"]):
        settings["X"] = [number for (number,) in settings["X"]]
    return {"model": next(name for name, model in MODELS.items() if model.__name__ == kind), **settings}


def read_objective(table: Mapping[str, Any], place: str) -> Loss | Batches | Slice:
    """The model with data that a table describes.

    Raises:
        FalllineError: naming the key, by its place in the file, that is wrong.

    >>> read_objective({"model": "linear", "X": [1, 2], "y": [3, 5], "batches": {"size": 1}}, "objective").title
    'mean squared loss of a linear model, 2 rows, shuffled batches of 1'
    """
    settings = dict(table)
    kind = MODELS[chosen(settings.pop("model", None), MODELS, place_of(place, "model"))]
    parts = {key: settings.pop(key) for key in (BATCHES, SLICE) if key in settings}
    known = {**inspect.signature(Loss.__init__).parameters, **{field.name: field for field in dataclasses.fields(kind)}}
    allowed = [key for key in known if key not in ("self", "settings")]
    check_keys(settings, [*allowed, BATCHES, SLICE], place, needed=("X", "y"))
    objective: Any = made(lambda: loss_from_recipe({"type": kind.__name__, **settings}), place)
    for key, cut in ((BATCHES, _in_batches), (SLICE, _sliced)):
        if key in parts:
            objective = cut(objective, parts[key], place_of(place, key))
    read: Loss | Batches | Slice = objective
    return read


def _in_batches(loss: Loss, table: Any, place: str) -> Batches:
    check_keys(table, inspect.signature(loss.batches).parameters, place, needed=("size",))
    batches: Batches = made(lambda: loss.batches(**table), place)
    return batches


def _sliced(objective: Loss | Batches, table: Any, place: str) -> Slice:
    allowed = [key for key in inspect.signature(Slice).parameters if key != "objective"]
    check_keys(table, allowed, place, needed=("origin", "directions", "names", "about"))
    # The slice itself takes any arrays; this checks them.
    made(lambda: objective.slice(table["origin"], table["directions"], table.get("reach", 1.0)), place)
    names, about = table["names"], table["about"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FalllineError(place_of(place, "names"), names, "it must be texts")
    if len(set(names)) != len(table["directions"]) or len(names) != len(table["directions"]):
        raise FalllineError(place_of(place, "names"), names, "it must be one name for each direction")
    if not isinstance(about, str):
        raise FalllineError(place_of(place, "about"), about, "it must be a text")
    return Slice(objective, **table)
