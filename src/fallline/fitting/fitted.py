"""A fitted model: predictions for new data in their own units, and its file."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, Unpack, cast, get_args

import numpy as np
import numpy.typing as npt

from fallline import json_text
from fallline.arrays import FloatArray
from fallline.data import Classes, Feature, Preparation, Standardization, TableLike, open_source
from fallline.data.csv_format import Reading
from fallline.data.preparation import Missing
from fallline.data.rows import Rows
from fallline.data.standardization import Moments
from fallline.data.survey import check_choice
from fallline.data.table import Table
from fallline.encoding import encode
from fallline.errors import FalllineError, shortened
from fallline.files import whole_file
from fallline.models import MODELS, LinearFamily, Loss, Softmax
from fallline.models.base import Target
from fallline.tables import Printed

FORMAT = "fallline model 1"

# Larger files are not read: no model is that large.
LARGEST_FILE = 2**30

Part = TypeVar("Part")


@dataclass(frozen=True, eq=False, repr=False)
class FittedModel(Printed):
    """A model with fitted parameters, and the preparation of its input columns.

    Two are equal when the contents of their files are.

    Attributes:
        model: its name, as `fit` takes it.
        loss: the model itself; its data are not used.
        preparation: how columns become inputs, and the classes of the target.
        x: the parameters, for prepared inputs, shape (dimension,).

    >>> from fallline.fitting.fit import fit
    >>> model = fit({"hours": [1, 2, 3, 4], "passed": ["no", "yes", "no", "yes"]}, "passed").fitted
    >>> model.classify({"hours": [0, 9]}).tolist()
    ['no', 'yes']
    """

    model: str
    loss: Loss
    preparation: Preparation
    x: FloatArray

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters in the data's own units, by name: the weight of each feature, and "intercept"."""
        return dict(zip(self._names(), self.own_units(self.x).tolist(), strict=True))

    def predict(self, data: TableLike, **reading: Unpack[Reading]) -> FloatArray:
        """The model's prediction for each row: a number; for two classes the probability of the second, or w·x + b
        for hinge losses; for more classes a probability for each, shape (rows, classes). NaN where an entry is missing.

        Arguments:
            data: as in `fit`; an array has one column for each feature, in their order. The `na` of the fit marks
                missing entries in any of them.
            reading: `separator`, `decimal`, `encoding`, `header` and further `na` of CSV files, as in `fit`.

        Raises:
            FalllineError: when a column is missing, or an entry is not a finite number or not a known category.
        """
        blocks = [answers for _, answers in self.answers(data, **reading)]
        return np.concatenate(blocks)

    def classify(self, data: TableLike, **reading: Unpack[Reading]) -> npt.NDArray[Any]:
        """The most likely class for each row of `data`; None where an entry is missing.

        Raises:
            FalllineError: when the model has no classes; and as in `predict`.
        """
        if self.preparation.classes is None:
            raise FalllineError(
                problem=f"the model predicts the number {self.preparation.target!r}, no classes", allowed="use predict"
            )
        return self.named(self.predict(data, **reading))

    def answers(self, data: TableLike, **reading: Unpack[Reading]) -> Iterator[tuple[Table, FloatArray]]:
        """The features' columns, block by block, with their predictions."""
        source = open_source(data, names=self.preparation.columns, **reading)
        for column in self.preparation.columns:
            source.require(column, "features")
        empty = True
        for part in range(len(source.parts)):
            for table in source.blocks(part, self.preparation.columns):
                empty = False
                yield table, self.on_inputs(self.preparation.inputs(table.without(self.preparation.na)))
        if empty:
            raise FalllineError(source.name, problem="has columns but no rows")

    def named(self, answers: FloatArray) -> npt.NDArray[Any]:
        """The names of the classes that predictions select."""
        assert self.preparation.classes is not None
        names = np.array([*self.preparation.classes.names, None], dtype=object)
        unknown = np.isnan(answers if answers.ndim == 1 else answers[:, 0])
        return names[np.where(unknown, -1, self._chosen(answers))]

    def score(self, blocks: Iterable[Rows]) -> float:
        """The model's score on blocks of prepared rows, such as `dataset.blocks()`; each row counts once.

        `score_name` names the measure.
        """
        if self.preparation.classes is not None:
            counts = self.confusion(blocks)
            return float(counts.trace() / counts.sum())
        moments, squares = Moments(1), 0.0
        for rows in blocks:
            moments.add(rows.y[:, None])
            squares += float(((rows.y - self.on_inputs(rows.X)) ** 2).sum())
        spread = float(moments.squares[0])
        return 1 - squares / spread if spread else math.nan

    def confusion(self, blocks: Iterable[Rows]) -> npt.NDArray[np.int64]:
        """The confusion matrix: how many rows of each class (one a row) are classified as each (one a column)."""
        assert self.preparation.classes is not None
        count = len(self.preparation.classes.names)
        counts = np.zeros(count * count, np.int64)
        for rows in blocks:
            counts += np.bincount(
                rows.y.astype(np.intp) * count + self._chosen(self.on_inputs(rows.X)), minlength=count**2
            )
        return counts.reshape(count, count)

    @property
    def score_name(self) -> str:
        """ "accuracy", the share of rows classified correctly; or "R²", the share of the variance explained."""
        return "R²" if self.preparation.classes is None else "accuracy"

    def own_units(self, x: FloatArray) -> FloatArray:
        """Parameters for prepared inputs, converted to the features' own units."""
        return self._rescaled(x, Standardization.own_units)

    def standardised(self, x: FloatArray) -> FloatArray:
        """The inverse of `own_units`."""
        return self._rescaled(x, Standardization.standardised)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a JSON file, which `load` and `fallline predict` read.

        Raises:
            FalllineError: when a parameter is not finite, a name is no Unicode, or the file cannot be written; no
                partial file is left.
        """
        if not np.isfinite(self.x).all():
            raise FalllineError("the model", problem="has parameters that are not finite: its fit diverged")
        content = self.content()
        json_text.check_unicode(content)
        with whole_file(path) as draft:
            text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
            draft.write_text(text + "\n", "utf-8")

    def content(self) -> dict[str, Any]:
        """The contents of the model's file."""
        preparation = self.preparation
        settings = {name: encode(getattr(self.loss, name)) for name in setting_names(type(self.loss))}
        return {
            "format": FORMAT,
            "model": self.model,
            "settings": settings,
            "target": preparation.target,
            "classes": None if preparation.classes is None else list(preparation.classes.names),
            "features": [dataclasses.asdict(feature) for feature in preparation.features],
            "standardization": (
                None if preparation.standardization is None else dataclasses.asdict(preparation.standardization)
            ),
            "missing": preparation.missing,
            "na": list(preparation.na),
            "parameters": dict(zip(self.loss.names, self.x.tolist(), strict=True)),
        }

    @classmethod
    def load(cls, path: str | os.PathLike[str], parameter: str = "path") -> FittedModel:
        """Read a model that `save` wrote; `parameter` is the name of the path in error texts.

        Raises:
            FalllineError: when there is no such file, or it is damaged or not a model.
        """
        named = parameter, str(path)
        try:
            with open(path, "rb") as file:
                written = file.read(LARGEST_FILE + 1)  # a device may be endless
            if len(written) > LARGEST_FILE:
                raise FalllineError("it", problem="is too large")
            return cls.from_content(json_text.read(written.decode("utf-8"), finite=True))
        except OSError as error:
            raise FalllineError(*named, problem=f"which cannot be read: {error.strerror}") from None
        except FalllineError as error:
            raise FalllineError(
                *named, problem=f"which is damaged, or not a model saved by Fallline: {error}"
            ) from None
        except (ValueError, RecursionError):  # not UTF-8, not JSON, or nested too deeply
            raise FalllineError(*named, problem="which is damaged, or not a model saved by Fallline") from None

    @classmethod
    def from_content(cls, content: Any) -> FittedModel:
        """The model from the contents of its file.

        Raises:
            FalllineError: when the contents are inconsistent.
        """
        content = _read(content, "the file", dict)
        if content.get("format") != FORMAT:
            raise FalllineError(problem=f"its format is {shortened(content.get('format'))}, not {FORMAT!r}")
        kind = MODELS.get(_part(content, "model", str))
        if kind is None:
            raise FalllineError("there", problem=f"is no model {shortened(content['model'])}")
        features = tuple(_feature(item) for item in _part(content, "features", list))
        classes = _names(content.get("classes"), "classes") if content.get("classes") is not None else None
        scales = content.get("standardization")
        preparation = Preparation(
            features,
            _part(content, "target", str),
            None if classes is None else Classes(classes),
            None if scales is None else _standardization(_read(scales, "standardization", dict)),
            _missing(content.get("missing")),
            na=_marks(content.get("na", [])),
        )
        names = preparation.names
        if not names or len(set(names)) != len(names):
            raise FalllineError(problem="its features are none, or not different")
        if preparation.standardization is not None and len(preparation.standardization.mean) != len(names):
            raise FalllineError(problem="its standardization is not one of its features")
        parameters = _part(content, "parameters", dict)
        settings = {name: _setting(value, len(parameters)) for name, value in _part(content, "settings", dict).items()}
        if set(settings) != set(setting_names(kind)):
            raise FalllineError(problem=f"its settings are {shortened([*settings])}, not {setting_names(kind)}")
        if len(classes or ()) not in _class_counts(kind.target(settings), len(parameters)):
            raise FalllineError(
                problem=f"its classes are {shortened(content.get('classes'))}, which do not fit its model"
            )
        loss = bare_loss(kind, preparation, settings)
        if tuple(parameters) != loss.names:
            raise FalllineError(problem="its parameters are not those of its model and features")
        model = cls(content["model"], loss, preparation, np.array([_number(value) for value in parameters.values()]))
        with np.errstate(over="ignore", invalid="ignore"):
            if not np.isfinite(model.own_units(model.x)).all():
                raise FalllineError(problem="its parameters are not finite in the data's own units")
        return model

    def at(self, x: FloatArray) -> FittedModel:
        """The model with other parameters, for prepared inputs."""
        if x.shape != self.x.shape:
            raise FalllineError("x", problem=f"has the shape {x.shape}, not {self.x.shape}")
        return dataclasses.replace(self, x=x)

    def __eq__(self, other: object) -> bool:
        return self.content() == other.content() if isinstance(other, FittedModel) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def on_inputs(self, X: FloatArray) -> FloatArray:
        """The predictions for prepared inputs, shape (k, features): see `predict`."""
        with np.errstate(over="ignore"):
            return self.loss.predict(X, self.x)

    def _chosen(self, answers: FloatArray) -> npt.NDArray[np.intp]:
        """The index of the class that each prediction selects."""
        if answers.ndim == 2:
            return np.asarray(np.argmax(answers, axis=1))
        return (answers > self.boundary).astype(np.intp)

    @property
    def boundary(self) -> float:
        """The decision threshold of a model of two classes: the probability 1/2, or the margin 0."""
        return float(self.loss.predict(np.zeros((1, self.loss.X.shape[1])), np.zeros(len(self.x)))[0])

    def _names(self) -> tuple[str, ...]:
        features = self.preparation.names
        if isinstance(self.loss, LinearFamily):
            return (*features, "intercept")
        if isinstance(self.loss, Softmax):
            classes = self.loss.classes or ()
            return tuple(f"{name}[{each}]" for each in classes for name in features) + tuple(
                f"intercept[{each}]" for each in classes
            )
        return self.loss.names

    def _rescaled(self, x: FloatArray, way: Callable[[Standardization, FloatArray], FloatArray]) -> FloatArray:
        standardization = self.preparation.standardization
        if standardization is None:
            return x
        # The first layer comes first: the weights of each unit, then their biases.
        inputs = len(self.preparation.names)
        units = sum(one.start == i * inputs for i, one in enumerate(self.loss.filters()))
        first, rest = x[: units * (inputs + 1)], x[units * (inputs + 1) :]
        weights, biases = first[: units * inputs].reshape(units, inputs), first[units * inputs :, None]
        scaled = way(standardization, np.concatenate([weights, biases], axis=1))
        return np.concatenate([scaled[:, :-1].ravel(), scaled[:, -1], rest])


