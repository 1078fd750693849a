"""L-BFGS within a convex set: a quasi-Newton model of the objective, minimised over the set in every step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np

from fallline.arrays import FloatArray, Quantity
from fallline.errors import FalllineError, shortened
from fallline.hyperparameters import hyperparameter
from fallline.line_search import StrongWolfe
from fallline.optimizers.base import BOUNDED, LearningRate, Optimizer, learning_rate
from fallline.optimizers.pairs import Pairs, dot, hessian, learned, times_inverse_hessian
from fallline.optimizers.structured import change_per_rate
from fallline.penalties import Box, ConvexSet
from fallline.registry import Registry

# Pairs of which s·y is below this part of y·y say nothing of the curvature, as in the code of L-BFGS-B.
_ROUNDING = float(np.finfo(float).eps)


_LATEX = (
    (r"g_{t}", r"\nabla f\left(x_{t-1}\right)"),
    (
        r"z_{t}",
        r"\arg\min_{z \in C} \; \left\langle g_{t}, z - x_{t-1} \right\rangle "
        r"+ \frac{1}{2} \left\langle z - x_{t-1}, B_{t} \left(z - x_{t-1}\right) \right\rangle",
    ),
    (r"x_{t}", r"x_{t-1} - \eta \left(x_{t-1} - z_{t}\right)"),
)


class ProjectedLBFGSState(NamedTuple):
    """The last steps and changes of the gradient, oldest first, what the next pair is made from, and the point."""

    steps: tuple[Quantity, ...]
    bends: tuple[Quantity, ...]
    change: Quantity
    gradient: Quantity
    scale: Quantity
    x: Quantity


@dataclass(frozen=True)
class ProjectedLBFGS(Optimizer[ProjectedLBFGSState]):
    r"""L-BFGS within a set: x ← x − η (x − z), where z minimises a quasi-Newton model over the set.

    Schmidt, van den Berg, Friedlander and Murphy (2009), Optimizing costly functions with simple constraints: a
    limited-memory projected quasi-Newton algorithm. Of the same purpose as L-BFGS-B (Byrd, Lu, Nocedal and Zhu, 1995),
    and for any set that can be projected onto. The model g·(z − x) + ½ (z − x)·B(z − x) has the BFGS estimate B of the
    Hessian (Nocedal and Wright, 2006, section 7.2). It is minimised by a step of L-BFGS in the coordinates that the
    bounds leave free, and from there by spectral projected gradients (Birgin, Martínez and Raydan, 2000). The rate η
    comes from a line search; it is at most 1, so that x stays in the set. Where the slope did not rise over the last
    step, the model's curvature is divided by 10.

    The start must be in the set. A coordinate whose bounds are equal stays where it is.

    >>> import fallline
    >>> rule = ProjectedLBFGS(onto=fallline.Box((-2.0, -2.0), (0.5, 2.0)))
    >>> fallline.minimize("(1 - x)**2 + 100*(y - x**2)**2", [-1.2, 1.0], rule).final.x
    array([0.5 , 0.25])
    """

    table: ClassVar[Registry[Any]] = BOUNDED
    name: ClassVar[str] = "projected_lbfgs"
    called: ClassVar[str] = "projected L-BFGS"
    told: ClassVar[tuple[str, ...]] = ()
    elementwise: ClassVar[bool] = False
    learns_from_step: ClassVar[bool] = True
    longest_rate: ClassVar[float] = 1.0

    learning_rate: LearningRate = learning_rate(StrongWolfe())
    onto: ConvexSet = field(default=Box(-np.inf, np.inf))
    memory: int = hyperparameter(10, about="how many steps are remembered", at_least=1, whole=True)
    inner: int = hyperparameter(10, about="projected gradient steps on the model, in each step", at_least=0, whole=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.onto, ConvexSet):
            raise FalllineError("onto", self.onto, "it must be a Box, a Ball or a Simplex", of="ProjectedLBFGS")

    def init(self, x: Quantity) -> ProjectedLBFGSState:
        none = (0 * x,) * self.memory
        return ProjectedLBFGSState(none, none, change=0 * x, gradient=0 * x, scale=1 + 0 * x, x=x)

    def check_starts(self, x: FloatArray) -> None:
        """Refuse starts outside of the set, but for the rounding of the projection, and a set of other coordinates."""
        try:
            inside = self.onto.projected(x)
        except ValueError:  # bounds of another length
            raise FalllineError(
                "onto", self.onto, f"it must be a set of {x.shape[-1]} coordinates, as x0 has", of="ProjectedLBFGS"
            ) from None
        outside = (abs(inside - x) > 1e-9 * (1 + abs(x))).any(axis=-1)
        if outside.any():
            start, nearest = (points[outside][0].tolist() for points in (x, inside))
            raise FalllineError(
                "x0",
                start,
                f"start in it; the nearest point is {shortened(nearest)}",
                problem=f"outside of {shortened(self.onto)}",
            )

    def update(
        self, gradient: Quantity, state: ProjectedLBFGSState, rate: Quantity, step: Quantity
    ) -> tuple[Quantity, ProjectedLBFGSState]:
        s, y = -state.change, gradient - state.gradient
        pairs, curved, rate_along = learned(state, s, y, _ROUNDING * dot(y, y))
        scale = np.where(curved, rate_along, np.where(step == 1, 1.0, 10.0) * state.scale)
        direction = state.x - self._lowest_of_model(state.x, gradient, pairs, scale)
        # Nothing is known of the curvature in the first step, and a set that is far away does not bound it.
        shorter = 1 / np.maximum(np.sum(abs(gradient), axis=-1, keepdims=True), 1.0)
        direction = np.where(step == 1, shorter, 1.0) * direction
        # The difference is rounded, and may lead out of the set by the last digit.
        reached = state.x - direction
        direction = np.where(self.onto.projected(reached) == reached, direction, (1 - 2 * _ROUNDING) * direction)
        change = np.minimum(rate, self.longest_rate) * direction
        return change, ProjectedLBFGSState(*pairs, change, gradient, scale, state.x - change)

    def unbalanced(self, x: FloatArray, gradient: FloatArray, near: FloatArray) -> FloatArray:
        return change_per_rate(x, gradient, near, lambda moved, _: self.onto.projected(moved))

    def projected_gradient(self, x: Quantity, gradient: Quantity) -> Quantity:
        return x - self.onto.projected(x - gradient)

    def latex(self) -> str:
        """The rule as LaTeX, with the point z as what it stands for."""
        from fallline.optimizers.latex import aligned

        return aligned(_LATEX)

    def latex_lines(self) -> tuple[str, ...]:
        """The lines of that."""
        return tuple(f"{left} = {right}" for left, right in _LATEX)

    def _lowest_of_model(self, x: Quantity, gradient: Quantity, pairs: Pairs, scale: Quantity) -> Quantity:
        """The point of the set at which the model is lowest."""
        times_hessian = hessian(pairs, scale)
        held = x - self.onto.projected(x - scale * gradient) == 0
        free = np.where(held, 0.0, 1.0)
        inside = Pairs(tuple(free * s for s in pairs.steps), tuple(free * y for y in pairs.bends))
        newton = free * times_inverse_hessian(free * gradient, inside, scale)
        z, slope, width = x, gradient, scale
        for number in range(self.inner + 1):
            target = x - newton if number == 0 else z - width * slope
            move = self.onto.projected(target) - z
            bent = times_hessian(move)
            fall, bend = -dot(slope, move), dot(move, bent)
            falls = np.minimum(fall, bend) > 0
            share = np.where(falls, np.minimum(1.0, fall / np.where(falls, bend, 1.0)), 0.0)
            z, slope = z + share * move, slope + share * bent
            if number:
                width = np.where(falls, dot(move, move) / np.where(falls, bend, 1.0), width)
        return self.onto.projected(z)
