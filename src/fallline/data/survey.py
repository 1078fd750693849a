"""The first pass over data: find what the columns hold, and decide how to prepare them for a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args
from zlib import crc32

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.data.classes import Classes, class_texts
from fallline.data.dataset import Dataset, Split
from fallline.data.entries import as_text, is_missing
from fallline.data.likeness import Likeness
from fallline.data.preparation import Feature, Missing, Preparation, missing_at, weights_in
from fallline.data.source import Source
from fallline.data.standardization import Moments, Standardization
from fallline.data.table import Table
from fallline.errors import FalllineError, Setting, Verbatim, nearest
from fallline.machine_code.threads import made
from fallline.tables import Printed

Constant = Literal["refuse", "drop"]

# The values of `categories`, besides a list of columns.
CATEGORIES = ("refuse", "one-hot")

# A column with more different texts than this holds names or remarks, not categories.
MOST_CATEGORIES = 1000


@dataclass(frozen=True, repr=False)
class Survey(Printed):
    """The result of the first pass.

    Attributes:
        training: the rows to fit on.
        held_out: the rows to score on; None if none are held out.
        notes: what was done to the data, one sentence each.
    """

    training: Dataset
    held_out: Dataset | None
    notes: tuple[str, ...]


def survey(
    source: Source,
    features: Sequence[str],
    target: str,
    *,
    classes: bool | None = None,
    categories: str | Sequence[str] = "refuse",
    missing: Missing = "refuse",
    constant: Constant = "refuse",
    standardize: bool = True,
    split: Split | None = None,
    weights: str | None = None,
    report: Callable[[int], object] = bool,
) -> Survey:
    """Read the data once, and decide how they become inputs and targets.

    Means, scales and fills are computed from the training rows only, each counted as often as its weight says.

    Arguments:
        source: the data.
        features: the columns to predict from.
        target: the column to predict.
        classes: whether the target holds classes; None: it does if it holds texts.
        categories: what to do with columns of texts: "refuse", "one-hot" (a feature for each category except the
            first, the baseline), or the names of the columns, of texts or numbers, to encode as one-hot.
        missing: what to do with rows in which an entry is missing: "refuse", "drop" them, or "mean": fill in the
            column's mean or its most frequent category. A missing target is never filled in.
        constant: whether to "refuse" or "drop" columns that are the same in every row.
        standardize: whether to put the features on a common scale.
        split: which rows are held out; None: none.
        weights: the column of the rows' weights; None: each counts once.
        report: called with the number of parts of the source that have been read, for a progress bar.

    Raises:
        FalllineError: naming the row and the column of a wrong entry.

    >>> from fallline.data.source import open_source
    >>> found = survey(open_source({"age": [20, 40], "ill": ["no", "yes"]}), ["age"], "ill")
    >>> found.training.preparation.standardization
    Standardization
    mean   (30.0,)
    scale  (10.0,)
    """
    check_choice("missing", missing, get_args(Missing))
    check_choice("constant", constant, get_args(Constant))
    first = _Pass(_columns(source, features, categories), target, classes, missing, weights)
    fitted, held = _rows_kept(first, source, split, report)
    _check_rows(first, source, split, sum(fitted), sum(held))
    preparation, notes = first.preparation(source, constant, standardize)
    if first.dropped:
        notes.append(f"{first.dropped} of {first.rows} rows are left out, because an entry is missing")
    training = Dataset(source, preparation, fitted, split, held_out=False, checksum=first.checksum)
    held_out = Dataset(source, preparation, held, split, held_out=True, checksum=first.checksum)
    return Survey(training, None if split is None else held_out, tuple(notes))


def _rows_kept(
    first: _Pass, source: Source, split: Split | None, report: Callable[[int], object]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Make the pass over the source; return the numbers of training rows and of held-out rows in each part."""
    names = list(dict.fromkeys([*(column.name for column in first.columns), first.target, *first.weight_columns]))
    counts = np.zeros((2, len(source.parts)), np.int64)
    for part in range(len(source.parts)):
        for number, table in enumerate(source.blocks(part, names)):
            held = np.zeros(table.rows, bool) if split is None else split.held_out((part, number), table.rows)
            kept = first.take(table, ~held)
            counts[:, part] += (kept & ~held).sum(), (kept & held).sum()
        report(part + 1)
    fitted, held_out = counts.tolist()
    return tuple(fitted), tuple(held_out)


