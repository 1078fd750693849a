"""Preparation of columns for a model: numbers, one-hot categories, filled gaps, standardization, labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.data.classes import Classes
from fallline.data.entries import MARKED, as_text, is_missing
from fallline.data.standardization import Standardization
from fallline.data.table import Table
from fallline.errors import FalllineError, Setting
from fallline.machine_code.threads import made, share
from fallline.tables import Printed

Missing = Literal["refuse", "drop", "mean"]

# The numbers in a piece of rows that stays in the cache.
CACHED = 2**16


@dataclass(frozen=True)
class Feature:
    """A column that a model predicts from.

    Attributes:
        name: the column.
        categories: for a column of categories, all of them in order; the first is the baseline, each further one has
            a feature that is 1 in its rows and 0 elsewhere. None for a column of numbers.
        fill: the number or category that replaces a missing entry; None if missing entries are not replaced.

    >>> Feature("colour", ("blue", "red"), None).names
    ('colour=red',)
    """

    name: str
    categories: tuple[str, ...] | None = None
    fill: float | str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the model's features made of the column."""
        return (self.name,) if self.categories is None else tuple(f"{self.name}={c}" for c in self.categories[1:])

    def entries(self, table: Table) -> npt.NDArray[Any]:
        """The column as numbers, NaN where one is missing, or as the numbers of its categories, there -1.

        Raises:
            FalllineError: naming the row whose entry is not a finite number, or not one of the categories.
        """
        if self.categories is None:
            return table.numbers(self.name, "features", missing=True)
        return category_numbers(table, self.name, self._known)

    def write(self, entries: npt.NDArray[Any], into: FloatArray) -> None:
        """Write some `entries` into X, one column for each of `names`; what is missing and not filled is NaN."""
        if self.categories is None:
            into[:, 0] = entries
            if self.fill is not None:
                into[np.isnan(entries), 0] = self.fill
            return
        if self.fill is not None:
            entries = np.where(entries < 0, self._known[str(self.fill)], entries)
        into[:] = entries[:, None] == np.arange(1, len(self.categories))
        into[entries < 0] = np.nan

    @property
    def _known(self) -> dict[str, int]:
        """The number of each category."""
        return {category: number for number, category in enumerate(self.categories or ())}


@dataclass(frozen=True, repr=False)
class Preparation(Printed):
    """Turns the columns of a table into a model's inputs and targets.

    Attributes:
        features: the columns to predict from.
        target: the column that is predicted.
        classes: the classes of the target; None if it holds numbers.
        standardization: the standardization of the inputs; None if they are left as they are.
        missing: what to do with rows in which an entry is missing: see `survey`.
        weights: the column that says how often each row counts; None: each counts once.
        na: the texts that marked a missing entry, besides blanks and the like.

    >>> preparation = Preparation((Feature("age", fill=40.0),), "ill", Classes(("no", "yes")), None, "mean")
    >>> table = Table("data", {"age": np.array([30.0, np.nan]), "ill": np.array(["yes", "no"], dtype=object)})
    >>> preparation.inputs(table), preparation.targets(table)
    (array([[30.],
           [40.]]), array([1., 0.]))
    """

    features: tuple[Feature, ...]
    target: str
    classes: Classes | None
    standardization: Standardization | None
    missing: Missing
    weights: str | None = None
    na: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the features are made of."""
        return tuple(feature.name for feature in self.features)

    @property
    def needed(self) -> tuple[str, ...]:
        """All columns that are read: those of the features, the target, and the weights."""
        others = (self.target,) if self.weights is None else (self.target, self.weights)
        return tuple(dict.fromkeys((*self.columns, *others)))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features, in the order of the columns of X."""
        return tuple(name for feature in self.features for name in feature.names)

    def inputs(self, table: Table) -> FloatArray:
        """X of all rows of a table, shape (rows, features); a row to be dropped contains NaN.

        Raises:
            FalllineError: naming the row and the column of an entry that does not fit, or is missing.
        """
        entries = made(lambda feature: feature.entries(table), self.features)
        ends = np.cumsum([len(feature.names) for feature in self.features]).tolist()
        X = np.empty((table.rows, ends[-1]))
        gaps = np.zeros(table.rows, bool)
        # Piece by piece, such that a piece stays in the cache while all its columns are written.
        size = max(1, CACHED // ends[-1])

        def write(number: int) -> None:
            rows = slice(number * size, (number + 1) * size)
            for feature, column, end in zip(self.features, entries, ends, strict=True):
                feature.write(column[rows], X[rows, end - len(feature.names) : end])
            gaps[rows] = incomplete(X[rows])
            if self.standardization is not None:
                self.standardization.apply(X[rows], out=X[rows])

        share(write, -(-table.rows // size))
        if self.missing != "drop" and gaps.any():
            row = int(np.argmax(gaps))
            name = next(name for name in self.columns if is_missing(table.columns[name][row]))
            raise missing_at(table, row, name, is_target=False)
        return X

    def targets(self, table: Table) -> FloatArray:
        """y of all rows of a table, shape (rows,): numbers, or the labels of the classes; NaN where missing.

        Raises:
            FalllineError: naming the row of an entry that does not fit.
        """
        if self.classes is not None:
            return self.classes.labels(table, self.target)
        return table.numbers(self.target, "target", missing=True)

    def row_weights(self, table: Table) -> FloatArray | None:
        """How often each row of a table counts, shape (rows,); None: once."""
        return None if self.weights is None else weights_in(table, self.weights)


def weights_in(table: Table, column: str) -> FloatArray:
    """The weights of the rows of a table.

    Raises:
        FalllineError: naming the row whose weight is not a number, or negative.
    """
    weights = table.numbers(column, "sample_weight")
    if (weights < 0).any():
        row = int(np.argmax(weights < 0))
        raise table.error_at(row, column, f"is {weights[row]:g}", "a row's weight is at least 0")
    return weights


def incomplete(X: FloatArray) -> BoolArray:
    """The mask of the rows of X that contain NaN; X must otherwise be finite."""
    # In one pass, and without the threads of a matrix product: a NaN is the only entry whose product with 0 is not 0.
    return np.asarray(np.isnan(np.einsum("ij,j->i", X, np.zeros(X.shape[1]))))


def missing_at(table: Table, row: int, name: str, is_target: bool) -> FalllineError:
    """The error that names a missing entry and the ways to deal with it."""
    fault = "is missing" + MARKED.get(as_text(table.columns[name][row]), "")
    if is_target:
        return table.error_at(row, name, fault, "every row needs a target, or ", Setting("missing", "drop"))
    drop, fill = Setting("missing", "drop"), Setting("missing", "mean")
    return table.error_at(row, name, fault, "only finite numbers are allowed, or ", drop, " or ", fill)


def category_numbers(table: Table, column: str, known: dict[str, int]) -> npt.NDArray[np.int64]:
    """The number of each row's category; -1 where the entry is missing.

    Raises:
        FalllineError: naming the row whose entry is not one of them.
    """
    numbers = table.each(column, "features", lambda entry: known.get(as_text(entry), -1), np.int64)
    unknown = (numbers < 0) & ~table.each(column, "features", is_missing, bool)
    if unknown.any():
        row = int(np.argmax(unknown))
        text = as_text(table.columns[column][row])
        raise table.error_at(row, column, f"is {text!r}, which is none of the categories {_listed(tuple(known))}")
    return numbers


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:8]) + (", ..." if len(words) > 8 else "")
