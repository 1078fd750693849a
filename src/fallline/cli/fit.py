"""`fallline fit`: a model fitted to a CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from fallline.cli import options, report
from fallline.errors import FalllineError
from fallline.fit import Fit
from fallline.fit import fit as fit_model
from fallline.models import MODELS
from fallline.models.base import Reduction
from fallline.models.batches import Order, Remainder
from fallline.optimizers import Optimizer
from fallline.tables import text_table


def fit(
    csv: Annotated[Path, typer.Argument(parser=options.path, metavar="CSV", help="A file of columns with a header.")],
    target: Annotated[str, typer.Option(metavar="COLUMN", help="The column to be predicted.")],
    features: Annotated[
        str | None, typer.Option(metavar="A,B", help="The columns to predict it from. [default: all others]")
    ] = None,
    model: Annotated[str, typer.Option(metavar="MODEL", help=" or ".join(MODELS) + ".")] = "logistic",
    optimizer: Annotated[
        str | None,
        typer.Option(metavar="RULE", help="The update rule: see below. [default: one that needs no tuning]"),
    ] = None,
    learning_rate: options.LearningRateOption = None,
    schedule: options.ScheduleOption = None,
    momentum: options.MomentumOption = None,
    settings: options.SetOption = None,
    start: Annotated[
        str | None,
        typer.Option(metavar="START", help="The weight of each feature, then the intercept. [default: zeros]"),
    ] = None,
    reduction: Annotated[
        str, typer.Option(metavar="mean|sum", help="Whether the loss is the rows' mean or their sum.")
    ] = "mean",
    standardize: Annotated[
        bool,
        typer.Option("--standardize/--no-standardize", help="Descend on features of mean 0 and standard deviation 1."),
    ] = True,
    batch_size: options.BatchSizeOption = None,
    batch_order: Annotated[
        str, typer.Option(metavar="shuffled|sequential", help="The order in which batches take the rows.")
    ] = "shuffled",
    batch_remainder: Annotated[
        str, typer.Option(metavar="keep|drop", help="What happens to rows after the last whole batch.")
    ] = "keep",
    max_steps: options.MaxStepsOption = 10_000,
    stop_step: options.StopStepOption = None,
    stop_gradient: options.StopGradientOption = None,
    stop_change: options.StopChangeOption = None,
    max_evaluations: options.MaxEvaluationsOption = None,
    max_seconds: options.MaxSecondsOption = None,
    seed: options.SeedOption = 0,
    plot: options.PlotOption = None,
    picture: options.PictureOption = "auto",
    coordinates: options.CoordinatesOption = None,
    style: options.StyleOption = "light",
    save: options.SaveOption = None,
    json: options.JsonOption = False,
) -> None:
    """Fit a model to the columns of a file, and report its parameters in the file's own units.

    Ctrl-C ends the descent early: what there is by then is printed and saved.
    """
    report.check_outputs(plot=plot, save=save)
    pictured = options.chosen_picture(picture, coordinates, style, None)
    rule: Optimizer[Any] | str | None = optimizer
    if any(option is not None for option in (learning_rate, schedule, momentum, settings)):
        if optimizer is None:
            raise FalllineError("--optimizer is not given; a rate or a hyperparameter needs the rule that it is for")
        rule = options.chosen_rule(optimizer, learning_rate, schedule, momentum, settings or ())
    limits = (stop_step, stop_gradient, stop_change, None, max_evaluations, max_seconds)
    fitted = fit_model(
        csv,
        target,
        features=None if features is None else [name.strip() for name in features.split(",")],
        model=model,
        optimizer=rule,
        x0=None if start is None else _weights(start),
        standardize=standardize,
        reduction=cast(Reduction, reduction),
        batch_size=batch_size,
        batch_order=cast(Order, batch_order),
        batch_remainder=cast(Remainder, batch_remainder),
        max_steps=max_steps,
        stop=options.chosen_stop(*limits) if any(limit is not None for limit in limits) else None,
        seed=seed,
        progress=True,
    )
    if save is not None:
        fitted.trajectory.save(save)
    report.say(_json(fitted) if json else _text(fitted))
    report.draw(fitted.trajectory, plot=plot, picture=pictured)
    if not json:
        report.say_written(plot=plot, save=save)
    if fitted.trajectory.stop.reason == "interrupted":
        raise typer.Exit(130)


def _weights(text: str) -> list[float]:
    """The start as `fit` takes it."""
    start = options.parse_start(text)
    if isinstance(start, dict):
        raise FalllineError(f"--start is {text!r}; write the weights in the order of the features, then the intercept")
    return start


def _text(fitted: Fit) -> str:
    """The parameters as a table, why the descent stopped, and what is to be known of it."""
    trajectory = fitted.trajectory
    rows = [[name, f"{number:.8g}"] for name, number in fitted.parameters.items()]
    stop = trajectory.stop
    return "\n".join(
        [
            f"{fitted.target} from {', '.join(fitted.features)}: {trajectory.title}",
            "",
            text_table(["parameter", "value"], rows),
            "",
            f"loss: {fitted.value!r} after {trajectory.step_count} steps",
            f"stopped: {stop.message} ({stop.reason})",
            *fitted.notes,
        ]
    )


def _json(fitted: Fit) -> str:
    """The fit as one JSON object."""
    trajectory = fitted.trajectory
    return report.as_json(
        {
            "model": trajectory.title,
            "target": fitted.target,
            "classes": fitted.classes,
            "parameters": fitted.parameters,
            "value": fitted.value,
            "gradient_norm": trajectory.final.gradient_norm,
            "optimizer": trajectory.optimizer,
            "steps": trajectory.step_count,
            "stopped": trajectory.stop.reason,
            "evaluations": trajectory.evaluations._asdict(),
            "notes": fitted.notes,
        }
    )
