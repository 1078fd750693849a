"""The result of `fit`: the descent, the fitted model, and its score."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Unpack

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.data import Dataset, Standardization, TableLike
from fallline.data.csv_format import Reading
from fallline.data.rows import Rows
from fallline.errors import FalllineError
from fallline.fitting.fitted import FittedModel
from fallline.fitting.pictured import draw_fit
from fallline.models import Loss
from fallline.pictures.kinds import FIT_KINDS
from fallline.results.archive import Archived, Contents, taken_out, within
from fallline.results.schema import COUNT, NUMBER, NUMBER_OR_NULL, OBJECT, TEXTS, Entry, check_arrays, check_header
from fallline.results.shown import Diagnosed, Repeatable, Shown
from fallline.results.trajectory import Point, Trajectory
from fallline.tables import MOST_ROWS, Summary, data_frame, names_text, summary_of, wrapped_fact

if TYPE_CHECKING:
    import pandas as pd

# The most points of a learning curve.
CURVE = 200

# The contents of a fit's file: see `check_header` and `check_arrays`.
HEADER: Mapping[str, Entry] = {
    **dict.fromkeys(("model", "trajectory"), OBJECT),
    **dict.fromkeys(("rows", "rows_held_out"), COUNT),
    "notes": TEXTS,
    "score": NUMBER,
    "score_held_out": NUMBER_OR_NULL,
}
CURVES = {"steps": "i8 points", "loss": "f8 points", "held_out": "f8 points"}


class Curve(NamedTuple):
    """A learning curve.

    Attributes:
        steps: the steps at which the losses were taken, shape (k,).
        loss: the loss on the training rows, shape (k,).
        held_out: the loss on the rows held out, shape (k,); None if there are none.
    """

    steps: npt.NDArray[np.int64]
    loss: FloatArray
    held_out: FloatArray | None


class FitRows(NamedTuple):
    """The rows of a fit.

    Attributes:
        model: the loss that was minimised, with the prepared data.
        training: the training rows.
        held_out: the rows held out; None if there are none.
    """

    model: Loss
    training: Dataset
    held_out: Dataset | None

    @property
    def in_memory(self) -> bool:
        """Whether all of them are in memory."""
        kept = self.held_out is None or not self.held_out.source.from_files
        return self.model.dataset is None and kept

    def blocks(self) -> Iterable[Rows]:
        """The training rows, from memory if they are there."""
        return [Rows(self.model.X, self.model.y)] if self.model.dataset is None else self.training.blocks()


class Measured(NamedTuple):
    """What was measured on the rows of a fit: saved in its file in place of the rows.

    Attributes:
        rows: the number of training rows.
        rows_held_out: the number of rows held out.
        score: the accuracy, or for numbers R², on the training rows.
        score_held_out: the same on the rows held out; None if there are none.
        curve: the learning curve.
    """

    rows: int
    rows_held_out: int
    score: float
    score_held_out: float | None
    curve: Curve


@dataclass(frozen=True, eq=False, repr=False)
class Fit(Archived, Shown, Diagnosed, Repeatable):
    """A model, and the descent that fitted it.

    `save` writes everything except the rows to one file; `fitted.save` writes only the model, for `fallline predict`.

    Attributes:
        trajectory: the descent; its coordinates belong to standardised features, unless `standardization` is None.
        fitted: the fitted model, for predictions.
        notes: remarks on the result, one sentence each.
        arguments: what `fit` was called with; empty in a loaded fit, and where the data were in memory.
        repeat: fits again, with the same arguments but those given; None in a loaded fit.
    """

    file_format: ClassVar[str] = "fallline fit 1"
    file_called: ClassVar[str] = "a fit"

    trajectory: Trajectory
    fitted: FittedModel
    notes: tuple[str, ...]
    # The source of the score and the learning curve: the rows, or, in a loaded fit, what was measured on them.
    _from: FitRows | Measured
    arguments: Mapping[str, Any] = field(default_factory=dict)
    repeat: Callable[..., Fit] | None = None

    @property
    def model(self) -> Loss:
        """The loss that was minimised, with the data as the descent saw them."""
        return self._rows.model

    @property
    def best(self) -> Point:
        """The point of the descent with the lowest loss; its coordinates are those of standardised features."""
        return self.trajectory.best

    @property
    def training(self) -> Dataset:
        """The rows that were fitted to."""
        return self._rows.training

    @property
    def held_out(self) -> Dataset | None:
        """The rows held out; None if none were."""
        return self._rows.held_out

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features, in the order of the weights."""
        return self.fitted.preparation.names

    @property
    def target(self) -> str:
        """The name of the target."""
        return self.fitted.preparation.target

    @property
    def standardization(self) -> Standardization | None:
        """The standardisation of the features; None if they were not standardised."""
        return self.fitted.preparation.standardization

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The entries of the target encoded as 0, 1, ...; None for a numeric target."""
        classes = self.fitted.preparation.classes
        return None if classes is None else classes.names

    @property
    def parameters(self) -> dict[str, float]:
        """The fitted parameters in the data's own units: the weight of each feature, and "intercept"."""
        return self.fitted.parameters

    @property
    def value(self) -> float:
        """The final loss over all training rows."""
        return self.trajectory.final.value

    @cached_property
    def measured(self) -> Measured:
        """The numbers of rows, the scores and the learning curve. Rows in files are read again for it."""
        if isinstance(self._from, Measured):
            return self._from
        rows, held_out = self._from, self._from.held_out
        return Measured(
            rows.training.rows,
            0 if held_out is None else held_out.rows,
            self.fitted.score(rows.blocks()),
            None if held_out is None else self.fitted.score(held_out.blocks()),
            self.learning_curve(),
        )

    def predict(self, data: TableLike, **reading: Unpack[Reading]) -> FloatArray:
        """The model's prediction for each row: see `FittedModel.predict`."""
        return self.fitted.predict(data, **reading)

    def classify(self, data: TableLike, **reading: Unpack[Reading]) -> npt.NDArray[Any]:
        """The class of each row: see `FittedModel.classify`."""
        return self.fitted.classify(data, **reading)

    def score(self) -> float:
        """The accuracy, or for numbers R², on the rows held out; on the training rows if there are none."""
        if isinstance(self._from, Measured):
            known = self._from
            return known.score if known.score_held_out is None else known.score_held_out
        return self.fitted.score(self._from.blocks() if self.held_out is None else self.held_out.blocks())

    def learning_curve(self) -> Curve:
        """The loss at up to 200 of the recorded steps, on the training rows and those held out."""
        if isinstance(self._from, Measured):
            return self._from.curve
        trajectory = self.trajectory
        rows = np.unique(np.linspace(0, len(trajectory) - 1, CURVE).astype(int))
        held_out = None if self.held_out is None else self.model.over(self.held_out).value(trajectory.x[rows])
        return Curve(trajectory.steps[rows], trajectory.value[rows], held_out)

    def to_frame(self) -> pd.DataFrame:
        """A pandas data frame with one parameter per row: in the data's own units, and for the prepared inputs.

        Raises:
            FalllineError: when pandas is not installed.
        """
        own = self.parameters
        return data_frame({"parameter": list(own), "value": list(own.values()), "standardised": self.fitted.x})

    def animate(self, path: str | os.PathLike[str] | None = None, kind: str = "auto", **options: Any) -> Any:
        """Make a film of the descent: see `Trajectory.animate`."""
        return self.trajectory.animate(path, kind, **options)

    def drawn(self, views: Any, **options: Any) -> Any:
        """The picture of that kind: one of `FIT_KINDS`, or of the descent's; see `fallline.fitting.pictured`."""
        kind = options.pop("kind", "auto")
        if kind not in ("auto", *FIT_KINDS) or "coordinates" in options:
            return self.trajectory.drawn(views, kind=kind, **options)
        return draw_fit(self, views, kind, **options)

    @property
    def has_rows(self) -> bool:
        """Whether the rows are at hand: a fit loaded from a file has none."""
        return isinstance(self._from, FitRows)

    def rows_fitted_to(self) -> Iterable[Rows]:
        """The rows fitted to, as the model takes them, block by block."""
        return self._rows.blocks()

    def contents(self) -> Contents:
        """The contents of the fit's file."""
        run, model, measured = self.trajectory.contents(), self.fitted.content(), self.measured
        # Redundant: they are computed from the end of the descent.
        model["parameters"] = dict.fromkeys(model["parameters"], 0.0)
        header = measured._asdict() | {"model": model, "trajectory": run.header, "notes": list(self.notes)}
        curve = {name: part for name, part in header.pop("curve")._asdict().items() if part is not None}
        return Contents(header, within("trajectory", run.arrays) | within("curve", curve))

    @classmethod
    def restored(cls, header: dict[str, Any], arrays: dict[str, Any]) -> Fit:
        """The fit from the contents of its file."""
        check_header(header, HEADER)
        held_out = ("held_out",) if header["rows_held_out"] else ()
        curve, run = taken_out("curve", arrays), taken_out("trajectory", arrays)
        check_arrays(curve, {name: CURVES[name] for name in ("steps", "loss", *held_out)})
        if (header["score_held_out"] is None) == bool(held_out):
            raise FalllineError(
                "score_held_out", header["score_held_out"], f"{header['rows_held_out']} rows are held out"
            )
        if len(run) + len(curve) != len(arrays):
            raise FalllineError("arrays", problem="hold some of neither the trajectory nor the curve")
        trajectory = Trajectory.restored(header["trajectory"], run)
        fitted = FittedModel.from_content(header["model"]).at(trajectory.final.x)
        counts = {name: header[name] for name in ("rows", "rows_held_out", "score", "score_held_out")}
        points = Curve(curve["steps"], curve["loss"], curve.get("held_out"))
        measured = Measured(**counts, curve=points)
        return cls(trajectory, fitted, tuple(header["notes"]), measured)

    @property
    def _rows(self) -> FitRows:
        if isinstance(self._from, Measured):
            raise FalllineError(
                problem="the fit was loaded from a file, which holds no rows", allowed="fit again to have them"
            )
        return self._from


