"""A sample of the rows of a loss: the best constant prediction, what the features tell, and what a point explains."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fallline.arrays import FloatArray
from fallline.data.rows import Rows
from fallline.models import Hinge, LinearFamily, Loss, Network, SquaredHinge
from fallline.models.summing import dense

# The most rows of a sample, and the most numbers.
ROWS, NUMBERS = 1000, 2**22
# The most features of a least-squares fit, and the most rows of which the neighbours are sought.
MOST_FEATURES, MOST_NEIGHBOURLY = 100, 400
# The number of neighbours whose mean predicts a row.
NEIGHBOURS = 5
# So few rows, if no two are alike, can be learnt by heart.
BY_HEART = 10
# The constant prediction of a linear model is sought on so many rows: its loss errs by the square of its own error.
CONSTANT_ROWS = 2**14


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows drawn from a loss, and what is measured on them, each once.

    Attributes:
        loss: the loss on all rows, without batches.
        rows: the rows drawn, dense; of a loss on files, those of its first block.
    """

    loss: Loss
    rows: Rows

    @classmethod
    def of(cls, loss: Loss, most: int = ROWS) -> Sample:
        """At most so many rows of a loss that count, in their order.

        >>> import fallline
        >>> len(Sample.of(fallline.models.Linear(np.arange(9.0), np.arange(9.0)), most=5).rows)
        5
        """
        counted = np.arange(len(loss.y)) if loss.weights is None else np.flatnonzero(loss.weights)
        most = max(1, min(most, NUMBERS // loss.X.shape[1]))
        if len(counted) > most:
            counted = counted[np.sort(np.random.default_rng(0).choice(len(counted), most, replace=False))]
        some = Rows(loss.X, loss.y, loss.weights)[counted]
        return cls(loss, Rows(np.asarray(dense(some.X), np.float64), some.y, some.weights))

    @property
    def weights(self) -> FloatArray:
        """The weights of the rows, shape (m,); their sum is 1."""
        weights = np.ones(len(self.rows)) if self.rows.weights is None else self.rows.weights
        return np.asarray(weights / weights.sum())

    @cached_property
    def targets(self) -> FloatArray:
        """What is predicted, shape (m, outputs): numbers, or 1 for the class of a row and 0 for the others."""
        if isinstance(self.loss, Hinge | SquaredHinge):
            return np.asarray(2.0 * self.loss.class_numbers(self.rows.y)[:, None] - 1)
        if isinstance(self.loss, LinearFamily) or not self.loss.class_labels():
            return self.rows.y[:, None]
        return np.asarray(np.eye(len(self.loss.class_labels()))[self.rows.y.astype(int)])

    def predictions(self, x: FloatArray) -> FloatArray:
        """The predictions of the model with parameters x, in the shape of `targets`."""
        with np.errstate(all="ignore"):
            found = self.loss.predict(self.rows.X, x)
        if isinstance(self.loss, Hinge | SquaredHinge):
            found = np.clip(found, -1, 1)
        return found.reshape(len(self.rows), -1)

    def explained(self, x: FloatArray) -> float:
        """The share of the targets' variance that the model with parameters x explains; NaN if they do not vary."""
        return self.share(self.predictions(x))

    def share(self, predictions: FloatArray) -> float:
        """The share of the targets' variance that predictions explain, below 0 if they are worse than the mean."""
        targets, weights = self.targets, self.weights
        with np.errstate(all="ignore"):
            left = weights @ ((targets - predictions) ** 2).sum(axis=1)
            varied = weights @ ((targets - weights @ targets) ** 2).sum(axis=1)
            # Equal targets differ from their mean by its rounding.
            rounding = 1e-24 * (weights @ np.square(targets).sum(axis=1))
        if not varied > min(rounding, 1e300):
            return np.nan
        return float(1 - left / varied) if np.isfinite(left) else -np.inf

    @cached_property
    def told(self) -> float:
        """A share of the targets' variance that the features tell at least, by two predictions of rows left out.

        Neither is fitted by descent: least squares, and the mean of the nearest rows.
        """
        return max(self.told_by_a_line, self._told_by_neighbours)

    @property
    def attainable(self) -> float:
        """The part of it that the model can learn: a linear one, what a line tells."""
        return self.told if isinstance(self.loss, Network) and self.loss.hidden else self.told_by_a_line

    def shortfall(self, x: FloatArray) -> float:
        """By how much the share of the variance that x explains is below the attainable one."""
        return self.attainable - self.explained(x)

    @cached_property
    def _standardised(self) -> FloatArray:
        """The features that vary, with mean 0 and deviation 1; those of infinite deviation are left out."""
        with np.errstate(all="ignore"):
            X = self.rows.X - self.rows.X.mean(axis=0)
            deviations = X.std(axis=0)
        varied = (deviations > 0) & np.isfinite(deviations)
        return np.asarray(X[:, varied] / deviations[varied])

    @cached_property
    def told_by_a_line(self) -> float:
        """The share of the targets' variance that least squares predicts of rows left out; 0 for too many features."""
        X = self._standardised
        if not 0 < X.shape[1] <= min(MOST_FEATURES, len(X) // 3):
            return 0.0
        weights = self.weights[:, None]
        A = np.column_stack([X, np.ones(len(X))])
        scales, axes = np.linalg.eigh(A.T @ (weights * A))
        kept = scales > 1e-10 * scales[-1]
        # In orthonormal columns Q the fit is Q Qᵀ y, and the residual of a row left out is r / (1 - h), h the diagonal
        # of Q Qᵀ: Allen (1974), the prediction sum of squares.
        Q = A @ (axes[:, kept] / np.sqrt(scales[kept]))
        errors = self.targets - Q @ (Q.T @ (weights * self.targets))
        errors /= np.maximum(1 - weights * (Q**2).sum(axis=1, keepdims=True), 1e-6)
        return max(0.0, self.share(self.targets - errors))

    @cached_property
    def _told_by_neighbours(self) -> float:
        X, count = self._standardised, len(self.rows)
        if not X.shape[1]:
            return 0.0
        if count <= BY_HEART:
            return float(len(np.unique(X, axis=0)) == count)
        some = slice(None, None, -(-count // MOST_NEIGHBOURLY))
        X, targets = X[some], self.targets[some]
        squares = (X**2).sum(axis=1)
        distances = squares[:, None] + squares - 2 * X @ X.T
        np.fill_diagonal(distances, np.inf)
        nearest = np.argpartition(distances, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        return max(0.0, Sample(self.loss, self.rows[some]).share(targets[nearest].mean(axis=1)))

    @cached_property
    def baseline(self) -> float:
        """The loss of the best prediction that is the same for every row, without the penalty."""
        loss = self.loss
        weights = np.ones(len(loss.y)) if loss.weights is None else loss.weights
        whole = loss.rows * loss.mean_weight if loss.reduction == "sum" else 1.0
        if isinstance(loss, LinearFamily):
            z = best_constant(loss, weights)
            with np.errstate(all="ignore"):
                errors = loss.pointwise(np.full(len(loss.y), z), loss.y)
            return float(np.average(errors, weights=weights)) * whole
        if not loss.class_labels():
            return 0.5 * float(np.cov(loss.y, aweights=weights, ddof=0)) * whole
        counts = np.bincount(loss.y.astype(int), weights)
        shares = counts[counts > 0] / counts.sum()
        return -float(shares @ np.log(shares)) * whole


def best_constant(loss: LinearFamily, weights: FloatArray) -> float:
    """The z, the same for every row, at which the loss is least: where its slope changes its sign, by bisection.

    >>> import fallline
    >>> loss = fallline.models.Logistic([1.0, 2.0, 3.0, 4.0], [0, 0, 0, 1])
    >>> bool(np.isclose(best_constant(loss, np.ones(4)), -np.log(3)))
    True
    """
    some = np.random.default_rng(0).permutation(len(loss.y))[:CONSTANT_ROWS]
    y, weights = loss.y[some], weights[some]
    low, high = min(-40.0, float(y.min())), max(40.0, float(y.max()))
    with np.errstate(all="ignore"):
        for _ in range(64):
            middle = (low + high) / 2
            if weights @ loss.slope(np.full(len(y), middle), y) > 0:
                high = middle
            else:
                low = middle
    return (low + high) / 2
