"""`fallline run` of a recipe: with what the options change in it, and shown like what it is."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fallline.arguments import stop_of
from fallline.cli import options, report
from fallline.cli.function import gradient_at, told_in_one_line
from fallline.cli.groups import Execution, Rule, Stopping, Views
from fallline.errors import FalllineError
from fallline.objectives import as_objective
from fallline.optimizers import Optimizer
from fallline.optimizers.settings import with_settings
from fallline.pictures.kinds import FILMS
from fallline.recipes.recipe import Recipe
from fallline.results.comparison import Comparison
from fallline.results.trajectory import Record, Trajectory


def run_recipe(
    path: Path,
    given: Mapping[str, Any],
    *,
    rule: Rule,
    stopping: Stopping,
    execution: Execution,
    views: Views,
    every: int | None,
    save: Path | None,
    checkpoint: Path | None,
    json: bool,
) -> None:
    """Run a recipe file, and show the result.

    Arguments:
        given: the options that were given, by name; they take the place of what the recipe says.
    """
    recipe = changed(Recipe.load(path), given, rule, stopping)
    if views.picture == "arrows":
        recipe = dataclasses.replace(recipe, record=dataclasses.replace(recipe.record or Record(), state=True))
    picture, film = _pictures(recipe, views)
    where = execution.chosen if {"engine", "cluster"} & given.keys() else None
    with told_in_one_line(given.get("gradient", ""), "--gradient"):
        result = recipe.run(engine=where, device=execution.device, progress=True, checkpoint=checkpoint)
    if save is not None:
        (recipe if save.suffix == ".toml" else result).save(save)
    told = [part.strip() for part in (recipe.title, recipe.text) if part.strip() and not json]
    report.say("\n\n".join([*told, _told(result, recipe.repeats, every, json)]))
    report.draw(result, plot=views.plot, picture=picture)
    report.draw(result, animate=views.animate, picture={}, film=film)
    report.end(result, json=json, plot=views.plot, animate=views.animate, save=save)


def changed(recipe: Recipe, given: Mapping[str, Any], rule: Rule, stopping: Stopping) -> Recipe:
    """The recipe with what the given options say in place of what it says itself.

    Raises:
        FalllineError: naming the option that is wrong.
    """
    changes: dict[str, Any] = {name: given[name] for name in ("max_steps", "seed") if name in given}
    if "seed" in given and recipe.seeds:
        changes["seeds"] = (given["seed"],)
    if "start" in given:
        changes["starts"] = [options.parse_start(given["start"])]
    if "gradient" in given:
        changes["gradient"] = gradient_at(given["gradient"])
    if "optimizer" in given:
        changes["optimizers"] = [rule.of(given["optimizer"])]
    elif rule.given:
        changes["optimizers"] = dict(_with_options(*labelled, rule) for labelled in recipe.rules.items())
    stop = recipe.stop if stopping.condition is None else stopping.condition
    return dataclasses.replace(recipe, stop=stop_of(stop, given.get("target")), **changes)


def _with_options(label: str, rule: Optimizer[Any], given: Rule) -> tuple[str, Optimizer[Any]]:
    """A rule of the recipe with the settings that options give it, and its label."""
    if given.schedule is not None:
        raise FalllineError("--schedule", given.schedule, "give --optimizer, too, in place of the recipe's")
    settings = {name: options.value_of(value) for name, value in given.pairs}
    other = with_settings(rule, settings)
    return (other.label if label == rule.label else label), other


def _pictures(recipe: Recipe, views: Views) -> tuple[dict[str, Any], dict[str, Any]]:
    """The keywords of the picture and the film: those of the recipe's view of this kind, and those of the options."""
    objective = None if recipe.fit else as_objective(recipe.objective)
    several = recipe.repeats * len(recipe.optimizers) > 1
    chosen = views.chosen_picture(None if objective is None else objective.names, several=several)
    # How many coordinates a fit has is known only from its data; until then, a number that suits the film.
    film = views.chosen_film(objective.dimension if objective is not None else 1 if views.film == "curve" else 2)
    if views.plot is None and views.animate is None:
        return {}, {}
    from fallline.views import animate

    look = {name: value for name, value in chosen.items() if name != "kind"}
    picture = {**_view(recipe, chosen.get("kind", "auto"), None), **look}
    filmed = _view(recipe, film.get("kind", "auto"), FILMS)
    shared = {name: value for name, value in filmed.items() if name in inspect.signature(animate).parameters}
    return picture, {**shared, **look, **film}


def _view(recipe: Recipe, kind: str, kinds: tuple[str, ...] | None) -> dict[str, Any]:
    """The recipe's first view of the kind; of any, or of any of the kinds, if it is "auto"."""
    for view in recipe.views:
        if view["kind"] == kind or (kind == "auto" and (kinds is None or view["kind"] in kinds)):
            return dict(view)
    return {"kind": kind}


def _told(result: Any, repeats: int, every: int | None, json: bool) -> str:
    """The result as the command that makes one of its kind prints it."""
    if isinstance(result, Trajectory):
        return report.trajectory_json(result) if json else report.trajectory_text(result, every)
    if isinstance(result, Comparison):
        from fallline.cli.compare import comparison_json, comparison_text

        return comparison_json(result, repeats) if json else comparison_text(result, repeats)
    from fallline.cli.fit import fit_json, fit_text

    return fit_json(result) if json else fit_text(result)
