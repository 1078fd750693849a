"""Checks and conversions of a loss's data: inputs, targets and the names of the features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.data import number_array
from fallline.errors import FalllineError


def inputs_of(X: Any) -> Any:
    """X as an array of shape (n, d), float64 or float32, or as a CSR matrix.

    Raises:
        FalllineError: when it is empty, has another shape, or holds something that is not a finite number.
    """
    if hasattr(X, "tocsr"):
        return _csr(X.tocsr())
    single = isinstance(X, np.ndarray) and X.dtype == np.float32 and bool(np.isfinite(X).all())
    inputs = X if single else number_array(X, "X")
    if inputs.ndim == 1:
        inputs = inputs[:, None]
    check_shape(inputs)
    return inputs


def _csr(X: Any) -> Any:
    check_shape(X)
    if X.dtype not in (np.float32, np.float64):
        X = X.astype(np.float64)
    wrong = ~np.isfinite(X.data)
    if wrong.any():
        entry = int(np.argmax(wrong))
        row = int(np.searchsorted(X.indptr, entry, side="right")) - 1
        raise FalllineError(
            problem=f"X[{row}, {X.indices[entry]}] is {X.data[entry]}", allowed="only finite numbers are allowed"
        )
    return X


def check_shape(X: Any) -> None:
    """Raise a FalllineError unless X is a matrix with at least one row and one column."""
    if X.ndim != 2 or 0 in X.shape:
        raise FalllineError(
            "X", problem=f"has the shape {X.shape}", allowed="it needs rows of features, at least one of each"
        )


def targets_of(y: npt.ArrayLike, rows: int) -> FloatArray:
    """y as an array of float64, shape (rows,).

    Raises:
        FalllineError: when it has another shape, or holds something that is not a finite number.
    """
    targets = number_array(y, "y")
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    if targets.ndim != 1:
        raise FalllineError(
            "y", problem=f"has the shape {targets.shape}", allowed="it needs one number for each row of X"
        )
    if len(targets) != rows:
        raise FalllineError(
            "y", problem=f"has {len(targets)} values, but X has {rows} rows", allowed="each row needs one target"
        )
    return targets


def feature_names_of(names: Sequence[str] | None, features: int) -> tuple[str, ...] | None:
    """The names as texts.

    Raises:
        FalllineError: when there is not one name for each feature, or two are the same.
    """
    if names is None:
        return None
    texts = tuple(str(name) for name in names)
    if isinstance(names, str) or len(texts) != features or len(set(texts)) != features:
        raise FalllineError("feature_names", names, f"it needs {features} different names, one for each column of X")
    return texts