@summary_of.register
def _of_fit(fit: Fit) -> Summary:
    run, rows = fit.trajectory, fit._from
    facts = [
        ("model", run.title),
        ("optimizer", run.optimizer),
        ("stopped", f"{run.stop.reason}: {run.stop.message}"),
        ("loss", f"{fit.value:.8g} after {run.step_count} steps"),
        ("|gradient|", f"{run.final.gradient_norm:.4g}"),
    ]
    # Printing a result does not read files again.
    if isinstance(rows, Measured) or rows.in_memory:
        facts.append((fit.fitted.score_name, score_text(fit.measured)))
    facts.append(("time", f"{run.seconds:.3g} s ({run.engine})"))
    for number, note in enumerate(fit.notes):
        facts += wrapped_fact("" if number else "notes", note)
    return Summary(f"Fit of {fit.target} from {names_text(fit.features)}", facts, *_parameters(fit.fitted))


@summary_of.register
def _of_fitted(fitted: FittedModel) -> Summary:
    preparation = fitted.preparation
    facts = [("target", preparation.target), ("features", names_text(preparation.names))]
    if preparation.classes is not None:
        facts.append(("classes", names_text(preparation.classes.names)))
    return Summary(f"FittedModel: {fitted.model}", facts, *_parameters(fitted))


def score_text(measured: Measured) -> str:
    """The scores as text, with the numbers of rows."""
    fitted_to = f"{measured.score:.4f} on the {measured.rows} rows fitted to"
    if measured.score_held_out is None:
        return fitted_to
    return f"{measured.score_held_out:.4f} on {measured.rows_held_out} rows held out, {fitted_to.replace(' rows', '')}"


def _parameters(fitted: FittedModel) -> tuple[list[str], list[list[str]], int]:
    """The table of the parameters in the data's own units: header, first rows, and the number left out."""
    rows = [[name, f"{number:.8g}"] for name, number in list(fitted.parameters.items())[:MOST_ROWS]]
    return ["parameter", "value"], rows, len(fitted.x) - len(rows)
