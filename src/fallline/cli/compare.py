"""`fallline compare`: several update rules, from several starts, with several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fallline.cli import options, report
from fallline.cli.function import OBJECTIVE_HELP, gradient_at, objective_at, told_in_one_line
from fallline.cli.groups import Execution, Rule, Stopping, Views, with_groups
from fallline.experiments.compare import compare as compare_runs
from fallline.experiments.convention_runs import largest_distance
from fallline.json_text import written
from fallline.results.comparison import Comparison
from fallline.results.repeats import is_told_by_rule, table_by_rule
from fallline.results.trajectory import Trajectory
from fallline.tables import MOST_COORDINATES, text_table

if TYPE_CHECKING:
    from fallline.diagnosis.parting import Parting


@with_groups
def compare(
    objective: Annotated[
        str,
        typer.Argument(metavar="OBJECTIVE", help=OBJECTIVE_HELP),
    ],
    *,
    start: Annotated[
        list[str],
        typer.Option(metavar="START", help="Where to start: -1.5,2 in order, or x=-1.5,y=2; may be repeated."),
    ],
    optimizers: Annotated[
        str,
        typer.Option(
            metavar="RULE,RULE,...", help='The update rules: adam@torch,adam@keras or "adam(beta1=0.8), momentum".'
        ),
    ],
    rule: Rule,
    gradient: options.GradientOption = "auto",
    max_steps: options.MaxStepsOption = 1000,
    stopping: Stopping,
    target: options.TargetOption = None,
    seed: options.SeedsOption = None,
    execution: Execution,
    views: Views,
    save: Annotated[
        Path | None, options.file_option("--save", "Save all runs: .npz, for Comparison.load; or the recipe: .toml.")
    ] = None,
    checkpoint: options.CheckpointOption = None,
    differ: Annotated[
        bool, typer.Option("--differ", help="Tell where each run parts from the first rule's, and by what.")
    ] = False,
    json: options.JsonOption = False,
) -> None:
    """Run several update rules, each from every start with every seed, and show how much their paths differ.

    The rate, schedule, momentum and hyperparameters given as options apply to every rule that does not have its own
    after its name. The distance is the largest, over all steps, from the first rule's run from the same start with the
    same seed. Of many runs of a rule, or with several seeds, median and quartiles are shown.
    Ctrl-C ends the runs early; with --checkpoint the same command then continues.
    """
    report.check_save(save, objective, gradient)
    views.check_files()
    rules = rule.each_of(optimizers)
    points = [options.parse_start(text) for text in start]
    seeds = None if seed is None else options.seeds_of(seed)
    repeats = len(points) * len(seeds or [0])
    function = objective_at(objective, points[0])
    picture = views.chosen_picture(function.names, several=True)
    film = views.chosen_film(function.dimension)
    with told_in_one_line(gradient, "--gradient"), told_in_one_line(objective, "OBJECTIVE"):
        runs = compare_runs(
            function,
            points[0] if len(points) == 1 else points,
            rules,
            max_steps=max_steps,
            stop=stopping.condition,
            target=target,
            gradient=gradient_at(gradient),
            engine=execution.chosen,
            device=execution.device,
            seeds=seeds,
            progress=True,
            checkpoint=checkpoint,
        )
    report.save(runs, save)
    partings = _partings(runs, repeats) if differ else []
    report.say(comparison_json(runs, repeats, partings) if json else comparison_text(runs, repeats, partings))
    report.draw(runs, plot=views.plot, picture=picture, animate=views.animate, film=film)
    report.end(runs, json=json, plot=views.plot, animate=views.animate, save=save)


def _partings(runs: Comparison, repeats: int) -> list[Parting]:
    """Where each run parts from the first rule's from its start with its seed; of one rule, from the first run."""
    if len(runs) == repeats:
        return [runs.differ(0, place) for place in range(1, repeats)]
    return [runs.differ(place % repeats, place) for place in range(repeats, len(runs))]


def comparison_text(runs: Comparison, repeats: int, partings: Sequence[Parting] = ()) -> str:
    """The ends of the runs as a table.

    Each run stands there with its distance from the first rule's run from the same start with the same seed, or each
    rule with the spread of its runs.

    Arguments:
        repeats: how many runs each rule has.
    """
    first = runs[0]
    header, rows = table_by_rule(runs) if is_told_by_rule(runs) else _rows(runs, repeats)
    parts = [first.title, text_table(header, rows), *(parting.text for parting in partings), report.verdict(runs)]
    return "\n\n".join(parts)


def _rows(runs: Comparison, repeats: int) -> tuple[list[str], list[list[str]]]:
    """The header, and a row for each run."""
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
            f"{largest_distance(run, runs[place % repeats]):.3g}",
            run.stop.reason,
        ]
        for place, (label, run) in enumerate(zip(runs.labels, runs, strict=True))
    ]
    return header, rows


def comparison_json(runs: Comparison, repeats: int, partings: Sequence[Parting] = ()) -> str:
    """The same as one JSON object."""
    shown = {"partings": [parting.contents() for parting in partings]} if partings else {}
    return written(
        {
            "objective": runs[0].title,
            "names": runs[0].names,
            "start": runs[0].start.x,
            "gradient": runs[0].gradient_kind,
            "runs": [
                _run(label, run, runs[place % repeats])
                for place, (label, run) in enumerate(zip(runs.labels, runs, strict=True))
            ],
            **shown,
            "findings": report.findings(runs),
        }
    )


def _run(label: str, run: Trajectory, first: Trajectory) -> dict[str, object]:
    return {
        "name": label,
        "optimizer": run.optimizer,
        "seed": run.seed,
        "x": run.final.x,
        "value": run.final.value,
        "steps": run.step_count,
        "stopped": run.stop.reason,
        "converged": run.stop.converged,
        "evaluations": run.evaluations._asdict(),
        "best": {"step": run.best.step, "x": run.best.x, "value": run.best.value},
        "distance": largest_distance(run, first),
    }
