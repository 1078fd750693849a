"""The attributes of the Recipe that repeats a result: from what a run, a comparison or a fit knows of its call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fallline.encoding import decode, encode
from fallline.errors import FalllineError
from fallline.fitting.result import Fit
from fallline.models.base import SMALL_DATA
from fallline.objectives import LANDSCAPES
from fallline.optimizers import Optimizer
from fallline.recipes.content import read_content, record_content
from fallline.recipes.fits import OF_A_CALL
from fallline.recipes.objectives import objective_table
from fallline.recipes.settings import written
from fallline.results.comparison import Comparison
from fallline.results.trajectory import Record, Trajectory

# The landscapes by their formulas, which are what a trajectory's recipe holds.
_LANDSCAPES = {landscape.formula: name for name, landscape in LANDSCAPES.items()}
# The entries of a trajectory's recipe that all runs of a comparison have in common.
_COMMON = ("objective", "max_steps", "stop", "gradient", "engine", "record")


def attributes_of(result: Any) -> dict[str, Any]:
    """The attributes of the Recipe that repeats a trajectory, a comparison or a fit.

    Raises:
        FalllineError: naming what plain data cannot hold: a function of the user's, large data, ...
    """
    if isinstance(result, Trajectory):
        return read_content(_content([result], [result.optimizer]), Path())
    if isinstance(result, Comparison):
        return read_content(_content(result, result.rules), Path())
    if isinstance(result, Fit):
        return _attributes_of_fit(result)
    raise FalllineError("result", result, "it must be a trajectory, a comparison or a fit")


def _content(runs: Sequence[Trajectory], labels: Sequence[str]) -> dict[str, Any]:
    """The content for runs of each rule with each seed from each start, in this order.

    Arguments:
        labels: that of the rule of each run.
    """
    recipes = [run.recipe for run in runs]
    if not recipes or not all(recipes):
        raise FalllineError(problem="there is no recipe in it", allowed="it was not made by minimize or compare")
    first = recipes[0]
    if any(recipe[name] != first[name] for recipe in recipes for name in _COMMON):
        raise FalllineError(problem="these runs differ in more than rule, start and seed", allowed="save them singly")
    places = _until_repeated([recipe["x0"] for recipe in recipes])
    seeds = _until_repeated([recipe["seed"] for recipe in recipes[:: len(places)]])
    of_each = len(places) * len(seeds)
    for block in range(0, len(recipes), of_each):
        expected = [(seed, place) for seed in seeds for place in places]
        found = recipes[block : block + of_each]
        if [(recipe["seed"], recipe["x0"]) for recipe in found] != expected or not _of_one_rule(found):
            wrong = "these runs are not each rule from each start with each seed"
            raise FalllineError(problem=wrong, allowed="save the comparison that they are from")
    rules = [_rule_content(runs[block], labels[block]) for block in range(0, len(recipes), of_each)]
    drawn: dict[str, Any] = {"seeds": seeds} if len(seeds) > 1 else {"seed": seeds[0]}
    return {"starts": places, "optimizers": rules} | drawn | _common_content(first, runs[0])


def _until_repeated(items: list[Any]) -> list[Any]:
    """The items before the first of them comes again."""
    return items[: next((number for number, item in enumerate(items) if number and item == items[0]), len(items))]


def _of_one_rule(recipes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether recipes have the same rule, but for the seed that it was given."""
    rule = recipes[0]["optimizer"]
    return all(recipe["optimizer"] in (rule, _seeded(rule, recipe["seed"])) for recipe in recipes)


def _seeded(rule: Any, seed: int) -> Any:
    """The recipe of a rule with a seed, where it has one."""
    if not isinstance(rule, Mapping):
        return rule
    return {name: seed if name == "seed" else _seeded(value, seed) for name, value in rule.items()}


def _rule_content(run: Trajectory, label: str) -> dict[str, Any]:
    table = written(run.recipe["optimizer"])
    return table if label == run.optimizer else {"label": label, **table}


def _common_content(recipe: Mapping[str, Any], run: Trajectory) -> dict[str, Any]:
    """What all runs of a call have in common."""
    if recipe.get("resumed"):
        raise FalllineError(problem="the run went on with the state of another, which a recipe file does not hold")
    objective, stop = recipe["objective"], recipe["stop"]
    if objective is None:
        raise FalllineError(
            "objective",
            problem=f"is {run.title}: a Python function, or data of more than {SMALL_DATA} numbers",
            allowed="a recipe file holds formulas, small data, and fits to data in files",
        )
    if recipe["gradient"] is None:
        raise FalllineError("gradient", problem="is a Python function, which a recipe file cannot hold")
    formula = objective.get("formula")
    content = {
        "objective": objective_table(objective) if formula is None else _LANDSCAPES.get(formula, formula),
        "gradient": written(recipe["gradient"]),
        **{name: recipe[name] for name in ("max_steps", "engine")},
    }
    if (record := decode(recipe["record"], {"Record": Record})) != Record():
        content["record"] = record_content(record)
    if stop is not None:
        content["stop"] = [written(part) for part in stop.get("conditions", [stop])]
    return content


def _attributes_of_fit(fit: Fit) -> dict[str, Any]:
    given = {name: value for name, value in fit.arguments.items() if value is not None}
    if not given:
        raise FalllineError(
            problem="the fit was loaded, or its data were in memory, so that a recipe file cannot repeat it",
            allowed="fit to a file of data",
        )
    attributes = {name: given.pop(name) for name in list(given) if name in ("max_steps", "stop", "seed", "engine")}
    # Workers may not exist where it is repeated.
    attributes["engine"] = fit.trajectory.recipe["engine"]
    if "x0" in given:
        attributes["starts"] = (encode(np.asarray(given.pop("x0"))),)
    # The name of a rule stays an argument of the fit, which chooses its rate.
    if isinstance(given.get("optimizer"), Optimizer):
        attributes["optimizers"] = (given.pop("optimizer"),)
    if "record" in given:
        attributes["record"] = Record.of(given.pop("record"))
    return {**attributes, "fit": {name: value for name, value in given.items() if name not in OF_A_CALL}}