def bare_loss(kind: type[Loss], preparation: Preparation, settings: Mapping[str, Any]) -> Loss:
    """The model on one row of zeros, which is enough for its parameters and predictions.

    Raises:
        FalllineError: when a setting is not one of the model's, or out of range.
    """
    names = preparation.names
    return kind(np.zeros((1, len(names))), [0.0], "mean", names, **settings, **class_names(kind, preparation))


def setting_names(kind: type[Loss]) -> list[str]:
    """The names of a model's settings, except its classes, which come from the target."""
    return [field.name for field in dataclasses.fields(kind) if field.name != "classes"]


def class_names(kind: type[Loss], preparation: Preparation) -> dict[str, Any]:
    """The classes as a keyword of the model, if it takes them."""
    takes = preparation.classes is not None and any(field.name == "classes" for field in dataclasses.fields(kind))
    return {"classes": preparation.classes.names} if takes and preparation.classes else {}


def _part(content: Mapping[str, Any], name: str, kind: type[Part]) -> Part:
    return _read(content.get(name), name, kind)


def _read(value: Any, name: str, kind: type[Part]) -> Part:
    if not isinstance(value, kind):
        raise FalllineError(name, value)
    return value


def _class_counts(target: Target, most: int) -> Sequence[int]:
    """The numbers of classes that a model may have; 0 where its target is numbers."""
    return {"numbers": (0,), "two classes": (2,), "numbers or two classes": (0, 2), "classes": range(2, most + 1)}[
        target
    ]


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise FalllineError(problem=f"{shortened(value)} stands where a number belongs")
    return float(value)


