"""`fallline basins`: a map of the minimum that each start ends in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from fallline.cli import options, report
from fallline.cli.function import OBJECTIVE_HELP, gradient_at, thing_at, told_in_one_line
from fallline.cli.groups import Execution, Map, Rule, Stopping, with_groups
from fallline.errors import FalllineError
from fallline.experiments.basins import basins as basins_of
from fallline.json_text import written
from fallline.results.basins import DIVERGED, NOT_ARRIVED, Basins


@with_groups
def basins(
    objective: Annotated[str, typer.Argument(metavar="OBJECTIVE", help=OBJECTIVE_HELP)],
    *,
    optimizer: Annotated[str, typer.Option(metavar="RULE", help="The update rule: see below.")] = "gradient_descent",
    box: Annotated[
        str | None,
        typer.Option(
            metavar="LOW:HIGH,LOW:HIGH",
            help="Where to start, in the order of the names, or x=-5:5,y=-5:5. [default: the landscape's own]",
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="NAME=NUMBER,...", help="Where to start in the remaining coordinates.")
    ] = None,
    resolution: Annotated[
        int, typer.Option(parser=options.count, metavar="COUNT", help="Starts along each coordinate.")
    ] = 256,
    rule: Rule,
    gradient: options.GradientOption = "auto",
    max_steps: options.MaxStepsOption = 1000,
    stopping: Stopping,
    target: options.TargetOption = None,
    seed: options.SeedOption = 0,
    execution: Execution,
    picture: Map,
    save: Annotated[
        Path | None, typer.Option(parser=options.path, metavar="FILE", help="Save the map: .npz, for Basins.load.")
    ] = None,
    json: options.JsonOption = False,
) -> None:
    """Run a rule from every point of a grid, and show in which minimum each start ends, and how fast."""
    report.check_save(save)
    picture.check()
    with told_in_one_line(gradient, "--gradient"), told_in_one_line(objective, "OBJECTIVE"):
        found = basins_of(
            thing_at(objective),
            _box(box),
            rule.of(optimizer),
            at=_at(at),
            resolution=resolution,
            max_steps=max_steps,
            stop=stopping.condition,
            target=target,
            gradient=gradient_at(gradient),
            engine=execution.chosen,
            device=execution.device,
            seed=seed,
            progress=True,
        )
    if save is not None:
        found.save(save)
    report.say(_json(found) if json else str(found))
    if picture.plot is not None:
        from fallline.views import plot

        plot(found, picture.plot, **picture.look)
    if not json:
        report.say_written(plot=picture.plot, save=save)


def _box(text: str | None) -> list[tuple[float, float]] | dict[str, tuple[float, float]] | None:
    if text is None:
        return None
    intervals = []
    names = []
    for part in text.split(","):
        name, _, ends = part.rpartition("=")
        low, _, high = ends.partition(":")
        try:
            intervals.append((float(low), float(high)))
        except ValueError:
            raise FalllineError("--box", text, "write -5:5,-5:5, or x=-5:5,y=-5:5") from None
        names.append(name.strip())
    if not any(names):
        return intervals
    if "" in names or len(set(names)) < len(names):
        raise FalllineError("--box", text, "name each coordinate once, or none: x=-5:5,y=-5:5")
    return dict(zip(names, intervals, strict=True))


def _at(text: str | None) -> dict[str, float] | None:
    if text is None:
        return None
    given = options.parse_start(text)
    if not isinstance(given, dict):
        raise FalllineError("--at", text, "give each number with its name, such as z=0.5")
    return given


def _json(found: Basins) -> str:
    return written(
        {
            "objective": found.title,
            "optimizer": found.optimizer,
            "names": found.names,
            "axes": found.axes,
            "box": [[found.x[0], found.x[-1]], [found.y[0], found.y[-1]]],
            "held": dict(found.held),
            "minima": [
                {
                    "x": found.minima[place],
                    "value": float(found.values[place]),
                    "share": found.share(place),
                    "median_steps": float(np.median(found.steps[found.basin == place])),
                }
                for place in range(len(found.minima))
            ],
            "not_arrived": found.share(NOT_ARRIVED),
            "diverged": found.share(DIVERGED),
            "engine": found.engine,
        }
    )
