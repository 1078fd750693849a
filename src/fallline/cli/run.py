"""`fallline run`: one descent on a formula."""

from __future__ import annotations

from typing import Annotated

import typer

from fallline.cli import options, report
from fallline.cli.function import OBJECTIVE_HELP, objective_at, told_in_one_line
from fallline.errors import FalllineError
from fallline.gradients import parse_gradient
from fallline.minimize import minimize
from fallline.results.trajectory import Record


def run(
    objective: Annotated[
        str,
        typer.Argument(metavar="OBJECTIVE", help=OBJECTIVE_HELP),
    ],
    start: Annotated[
        str,
        typer.Option(metavar="START", help="Where to start: 10, or 0,-1 in the order of the names, or x=0,y=-1."),
    ],
    optimizer: Annotated[str, typer.Option(metavar="RULE", help="The update rule: see below.")] = "gradient_descent",
    learning_rate: options.LearningRateOption = None,
    schedule: options.ScheduleOption = None,
    momentum: options.MomentumOption = None,
    settings: options.SetOption = None,
    gradient: options.GradientOption = "auto",
    max_steps: options.MaxStepsOption = 1000,
    stop_step: options.StopStepOption = None,
    stop_gradient: options.StopGradientOption = None,
    stop_change: options.StopChangeOption = None,
    target: options.TargetOption = None,
    max_evaluations: options.MaxEvaluationsOption = None,
    max_seconds: options.MaxSecondsOption = None,
    seed: options.SeedOption = 0,
    engine: options.EngineOption = "auto",
    every: options.EveryOption = None,
    plot: options.PlotOption = None,
    picture: options.PictureOption = "auto",
    coordinates: options.CoordinatesOption = None,
    style: options.StyleOption = "light",
    animate: options.AnimateOption = None,
    film: options.FilmOption = None,
    frames: options.FramesOption = None,
    fps: options.FpsOption = None,
    size: options.SizeOption = None,
    quality: options.QualityOption = None,
    turn: options.TurnOption = None,
    save: options.SaveOption = None,
    checkpoint: options.CheckpointOption = None,
    json: options.JsonOption = False,
) -> None:
    """Minimise a formula from one start, and say how it went.

    Ctrl-C ends the run early: what there is by then is printed and saved. With --checkpoint the same command then
    goes on.
    """
    if every is not None and every < 1:
        raise FalllineError(f"--every is {every}; it must be a whole number at least 1")
    report.check_outputs(plot=plot, animate=animate, save=save)
    point = options.parse_start(start)
    function = objective_at(objective, point)
    pictured = options.chosen_picture(picture, coordinates, style, function.names, plot=plot, animate=animate)
    filmed = options.chosen_film(
        animate, function.dimension, kind=film, frames=frames, fps=fps, size=size, quality=quality, turn=turn
    )
    with told_in_one_line(objective, "OBJECTIVE"):
        trajectory = minimize(
            function,
            point,
            options.chosen_rule(optimizer, learning_rate, schedule, momentum, settings or ()),
            max_steps=max_steps,
            stop=options.chosen_stop(stop_step, stop_gradient, stop_change, target, max_evaluations, max_seconds),
            gradient=parse_gradient(gradient),
            engine=options.chosen_engine(engine),
            record=Record(state=picture == "arrows"),
            seed=seed,
            progress=True,
            checkpoint=checkpoint,
        )
    if save is not None:
        trajectory.save(save)
    report.say(report.trajectory_json(trajectory) if json else report.trajectory_text(trajectory, every))
    report.draw(trajectory, plot=plot, picture=pictured, animate=animate, film=filmed)
    if not json:
        report.say_written(plot=plot, animate=animate, save=save)
    if trajectory.stop.reason == "interrupted":
        raise typer.Exit(130)
