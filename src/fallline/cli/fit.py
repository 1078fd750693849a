"""`fallline fit`: fit a model to files of data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from fallline.cli import options, report
from fallline.cli.groups import CsvOptions, Execution, Group, Rule, Stopping, Views, with_groups
from fallline.cli.options import number_option
from fallline.data.survey import CATEGORIES
from fallline.errors import FalllineError
from fallline.files import check_writable
from fallline.fitting.fit import PENALISED
from fallline.fitting.fit import fit as fit_model
from fallline.fitting.fitted import setting_names
from fallline.fitting.result import Curve, Fit, score_text
from fallline.hyperparameters import hyperparameters
from fallline.json_text import written
from fallline.models import MODELS, Loss
from fallline.pictures.kinds import FIT_KINDS
from fallline.tables import text_table

# How many rows of the learning curve are printed; up to how many parameters all are printed, and of more, how many.
CURVE_ROWS = 8
PARAMETERS = 40
FIRST_PARAMETERS = 10
# The grid points of a film along each side, for more than two parameters: each is a pass over all rows, which is slow
# for a wide model.
WIDE_RESOLUTION = 50


def _parser(default: Any) -> tuple[Callable[[str], Any], str]:
    """The parser and the metavar of an option for a setting with this default."""
    if isinstance(default, tuple):
        return _counts, "COUNT,COUNT"
    if isinstance(default, str):
        return str, "NAME"
    return (options.count, "COUNT") if isinstance(default, int) else (options.number, "NUMBER")


def _counts(text: str) -> tuple[int, ...]:
    return tuple(options.count(part) for part in text.split(",") if part.strip())


def _shown(default: Any) -> str:
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)


def model_settings() -> Iterator[tuple[str, Any, str]]:
    """The settings of all models, from their fields: names, defaults, and descriptions."""
    found: dict[str, tuple[Any, list[str], str]] = {}
    for model, kind in MODELS.items():
        about = {name: f": {known.about}" for name, known in hyperparameters(kind).items()}
        for name in setting_names(kind):
            found.setdefault(name, (getattr(kind, name), [], about.get(name, "")))[1].append(model)
    for name, (default, models, about_it) in found.items():
        whose = "every model" if len(models) == len(MODELS) else ", ".join(models)
        yield name, default, f"Of {whose}{about_it}. [default: {_shown(default)}]"


def with_model_settings(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each setting of a model, in place of its `**model_options`."""
    signature = inspect.signature(command, eval_str=True)
    kept = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    taken = {one.name for one in kept}
    for name, default, text in model_settings():
        assert name not in taken
        parse, metavar = _parser(default)
        option = typer.Option("--" + name.replace("_", "-"), parser=parse, metavar=metavar, help=text)
        kept.append(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[Any, option])
        )
    command.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    return command


@dataclass(frozen=True)
class Table(Group):
    """How columns and rows are prepared for the model."""

    features: Annotated[
        str | None, typer.Option(metavar="A,B", help="The columns to predict it from. [default: all others]")
    ] = None
    sample_weight: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column that says how often each row counts.")
    ] = None
    class_weight: Annotated[
        str | None,
        typer.Option(metavar="balanced|A=NUMBER,B=NUMBER", help="How much the rows of each class count. [default: 1]"),
    ] = None
    categories: Annotated[
        str,
        typer.Option(
            metavar="refuse|one-hot|A,B", help="How to treat columns of texts, or which columns are categories."
        ),
    ] = "refuse"
    missing: Annotated[
        str, typer.Option(metavar="refuse|drop|mean", help="How to treat rows with missing entries.")
    ] = "refuse"
    constant: Annotated[
        str, typer.Option(metavar="refuse|drop", help="How to treat columns that are the same in every row.")
    ] = "refuse"
    standardize: Annotated[
        bool,
        typer.Option("--standardize/--no-standardize", help="Descend on features of mean 0 and standard deviation 1."),
    ] = True
    holdout: Annotated[
        float,
        typer.Option(parser=options.number, metavar="SHARE", help="Rows to score with instead of fitting to them."),
    ] = 0.0
    stream: Annotated[
        bool | None,
        typer.Option(
            "--stream/--no-stream",
            help="Read files again in every pass, or keep their rows. [default: keep up to 256 MiB]",
        ),
    ] = None

    @property
    def arguments(self) -> dict[str, Any]:
        """The options as keywords of `fallline.fit`."""
        read = {
            "features": None if self.features is None else _listed(self.features),
            "class_weight": None if self.class_weight is None else _class_weight(self.class_weight),
            "categories": self.categories if self.categories in CATEGORIES else _listed(self.categories),
        }
        return {**vars(self), **read}


