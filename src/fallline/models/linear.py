"""Linear regression: the squared loss; with `l2` ridge regression, with an L1 penalty the lasso."""

from __future__ import annotations

from typing import ClassVar

from fallline.arrays import FloatArray
from fallline.models.linear_family import LinearFamily


class Linear(LinearFamily):
    """w·x + b with the loss ½ (w·x + b - y)² of each row.

    Legendre (1805), Gauss (1809), least squares; with `l2`: Hoerl and Kennard (1970), ridge regression; under a
    proximal rule with `l1_penalty`: Tibshirani (1996), the lasso.

    The mean over the rows is half the mean squared error: torch's MSELoss is twice that, scikit-learn's SGDRegressor
    has the same ½. So the gradient of one row is (w·x + b - y) x, without a factor 2.

    Arguments are those of `Loss`.

    >>> import fallline
    >>> loss = Linear([0.0, 1.0, 2.0], [1.0, 3.0, 5.0])
    >>> fallline.minimize(loss, [0.0, 0.0], fallline.LBFGS()).final.x
    array([2., 1.])
    """

    model = "squared loss of a linear model"
    curvature: ClassVar[float] = 1.0
    convex: ClassVar[bool] = True

    def response(self, z: FloatArray) -> FloatArray:
        return z

    def pointwise(self, z: FloatArray, y: FloatArray) -> FloatArray:
        half_square: FloatArray = 0.5 * (z - y) ** 2
        return half_square

    def slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        return z - y
