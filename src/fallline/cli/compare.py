"""`fallline compare`: several update rules from one start."""

from __future__ import annotations

from typing import Annotated

import typer

from fallline.cli import options, report
from fallline.cli.function import OBJECTIVE_HELP, objective_at, told_in_one_line
from fallline.errors import FalllineError
from fallline.experiments.compare import compare as compare_runs
from fallline.experiments.convention_runs import largest_distance
from fallline.gradients import parse_gradient
from fallline.optimizers import optimizer_from_name
from fallline.results.comparison import Comparison
from fallline.results.trajectory import Trajectory
from fallline.tables import MOST_COORDINATES, text_table


def compare(
    objective: Annotated[
        str,
        typer.Argument(metavar="OBJECTIVE", help=OBJECTIVE_HELP),
    ],
    start: Annotated[
        str,
        typer.Option(metavar="START", help="Where to start: -1.5,2 in the order of the names, or x=-1.5,y=2."),
    ],
    optimizers: Annotated[
        str, typer.Option(metavar="RULE,RULE,...", help="The update rules, such as adam@torch,adam@keras.")
    ],
    learning_rate: options.LearningRateOption = None,
    schedule: options.ScheduleOption = None,
    gradient: options.GradientOption = "auto",
    max_steps: Annotated[int, typer.Option("--max-steps", min=1, help="Stop after so many steps.")] = 1000,
    seed: options.SeedOption = 0,
    engine: options.EngineOption = "auto",
    plot: options.PlotOption = None,
    checkpoint: options.CheckpointOption = None,
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
    json: options.JsonOption = False,
) -> None:
    """Run several update rules from one start, and show how far they come apart.

    The distance is the largest from the run of the first rule, step by step. Ctrl-C ends the runs early; with
    --checkpoint the same command then goes on.
    """
    report.check_outputs(save=None, plot=plot, animate=animate)
    names = [name.strip() for name in optimizers.split(",") if name.strip()]
    twice = next((name for name in names if names.count(name) > 1), None)
    if not names or twice:
        wrong = f"names {twice} twice" if twice else "names no rule"
        raise FalllineError(f"--optimizers is {optimizers!r}, which {wrong}; write adam@torch,adam@keras")
    for name in names:
        try:
            optimizer_from_name(name)
        except FalllineError as error:
            raise FalllineError(f"--optimizers is {optimizers!r}: {error}") from None
    rules = {name: options.chosen_rule(name, learning_rate, schedule, None, ()) for name in names}
    point = options.parse_start(start)
    function = objective_at(objective, point)
    pictured = options.chosen_picture(
        picture, coordinates, style, function.names, plot=plot, animate=animate, several=True
    )
    filmed = options.chosen_film(
        animate, function.dimension, kind=film, frames=frames, fps=fps, size=size, quality=quality, turn=turn
    )
    with told_in_one_line(objective, "OBJECTIVE"):
        runs = compare_runs(
            function,
            point,
            rules,
            max_steps=max_steps,
            gradient=parse_gradient(gradient),
            engine=options.chosen_engine(engine),
            seed=seed,
            progress=True,
            checkpoint=checkpoint,
        )
    report.say(_json(runs) if json else _text(runs))
    report.draw(runs, plot=plot, picture=pictured, animate=animate, film=filmed)
    if not json:
        report.say_written(plot=plot, animate=animate)
    if runs[-1].stop.reason == "interrupted":
        raise typer.Exit(130)


def _text(runs: Comparison) -> str:
    first = runs[0]
    names = first.names[:MOST_COORDINATES]
    header = ["optimizer", "steps", *names, "f", "lowest f", "distance", "stopped"]
    rows = [
        [
            label,
            str(run.step_count),
            *(f"{number:.6g}" for number in run.final.x[: len(names)]),
            f"{run.final.value:.6g}",
            f"{run.best.value:.6g}",
            f"{largest_distance(run, first):.3g}",
            run.stop.reason,
        ]
        for label, run in zip(runs.labels, runs, strict=True)
    ]
    return "\n".join([first.title, "", text_table(header, rows)])


def _json(runs: Comparison) -> str:
    return report.as_json(
        {
            "objective": runs[0].title,
            "names": runs[0].names,
            "start": runs[0].start.x,
            "gradient": runs[0].gradient_kind,
            "runs": [_run(label, run, runs[0]) for label, run in zip(runs.labels, runs, strict=True)],
        }
    )


def _run(label: str, run: Trajectory, first: Trajectory) -> dict[str, object]:
    return {
        "name": label,
        "optimizer": run.optimizer,
        "x": run.final.x,
        "value": run.final.value,
        "steps": run.step_count,
        "stopped": run.stop.reason,
        "evaluations": run.evaluations._asdict(),
        "best": {"step": run.best.step, "x": run.best.x, "value": run.best.value},
        "distance": largest_distance(run, first),
    }