@dataclass(frozen=True)
class Descent(Group):
    """The loss, the batches, and the length of the descent."""

    reduction: Annotated[
        str, typer.Option(metavar="mean|sum", help="Whether the loss is the rows' mean or their sum.")
    ] = "mean"
    l1: Annotated[float, number_option("--l1", "Strength of the lasso's penalty, which makes weights zero.")] = 0.0
    batch_size: options.BatchSizeOption = None
    batch_order: Annotated[
        str, typer.Option(metavar="shuffled|sequential", help="The order in which batches take the rows.")
    ] = "shuffled"
    batch_remainder: Annotated[
        str, typer.Option(metavar="keep|drop", help="How to treat rows after the last full batch.")
    ] = "keep"
    epochs: Annotated[int | None, options.count_option("--epochs", "Stop after this many passes over the data.")] = None
    max_steps: Annotated[
        int | None, options.count_option("--max-steps", "Stop after this many steps. [default: 10000]")
    ] = None


@with_model_settings
@with_groups
def fit(
    data: Annotated[
        Path,
        typer.Argument(parser=options.path, metavar="DATA", help="A CSV file, a Parquet file, or a folder of them."),
    ],
    *,
    target: Annotated[str, typer.Option(metavar="COLUMN", help="The column to be predicted.")],
    table: Table,
    csv: CsvOptions,
    model: Annotated[str, typer.Option(metavar="MODEL", help=", ".join([*MODELS, *PENALISED]) + ".")] = "logistic",
    optimizer: Annotated[
        str | None,
        typer.Option(metavar="RULE", help="The update rule: see below. [default: one that needs no tuning]"),
    ] = None,
    rule: Rule,
    start: Annotated[
        str | None,
        typer.Option(metavar="START", help="The weight of each feature, then the intercept. [default: zeros]"),
    ] = None,
    descent: Descent,
    stopping: Stopping,
    seed: options.SeedOption = 0,
    execution: Execution,
    views: Views,
    save: Annotated[
        Path | None,
        options.file_option(
            "--save", "Save the model: .json, for fallline predict; the whole trajectory: .npz; or the recipe: .toml."
        ),
    ] = None,
    checkpoint: options.CheckpointOption = None,
    json: options.JsonOption = False,
    **model_options: Any,
) -> None:
    """Fit a model to the columns of files, and report its parameters in their own units.

    --plot draws the rows with the model for one feature, or for two and classes; otherwise the confusion matrix with
    the ROC curve, or the residuals. --picture can also be fit, scores, confusion, roc, residuals or learning. --animate
    films the descent on the loss, for more than two parameters in the plane of the path's principal components. Ctrl-C
    ends the descent early: what has been computed is printed and saved. With --checkpoint the same command continues.
    """
    check_save(save)
    views.check_files()
    picture = views.chosen_picture(None, more=FIT_KINDS)
    # The number of parameters is known only from the data; until then, one that suits the film.
    film = views.chosen_film(1 if views.film == "curve" else 2)
    if views.animate is not None and table.stream:
        _refuse_film(views.animate)
    if rule.given and optimizer is None:
        raise FalllineError(
            "--optimizer", problem="is not given", allowed="a rate or a hyperparameter needs the rule that it is for"
        )

    def check_views(loss: Loss) -> None:
        views.chosen_picture(loss.names, more=FIT_KINDS)
        views.chosen_film(loss.dimension)
        if views.animate is not None and loss.dataset is not None:
            _refuse_film(views.animate)

    fitted = fit_model(
        data,
        target,
        model=model,
        optimizer=rule.of(optimizer) if optimizer is not None and rule.given else optimizer,
        x0=None if start is None else _weights(start),
        stop=stopping.condition,
        engine=execution.chosen,
        device=execution.device,
        seed=seed,
        progress=True,
        checkpoint=checkpoint,
        check=check_views,
        **table.arguments,
        **csv.reading,
        **vars(descent),
        **{name: setting for name, setting in model_options.items() if setting is not None},
    )
    save_fit(fitted, save)
    report.say(fit_json(fitted) if json else fit_text(fitted))
    report.draw(fitted, plot=views.plot, picture=picture)
    if views.animate is not None:
        animate_fit(fitted, views.animate, picture, film)
    report.end(fitted, json=json, plot=views.plot, animate=views.animate, save=save)


