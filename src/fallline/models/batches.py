"""Mini-batches: the rows of data that each step of a stochastic run uses."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest
from fallline.models.rows import OverRows
from fallline.models.slices import Sliceable

Order = Literal["sequential", "shuffled"]
Remainder = Literal["keep", "drop"]
EpochValue = Literal["full", "running"]
ORDERS = ("sequential", "shuffled")
REMAINDERS = ("keep", "drop")
EPOCH_VALUES = ("full", "running")


class Batches(Sliceable):
    """A loss whose gradient, at each step, is that of one batch of rows; made by `Loss.batches`.

    Value and gradient of this object itself are over all rows; `at_step` gives the loss on a batch. A mean
    is then the mean over the rows of that batch.
    """

    of_data: ClassVar[bool] = True
    stochastic: ClassVar[bool] = True
    gradient_kind = "exact"

    loss: OverRows
    size: int
    order: Order
    remainder: Remainder

    def __init__(
        self,
        loss: OverRows,
        size: int,
        order: Order,
        remainder: Remainder,
        epoch_value: EpochValue = "full",
    ) -> None:
        if isinstance(size, bool) or not isinstance(size, Integral) or not 1 <= size <= loss.rows:
            raise FalllineError("batch_size", size, f"allowed: whole numbers from 1 to {loss.rows}, the rows")
        if order not in ORDERS:
            raise FalllineError("order", order, nearest(str(order), ORDERS))
        if remainder not in REMAINDERS:
            raise FalllineError("remainder", remainder, nearest(str(remainder), REMAINDERS))
        if epoch_value not in EPOCH_VALUES:
            raise FalllineError("epoch_value", epoch_value, nearest(str(epoch_value), EPOCH_VALUES))
        self.loss = loss
        self.size = int(size)
        self.order = order
        self.remainder = remainder
        self.epoch_value = epoch_value
        self.names = loss.names
        whole, left_over = divmod(loss.rows, self.size)
        self.steps_per_epoch = whole + (1 if left_over and remainder == "keep" else 0)
        # The last shuffle: its (seed, epoch), and the order of the rows in it.
        self._shuffle: tuple[tuple[int, int], npt.NDArray[np.intp]] | None = None

    @property
    def seeded(self) -> bool:
        # The order of the rows in a batch of all only rounds its sums differently.
        return self.order == "shuffled" and self.size < self.loss.rows

    @property
    def title(self) -> str:
        return f"{self.loss.title}, {self.order} batches of {self.size}"

    def value(self, x: FloatArray) -> FloatArray:
        return self.loss.value(x)

    def gradient(self, x: FloatArray) -> FloatArray:
        return self.loss.gradient(x)

    def value_and_gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self.loss.value_and_gradient(x)

    def at_step(self, step: int, seed: int) -> OverRows:
        """The loss on the batch of a step (counted from 1), determined by the step and the seed."""
        return self.loss.on_rows(self.rows_at(step, seed))

    def rows_at(self, step: int, seed: int) -> slice | npt.NDArray[np.intp]:
        """The rows of the batch of a step (counted from 1)."""
        epoch, batch = divmod(step - 1, self.steps_per_epoch)
        rows = slice(batch * self.size, (batch + 1) * self.size)
        return self._shuffled(seed, epoch)[rows] if self.order == "shuffled" else rows

    def epoch_values(self, steps: npt.NDArray[np.int64], values: FloatArray) -> FloatArray:
        """One value for each whole epoch of a run: that at its end, or for "running" the mean over its steps.

        Arguments:
            steps, values: `trajectory.steps` and `trajectory.value`.

        Raises:
            FalllineError: when the run did not record the steps that are needed.

        >>> from fallline import GradientDescent, minimize
        >>> from fallline.models import Linear
        >>> batches = Linear([1.0, 1.0], [0.0, 2.0]).batches(1, epoch_value="running")
        >>> run = minimize(batches, [0.0, 0.0], GradientDescent(0.5), max_steps=2)
        >>> batches.epoch_values(run.steps, run.value)
        array([1.])
        """
        every, running = self.steps_per_epoch, self.epoch_value == "running"
        epochs = int(steps[-1]) // every
        needed = np.arange(epochs * every) if running else every * np.arange(1, epochs + 1)
        found = np.searchsorted(steps, needed)
        if not np.array_equal(steps[found], needed):
            raise FalllineError(
                "steps",
                problem=f"lacks some of those that the {self.epoch_value} value of an epoch is made of",
                allowed=f"record {'all of them' if running else f'every {every} steps'}",
            )
        of_each: FloatArray = values[found].reshape(epochs, every if running else 1).mean(axis=1)
        return of_each

    def _shuffled(self, seed: int, epoch: int) -> npt.NDArray[np.intp]:
        if self._shuffle is None or self._shuffle[0] != (seed, epoch):
            permutation = np.random.default_rng([seed, epoch]).permutation(self.loss.rows)
            self._shuffle = (seed, epoch), permutation
        return self._shuffle[1]

    def recipe(self) -> dict[str, Any] | None:
        """What is needed to rebuild these batches (see `loss_from_recipe`), with their data; None when it is large."""
        loss = self.loss.recipe()
        if loss is None:
            return None
        return {
            "type": "Batches",
            "loss": loss,
            "size": self.size,
            "order": self.order,
            "remainder": self.remainder,
            "epoch_value": self.epoch_value,
        }
