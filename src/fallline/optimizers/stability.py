"""The stability of a rule on a quadratic, found from one step of its own `update`, linearised."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from fallline.arrays import BoolArray, FloatArray
from fallline.line_search import LineSearch
from fallline.optimizers.base import SMALLEST, Optimizer, layers
from fallline.optimizers.settings import has_setting, with_learning_rate, with_settings
from fallline.optimizers.wrappers import GradientNoise
from fallline.state import map_state, named_leaves
from fallline.tables import Printed

# A disturbance so small that its square vanishes beside any second moment.
TINY = 1e-100
# The step at which a rule is looked at by default: its corrections for starting at zero are over.
LATE = 10_000
# How many gradients tell which parts of a state change their sign with them.
PROBED = 20
# A disturbance that grows by no more than this in a step is rounding.
GROWTH = 1e-7
# The curvatures that are tried, in units of 1 / (the answer of x to a gradient); then the limit is bisected.
TRIED = np.geomspace(1e-8, 1e8, 740)
# What is left of a direction after those before it are taken out, below which it is one of them.
DEPENDENT = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class StabilityLimit(Printed):
    """The largest curvature at which a rule is stable on a quadratic.

    Attributes:
        limit: the learning rate times the largest curvature, the ηλ of the literature, at the first coordinate. For an
            adaptive rule without a given state it is that at second moments of 1: of the preconditioned Hessian.
        curvature: the largest curvature that each coordinate bears by itself, shape (n,). Where a
            Hessian H couples the coordinates, the rule is unstable if D^(-1/2) H D^(-1/2), with D these curvatures, has
            an eigenvalue above 1. Infinite for a coordinate without any second moment so far.
        reason: why there is no limit; None if there is one. Without one, `limit` and `curvature` are NaN, or infinite
            for a rule that no curvature makes unstable.
        adapts: whether the rule keeps second moments, so that the curvatures hold for its present state alone.
    """

    limit: float
    curvature: FloatArray
    reason: str | None
    adapts: bool = False
    motion: Motion | None = field(default=None, repr=False)

    def factor(self, lowest: float, highest: float) -> float:
        """The factor per step by which the error shrinks in the end: the largest of all curvatures between two.

        Arguments:
            lowest, highest: the curvatures as shares of the limit: the smallest and the largest eigenvalue of
                D^(-1/2) H D^(-1/2), with D `curvature`.

        Returns:
            NaN where there is no limit.

        >>> from fallline.optimizers import GradientDescent
        >>> round(stability_limit(GradientDescent(0.1)).factor(1 / 20, 10 / 20), 6)
        0.9
        """
        if self.motion is None or not math.isfinite(self.motion.limit):
            return math.nan
        # The largest is at an end, or at a peak between them.
        between = np.geomspace(max(lowest, 1e-12 * highest), highest, 65)
        return float(self.motion.factors(np.r_[lowest, between] * self.motion.limit).max())


def stability_limit(
    rule: Optimizer[Any], state: Any = None, *, rate: float | None = None, step: int = LATE
) -> StabilityLimit:
    """The largest curvature at which a rule, also one of your own, is stable.

    One step of the rule on λ x² / 2 is linearised at the minimum. The parts of the state that change their sign with
    the gradients, such as a running mean, take part in the motion. The others, such as a mean square, are held, because
    a small disturbance leaves them unchanged to first order: an adaptive rule has its preconditioner frozen (Cohen et
    al., 2022, Adaptive gradient methods at the edge of stability). The rule is unstable once a disturbance grows. One
    with a `period`, as Lookahead has, is taken over a whole period.

    Arguments:
        rule: the rule.
        state: its state, every part with a number for each coordinate; if not given, that after many gradients of
            size 1, with second moments of 1.
        rate: the learning rate; if not given, the rule's own at that step.
        step: the number of the next step, from which corrections and schedules follow.

    >>> from fallline.optimizers import GradientDescent, Momentum
    >>> round(stability_limit(GradientDescent(0.1)).limit, 6), round(stability_limit(Momentum(0.1)).limit, 6)
    (2.0, 3.8)
    """
    if reason := _without_limit(rule):
        return _unlimited(reason, math.nan)
    rate = float(rule.rate(step)) if rate is None else rate
    if rate == 0:
        return _unlimited(f"its learning rate is 0 at step {step}", math.inf)
    rule = _without_noise(rule)
    with np.errstate(all="ignore"):
        probed = _Probed.of(rule)
        held = probed.held(rule, probed.typical(rule, rate, step) if state is None else state, rate, step)
        answers = _Answers.of(rule, held, probed.odd, rate, step)
        chosen = np.flatnonzero(answers.linear & (answers.size > 0))
        if not answers.linear.any():
            return _unlimited("its step does not shrink with the gradient, so it moves about any minimum", math.nan)
        if not chosen.size:
            return _unlimited("a small gradient does not move it", math.inf)
        # The coordinates differ in the size of their answer alone, so one of them stands for all.
        alone = map_state(lambda leaf: np.ravel(np.broadcast_to(leaf, answers.shape))[chosen[:1]], held)
        motion = Motion.of([_Answers.of(rule, alone, probed.odd, rate, step + later) for later in range(_period(rule))])
        bearable = motion.limit / motion.unit * answers.size[chosen[0]] / answers.size
        curvature = np.where(answers.linear, bearable, np.inf)
    reason = None if math.isfinite(motion.limit) else "no curvature makes it unstable"
    return StabilityLimit(float(rate * curvature[chosen[0]]), curvature, reason, any(probed.sized), motion)


def best_fixed(rule: Optimizer[Any], lowest: float, highest: float) -> tuple[Optimizer[Any], float]:
    """The rule with the best constant rate, and momentum if it has one, for a quadratic with these curvatures.

    They minimise the largest spectral radius of its step between the two curvatures: for descent the rate is
    2 / (lowest + highest); for the heavy ball rate and momentum are those of Polyak (1964), Some methods of speeding up
    the convergence of iteration methods.

    Arguments:
        rule: a rule that has a stability limit and does not adapt.
        lowest, highest: the smallest and the largest curvature, above 0.

    Returns:
        The rule with those settings, and the factor by which its error then shrinks at each step.

    >>> from fallline.optimizers import GradientDescent
    >>> rule, factor = best_fixed(GradientDescent(), 1.0, 9.0)
    >>> round(rule.learning_rate, 6), round(factor, 6)
    (0.2, 0.8)
    """
    if not has_setting(rule, "momentum"):
        return _at_best_rate(rule, lowest, highest)

    def with_momentum(u: float) -> tuple[Optimizer[Any], float]:
        return _at_best_rate(with_settings(rule, {"momentum": -math.expm1(-u)}), lowest, highest)

    # 1 - momentum is at best about 4 / (the root of the condition number).
    return with_momentum(_lowest(lambda u: with_momentum(u)[1], 0.0, math.log(10 * math.sqrt(highest / lowest))))


def _at_best_rate(rule: Optimizer[Any], lowest: float, highest: float) -> tuple[Optimizer[Any], float]:
    """The rule with the best constant rate, and its factor: both follow from the largest curvature's share."""
    found = stability_limit(with_learning_rate(rule, 1.0), rate=1.0)

    def factor(share: float) -> float:
        return found.factor(share * lowest / highest, share)

    share = _lowest(factor, 0.0, 1.0)
    return with_learning_rate(rule, share * found.limit / highest), factor(share)


