"""What is measured of a run on data: a sample of its rows, and the layers of a network."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fallline.diagnosis.finding import CannotCheck
from fallline.diagnosis.known import Known

# Models are not imported for a run on a formula, which they would make slow to start.
if TYPE_CHECKING:
    from fallline.diagnosis.layers import Layers
    from fallline.diagnosis.sample import Sample

# The rows of a sample: as many as this part of those that the run evaluated, since networks are measured on them at
# several places, or as few numbers as take milliseconds; never fewer than this.
SAMPLED_PART, SAMPLED_NUMBERS, FEWEST_ROWS = 0.005, 4e6, 16
# The number of rows of the run at which a network is measured.
PLACES = 8


class MeasuredData(Known):
    """The data and the model of a run, each part measured once."""

    @cached_property
    def sample(self) -> Sample:
        """Rows of the data, as many as the cost of the run allows for."""
        from fallline.diagnosis.sample import ROWS, Sample

        data = self.data
        most = max(SAMPLED_PART * self.rows_evaluated, SAMPLED_NUMBERS / data.dimension, FEWEST_ROWS)
        return Sample.of(data, int(min(most, ROWS)))

    @cached_property
    def rows(self) -> npt.NDArray[np.intp]:
        """The rows of the run at which layers are measured: the first, the last finite one, and some between."""
        finite = np.flatnonzero(np.isfinite(self.run.x).all(axis=1))
        if not finite.size:
            raise CannotCheck("a finite point")
        places = np.unique(np.geomspace(1, len(finite), PLACES).round().astype(int)) - 1
        return np.asarray(finite[places])

    @cached_property
    def layers(self) -> list[Layers]:
        """The layers of the network at each of `rows`."""
        from fallline.diagnosis.layers import layers_at

        network, some = self.network, self.sample.rows
        return [layers_at(network, some, x) for x in self.run.x[self.rows]]

    @cached_property
    def shortfall(self) -> float:
        """By how much the share of the targets' variance explained at the end is below the attainable one."""
        return self.sample.shortfall(self.run.final.x)