def _names(value: Any, name: str) -> tuple[str, ...]:
    names = tuple(_read(item, name, str) for item in _read(value, name, list))
    if len(names) < 2 or len(set(names)) != len(names):
        raise FalllineError(name, value, "it needs two different names at least")
    return names


def _feature(item: Any) -> Feature:
    parts = _read(item, "a feature", dict)
    name = _part(parts, "name", str)
    fill = parts.get("fill")
    if parts.get("categories") is None:
        return Feature(name, None, None if fill is None else _number(fill))
    categories = _names(parts["categories"], "categories")
    if fill is not None and fill not in categories:
        raise FalllineError(problem=f"the fill of {name!r} is {shortened(fill)}, which is none of its categories")
    return Feature(name, categories, fill)


def _standardization(parts: dict[str, Any]) -> Standardization:
    mean, scale = (tuple(map(_number, _part(parts, name, list))) for name in ("mean", "scale"))
    if len(mean) != len(scale):
        raise FalllineError(problem=f"its standardization has {len(mean)} means and {len(scale)} scales")
    for center, width in zip(mean, scale, strict=True):
        # Divided by a smaller number, an entry of 1 is infinite.
        if not (width >= sys.float_info.min and abs(center) <= width * sys.float_info.max):
            raise FalllineError(problem=f"its standardization has the mean {center:g} and the scale {width:g}")
    return Standardization(mean, scale)


def _missing(value: Any) -> Missing:
    check_choice("missing", value, get_args(Missing))
    return cast(Missing, value)


def _marks(value: Any) -> tuple[str, ...]:
    """The marks of missing entries, which files of earlier versions do not have."""
    return tuple(_read(item, "na", str) for item in _read(value, "na", list))


def _setting(value: Any, parameters: int) -> Any:
    """A setting from a model's file, checked to need no more units than the file has parameters."""
    if isinstance(value, list):
        widths = tuple(_number(item) for item in value)
        if not all(width == int(width) and 0 < width <= parameters for width in widths):
            raise FalllineError(problem=f"a setting is {shortened(value)}")
        return tuple(map(int, widths))
    if value is None or isinstance(value, str):
        return value
    return _number(value)
