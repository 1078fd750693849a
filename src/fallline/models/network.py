"""A fully connected network, and the gradient of its loss by backpropagation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, check_whole, nearest
from fallline.models.activations import ACTIVATIONS
from fallline.models.base import Loss, Target
from fallline.models.classes import check_labels, labels_of
from fallline.models.cross_entropy import cross_entropy, cross_entropy_slope, softmax
from fallline.models.summing import one_a_row

LOSSES = {"cross_entropy": "softmax cross-entropy", "squared": "squared loss"}
INITIAL = ("xavier", "he")

# Each parameter has a name; this many names take a gigabyte.
MOST_PARAMETERS = 10_000_000


class Layer(NamedTuple):
    """The weights W (units, inputs) and biases b (units) of a layer z = W a + b; stacked for k points."""

    W: FloatArray
    b: FloatArray


class Pass(NamedTuple):
    """The result of a forward pass: the inputs a₀ = Xᵀ (d, m), a₁, ... of the layers, and z of the last one.

    Each has the shape (k, units, m), so that an operation on a unit runs along contiguous rows. `hidden` holds the z of
    the other layers, or their activations where the slope does not need z.
    """

    a: list[FloatArray]
    hidden: list[FloatArray]
    z: FloatArray


@dataclass(init=False, eq=False, repr=False)
class Network(Loss):
    """Layers z = W a + b, a = φ(z) between inputs and outputs, under cross-entropy or the squared loss.

    Rumelhart, Hinton and Williams (1986), Learning representations by back-propagating errors. The parameters
    are W1 (row by row), b1, W2, b2, ...; W1[2,3] leads from input 3 to unit 2 of layer 1. Start from `initial`:
    from zero, all units of a layer would stay the same.

    Arguments are those of `Loss`, and
        hidden: how many units each hidden layer has; () for none.
        activation: φ of the hidden units: "sigmoid", "tanh", "relu", "leaky_relu" or "gelu".
        loss: "cross_entropy": -log of the softmax at the row's class, targets are whole numbers or texts;
            "squared": ½ (z - y)² of the one output, targets are numbers.
        classes: the classes in the order of the labels 0, 1, 2, ...; if not given, those in y, sorted.

    >>> import fallline
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> network = Network(X, y, hidden=(4,), activation="tanh")
    >>> run = fallline.minimize(network, network.initial(seed=1), fallline.Adam(0.05), max_steps=500)
    >>> network.predict(np.array(X), run.final.x).argmax(axis=1)
    array([0, 1, 1, 0])
    """

    hidden: Sequence[int] = (16,)
    activation: str = "relu"
    loss: str = "cross_entropy"
    classes: Sequence[str] | None = None

    @property
    def model(self) -> str:  # type: ignore[override]
        shape = "-".join(str(width) for width in self.widths)
        return f"{LOSSES[self.loss]} of a {shape} network of {self.activation} units"

    def check_settings(self) -> None:
        if self.activation not in tuple(ACTIVATIONS):
            raise FalllineError("activation", self.activation, nearest(str(self.activation), ACTIVATIONS))
        if self.loss not in tuple(LOSSES):
            raise FalllineError("loss", self.loss, nearest(str(self.loss), LOSSES))
        widths = np.atleast_1d(np.asarray(self.hidden))
        if widths.ndim != 1 or (widths.size and (widths.dtype.kind not in "iu" or widths.min() < 1)):
            raise FalllineError("hidden", self.hidden, "it must be whole numbers of units, at least 1")
        self.hidden = tuple(widths.tolist())

    @classmethod
    def target(cls, settings: Mapping[str, Any]) -> Target:
        return "numbers" if settings.get("loss", cls.loss) == "squared" else "classes"

    def encoded(self, y: npt.ArrayLike) -> npt.ArrayLike:
        if self.loss != "cross_entropy":
            return y
        self.classes, labels = labels_of(y, self.classes)
        return labels

    def check_targets(self) -> None:
        if self.loss == "cross_entropy":
            check_labels(self, self.class_labels())
        elif self.classes is not None:
            raise FalllineError(
                "classes", problem="is given, but the squared loss has none", allowed="use loss='cross_entropy'"
            )

    def class_labels(self) -> tuple[str, ...]:
        return tuple(self.classes or ())

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of features, of the units of each hidden layer, and of outputs."""
        return (self.X.shape[1], *self.hidden, 1 if self.classes is None else len(self.classes))

    @property
    def outputs(self) -> int:
        # Both a and z of every layer are kept for the backward pass.
        return 2 * sum(self.widths[1:])

    def parameter_names(self) -> tuple[str, ...]:
        count = sum(units * (inputs + 1) for inputs, units in pairwise(self.widths))
        if count > MOST_PARAMETERS:
            raise FalllineError(
                "hidden",
                self.hidden,
                f"allowed are at most {MOST_PARAMETERS:,}",
                problem=f"which makes {count:,} parameters",
            )
        names: list[str] = []
        for layer, (inputs, units) in enumerate(pairwise(self.widths), start=1):
            names += [f"W{layer}[{unit},{i}]" for unit in range(1, units + 1) for i in range(1, inputs + 1)]
            names += [f"b{layer}[{unit}]" for unit in range(1, units + 1)]
        return tuple(names)

    def filters(self) -> tuple[slice, ...]:
        filters, place = [], 0
        for inputs, units in pairwise(self.widths):
            filters += [slice(place + unit * inputs, place + (unit + 1) * inputs) for unit in range(units)]
            place += units * (inputs + 1)
        return tuple(filters)

    def layers(self, x: FloatArray) -> list[Layer]:
        """The weights and biases of each layer: x (..., dimension) to W (..., units, inputs) and b (..., units)."""
        layers, place = [], 0
        for inputs, units in pairwise(self.widths):
            weights, biases = x[..., place : place + units * inputs], x[..., place + units * inputs :][..., :units]
            layers.append(Layer(weights.reshape(*x.shape[:-1], units, inputs), biases))
            place += units * (inputs + 1)
        return layers

    def flat(self, layers: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]]) -> FloatArray:
        """The point with these weights and biases, such as those of another library: the inverse of `layers`.

        Arguments:
            layers: W (units, inputs) and b (units) of each layer.

        Raises:
            FalllineError: naming the layer whose shape is wrong.

        >>> Network([1.0, 2.0], [3.0, 4.0], hidden=(), loss="squared").flat([([[5.0]], [6.0])])
        array([5., 6.])
        """
        shapes = [(units, inputs) for inputs, units in pairwise(self.widths)]
        if len(layers) != len(shapes):
            raise FalllineError(
                "layers",
                problem=f"holds {len(layers)}",
                allowed=f"a network of the widths {self.widths} has {len(shapes)}",
            )
        flat: list[FloatArray] = []
        for number, ((weights, biases), shape) in enumerate(zip(layers, shapes, strict=True), start=1):
            W, b = np.asarray(weights, dtype=float), np.asarray(biases, dtype=float)
            if W.shape != shape or b.shape != shape[:1]:
                raise FalllineError(
                    problem=f"layers: W{number} and b{number} have the shapes {W.shape} and {b.shape}",
                    allowed=f"they must have {shape} and {shape[:1]}",
                )
            flat += [W.ravel(), b]
        return np.concatenate(flat)

    def initial(self, seed: int = 0, scheme: str | None = None) -> FloatArray:
        """A starting point: random weights that preserve the variance from layer to layer, and biases of 0.

        Arguments:
            seed: the seed of the random weights.
            scheme: "xavier": uniform within ±√(6 / (inputs + units)), Glorot and Bengio (2010); "he": normal of
                variance 2 / inputs, He and others (2015). If not given: "he" for rectifying units, else "xavier".

        >>> Network([1.0, 2.0], [0, 1], hidden=(3,)).initial(seed=1).shape
        (14,)
        """
        if scheme is None:
            scheme = "he" if ACTIVATIONS[self.activation].rectifies else "xavier"
        check_whole("seed", seed, least=0)
        if scheme not in INITIAL:
            raise FalllineError("scheme", scheme, nearest(str(scheme), INITIAL))
        random = np.random.default_rng(seed)
        layers = []
        for inputs, units in pairwise(self.widths):
            limit = math.sqrt(6 / (inputs + units))
            W = (
                random.uniform(-limit, limit, (units, inputs))
                if scheme == "xavier"
                else random.normal(0.0, math.sqrt(2 / inputs), (units, inputs))
            )
            layers.append((W, np.zeros(units)))
        return self.flat(layers)

    def forward(self, points: FloatArray, X: FloatArray) -> Pass:
        activation = ACTIVATIONS[self.activation]
        a: list[FloatArray] = [X.T]
        hidden: list[FloatArray] = []
        *inner, last = self.layers(points)
        for layer in inner:
            z = _summed(layer, a[-1])
            a.append(activation.value(z))
            hidden.append(z if activation.needs_z else a[-1])
        return Pass(a, hidden, _summed(last, a[-1]))

    def errors(self, forward: Pass, y: FloatArray) -> FloatArray:
        if self.loss == "cross_entropy":
            return cross_entropy(forward.z.swapaxes(0, 1), y)
        half_square: FloatArray = 0.5 * (forward.z[:, 0] - y) ** 2
        return half_square

    def backward(
        self, points: FloatArray, forward: Pass, X: FloatArray, y: FloatArray, weights: FloatArray | None = None
    ) -> FloatArray:
        # δ is ∂ℓ/∂z of the current layer. z = W a + b, so ∂ℓ/∂W = δ aᵀ and ∂ℓ/∂b = δ, summed over the rows; and
        # a = φ(z) of the layer before, so its δ is (Wᵀ δ) φ'(z).
        if self.loss == "cross_entropy":
            # Contiguous: matmul's order of summation depends on the strides, and these on the number of points.
            delta = cross_entropy_slope(forward.z.swapaxes(0, 1), y).swapaxes(0, 1).copy()
        else:
            delta = forward.z - y
        if weights is not None:
            delta = delta * weights
        slopes: list[FloatArray] = []
        layers = self.layers(points)
        for number in reversed(range(len(layers))):
            to_weights = np.matmul(delta, forward.a[number].swapaxes(-1, -2))
            slopes[:0] = [to_weights.reshape(len(points), -1), delta.sum(axis=-1)]
            if number:
                delta = np.matmul(layers[number].W.swapaxes(1, 2), delta)
                delta *= ACTIVATIONS[self.activation].slope(forward.hidden[number - 1], forward.a[number])
        return np.concatenate(slopes, axis=-1)

    def predict(self, X: FloatArray, x: FloatArray) -> FloatArray:
        """The class probabilities (m, classes), or outputs (m,), for other rows X (m, d) and parameters x."""
        z = self.forward(one_a_row(x), X).z[0]
        return softmax(z.T) if self.loss == "cross_entropy" else z[0]


def _summed(layer: Layer, a: FloatArray) -> FloatArray:
    """The z of a layer: W a + b."""
    z: FloatArray = np.matmul(layer.W, a)
    z += layer.b[..., None]
    return z
