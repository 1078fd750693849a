"""Mini-batches of data larger than memory: read during the run, shuffled within a window."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np

from fallline.data.rows import Rows
from fallline.models.batches import Batches, EpochValue, Order, Remainder
from fallline.models.rows import OverRows

# The numbers of X in a shuffling window: 32 MiB.
WINDOW = 2**22


class StreamedBatches(Batches):
    """The batches of a loss whose data are read from files in every epoch; made by `Loss.batches`.

    "sequential" takes the rows in their own order. "shuffled" reads the parts of the data (the row groups of Parquet
    files, whole CSV files) in a new random order each epoch and shuffles the rows within a window of 32 MiB or of one
    batch, if that is more. Both depend only on the seed and the epoch.
    """

    def __init__(
        self,
        loss: OverRows,
        size: int,
        order: Order,
        remainder: Remainder,
        epoch_value: EpochValue = "full",
    ) -> None:
        super().__init__(loss, size, order, remainder, epoch_value)
        # The epoch being read (seed, number), the number of its next batch, the batches to come, and the last one read.
        self._epoch: tuple[int, int] | None = None
        self._next = 0
        self._coming: Generator[Rows] | None = None
        self._last: OverRows | None = None

    def at_step(self, step: int, seed: int) -> OverRows:
        epoch, batch = divmod(step - 1, self.steps_per_epoch)
        if self._epoch != (seed, epoch) or batch < self._next - 1:
            self.close()
            self._epoch, self._next, self._coming = (seed, epoch), 0, self._read(seed, epoch)
        # A run that resumes in the middle of an epoch skips the batches before.
        while self._coming is not None and self._next <= batch:
            rows = self.loss.weighed(next(self._coming))
            self._last = self.loss.on_part(rows.X, rows.y, rows.weights)
            self._next += 1
        assert self._last is not None
        return self._last

    def close(self) -> None:
        """Stop reading; the next step opens the data again."""
        if self._coming is not None:
            self._coming.close()
        self._epoch = self._coming = None

    def _read(self, seed: int, epoch: int) -> Generator[Rows]:
        """The batches of an epoch in order."""
        dataset = self.loss.dataset
        assert dataset is not None
        random = np.random.default_rng([seed, epoch]) if self.order == "shuffled" else None
        parts = len(dataset.counts)
        blocks = dataset.blocks(range(parts) if random is None else random.permutation(parts).tolist())
        try:
            for window in self._windows(blocks):
                order = np.arange(len(window)) if random is None else random.permutation(len(window))
                for start in range(0, len(window), self.size):
                    yield window[order[start : start + self.size]]
        finally:
            blocks.close()

    def _windows(self, blocks: Iterator[Rows]) -> Iterator[Rows]:
        """The rows in windows of a whole number of batches, except for the last."""
        waiting: list[Rows] = []
        count = 0
        for block in blocks:
            waiting.append(block)
            count += len(block)
            if count < max(self.size, WINDOW // block.X.shape[1]):
                continue
            rows = Rows.joined(waiting)
            whole = count - count % self.size
            yield rows[:whole]
            waiting, count = [rows[whole:]], count - whole
        if count:
            yield Rows.joined(waiting)
