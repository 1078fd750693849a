"""The table of a recipe file that calls `fit`: its arguments, with the path of the data relative to the file."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fallline.encoding import encode
from fallline.errors import FalllineError
from fallline.fitting.fit import PENALISED, fit
from fallline.fitting.fitted import setting_names
from fallline.models import MODELS
from fallline.recipes.settings import check_keys
from fallline.recipes.toml import place_of

# The arguments of `fit` that are keys of the recipe itself, and those that belong to a call, not to what is computed.
SHARED = ("x0", "max_steps", "stop", "seed", "engine", "record")
OF_A_CALL = ("device", "callback", "progress", "checkpoint", "check", "settings")


def read_fit(table: Any, place: str, folder: Path) -> dict[str, Any]:
    """The arguments of `fit` that a table gives.

    Raises:
        FalllineError: naming the key, by its place in the file, that is wrong.
    """
    model = table.get("model", "logistic") if isinstance(table, dict) else ""
    known = [key for key in inspect.signature(fit).parameters if key not in SHARED + OF_A_CALL]
    if isinstance(model, str) and model in (*MODELS, *PENALISED):
        known += setting_names(MODELS.get(model, MODELS["linear"]))
    check_keys(table, known, place, needed=("data", "target"))
    for key, allowed in (("data", "the path of a file, relative to the recipe"), ("optimizer", "the name of a rule")):
        if key in table and not isinstance(table[key], str):
            raise FalllineError(place_of(place, key), table[key], f"it must be {allowed}")
    if os.path.isabs(table["data"]) or "\0" in table["data"]:
        raise FalllineError(place_of(place, "data"), table["data"], "it must be a path relative to the recipe")
    data = os.path.normpath(folder / table["data"])
    # A device could be read without end.
    if os.path.exists(data) and not (os.path.isfile(data) or os.path.isdir(data)):
        raise FalllineError(place_of(place, "data"), table["data"], "it must be a file or a folder")
    return {**table, "data": data}


def fit_table(arguments: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The table of a recipe file in this folder that gives these arguments of `fit`.

    Raises:
        FalllineError: when one of them is not plain data.
    """
    data = Path(os.path.relpath(arguments["data"], folder)).as_posix()
    given = {key: value for key, value in arguments.items() if key != "data" and value is not None}
    return {"data": data, **{key: _plain(value, key) for key, value in given.items()}}


def _plain(value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(part, key) for name, part in value.items()}
    encoded = encode(value)
    if isinstance(encoded, dict):
        raise FalllineError(key, value, "a recipe file holds texts, numbers and lists of these")
    return encoded
