"""The keys of a recipe file: read as the attributes of a Recipe, and written from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fallline.encoding import encode
from fallline.engines import ENGINES
from fallline.errors import FalllineError, check_whole
from fallline.gradients import KINDS as GRADIENT_KINDS
from fallline.gradients import Perturbation
from fallline.objectives import Objective
from fallline.optimizers import Optimizer
from fallline.pictures.kinds import KINDS
from fallline.recipes.objectives import objective_table, read_objective
from fallline.recipes.settings import GRADIENTS, RULES, STOPS, check_keys, chosen, made, read, table_of
from fallline.recipes.toml import place_of
from fallline.results.trajectory import Record
from fallline.stopping import StoppingCondition

# The tables that are written below the other keys.
BLOCKS = ("objective", "fit", "optimizers", "views")
# What a key that is left out stands for.
LEFT_OUT = {"title": "", "text": "", "gradient": "auto", "engine": "auto", "seed": 0}


def read_content(content: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The attributes of the Recipe that a file in this folder describes.

    Raises:
        FalllineError: naming the key, by its place in the file, that is wrong.

    >>> read_content({"starts": [3], "max_steps": 50}, Path())
    {'starts': (3,), 'max_steps': 50}
    """
    check_keys(content, (*READERS, "fit"), "")
    read = {key: READERS[key](value, key) for key, value in content.items() if key != "fit"}
    if "fit" in content:
        from fallline.recipes.fits import read_fit

        read["fit"] = read_fit(content["fit"], "fit", folder)
    return read


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise FalllineError(place, value, "it must be a text")
    return value


def _list(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise FalllineError(place, value, "it must be a list")
    return value


def _whole(least: int) -> Callable[[Any, str], int]:
    def whole(value: Any, place: str) -> int:
        check_whole(place, value, least)
        return int(value)

    return whole


def _seeds(value: Any, place: str) -> tuple[int, ...]:
    return tuple(_whole(least=0)(seed, place_of(place, number)) for number, seed in enumerate(_list(value, place)))


def _objective(value: Any, place: str) -> Any:
    if not isinstance(value, str | dict):
        raise FalllineError(place, value, "it must be a text, or a table with a model and its data")
    return value if isinstance(value, str) else read_objective(value, place)


def _starts(value: Any, place: str) -> tuple[Any, ...]:
    for number, start in enumerate(_list(value, place)):
        parts = start.values() if isinstance(start, dict) else start if isinstance(start, list) else [start]
        if not all(isinstance(part, int | float) and not isinstance(part, bool) for part in parts):
            allowed = "it must be a number, a list of numbers, or a table of coordinates and numbers"
            raise FalllineError(place_of(place, number), start, allowed)
    return tuple(value)


def _optimizers(value: Any, place: str) -> dict[str, Optimizer[Any]]:
    rules: dict[str, Optimizer[Any]] = {}
    for number, table in enumerate(_list(value, place)):
        there = place_of(place, number)
        rule = read(table, RULES, there, beside=["label"])
        label = _text(table.get("label", rule.label), place_of(there, "label"))
        if label in rules:
            raise FalllineError(place_of(there, "label"), label, "give each rule a label of its own")
        rules[label] = rule
    return rules


def _stop(value: Any, place: str) -> StoppingCondition:
    parts = [read(table, STOPS, place_of(place, number)) for number, table in enumerate(_list(value, place))]
    if not parts:
        raise FalllineError(place, problem="is empty", allowed="leave it out, or give a condition")
    stop: StoppingCondition = parts[0]
    for part in parts[1:]:
        stop = stop | part
    return stop


def _gradient(value: Any, place: str) -> str | Perturbation:
    if isinstance(value, dict):
        perturbation: Perturbation = read(value, GRADIENTS, place)
        return perturbation
    return chosen(value, dict.fromkeys(GRADIENT_KINDS), place)


def _record(value: Any, place: str) -> Record:
    table = value if isinstance(value, dict) else {"every": value}
    check_keys(table, ("every", "state", "at"), place)
    if not isinstance(state := table.get("state", False), bool):
        raise FalllineError(place_of(place, "state"), state, "it must be true or false")
    every = made(lambda: Record.of(table.get("every", "all")).every, "")
    record: Record = made(lambda: Record(every, state, table.get("at", ())), place)
    return record


def _engine(value: Any, place: str) -> str:
    return chosen(value, dict.fromkeys(ENGINES), place)


def _views(value: Any, place: str) -> tuple[dict[str, Any], ...]:
    for number, table in enumerate(_list(value, place)):
        there = place_of(place, number)
        check_keys(table, table, there, needed=("kind",))
        kind = chosen(table["kind"], KINDS, place_of(there, "kind"))
        check_keys(table, ("kind", *KINDS[kind].options), there, of=f"the picture {kind}")
    return tuple(value)


READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "title": _text,
    "text": _text,
    "objective": _objective,
    "starts": _starts,
    "gradient": _gradient,
    "max_steps": _whole(least=1),
    "stop": _stop,
    "record": _record,
    "seed": _whole(least=0),
    "seeds": _seeds,
    "engine": _engine,
    "optimizers": _optimizers,
    "views": _views,
}


def content_of(recipe: Any, folder: Path) -> dict[str, Any]:
    """What a file of the recipe in this folder holds.

    Raises:
        FalllineError: when something in it is not plain data, such as a rule of the user's.
    """
    content = {
        "title": recipe.title,
        "text": recipe.text,
        "objective": _objective_content(recipe.objective),
        "starts": [_start_content(start) for start in recipe.starts],
        "gradient": table_of(recipe.gradient) if isinstance(recipe.gradient, Perturbation) else recipe.gradient,
        "max_steps": recipe.max_steps,
        "stop": None if recipe.stop is None else [table_of(part) for part in recipe.stop.parts],
        "record": record_content(recipe.record),
        "seed": recipe.seed,
        "seeds": list(recipe.seeds),
        "engine": recipe.engine,
    }
    if recipe.fit:
        from fallline.recipes.fits import fit_table

        content["fit"] = fit_table(recipe.fit, folder)
    content["optimizers"] = [_optimizer_table(label, rule) for label, rule in recipe.rules.items()]
    content["views"] = [dict(view) for view in recipe.views]
    return {key: value for key, value in content.items() if value not in (None, [], LEFT_OUT.get(key))}


def _start_content(start: Any) -> Any:
    return {name: encode(part) for name, part in start.items()} if isinstance(start, Mapping) else encode(start)


def _objective_content(objective: Any) -> Any:
    if not isinstance(objective, Objective):
        return objective
    recipe = objective.recipe()
    assert recipe is not None
    return recipe["formula"] if "formula" in recipe else objective_table(recipe)


def _optimizer_table(label: str, rule: Optimizer[Any]) -> dict[str, Any]:
    table = table_of(rule)
    named = {"name": table.pop("name")}
    return named | ({} if label == rule.label else {"label": label}) | table


def record_content(record: Record | None) -> Any:
    """What is recorded, as a recipe file holds it."""
    if record is None:
        return None
    every = {1: "all", None: "ends"}.get(record.every, record.every)
    if not (record.state or record.at):
        return every
    return {"every": every, "state": record.state, "at": list(record.at)}