def check_save(save: Path | None) -> None:
    """Check, before any work, that the file can be written.

    Raises:
        FalllineError: naming the path and what is wrong with it.
    """
    if save is not None:
        if save.suffix not in (".json", ".npz", ".toml"):
            allowed = "its name must end in .json (the model), .npz (the run) or .toml (the recipe)"
            raise FalllineError("--save", str(save), allowed)
        check_writable(save, "--save")


def save_fit(fitted: Fit, save: Path | None) -> None:
    """Save the model, the descent or the recipe, by the ending of the file's name."""
    if save is not None:
        kinds = {".json": fitted.fitted.save, ".npz": fitted.trajectory.save, ".toml": fitted.save_recipe}
        kinds[save.suffix](save)


def _listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _class_weight(text: str) -> str | dict[str, float]:
    """The weight of each class as an argument of `fit`."""
    if "=" not in text:
        return text
    weights = {}
    for part in text.split(","):
        name, _, number = part.rpartition("=")
        try:
            weights[name.strip()] = float(number)
        except ValueError:
            raise FalllineError(
                "--class-weight", text, "write balanced, or no=1,yes=10", problem=f"where {part!r} gives no number"
            ) from None
    return weights


def _weights(text: str) -> list[float]:
    """The start as an argument of `fit`."""
    start = options.parse_start(text)
    if isinstance(start, dict):
        raise FalllineError("--start", text, "write the weights in the order of the features, then the intercept")
    return start


def fit_text(fitted: Fit) -> str:
    """The learning curve and the parameters as tables, why the descent stopped, and the notes."""
    trajectory = fitted.trajectory
    parameters = list(fitted.parameters.items())
    shown = parameters if len(parameters) <= PARAMETERS else parameters[:FIRST_PARAMETERS]
    rows = [[name, f"{number:.8g}"] for name, number in shown]
    hidden = len(parameters) - len(rows)
    stop = trajectory.stop
    return "\n".join(
        [
            f"{fitted.target} from {', '.join(fitted.features)}: {trajectory.title}",
            "",
            _curve_table(fitted.measured.curve),
            "",
            text_table(["parameter", "value"], rows),
            *([f"... and {hidden} more"] if hidden else []),
            "",
            f"loss: {fitted.value!r} after {trajectory.step_count} steps",
            f"{fitted.fitted.score_name}: {score_text(fitted.measured)}",
            f"stopped: {stop.message} ({stop.reason})",
            *fitted.notes,
            report.verdict(fitted),
        ]
    )


def _curve_table(curve: Curve) -> str:
    shown = np.unique(np.linspace(0, len(curve.steps) - 1, CURVE_ROWS).astype(int)).tolist()
    header = ["step", "loss", *(["loss held out"] if curve.held_out is not None else [])]
    rows = []
    for row in shown:
        cells = [str(curve.steps[row]), f"{curve.loss[row]:.8g}"]
        rows.append(cells if curve.held_out is None else [*cells, f"{curve.held_out[row]:.8g}"])
    return text_table(header, rows)


def animate_fit(fitted: Fit, animate: Path, picture: Mapping[str, Any], film: dict[str, Any]) -> None:
    """Write the film of the descent."""
    if len(fitted.trajectory.names) > 2:
        film["resolution"] = WIDE_RESOLUTION
    report.draw(fitted.trajectory, picture=picture, animate=animate, film=film)


def _refuse_film(animate: Path) -> None:
    raise FalllineError(
        "--animate",
        str(animate),
        "keep the rows with --no-stream, or leave the film out",
        problem="but the data are read anew in every pass, and the landscape of a film takes thousands",
    )


def fit_json(fitted: Fit) -> str:
    """The fit as one JSON object."""
    trajectory = fitted.trajectory
    measured = fitted.measured
    return written(
        {
            "model": trajectory.title,
            "target": fitted.target,
            "classes": fitted.classes,
            "parameters": fitted.parameters,
            "value": fitted.value,
            fitted.fitted.score_name: fitted.score(),
            "rows": measured.rows,
            "rows_held_out": measured.rows_held_out,
            "curve": measured.curve._asdict(),
            "gradient_norm": trajectory.final.gradient_norm,
            "optimizer": trajectory.optimizer,
            "steps": trajectory.step_count,
            "stopped": trajectory.stop.reason,
            "converged": trajectory.stop.converged,
            "evaluations": trajectory.evaluations._asdict(),
            "notes": fitted.notes,
            "findings": report.findings(fitted),
        }
    )
