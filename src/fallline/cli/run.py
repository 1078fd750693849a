"""`fallline run`: one descent on a formula."""

from __future__ import annotations

from typing import Annotated

import typer

from fallline.cli import options, report
from fallline.cli.function import OBJECTIVE_HELP, gradient_at, objective_at, told_in_one_line
from fallline.cli.groups import Execution, Rule, Stopping, Views, with_groups
from fallline.errors import FalllineError, Verbatim
from fallline.minimizing import minimize
from fallline.results.trajectory import Record


@with_groups
def run(
    objective: Annotated[
        str,
        typer.Argument(metavar="OBJECTIVE", help=OBJECTIVE_HELP),
    ],
    *,
    start: Annotated[
        str,
        typer.Option(metavar="START", help="Where to start: 10, or 0,-1 in the order of the names, or x=0,y=-1."),
    ],
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
    """Minimise a formula from one start, and show the run.

    Ctrl-C ends the run early: what has been computed is printed and saved. With --checkpoint the same command then
    continues.
    """
    if every is not None and every < 1:
        raise FalllineError("--every", Verbatim(every), "it must be a whole number at least 1")
    report.check_save(save)
    views.check_files()
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
    if save is not None:
        trajectory.save(save)
    report.say(report.trajectory_json(trajectory) if json else report.trajectory_text(trajectory, every))
    report.draw(trajectory, plot=views.plot, picture=picture, animate=views.animate, film=film)
    if not json:
        report.say_written(plot=views.plot, animate=views.animate, save=save)
        report.say_unless_converged({"": trajectory})
    if trajectory.stop.reason == "interrupted":
        raise typer.Exit(130)
