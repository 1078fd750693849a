"""`fallline run`: one descent on a formula."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fallline.cli import options, report
from fallline.cli.function import OBJECTIVE_HELP, gradient_at, objective_at, told_in_one_line
from fallline.cli.groups import Execution, Rule, Stopping, Views, with_groups
from fallline.errors import FalllineError, Verbatim, nearest
from fallline.minimizing import minimize
from fallline.results.trajectory import Record


@with_groups
def run(
    invocation: typer.Context,
    objective: Annotated[
        str,
        typer.Argument(metavar="OBJECTIVE|RECIPE", help=OBJECTIVE_HELP + " Or a recipe: FILE.toml, or a name below."),
    ],
    *,
    start: Annotated[
        str | None,
        typer.Option(metavar="START", help="Where to start: 10, or 0,-1 in the order of the names, or x=0,y=-1."),
    ] = None,
    optimizer: Annotated[str, typer.Option(metavar="RULE", help="The update rule: see below.")] = "gradient_descent",
    rule: Rule,
    gradient: options.GradientOption = "auto",
    max_steps: options.MaxStepsOption = 1000,
    stopping: Stopping,
    target: options.TargetOption = None,
    seed: options.SeedOption = 0,
    execution: Execution,
    every: options.EveryOption = None,
    views: Views,
    save: options.SaveOption = None,
    checkpoint: options.CheckpointOption = None,
    json: options.JsonOption = False,
) -> None:
    """Minimise a formula from one start, or run a recipe, and show the run.

    A recipe may run several rules, or from several starts, as fallline compare does; options that are given take the
    place of what it says, and --plot and --picture draw its views. Ctrl-C ends the run early: what has been computed is
    printed and saved. With --checkpoint the same command then continues.
    """
    if every is not None and every < 1:
        raise FalllineError("--every", Verbatim(every), "it must be a whole number at least 1")
    report.check_save(save, objective, gradient)
    views.check_files()
    if (path := recipe_at(objective)) is not None:
        from fallline.cli.recipes import run_recipe

        run_recipe(
            path,
            {name: value for name, value in invocation.params.items() if _is_given(invocation, name)},
            rule=rule,
            stopping=stopping,
            execution=execution,
            views=views,
            every=every,
            save=save,
            checkpoint=checkpoint,
            json=json,
        )
        return
    if start is None:
        raise FalllineError("--start", problem="is missing", allowed=_start_meant(objective))
    point = options.parse_start(start)
    function = objective_at(objective, point)
    picture, film = views.chosen_picture(function.names), views.chosen_film(function.dimension)
    with told_in_one_line(gradient, "--gradient"), told_in_one_line(objective, "OBJECTIVE"):
        trajectory = minimize(
            function,
            point,
            rule.of(optimizer),
            max_steps=max_steps,
            stop=stopping.condition,
            target=target,
            gradient=gradient_at(gradient),
            engine=execution.chosen,
            device=execution.device,
            record=Record(state=views.picture == "arrows"),
            seed=seed,
            progress=True,
            checkpoint=checkpoint,
        )
    report.save(trajectory, save)
    report.say(report.trajectory_json(trajectory) if json else report.trajectory_text(trajectory, every))
    report.draw(trajectory, plot=views.plot, picture=picture, animate=views.animate, film=film)
    report.end(trajectory, json=json, plot=views.plot, animate=views.animate, save=save)


def recipe_at(text: str) -> Path | None:
    """The recipe file that the argument names: itself, or one that comes with Fallline; None if it is an objective."""
    if text.endswith(".toml"):
        return Path(text)
    return _shipped().get(text) if text.isidentifier() else None


def _shipped() -> dict[str, Path]:
    from fallline.examples.data import recipes

    return recipes()


def _is_given(invocation: typer.Context, option: str) -> bool:
    source = invocation.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


def _start_meant(text: str) -> str:
    """What to write, of an objective without a start; a single word may be meant to name a recipe."""
    close = nearest(text, _shipped()) if text.isidentifier() else ""
    recipe = f"; or {close.replace('did you mean', 'did you mean the recipe')}" if close.startswith("did") else ""
    return f"say where to start, such as --start 10{recipe}"
