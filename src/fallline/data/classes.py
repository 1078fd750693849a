"""The classes of a target, and their labels as integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.data.entries import as_text, is_missing, is_number
from fallline.data.table import Table
from fallline.errors import FalllineError
from fallline.tables import Printed

# Pairs of texts, compared without regard to case, of which the second is class 1.
NO_YES = (("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("off", "on"))

# A target with more different values than this is not a column of classes.
MOST_CLASSES = 1000


@dataclass(frozen=True, repr=False)
class Classes(Printed):
    """The classes of a target in their order: class k is the label k.

    Numbers are sorted by value and texts alphabetically, except that yes comes after no, true after false, and so on.

    >>> classes = Classes.of({"yes", "No"})
    >>> classes.names
    ('no', 'yes')
    >>> classes.labels(Table("data", {"ill": np.array(["YES", "no"], dtype=object)}), "ill")
    array([1., 0.])
    """

    names: tuple[str, ...]

    @classmethod
    def of(cls, texts: set[str]) -> Classes:
        """The classes with these names."""
        lower = {text.lower() for text in texts}
        pair = next((pair for pair in NO_YES if lower == set(pair)), None)
        if pair is not None:
            return cls(pair)
        if all(map(is_number, texts)):
            return cls(tuple(as_text(key) for key in sorted(set(map(float, texts)))))
        return cls(tuple(sorted(texts)))

    def labels(self, table: Table, column: str) -> FloatArray:
        """The label of each row's class, as float64; NaN where the entry is missing.

        Raises:
            FalllineError: naming the row whose entry is not one of the classes.
        """
        numbers = table.numeric(column, "target")
        if numbers is not None and self.are_numbers:
            keys = np.array(self.names, np.float64)
            places = np.minimum(np.searchsorted(keys, numbers), len(keys) - 1)
            labels = np.where(keys[places] == numbers, places.astype(np.float64), np.nan)
        else:
            known = {self._key(name): number for number, name in enumerate(self.names)}
            labels = table.each(column, "target", lambda entry: known.get(self._key(entry), np.nan), np.float64)
        for row in np.flatnonzero(np.isnan(labels)).tolist():
            entry = table.columns[column][row]
            if not is_missing(entry):
                text = as_text(entry)
                raise table.error_at(row, column, f"is {text!r}, which is none of the classes {', '.join(self.names)}")
        return labels

    def named(self, entry: Any) -> str:
        """The name of the class that an entry stands for; its own text where it is none of them."""
        names = {self._key(name): name for name in self.names}
        return names.get(self._key(entry), as_text(entry))

    @property
    def are_numbers(self) -> bool:
        """Whether the classes are numbers, so that 1 and 1.0 are the same."""
        return all(map(is_number, self.names))

    def _key(self, entry: Any) -> Any:
        if self.are_numbers:
            return float(entry) if is_number(entry) else None
        text = as_text(entry)
        return text.lower() if self.names in NO_YES else text


def class_texts(table: Table, column: str) -> set[str]:
    """The different entries of a column as texts, without missing ones.

    Raises:
        FalllineError: when one is infinite, or there are too many different ones for classes.
    """
    numbers = table.numeric(column, "target")
    different = table.coded(column, "target")[0] if numbers is None else np.unique(numbers).tolist()
    texts = {as_text(entry) for entry in different if not is_missing(entry)}
    for text in texts:
        if is_number(text) and not np.isfinite(float(text)):
            row = [as_text(entry) for entry in table.columns[column].tolist()].index(text)
            raise table.error_at(row, column, f"is {text}", "only finite numbers are allowed")
    if len(texts) > MOST_CLASSES:
        raise FalllineError(
            "target",
            column,
            "a model of classes needs fewer",
            problem=f"which holds more than {MOST_CLASSES} different values in {table.source}",
        )
    return texts
