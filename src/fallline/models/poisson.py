"""Poisson regression: counts whose log-mean is linear."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from fallline.arrays import FloatArray
from fallline.models.linear_family import LinearFamily


class Poisson(LinearFamily):
    """The mean count exp(w·x + b) with the loss exp(z) - y z of each row, z = w·x + b.

    That is the negative log-likelihood without log(y!), which does not depend on the parameters. Nelder and
    Wedderburn (1972), Generalized linear models. Its curvature has no bound, so no fixed rate is safe everywhere. A
    mean that overflows is infinite.

    Arguments are those of `Loss`; targets are counts, or other numbers that are not negative.

    >>> loss = Poisson([0.0, 1.0], [1, 2])
    >>> loss.value(np.array([np.log(2), 0.0]))
    array(0.8069)
    """

    model = "Poisson loss of a log-linear model"
    convex: ClassVar[bool] = True

    def check_targets(self) -> None:
        self.refuse_row(self.y < 0, "the counts of a Poisson model are not negative")

    def response(self, z: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            mean: FloatArray = np.exp(z)
        return mean

    def pointwise(self, z: FloatArray, y: FloatArray) -> FloatArray:
        return self.response(z) - y * z

    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        return self.response(z) - y