def _check_rows(first: _Pass, source: Source, split: Split | None, training: int, held_out: int) -> None:
    """Raise a FalllineError if no row is left to fit on, or none to score on."""
    if not first.rows:
        raise FalllineError(source.name, problem="has columns but no rows")
    if not training:
        others = "" if split is None else f", and {held_out} are held out"
        raise FalllineError(
            source.name, problem=f"has no row to fit to: {first.dropped} of {first.rows} lack an entry{others}"
        )
    if split is not None and not held_out:
        raise FalllineError(
            "holdout",
            Verbatim(f"{split.share:g}"),
            "hold out more, or none",
            problem=f"which is no row of {first.rows}",
        )
    if not first.weight:
        raise FalllineError("sample_weight", problem="is 0 for every row to fit to", allowed="some row must count")


def check_choice(name: str, choice: object, allowed: Sequence[str]) -> None:
    """Check that a word is one of those allowed.

    Raises:
        FalllineError: naming the parameter and the nearest word.
    """
    if choice not in allowed:
        raise FalllineError(name, choice, nearest(str(choice), allowed))


def _columns(source: Source, features: Sequence[str], categories: str | Sequence[str]) -> list[_Column]:
    if isinstance(categories, str):
        check_choice("categories", categories, CATEGORIES)
        asked: Sequence[str] = ()
    elif not isinstance(categories, Sequence):
        raise FalllineError("categories", categories, f"allowed: {', '.join(CATEGORIES)}, or the names of columns")
    else:
        asked = [str(name) for name in categories]
        for name in asked:
            source.require(name, "categories")
            if name not in features:
                raise FalllineError(
                    "categories", problem=f"has {name!r}, which is not among the features", allowed="leave it out"
                )
    return [_Column(name, True if name in asked else None, categories == "one-hot") for name in features]


class Categories(NamedTuple):
    """The entries of a column of categories.

    Attributes:
        names: the category of each different text; None where that marks a missing entry.
        numbers: which of them each row holds.
    """

    names: list[str | None]
    numbers: npt.NDArray[np.intp]


