"""What a fit came to: the descent, the model that it found, and how well that does."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.data import Dataset, Standardization, TableLike
from fallline.errors import FalllineError
from fallline.fitting.fitted import FittedModel
from fallline.models import Loss
from fallline.results.archive import (
    Archived,
    Contents,
    check_arrays,
    check_header,
    check_texts,
    taken_out,
    within,
)
from fallline.results.shown import Shown
from fallline.results.trajectory import Trajectory
from fallline.tables import MOST_ROWS, Summary, data_frame, names_text, summary_of, wrapped_fact

if TYPE_CHECKING:
    import pandas as pd

# Points of a learning curve at most.
CURVE = 200

# What the file of a fit holds: see `check_header` and `check_arrays`.
HEADER: dict[str, type | tuple[type, ...]] = {
    "model": dict,
    "trajectory": dict,
    "notes": list,
    "rows": int,
    "rows_held_out": int,
    "score": (float, int),
    "score_held_out": (float, int, type(None)),
}
CURVES = {"steps": "i8 points", "loss": "f8 points", "held_out": "f8 points"}


class Curve(NamedTuple):
    """How the loss fell.

    Attributes:
        steps: after how many steps, shape (k,).
        loss: the loss over the rows that were fitted to, shape (k,).
        held_out: that over the rows held out, shape (k,); None if none were.
    """

    steps: npt.NDArray[np.int64]
    loss: FloatArray
    held_out: FloatArray | None


class FitRows(NamedTuple):
    """The rows of a fit.

    Attributes:
        model: the loss that was minimised, with the data as the descent saw them.
        training: the rows that were fitted to.
        held_out: the rows held out; None if none were.
    """

    model: Loss
    training: Dataset
    held_out: Dataset | None

    @property
    def in_memory(self) -> bool:
        """Whether all of them are at hand without reading a file."""
        kept = self.held_out is None or not self.held_out.source.from_files
        return self.model.dataset is None and kept

    def blocks(self) -> Iterable[tuple[FloatArray, FloatArray]]:
        """X and y of the rows that were fitted to, from memory where they are there."""
        return [(self.model.X, self.model.y)] if self.model.dataset is None else self.training.blocks()


class Measured(NamedTuple):
    """What was measured on the rows of a fit: all that is left of them in a file.

    Attributes:
        rows: how many were fitted to.
        rows_held_out: how many were held out.
        score: the accuracy, or for numbers R², on those fitted to.
        score_held_out: that on those held out; None if none were.
        curve: the learning curve.
    """

    rows: int
    rows_held_out: int
    score: float
    score_held_out: float | None
    curve: Curve


@dataclass(frozen=True, eq=False, repr=False)
class Fit(Archived, Shown):
    """A model, and the descent that fitted it.

    `save` keeps all of it but the rows, in one file; `fitted.save` keeps the model alone, for `fallline predict`.

    Attributes:
        trajectory: the descent; its coordinates belong to standardised features, unless there is no
            `standardization`.
        fitted: the model by itself: it predicts.
        notes: what a reader of the result must know, one sentence each.
    """

    file_format: ClassVar[str] = "fallline fit 1"
    file_called: ClassVar[str] = "a fit"

    trajectory: Trajectory
    fitted: FittedModel
    notes: tuple[str, ...]
    # What the score and the learning curve come from: the rows; in a loaded fit, what was measured on them.
    _from: FitRows | Measured

    @property
    def model(self) -> Loss:
        """The loss that was minimised, with the data as the descent saw them."""
        return self._rows.model

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
        """How the features were put on a common scale; None if they were left as they are."""
        return self.fitted.preparation.standardization

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The entries of the target that became 0, 1, ...; None if it was numbers from the first."""
        classes = self.fitted.preparation.classes
        return None if classes is None else classes.names

    @property
    def parameters(self) -> dict[str, float]:
        """Where the run ended, in the data's own units: the weight of each feature, and "intercept"."""
        return self.fitted.parameters

    @property
    def value(self) -> float:
        """The loss where the run ended, over all rows that were fitted to."""
        return self.trajectory.final.value

    @cached_property
    def measured(self) -> Measured:
        """How many rows there were, the scores on them and the learning curve. Rows in files are read again for it."""
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

    def predict(self, data: TableLike) -> FloatArray:
        """The model's answer for each row: see `FittedModel.predict`."""
        return self.fitted.predict(data)

    def classify(self, data: TableLike) -> npt.NDArray[Any]:
        """The class of each row: see `FittedModel.classify`."""
        return self.fitted.classify(data)

    def score(self) -> float:
        """The accuracy, or for numbers R², on the rows held out; on those fitted to if none were."""
        if isinstance(self._from, Measured):
            known = self._from
            return known.score if known.score_held_out is None else known.score_held_out
        return self.fitted.score(self._from.blocks() if self.held_out is None else self.held_out.blocks())

    def learning_curve(self) -> Curve:
        """The loss along the recorded steps, thinned to 200, on the rows fitted to and those held out."""
        if isinstance(self._from, Measured):
            return self._from.curve
        trajectory = self.trajectory
        rows = np.unique(np.linspace(0, len(trajectory) - 1, CURVE).astype(int))
        held_out = None if self.held_out is None else self.model.over(self.held_out).value(trajectory.x[rows])
        return Curve(trajectory.steps[rows], trajectory.value[rows], held_out)

    def to_frame(self) -> pd.DataFrame:
        """The parameters as a pandas data frame, one a row: in the data's own units, and as the descent saw them.

        Raises:
            FalllineError: when pandas is not installed.
        """
        own = self.parameters
        return data_frame({"parameter": list(own), "value": list(own.values()), "standardised": self.fitted.x})

    def animate(self, path: str | os.PathLike[str] | None = None, kind: str = "auto", **options: Any) -> Any:
        """Make a film of the descent: see `Trajectory.animate`."""
        return self.trajectory.animate(path, kind, **options)

    def drawn(self, views: Any, **options: Any) -> Any:
        """The path of two parameters at most; of more, or with rows held out, the learning curve."""
        kind = options.pop("kind", "auto")
        if kind != "auto" or "coordinates" in options or (len(self.trajectory.names) <= 2 and self._at_hand):
            return self.trajectory.drawn(views, kind=kind, **options)
        title = f"{self.target}: {self.trajectory.title}, {self.trajectory.optimizer.replace('_', ' ')}"
        return views.plot_learning_curve(*self.learning_curve(), title=title, **options)

    def contents(self) -> Contents:
        """What the file of a fit holds."""
        run, model, measured = self.trajectory.contents(), self.fitted.content(), self.measured
        # Where the descent ended says what they are.
        model["parameters"] = dict.fromkeys(model["parameters"], 0.0)
        header = measured._asdict() | {"model": model, "trajectory": run.header, "notes": list(self.notes)}
        curve = {name: part for name, part in header.pop("curve")._asdict().items() if part is not None}
        return Contents(header, within("trajectory", run.arrays) | within("curve", curve))

    @classmethod
    def restored(cls, header: dict[str, Any], arrays: dict[str, Any]) -> Fit:
        """The fit from what its file holds."""
        check_header(header, HEADER)
        curve = taken_out("curve", arrays)
        check_arrays(curve, {name: kind for name, kind in CURVES.items() if name != "held_out" or name in curve})
        run = taken_out("trajectory", arrays)
        if len(run) + len(curve) != len(arrays) or ("held_out" in curve) != bool(header["rows_held_out"]):
            raise ValueError(f"the arrays {sorted(arrays)}")
        trajectory = Trajectory.restored(header["trajectory"], run)
        fitted = FittedModel.from_content(header["model"]).at(trajectory.final.x)
        counts = {name: header[name] for name in ("rows", "rows_held_out", "score", "score_held_out")}
        points = Curve(curve["steps"], curve["loss"], curve.get("held_out"))
        measured = Measured(**counts, curve=points)
        return cls(trajectory, fitted, check_texts(header["notes"]), measured)

    @property
    def _at_hand(self) -> bool:
        """Whether all rows were fitted to, and the loss on them is quickly had."""
        if isinstance(self._from, Measured):
            return self.trajectory.objective is not None and not self._from.rows_held_out
        return self.model.dataset is None and self.held_out is None

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
    # Nobody waits for files to be read again when a result is printed.
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
    """The scores, and the rows that they are of."""
    fitted_to = f"{measured.score:.4f} on the {measured.rows} rows fitted to"
    if measured.score_held_out is None:
        return fitted_to
    return f"{measured.score_held_out:.4f} on {measured.rows_held_out} rows held out, {fitted_to.replace(' rows', '')}"


def _parameters(fitted: FittedModel) -> tuple[list[str], list[list[str]], int]:
    """The table of the parameters in the data's own units: its header, its first rows, and how many are left out."""
    rows = [[name, f"{number:.8g}"] for name, number in list(fitted.parameters.items())[:MOST_ROWS]]
    return ["parameter", "value"], rows, len(fitted.x) - len(rows)
