"""Wrappers: rules around an inner rule, which change its gradient or its step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

import numpy as np

from fallline.arrays import FloatArray, Quantity
from fallline.errors import FalllineError, Verbatim
from fallline.hyperparameters import hyperparameter
from fallline.optimizers.base import WRAPPERS, LearningRate, Optimizer
from fallline.optimizers.noise import standard_normal
from fallline.registry import Registry
from fallline.state import with_x


class Around(Protocol):
    """The state of a wrapper."""

    @property
    def inner(self) -> Any:
        """The state of the inner rule."""


State = TypeVar("State", bound=Around)


@dataclass(frozen=True)
class Wrapper(Optimizer[State]):
    """The base class of wrappers; their learning rate is the inner rule's.

    Attributes:
        changes_step: whether the step made differs from the inner rule's.
        rule: the inner rule.
    """

    table: ClassVar[Registry[Any]] = WRAPPERS
    changes_step: ClassVar[bool] = False
    told: ClassVar[tuple[str, ...]] = ()

    learning_rate: LearningRate = field(init=False, repr=False)
    rule: Optimizer[Any]

    def __post_init__(self) -> None:
        if not isinstance(self.rule, Optimizer):
            raise FalllineError("rule", self.rule, "it must be a rule such as Adam(0.1)", of=type(self).__name__)
        if self.changes_step and self.rule.learns_from_step:
            raise FalllineError(
                "rule",
                Verbatim(self.rule.label),
                f"{type(self).__name__} would make others of them",
                problem="which learns from the steps it asks for",
                of=type(self).__name__,
            )
        object.__setattr__(self, "learning_rate", self.rule.learning_rate)
        object.__setattr__(self, "elementwise", self.elementwise and self.rule.elementwise)
        super().__post_init__()

    def lookahead(self, x: Quantity, state: State) -> Quantity:
        return self.rule.lookahead(x, state.inner)

    def unbalanced(self, x: FloatArray, gradient: FloatArray, near: FloatArray) -> FloatArray:
        return self.rule.unbalanced(x, gradient, near)

    def check_starts(self, x: FloatArray) -> None:
        self.rule.check_starts(x)

    def projected_gradient(self, x: Quantity, gradient: Quantity) -> Quantity:
        return self.rule.projected_gradient(x, gradient)


class InnerState(NamedTuple):
    """The state of the inner rule."""

    inner: Any


class PlacedState(NamedTuple):
    """The state of the inner rule and the point."""

    inner: Any
    x: Quantity


@dataclass(frozen=True)
class ClipValue(Wrapper[InnerState]):
    r"""Any rule, with each partial derivative clipped: g ← min(max(g, −c), c).

    Mikolov (2012), Statistical language models based on neural networks.

    >>> import fallline
    >>> rule = ClipValue(fallline.GradientDescent(0.5), limit=1.0)
    >>> fallline.minimize("x**2", 2.0, rule, max_steps=2).x.ravel()
    array([2. , 1.5, 1. ])
    """

    name: ClassVar[str] = "clip_value"
    called: ClassVar[str] = "slope clipping"
    told: ClassVar[tuple[str, ...]] = ("limit",)
    conventions = {
        "paper": "each slope is held between -limit and limit",
        "torch": "as the paper",
        "keras": "as the paper",
        "optax": "as the paper",
    }

    limit: float = hyperparameter(1.0, about="the largest slope", symbol="c", above=0)

    def init(self, x: Quantity) -> InnerState:
        return InnerState(self.rule.init(x))

    def update(
        self, gradient: Quantity, state: InnerState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, InnerState]:
        clipped = np.minimum(np.maximum(gradient, -self.limit), self.limit)
        change, inner = self.rule.update(clipped, state.inner, rate, step)
        return change, InnerState(inner)


@dataclass(frozen=True)
class ClipNorm(Wrapper[InnerState]):
    r"""Any rule, with the gradient's norm limited and its direction kept: g ← c g / max(‖g‖, c).

    Pascanu, Mikolov and Bengio (2013), On the difficulty of training recurrent neural networks. The norm is
    that of all coordinates together, called the global norm by the libraries. Torch adds 10⁻⁶ to it, so that a
    clipped gradient is slightly shorter than c: g ← g min(1, c / (‖g‖ + 10⁻⁶)).

    >>> import fallline
    >>> rule = ClipNorm(fallline.GradientDescent(0.5), limit=5.0)
    >>> fallline.minimize("3*x + 4*y", [0, 0], rule, max_steps=1).final.x
    array([-1.5, -2. ])
    >>> fallline.minimize("6*x + 8*y", [0, 0], rule, max_steps=1).final.x
    array([-1.5, -2. ])
    """

    name: ClassVar[str] = "clip_norm"
    called: ClassVar[str] = "norm clipping"
    told: ClassVar[tuple[str, ...]] = ("limit",)
    conventions = {
        "paper": "a norm above limit becomes limit",
        "torch": "1e-6 is added to the norm",
        "keras": "as the paper",
        "optax": "as the paper",
    }
    elementwise: ClassVar[bool] = False

    limit: float = hyperparameter(1.0, about="the largest norm", symbol="c", above=0)

    def init(self, x: Quantity) -> InnerState:
        return InnerState(self.rule.init(x))

    def update(
        self, gradient: Quantity, state: InnerState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, InnerState]:
        norm = np.linalg.norm(gradient, axis=-1, keepdims=True)
        if self.convention == "torch":
            clipped = gradient * np.minimum(self.limit / (norm + 1e-6), 1)
        else:
            clipped = gradient / np.maximum(norm / self.limit, 1)
        change, inner = self.rule.update(clipped, state.inner, rate, step)
        return change, InnerState(inner)


@dataclass(frozen=True)
class WeightDecay(Wrapper[PlacedState]):
    r"""Any rule, with x multiplied by 1 − λ in each step: x ← x − Δ − λ x, Δ the rule's change.

    Loshchilov and Hutter (2019), Decoupled weight decay regularization. Their decay is not multiplied by the
    learning rate, only by the multiplier of their schedule, which is 1 here. All libraries multiply it by the
    learning rate, x ← x − Δ − η λ x, so that their λ must be 1 / η times as large for the same decay.

    >>> import fallline
    >>> rule = WeightDecay(fallline.GradientDescent(0.5), decay=0.5, convention="torch")
    >>> fallline.minimize("x", 4.0, rule, max_steps=1).x.ravel()
    array([4. , 2.5])
    """

    name: ClassVar[str] = "weight_decay"
    called: ClassVar[str] = "weight decay"
    told: ClassVar[tuple[str, ...]] = ("decay",)
    changes_step: ClassVar[bool] = True
    conventions = {
        "paper": "the decay is not multiplied by the rate",
        "torch": "the decay is multiplied by the rate",
        "keras": "as torch",
        "optax": "as torch",
    }

    decay: float = hyperparameter(
        1e-5,
        about="how much of x is taken off",
        symbol=r"\lambda",
        at_least=0,
        defaults={"torch": 0.01, "keras": 0.01, "optax": 0.01},
    )

    def init(self, x: Quantity) -> PlacedState:
        return PlacedState(self.rule.init(x), x)

    def update(
        self, gradient: Quantity, state: PlacedState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, PlacedState]:
        change, inner = self.rule.update(gradient, state.inner, rate, step)
        decay = self.decay if self.convention == "paper" else rate * self.decay
        change = change + decay * state.x
        x = state.x - change
        return change, PlacedState(with_x(inner, x), x)


@dataclass(frozen=True)
class CoupledWeightDecay(Wrapper[PlacedState]):
    r"""Any rule, with the gradient of a penalty λ/2 ‖x‖² added to its gradient: g ← g + λ x.

    Hanson and Pratt (1988), Comparing biases for minimal network construction with back-propagation. In gradient
    descent it is the libraries' decoupled decay; a rule that rescales its gradient rescales this part with it.
    The penalty's slope is taken where the rule wants its gradient. Keras has no such option.

    >>> import fallline
    >>> rule = CoupledWeightDecay(fallline.GradientDescent(0.5), decay=0.5)
    >>> fallline.minimize("x", 4.0, rule, max_steps=1).x.ravel()
    array([4. , 2.5])
    """

    name: ClassVar[str] = "coupled_weight_decay"
    called: ClassVar[str] = "coupled weight decay"
    told: ClassVar[tuple[str, ...]] = ("decay",)
    conventions = {
        "paper": "the penalty's slope is added to the gradient",
        "torch": "as the paper",
        "optax": "as the paper",
    }

    decay: float = hyperparameter(0.01, about="weight of the penalty", symbol=r"\lambda", at_least=0)

    def init(self, x: Quantity) -> PlacedState:
        return PlacedState(self.rule.init(x), x)

    def update(
        self, gradient: Quantity, state: PlacedState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, PlacedState]:
        penalised = gradient + self.decay * self.rule.lookahead(state.x, state.inner)
        change, inner = self.rule.update(penalised, state.inner, rate, step)
        return change, PlacedState(inner, state.x - change)


class NoiseState(NamedTuple):
    """The index of each coordinate, which determines its noise, and the state of the inner rule."""

    coordinate: Quantity
    inner: Any


@dataclass(frozen=True)
class GradientNoise(Wrapper[NoiseState]):
    r"""Any rule, with normal noise of falling variance added to the gradient: g ← g + σ_t ξ, σ_t² = s / t^γ.

    Around gradient descent this is noisy SGD.

    Neelakantan, Vilnis, Le, Sutskever, Kaiser, Kurach and Martens (2015), Adding gradient noise improves learning
    for very deep networks, where t counts from 0 and is raised by 1. Their s is 0.01, 0.3 or 1.

    The noise ξ depends only on the seed, the step and the index of the coordinate: every run with the same seed has
    the same noise, alone or in a batch. `optax.noisy_sgd` has the same variance but other random numbers.

    >>> import fallline
    >>> rule = GradientNoise(fallline.GradientDescent(0.1), seed=3)
    >>> once, again = (fallline.minimize("x**2", 1.0, rule, max_steps=9).final.x for _ in range(2))
    >>> once == again
    array([ True])
    """

    name: ClassVar[str] = "gradient_noise"
    called: ClassVar[str] = "gradient noise"
    told: ClassVar[tuple[str, ...]] = ("variance",)
    # Coordinates are independent, but each one's noise depends on its index.
    elementwise: ClassVar[bool] = False

    variance: float = hyperparameter(0.01, about="variance in the first step", symbol="s", at_least=0)
    power: float = hyperparameter(0.55, about="how fast the variance falls", symbol=r"\gamma", at_least=0)
    seed: int = hyperparameter(0, about="seed of the noise", at_least=0, at_most=2**53, whole=True)

    def init(self, x: Quantity) -> NoiseState:
        return NoiseState(np.cumsum(0 * x + 1, axis=-1), self.rule.init(x))

    def update(
        self, gradient: Quantity, state: NoiseState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, NoiseState]:
        deviation = np.sqrt(self.variance / step**self.power)
        noisy = gradient + deviation * standard_normal(self.seed, step, state.coordinate)
        change, inner = self.rule.update(noisy, state.inner, rate, step)
        return change, NoiseState(state.coordinate, inner)


@dataclass(frozen=True)
class Cautious(Wrapper[PlacedState]):
    r"""Any rule, without the components of its step that ascend: Δ ← α φ Δ, φ = 1 where Δ g > 0, else 0.

    The other components are multiplied by α = n / (Σφ + 1), with n coordinates, so that the step keeps about its
    length.

    Liang, Chen, Liu and Liu (2024), Cautious optimizers: improving training with one line of code. The
    authors' code has α = 1 / max(Σφ / n, f) with f = 10⁻³ instead.

    >>> import fallline
    >>> rule = Cautious(fallline.GradientDescent(0.5), convention="authors")
    >>> fallline.minimize("x**2 + y", [1.0, 1.0], rule, max_steps=1).final.x
    array([0. , 0.5])
    """

    name: ClassVar[str] = "cautious"
    called: ClassVar[str] = "cautious"
    changes_step: ClassVar[bool] = True
    conventions = {
        "paper": "the step is lengthened by n / (n₊ + 1), n₊ of n coordinates staying",
        "authors": "the step is lengthened by n / n₊, or 1 / floor where that is less",
    }
    elementwise: ClassVar[bool] = False

    floor: float = hyperparameter(
        1e-3,
        about="least share of coordinates that is reckoned with, in the convention authors",
        symbol="f",
        above=0,
        at_most=1,
    )

    def init(self, x: Quantity) -> PlacedState:
        return PlacedState(self.rule.init(x), x)

    def update(
        self, gradient: Quantity, state: PlacedState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, PlacedState]:
        change, inner = self.rule.update(gradient, state.inner, rate, step)
        mask = np.where(change * gradient > 0, 1 + 0 * change, 0 * change)
        coordinates = np.sum(1 + 0 * change, axis=-1, keepdims=True)
        staying = np.sum(mask, axis=-1, keepdims=True)
        if self.convention == "authors":
            longer = 1 / np.maximum(staying / coordinates, self.floor)
        else:
            longer = coordinates / (staying + 1)
        change = longer * mask * change
        x = state.x - change
        return change, PlacedState(with_x(inner, x), x)


class LookaheadState(NamedTuple):
    """The state of the inner rule, the slow weights, and the point, which returns to them."""

    inner: Any
    slow: Quantity
    x: Quantity


@dataclass(frozen=True)
class Lookahead(Wrapper[LookaheadState]):
    r"""Any rule, with slow weights φ to which x returns after every k steps: φ ← φ + α (x − φ); x ← φ.

    Zhang, Lucas, Hinton and Ba (2019), Lookahead optimizer: k steps forward, 1 step back. The inner rule keeps
    its state across the step back. x is the fast weights, the slow ones φ are the part "slow" of the recorded state.

    >>> import fallline
    >>> rule = Lookahead(fallline.GradientDescent(1.0), period=2, pull=0.25)
    >>> fallline.minimize("x", 0.0, rule, max_steps=4).x.ravel()
    array([ 0. , -1. , -0.5, -1.5, -1. ])
    """

    name: ClassVar[str] = "lookahead"
    called: ClassVar[str] = "lookahead"
    told: ClassVar[tuple[str, ...]] = ("period",)
    changes_step: ClassVar[bool] = True
    conventions = {"paper": "back after every k-th step", "optax": "as the paper"}

    period: int = hyperparameter(5, about="steps between two steps back", symbol="k", at_least=1, whole=True)
    pull: float = hyperparameter(0.5, about="how far the slow weights follow", symbol=r"\alpha", at_least=0, at_most=1)

    def init(self, x: Quantity) -> LookaheadState:
        return LookaheadState(self.rule.init(x), x, x)

    def update(
        self, gradient: Quantity, state: LookaheadState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, LookaheadState]:
        change, inner = self.rule.update(gradient, state.inner, rate, step)
        followed = state.slow + self.pull * (state.x - change - state.slow)
        slow = np.where(step % self.period == 0, followed, state.slow)
        change = np.where(step % self.period == 0, state.x - followed, change)
        x = state.x - change
        return change, LookaheadState(with_x(inner, x), slow, x)