class _Column:
    """What the pass has found so far about a feature column."""

    def __init__(self, name: str, is_text: bool | None, may_be_text: bool) -> None:
        self.name = name
        # Whether it holds categories; None until an entry that is not missing has been seen.
        self.is_text = is_text
        self.may_be_text = may_be_text
        self.moments = Moments(1)
        # The weight of the training rows in each category; 0 for a category that only held-out rows have.
        self.counts: dict[str, float] = {}
        self.gaps = 0
        self.weight_of_gaps = 0.0
        self.likeness = Likeness()

    def read(self, table: Table) -> FloatArray | Categories:
        """The entries as numbers or categories."""
        if self.is_text is None:
            found = table.is_text(self.name, "features")
            self.is_text = found if self.may_be_text else None if found is None else False
        if not self.is_text:
            are_texts = table.is_text(self.name) and not self.may_be_text
            instead = (", or ", Setting("categories", "one-hot")) if are_texts else ()
            return table.numbers(self.name, "features", missing=True, instead=instead)
        different, numbers = table.coded(self.name, "features")
        return Categories([None if is_missing(entry) else as_text(entry) for entry in different], numbers)

    def take(
        self,
        entries: FloatArray | Categories,
        fitted: BoolArray,
        weights: FloatArray | None,
        random: FloatArray,
    ) -> None:
        """Add the entries of the training rows, each as often as its weight says; `random` is for `Likeness`."""
        if isinstance(entries, np.ndarray):
            every = bool(fitted.all())
            used = entries if every else entries[fitted]
            self.moments.add(used[:, None], weights if weights is None or every else weights[fitted])
            self.gaps += int(np.isnan(used).sum())
            self.likeness.add(entries, random)
            return
        counted = fitted.astype(float) if weights is None else fitted * weights
        used, weighed = (np.bincount(entries.numbers, of, len(entries.names)).tolist() for of in (fitted, counted))
        for text, count, weight in zip(entries.names, used, weighed, strict=True):
            if text is not None:
                self.counts[text] = self.counts.get(text, 0.0) + weight
            else:
                self.gaps += int(count)
                self.weight_of_gaps += weight
        if len(self.counts) > MOST_CATEGORIES:
            raise FalllineError(
                problem=f"feature {self.name!r} has more than {MOST_CATEGORIES} different texts",
                allowed="leave it out of the features",
            )
        numbers = {text: number for number, text in enumerate(self.counts)}
        own = np.array([np.nan if text is None else numbers[text] for text in entries.names])
        self.likeness.add(own[entries.numbers], random)

    def like(self) -> tuple[float, ...]:
        """What two columns share if one is a copy of the other, or of numbers, a copy on another scale."""
        if self.is_text:
            return (float(len(self.counts)), *self.likeness.seen)
        return (self.likeness.on_scale(float(self.moments.mean[0]), float(self.moments.squares[0])),)

    def feature(self, fills: bool) -> Feature:
        """The column as a feature of the model."""
        fill: float | str | None = None
        if not self.is_text:
            if fills and self.moments.count[0]:
                fill = float(self.moments.mean[0])
            return Feature(self.name, None, fill)
        if fills:
            fill = max(sorted(self.counts), key=self.counts.__getitem__)
        return Feature(self.name, tuple(sorted(self.counts)), fill)

    def constant(self) -> str | None:
        """The value of the column if it is the same in every training row; None if it varies."""
        if self.is_text:
            present = [category for category, count in self.counts.items() if count]
            return repr(present[0]) if len(present) == 1 else None
        low, high = float(self.moments.low[0]), float(self.moments.high[0])
        if not self.moments.count[0]:
            return "missing"
        return f"{low:g}" if low == high else None

    def scale(self, feature: Feature, rows: float) -> list[tuple[float, float]]:
        """Mean and standard deviation of each of its features over rows of this weight, with gaps filled in."""
        if feature.categories is None:
            return [(float(self.moments.mean[0]), float(np.sqrt(self.moments.squares[0] / rows)))]
        filled = {feature.fill: self.weight_of_gaps}
        shares = [(self.counts[name] + filled.get(name, 0)) / rows for name in feature.categories[1:]]
        # A category that only held-out rows have is 0 in all training rows: not scaled, its weight stays at the start.
        return [(share, np.sqrt(share * (1 - share)) if 0 < share < 1 else 1.0) for share in shares]


def _gaps(entries: FloatArray | Categories) -> BoolArray:
    """The mask of missing entries."""
    if isinstance(entries, Categories):
        return np.array([name is None for name in entries.names], bool)[entries.numbers]
    return np.isnan(entries)


def _copies(columns: Sequence[_Column]) -> list[str]:
    """A note on each column that repeats another."""
    notes = []
    known: dict[tuple[float, ...], _Column] = {}
    for column in columns:
        # Ten digits: further ones are rounding where the scale differs, and other columns do not share as many.
        first = known.setdefault(tuple(float(f"{number:.10g}") for number in column.like()), column)
        if first is not column:
            same = column.is_text or column.likeness.seen == first.likeness.seen
            how = f"repeats {first.name!r}" if same else f"is {first.name!r} on another scale"
            notes.append(
                f"feature {column.name!r} {how}: how their effect is shared between their weights is arbitrary, so "
                "leave one out"
            )
    return notes


