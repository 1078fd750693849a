"""`fallline tune`: a search for the best hyperparameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fallline.cli import options, report
from fallline.cli.function import OBJECTIVE_HELP, gradient_at, objective_at, told_in_one_line
from fallline.cli.groups import Execution, Rule, Stopping, with_groups
from fallline.errors import FalllineError
from fallline.experiments.tune import Interval
from fallline.experiments.tune import tune as tune_rule
from fallline.json_text import written
from fallline.results.tuning import Tuning
from fallline.tables import number_text


@with_groups
def tune(
    objective: Annotated[str, typer.Argument(metavar="OBJECTIVE", help=OBJECTIVE_HELP)],
    *,
    start: Annotated[
        list[str], typer.Option(metavar="START", help="Where to start, as in fallline run; may be repeated.")
    ],
    optimizer: Annotated[str, typer.Option(metavar="RULE", help="The update rule: see below.")] = "gradient_descent",
    space: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=VALUES]",
            help="A hyperparameter, and what is tried: LOW:HIGH, LOW:HIGH:log or a,b,c; may be repeated. "
            "[default: learning_rate, around its own]",
        ),
    ] = None,
    target: Annotated[
        float | None, typer.Option(parser=options.number, metavar="NUMBER", help="The value to reach.")
    ] = None,
    trials: Annotated[int, typer.Option(parser=options.count, metavar="COUNT", help="Settings to try.")] = 50,
    rule: Rule,
    gradient: options.GradientOption = "auto",
    max_steps: options.MaxStepsOption = 1000,
    stopping: Stopping,
    seed: Annotated[
        int,
        typer.Option(
            parser=options.count, metavar="COUNT", help="The seed of everything random, including the search."
        ),
    ] = 0,
    store: Annotated[
        Path | None,
        typer.Option(
            parser=options.path, metavar="FILE", help="Store results here as they are computed, and continue from them."
        ),
    ] = None,
    execution: Execution,
    json: options.JsonOption = False,
) -> None:
    """Search for the hyperparameters with which a rule reaches the target in the fewest steps, or the lowest value.

    Ctrl-C ends the search early: what has been computed is printed. With --store the same command continues from there.
    """
    points = [options.parse_start(text) for text in start]
    function = objective_at(objective, points[0])
    with told_in_one_line(gradient, "--gradient"), told_in_one_line(objective, "OBJECTIVE"):
        found = tune_rule(
            function,
            points,
            rule.of(optimizer),
            _space(space or ["learning_rate"]),
            stop=stopping.condition,
            target=target,
            trials=trials,
            max_steps=max_steps,
            seed=seed,
            gradient=gradient_at(gradient),
            engine=execution.chosen,
            device=execution.device,
            store=store,
            progress=True,
        )
    report.say(_json(found) if json else _text(found))
    if not json:
        report.say_written(store=store)
    if not found.complete:
        raise typer.Exit(130)


def _space(texts: list[str]) -> dict[str, Any]:
    """The values of each hyperparameter in --space; None for an interval from its range."""
    space: dict[str, Any] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if not name or bool(equals) != bool(values):
            raise FalllineError("--space", text, "write NAME, NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=a,b,c")
        if name in space:
            raise FalllineError("--space", problem=f"gives {name} twice", allowed="give all its values at once")
        space[name] = None if not equals else _interval(text, values) if ":" in values else _choices(values)
    return space


def _interval(text: str, values: str) -> Interval | tuple[float, float]:
    low, high, *kind = values.split(":")
    try:
        ends = float(low), float(high)
    except ValueError:
        ends = None
    if ends is None or kind not in ([], ["log"]):
        raise FalllineError("--space", text, "write NAME=LOW:HIGH or NAME=LOW:HIGH:log")
    return Interval(*ends, log=True) if kind else ends


def _choices(values: str) -> list[Any]:
    return [options.value_of(part) for part in values.split(",")]


def _text(found: Tuning) -> str:
    """The trials, and the `fallline run` options for the best one."""
    settings = " ".join(f"--set {name}={number_text(value)}" for name, value in found.best.settings.items())
    return f"{found}\n\nThe best: {settings}"


def _json(found: Tuning) -> str:
    return written(
        {
            "objective": found.title,
            "optimizer": found.optimizer,
            "target": found.target,
            "complete": found.complete,
            "best": dict(found.best.settings),
            "trials": [{**vars(trial), "settings": dict(trial.settings)} for trial in found.trials],
        }
    )
