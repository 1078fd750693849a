"""`fallline sweep`: a whole grid of runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from fallline.cli import options, report
from fallline.cli.function import OBJECTIVE_HELP, gradient_at, objective_at, told_in_one_line
from fallline.cli.groups import Execution, Map, Rule, Stopping, with_groups
from fallline.errors import FalllineError
from fallline.experiments.sweep import sweep as sweep_over
from fallline.files import check_writable
from fallline.json_text import written
from fallline.results.sweep import NAMES, Sweep


@with_groups
def sweep(
    objective: Annotated[str, typer.Argument(metavar="OBJECTIVE", help=OBJECTIVE_HELP)],
    *,
    start: Annotated[
        list[str], typer.Option(metavar="START", help="Where to start, as in fallline run; may be repeated.")
    ],
    grid: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=VALUES",
            help="A hyperparameter and its values, 0,0.5,0.9 or LOW:HIGH:COUNT or LOW:HIGH:COUNT:log; may be repeated.",
        ),
    ],
    optimizer: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE", help="The update rule: see below; may be repeated. [default: gradient_descent]"),
    ] = None,
    target: Annotated[
        float | None, typer.Option(parser=options.number, metavar="NUMBER", help="The value to reach.")
    ] = None,
    rule: Rule,
    gradient: options.GradientOption = "auto",
    max_steps: options.MaxStepsOption = 1000,
    stopping: Stopping,
    seed: options.SeedsOption = None,
    execution: Execution,
    picture: Map,
    store: Annotated[
        Path | None,
        typer.Option(
            parser=options.path, metavar="FILE", help="Store results here as they are computed, and continue from them."
        ),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(parser=options.path, metavar="FILE", help="Write all runs as a table.")
    ] = None,
    json: options.JsonOption = False,
) -> None:
    """Run every combination of hyperparameters, starts, seeds and rules, and show which settings are best.

    Ctrl-C ends the sweep early: what has been computed is printed. With --store the same command continues from there,
    and several at once share the work.
    """
    picture.check()
    if csv is not None:
        check_writable(csv, "--csv")
    values = _grid(grid)
    rules = [rule.of(name) for name in optimizer or ["gradient_descent"]]
    points = [options.parse_start(text) for text in start]
    function = objective_at(objective, points[0])
    with told_in_one_line(gradient, "--gradient"), told_in_one_line(objective, "OBJECTIVE"):
        runs = sweep_over(
            function,
            points,
            rules,
            values,
            stop=stopping.condition,
            target=target,
            max_steps=max_steps,
            seeds=options.seeds_of(seed or ["0"]),
            gradient=gradient_at(gradient),
            engine=execution.chosen,
            device=execution.device,
            store=store,
            progress=True,
        )
    if csv is not None:
        runs.to_csv(csv)
    report.say(_json(runs) if json else str(runs))
    if picture.plot is not None:
        from fallline.views import plot_heat_map, save_picture

        save_picture(plot_heat_map(runs, **picture.look), picture.plot)
    if not json:
        report.say_written(plot=picture.plot, csv=csv, store=store)
    if not runs.complete:
        raise typer.Exit(130)


def _grid(texts: list[str]) -> dict[str, list[Any]]:
    """The values of each hyperparameter that --grid names."""
    grid: dict[str, list[Any]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if not (name and equals and values):
            raise FalllineError("--grid", text, "write NAME=0,0.5,0.9 or NAME=LOW:HIGH:COUNT:log")
        if name in grid:
            raise FalllineError("--grid", problem=f"gives {name} twice", allowed="give all its values at once")
        grid[name] = _range(text, values) if ":" in values else [options.value_of(part) for part in values.split(",")]
    return grid


def _range(text: str, values: str) -> list[float]:
    """COUNT numbers from LOW to HIGH, evenly spaced on a linear or log scale."""
    ends, (count, *kind) = values.split(":")[:2], values.split(":")[2:] or [""]
    try:
        low, high, number = float(ends[0]), float(ends[1]), int(count)
    except ValueError:
        raise FalllineError("--grid", text, "write NAME=LOW:HIGH:COUNT, or NAME=LOW:HIGH:COUNT:log") from None
    if kind not in ([], ["log"]) or number < 2 or not np.isfinite([low, high]).all():
        raise FalllineError(
            "--grid", text, "write NAME=LOW:HIGH:COUNT, or NAME=LOW:HIGH:COUNT:log, with a COUNT of 2 or more"
        )
    if kind and not (low > 0 and high > 0):
        raise FalllineError("--grid", text, "both ends must be above 0 for even ratios")
    spaced = np.geomspace if kind else np.linspace
    # Rounded to 12 digits, as a user would write them.
    return [float(f"{value:.12g}") for value in spaced(low, high, number)]


def _json(runs: Sweep) -> str:
    return written(
        {
            "objective": runs.title,
            "target": runs.target,
            "max_steps": runs.max_steps,
            "factors": {name: list(values) for name, values in runs.factors.items()},
            "complete": runs.complete,
            "outcomes": {name: runs.count(name) for name in NAMES},
            "best": [
                {**setting.settings, "converged": setting.converged, "steps": setting.steps, "value": setting.value}
                for setting in runs.ranked()
            ],
        }
    )