class _Pass:
    """What the pass has found so far."""

    def __init__(
        self, columns: list[_Column], target: str, classes: bool | None, missing: Missing, weights: str | None
    ) -> None:
        self.columns = columns
        self.target = target
        self.classes = classes
        self.missing = missing
        self.weight_columns = () if weights is None else (weights,)
        # The weight of the training rows.
        self.weight = 0.0
        self.texts: set[str] = set()
        self.rows = 0
        self.dropped = 0
        self.checksum = 0

    def take(self, table: Table, fitted: BoolArray) -> BoolArray:
        """Add a block of rows, of which `fitted` masks the training rows; return the mask of the rows kept."""
        if self.classes is None:
            self.classes = table.is_text(self.target, "target")
        entries = made(lambda column: column.read(table), self.columns)
        target_missing = self._target_missing(table)
        lacking = target_missing.copy()
        for column, read in zip(self.columns, entries, strict=True):
            gaps = _gaps(read)
            if self.missing != "mean":
                lacking |= gaps
            if self.missing == "refuse" and gaps.any():
                raise missing_at(table, int(np.argmax(gaps)), column.name, is_target=False)
        if self.missing != "drop" and target_missing.any():
            raise missing_at(table, int(np.argmax(target_missing)), self.target, is_target=True)
        of_rows = [weights_in(table, name) for name in self.weight_columns]
        weights = of_rows[0] if of_rows else None
        fitted = fitted & ~lacking
        random = fitted * np.random.default_rng(self.rows).normal(size=table.rows)
        self.weight += float(fitted.sum() if weights is None else weights[fitted].sum())
        taken = list(zip(self.columns, entries, strict=True))
        made(lambda one: one[0].take(one[1], fitted, weights, random), taken)
        if self.classes:
            self.texts |= class_texts(table, self.target)
        target = table.numeric(self.target, "target")
        for held in (*entries, table.coded(self.target, "target") if target is None else target, *of_rows):
            names, numbers = ([], held) if isinstance(held, np.ndarray) else held
            self.checksum = crc32(repr(names).encode(), crc32(np.ascontiguousarray(numbers).data, self.checksum))
        self.rows += table.rows
        self.dropped += int(lacking.sum())
        return ~lacking

    def _target_missing(self, table: Table) -> BoolArray:
        if self.classes and table.numeric(self.target, "target") is None:
            return table.each(self.target, "target", is_missing, bool)
        return np.isnan(table.numbers(self.target, "target", missing=True))

    def preparation(self, source: Source, constant: Constant, standardize: bool) -> tuple[Preparation, list[str]]:
        notes = []
        features, scales = [], []
        for column in self.columns:
            same = column.constant()
            if same is not None and constant == "refuse":
                raise FalllineError(
                    problem=f"feature {column.name!r} is {same} in every row",
                    allowed=(
                        "a constant cannot be told from the intercept: leave it out of the features, or ",
                        Setting("constant", "drop"),
                    ),
                )
            if same is None:
                feature = column.feature(self.missing == "mean")
                features.append(feature)
                scales += column.scale(feature, self.weight)
                if column.gaps:
                    notes.append(f"feature {column.name!r}: {column.gaps} missing entries became {feature.fill}")
                if feature.categories is not None:
                    notes.append(f"feature {column.name!r}: its category {feature.categories[0]!r} is the baseline")
                elif not 0 < scales[-1][1] < np.inf:
                    low, high = column.moments.low[0], column.moments.high[0]
                    raise FalllineError(
                        problem=f"feature {column.name!r} reaches from {low:g} to {high:g}, "
                        "which cannot be standardised in float64",
                        allowed="rescale it",
                    )
        dropped = [column.name for column in self.columns if column.constant() is not None]
        if dropped:
            notes.append(f"left out, because they are constant: {', '.join(dropped)}")
        if not features:
            raise FalllineError("features", problem=f"is empty: every column of {source.name} is constant")
        mean, scale = zip(*scales, strict=True)
        return (
            Preparation(
                tuple(features),
                self.target,
                Classes.of(self.texts) if self.classes else None,
                Standardization(mean, scale) if standardize else None,
                self.missing,
                self.weight_columns[0] if self.weight_columns else None,
                source.na,
            ),
            notes + _copies([column for column in self.columns if column.name not in dropped]),
        )