def _lowest(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is lowest: golden section, Kiefer (1953), Sequential minimax search."""
    golden = (math.sqrt(5) - 1) / 2
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > 1e-7 * max(high, 1e-3):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = function(right)
    return left if at_left <= at_right else right


def _without_limit(rule: Optimizer[Any]) -> str | None:
    """Why a rule has no limit, as far as that shows without a step of it."""
    if isinstance(rule.learning_rate, LineSearch):
        return "a line search chooses its rate at each step"
    if not _by_coordinate(rule):
        return "its step in one coordinate depends on the others, so no curvature alone decides"
    return None


def _by_coordinate(rule: Optimizer[Any]) -> bool:
    """Whether each coordinate is independent of the others, but for the noise that it is given."""
    return all(type(one).elementwise or isinstance(one, GradientNoise) for one in layers(rule))


def _without_noise(rule: Optimizer[Any]) -> Optimizer[Any]:
    """The rule with noise of variance 0: as it is added whatever x is, it has no part in the stability."""
    *wrappers, found = layers(rule)
    for one in reversed(wrappers):
        silent: Any = {"variance": 0.0} if isinstance(one, GradientNoise) else {}
        found = dataclasses.replace(one, rule=found, **silent)
    return found


def _unlimited(reason: str, limit: float) -> StabilityLimit:
    return StabilityLimit(limit, np.array([limit]), reason)


def _period(rule: Optimizer[Any]) -> int:
    """After how many steps a rule, with those inside it, repeats itself."""
    return math.lcm(*(int(getattr(one, "period", 1)) for one in layers(rule)))


def _replaced(state: Any, leaves: Sequence[Any]) -> Any:
    """A state with other leaves, in the order of `named_leaves`."""
    remaining = iter(leaves)
    return map_state(lambda _: next(remaining), state)


def _leaves(state: Any) -> list[Any]:
    return [leaf for _, leaf in named_leaves(state)]


class _Probed(NamedTuple):
    """What each leaf of a rule's state is.

    Attributes:
        odd: whether it changes its sign with x and all gradients.
        sized: whether it does not, but grows with their size: second moments and their like.
        counted: whether any other changes from step to step.
    """

    odd: tuple[bool, ...]
    sized: tuple[bool, ...]
    counted: bool

    @classmethod
    def of(cls, rule: Optimizer[Any]) -> _Probed:
        """Run the rule on some gradients, on the same with the other sign, and on twice as large ones, side by side."""
        side = np.array([1.0, -1.0, 2.0])
        first = state = rule.init(side)
        gradients = np.random.default_rng(0).uniform(-1, 1, max(PROBED, 2 * _period(rule)))
        for step, gradient in enumerate(gradients, start=1):
            _, state = rule.update(gradient * side, state, 0.1, step)
        leaves = [np.broadcast_to(leaf, side.shape) for leaf in _leaves(state)]
        moves = [leaf - start for leaf, start in zip(leaves, _leaves(first), strict=True)]
        # Parts need not start at 0, and an epsilon has a size of its own, so neither test is exact.
        odd = [bool(leaf[0] and np.isclose(leaf[1], -leaf[0], rtol=1e-3, atol=0)) for leaf in leaves]
        same = [bool(np.isclose(move[2], move[0], rtol=0.1, atol=0)) for move in moves]
        even = [(bool(move.any()), alike) for move, alike, turns in zip(moves, same, odd, strict=True) if not turns]
        return cls(
            tuple(odd),
            tuple(not (alike or turns) for alike, turns in zip(same, odd, strict=True)),
            any(moved and alike for moved, alike in even),
        )

    def typical(self, rule: Optimizer[Any], rate: float, step: int) -> Any:
        """The state of one coordinate before a step, after gradients of size 1, with second moments of 1."""
        state = rule.init(np.zeros(1))
        # Parts such as a product of momenta depend on every step there was.
        for number in range(1 if self.counted else max(1, step - PROBED), step):
            _, state = rule.update(np.array([(-1.0) ** number]), state, rate, number)
        return _replaced(
            state, [leaf**0 if sized else leaf for leaf, sized in zip(_leaves(state), self.sized, strict=True)]
        )

    def held(self, rule: Optimizer[Any], state: Any, rate: float, step: int) -> Any:
        """The state at the minimum: odd parts 0, and second moments such that the step leaves them as they are."""
        leaves = [0 * leaf if odd else leaf for leaf, odd in zip(_leaves(state), self.odd, strict=True)]
        at_rest = _replaced(state, leaves)
        _, after = rule.update(np.zeros(_shape(leaves)), at_rest, rate, step)
        kept = [
            leaf / new if sized else 1.0 for leaf, new, sized in zip(leaves, _leaves(after), self.sized, strict=True)
        ]
        return _replaced(
            state, [leaf * np.where(np.isfinite(part), part, 1) for leaf, part in zip(leaves, kept, strict=True)]
        )


def _shape(leaves: Sequence[Any]) -> tuple[int, ...]:
    """The shape of x."""
    return np.broadcast_shapes((1,), *(np.shape(leaf) for leaf in leaves))


class _Answers(NamedTuple):
    """How x and the odd parts of the state answer, in one step at the minimum, to a small change of each, and of g.

    Attributes:
        matrix: to x and the odd parts, shape (p, p, n): entry i, j is how much of the old j is in the new i.
        push: to the gradient, shape (p, n).
        place: how much of each is in the point where the gradient is taken, shape (p, n).
        linear: whether a coordinate answers twice as much to twice as much, shape (n,).
        size: how far x may answer to a gradient, now or later, shape (n,).
        shape: the shape of x.
    """

    matrix: FloatArray
    push: FloatArray
    place: FloatArray
    linear: BoolArray
    size: FloatArray
    shape: tuple[int, ...]

    @classmethod
    def of(cls, rule: Optimizer[Any], state: Any, odd: Sequence[bool], rate: float, step: int) -> _Answers:
        leaves = _leaves(state)
        shape = _shape(leaves)
        moved = [place for place, turns in enumerate(odd) if turns]
        still = np.zeros(shape)

        def disturbed(part: int, by: float) -> Any:
            small = [by + leaf if place == part else leaf for place, leaf in enumerate(leaves)]
            return _replaced(state, small)

        def answer(gradient: FloatArray, state: Any) -> FloatArray:
            change, new = rule.update(gradient, state, rate, step)
            parts = _leaves(new)
            answers = [-change, *(parts[part] for part in moved)]
            return np.stack([np.ravel(np.broadcast_to(part, shape)) for part in answers])

        def both(by: float) -> FloatArray:
            """The answers to the gradient, and to each odd part, shape (p, p, n)."""
            to_parts = [answer(still, disturbed(part, by)) for part in moved]
            return np.stack([answer(still + by, state), *to_parts], axis=1) / by

        answers, twice = both(TINY), both(2 * TINY)
        # Below the smallest float, as with a momentum of 1e-220, answers lose their digits.
        rounding = DEPENDENT * np.abs(answers) + SMALLEST / TINY
        linear = np.all(np.abs(twice - answers) <= rounding, axis=(0, 1))
        matrix = answers.copy()
        matrix[:, 0] = 0.0
        matrix[0, 0] = 1.0
        ahead = [rule.lookahead(still + TINY, state), *(rule.lookahead(still, disturbed(part, TINY)) for part in moved)]
        place = np.stack([np.ravel(np.broadcast_to(part, shape)) for part in ahead]) / TINY
        push = answers[:, 0]
        return cls(matrix, push, place, np.asarray(linear), _reach([matrix], [push])[0], shape)


def _reach(matrices: Sequence[FloatArray], pushes: Sequence[FloatArray]) -> FloatArray:
    """How far each variable can be moved by a unit push within as many steps as there are variables, shape (p, n)."""
    largest, reach = np.max(np.abs(matrices), axis=0), np.max(np.abs(pushes), axis=0)
    step = reach
    for _ in range(len(reach)):
        step = np.einsum("ijn,jn->in", largest, step)
        reach = np.maximum(reach, step)
    return np.asarray(reach)


class Motion(NamedTuple):
    """The part of a rule's linearised step that a curvature acts on: z ← (A + q b c) z, step after step of a period.

    Attributes:
        matrices: A, shape (k, r, r).
        pushes: b, shape (k, r).
        places: c, shape (k, r).
        unit: what is divided by, to get from a curvature in these units, q, to λ.
        limit: the largest stable q.
    """

    matrices: FloatArray
    pushes: FloatArray
    places: FloatArray
    unit: float
    limit: float

    @classmethod
    def of(cls, steps: Sequence[_Answers]) -> Motion:
        """From the answers of one coordinate in the steps of a period.

        Variables that no gradient reaches, and combinations of variables that no gradient shows, are left out: a point
        that is kept twice, or the start.
        """
        reach = _reach([step.matrix for step in steps], [step.push for step in steps])[:, 0]
        used = reach > 0
        sizes = reach[used]
        matrices = [step.matrix[used][:, used, 0] * sizes / sizes[:, None] for step in steps]
        pushes = [step.push[used, 0] / sizes for step in steps]
        places = [step.place[used, 0] * sizes / sizes[0] for step in steps]
        reached = _invariant(matrices, pushes)
        matrices = [reached.T @ matrix @ reached for matrix in matrices]
        pushes, places = [push @ reached for push in pushes], [place @ reached for place in places]
        shown = _invariant([matrix.T for matrix in matrices], places)
        motion = cls(
            np.array([shown.T @ matrix @ shown for matrix in matrices]),
            np.array([push @ shown for push in pushes]),
            np.array([place @ shown for place in places]),
            float(sizes[0]),
            math.nan,
        )
        return motion._replace(limit=motion._bisected())

    def factors(self, curvatures: FloatArray) -> FloatArray:
        """The factor per step of the slowest disturbance, or of the fastest growing, at curvatures in these units."""
        steps = self.matrices + curvatures[:, None, None, None] * (self.pushes[:, :, None] * self.places[:, None, :])
        product = functools.reduce(lambda before, step: step @ before, np.moveaxis(steps, 1, 0))
        largest: FloatArray = np.abs(np.linalg.eigvals(product)).max(axis=-1) ** (1 / len(self.matrices))
        return largest

    def _bisected(self) -> float:
        """The smallest curvature, in these units, at which a disturbance grows; infinite if there is none."""
        unstable = np.flatnonzero(self.factors(TRIED) > 1 + GROWTH)
        if not unstable.size:
            return math.inf
        low, high = (0.0, TRIED[0]) if unstable[0] == 0 else TRIED[[unstable[0] - 1, unstable[0]]]
        while high - low > 1e-12 * high:
            middle = (low + high) / 2
            grows = self.factors(np.array([middle]))[0] > 1 + GROWTH
            low, high = (low, middle) if grows else (middle, high)
        return float(low)


def _invariant(matrices: Sequence[FloatArray], vectors: Sequence[FloatArray]) -> FloatArray:
    """An orthonormal basis, in columns, of the smallest space that holds the vectors and their products."""
    basis: list[FloatArray] = []
    waiting = list(vectors)
    while waiting:
        vector = waiting.pop(0)
        length = np.linalg.norm(vector)
        for _ in range(2):
            for known in basis:
                vector = vector - (known @ vector) * known
        rest = np.linalg.norm(vector)
        if length > 0 and rest > DEPENDENT * length:
            basis.append(vector / rest)
            waiting += [matrix @ basis[-1] for matrix in matrices]
    return np.array(basis).T
