"""`fallline basins`: a map of which start ends in which minimum."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from fallline.cli import options, report
from fallline.errors import FalllineError
from fallline.experiments.basins import basins as basins_of
from fallline.gradients import parse_gradient
from fallline.results.basins import DIVERGED, NOT_ARRIVED, Basins


def basins(
    objective: Annotated[
        str, typer.Argument(metavar="OBJECTIVE", help="A formula, or a landscape such as himmelblau.")
    ],
    optimizer: Annotated[str, typer.Option(metavar="RULE", help="The update rule: see below.")] = "gradient_descent",
    box: Annotated[
        str | None,
        typer.Option(
            metavar="LOW:HIGH,LOW:HIGH",
            help="Where to start, in the order of the names, or x=-5:5,y=-5:5. [default: the landscape's own]",
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="NAME=NUMBER,...", help="Where to start in the other coordinates.")
    ] = None,
    resolution: Annotated[
        int, typer.Option(parser=options.count, metavar="COUNT", help="Starts along each coordinate.")
    ] = 256,
    learning_rate: options.LearningRateOption = None,
    schedule: options.ScheduleOption = None,
    momentum: options.MomentumOption = None,
    settings: options.SetOption = None,
    gradient: options.GradientOption = "auto",
    max_steps: options.MaxStepsOption = 1000,
    stop_step: options.StopStepOption = None,
    stop_gradient: options.StopGradientOption = None,
    stop_change: options.StopChangeOption = None,
    seed: options.SeedOption = 0,
    plot: Annotated[
        Path | None, typer.Option(parser=options.path, metavar="FILE", help="Draw the map: .png, .svg, .pdf, ...")
    ] = None,
    style: options.StyleOption = "light",
    save: Annotated[
        Path | None, typer.Option(parser=options.path, metavar="FILE", help="Keep the map: .npz, for Basins.load.")
    ] = None,
    cluster: options.ClusterOption = None,
    json: options.JsonOption = False,
) -> None:
    """Start a rule from every point of a grid, and show which start ends in which minimum, and how fast."""
    report.check_outputs(save=save, plot=plot)
    chosen = options.chosen_style(style)
    engine = options.engine_on(cluster)
    found = basins_of(
        objective,
        _box(box),
        options.chosen_rule(optimizer, learning_rate, schedule, momentum, settings or ()),
        at=_at(at),
        resolution=resolution,
        max_steps=max_steps,
        stop=options.chosen_stop(stop_step, stop_gradient, stop_change, None, None, None),
        gradient=parse_gradient(gradient),
        engine=engine,
        seed=seed,
        progress=True,
    )
    if save is not None:
        found.save(save)
    report.say(_json(found) if json else str(found))
    if plot is not None:
        from fallline.views import plot_basins, save_picture

        save_picture(plot_basins(found, style=chosen), plot)
    if not json:
        report.say_written(plot=plot, save=save)


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
            raise FalllineError(f"--box is {text!r}; write -5:5,-5:5, or x=-5:5,y=-5:5") from None
        names.append(name.strip())
    if not any(names):
        return intervals
    if "" in names or len(set(names)) < len(names):
        raise FalllineError(f"--box is {text!r}; name each coordinate once, or none: x=-5:5,y=-5:5")
    return dict(zip(names, intervals, strict=True))


def _at(text: str | None) -> dict[str, float] | None:
    if text is None:
        return None
    given = options.parse_start(text)
    if not isinstance(given, dict):
        raise FalllineError(f"--at is {text!r}; give each number with its name, such as z=0.5")
    return given


def _json(found: Basins) -> str:
    return report.as_json(
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
