"""How fast a run converged, how fast its rule could have, and the best constant settings at the minimum."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.gradients.spectrum import Spectrum, extreme_eigenvalues
from fallline.hyperparameters import Range
from fallline.optimizers import GradientDescent, Momentum, Optimizer
from fallline.optimizers.stability import LATE, StabilityLimit, best_fixed, stability_limit
from fallline.results.trajectory import Trajectory
from fallline.tables import Printed, Summary, data_frame, summary_of

if TYPE_CHECKING:
    import pandas as pd

# The fewest rows that tell a rate, and the most that a fit looks at.
FEWEST, MOST = 8, 200
# By how much the fall per step may change from the first to the last third of the tail before it is no line.
SLOWER, FASTER = 0.8, 1.5
# Gradients below this many roundings of the point, times the highest curvature, are noise.
ROUNDINGS = 64.0

NO_MINIMUM = "the run ended at no minimum: it curves downwards along a direction"

Kind = Literal["linear", "sublinear", "superlinear", "none", "unknown"]


class Best(NamedTuple):
    """A rule with its best constant settings at the minimum, and its factor per step there."""

    rule: Optimizer[Any]
    factor: float


@dataclass(frozen=True, eq=False, repr=False)
class Convergence(Printed):
    """How fast a run converged.

    Attributes:
        title: the rule and what it minimised.
        kind: "linear" (the gradient shrinks by one factor each step), "sublinear" (as a power of the step),
            "superlinear" (by a factor that falls), "none" (it does not shrink), or "unknown".
        factor: by what the gradient's norm was multiplied per step, in the end; NaN if it is not known.
        power: p, where the norm falls as step^-p; NaN unless the kind is "sublinear".
        measured: the first and the last of the steps it was measured on.
        theory: the factor of the rule at the curvatures where the run ended; NaN if it is not known.
        lowest, highest: these curvatures: the extreme eigenvalues of the Hessian; NaN if they are not known.
        left: how many more steps take the value to the target; infinite if it does not get there, NaN if that is not
            known.
        target: that value.
        best: descent, the heavy ball, and a rule of their kind that the run had, with the best constant settings.
        unknown: why something is not known, by its name.
    """

    title: str
    kind: Kind
    factor: float
    power: float
    measured: tuple[int, int]
    theory: float
    lowest: float
    highest: float
    left: float
    target: float
    best: tuple[Best, ...] = ()
    unknown: dict[str, str] = field(default_factory=dict)

    @property
    def condition(self) -> float:
        """The condition number, highest over lowest curvature; infinite where it is flat along a direction."""
        return self.highest / self.lowest if self.lowest > 0 else math.inf if self.lowest == 0 else math.nan

    def to_frame(self) -> pd.DataFrame:
        """A pandas data frame of the best rules.

        Raises:
            FalllineError: when pandas is not installed.
        """
        return data_frame(
            {
                "rule": [best.rule.label for best in self.best],
                "factor": [best.factor for best in self.best],
                "steps_per_digit": [_steps_per_digit(best.factor) for best in self.best],
            }
        )

    def _repr_html_(self) -> str:
        """The HTML for a notebook."""
        return self._summary().html


@summary_of.register
def _of_convergence(found: Convergence) -> Summary:
    first, last = found.measured
    facts = []
    if found.kind == "unknown":
        facts.append(("measured", found.unknown["measured"]))
    elif found.kind == "sublinear":
        facts.append(("measured", f"sublinear, as step^-{found.power:.3g}, from step {first} to {last}"))
    elif found.kind == "none":
        facts.append(("measured", f"the gradient does not shrink from step {first} to {last}"))
    else:
        speed = f"a factor of {found.factor:.6g} per step, {_digit_text(found.factor)}"
        facts.append(("measured", f"{found.kind}: {speed}, from step {first} to {last}"))
    if "curvature" in found.unknown:
        facts.append(("curvature", found.unknown["curvature"]))
    else:
        condition = f", condition number {found.condition:.4g}" if found.lowest > 0 else ""
        facts.append(("curvature", f"{found.lowest:.6g} to {found.highest:.6g}{condition}"))
    theory = found.unknown.get("theory") or f"a factor of {found.theory:.6g} per step, {_digit_text(found.theory)}"
    facts.append(("theory", theory))
    left = found.unknown.get("left") or (
        f"{found.left:.0f} steps to {found.target:.6g}"
        if math.isfinite(found.left)
        else f"it tends to a value above {found.target:.6g}"
    )
    facts.append(("left", left))
    rows = [[best.rule.label, f"{best.factor:.6g}", f"{_steps_per_digit(best.factor):.4g}"] for best in found.best]
    header = ["best settings at the minimum", "factor", "steps a digit"] if rows else []
    return Summary(f"Convergence of {found.title}", facts, header, rows)


def _steps_per_digit(factor: float) -> float:
    """How many steps shrink the gradient to a tenth."""
    return -1 / math.log10(factor) if 0 < factor < 1 else 0.0 if factor == 0 else math.inf


def _digit_text(factor: float) -> str:
    return f"a digit every {_steps_per_digit(factor):.3g} steps" if factor < 1 else "which does not converge"


class _Measured(NamedTuple):
    """The end of a run as a line, a power or neither: see `Convergence`."""

    kind: Kind
    factor: float = math.nan
    power: float = math.nan
    steps: tuple[int, int] = (0, 0)
    reason: str = ""


def convergence(run: Trajectory, target: float | None = None) -> Convergence:
    """How fast the run converged, against its rule's theory, and how many steps are left.

    The measured factor is a robust fit of the logarithm of the gradient's norm over the last half of the steps above
    rounding (Theil, 1950; Sen, 1968), the norm taken as the largest from each step on, so that oscillations do not
    count. The theory is the spectral radius of the rule's own step, linearised, at the curvatures where the run ended:
    see `fallline.optimizers.stability`.

    Arguments:
        run: the run; with every step recorded it tells most.
        target: the value to which the steps left are counted; by default where values of this size are rounded.

    Raises:
        FalllineError: when the target is not a number.
    """
    if target is not None and not Range().allows(target):
        raise FalllineError("target", target, Range())
    unknown: dict[str, str] = {}
    spectrum = _spectrum(run, unknown)
    with np.errstate(all="ignore"):
        tail = _measured(run, spectrum)
    if tail.reason:
        unknown["measured"] = tail.reason
    left, target = _left(run, tail, target, unknown)
    lowest, highest = (math.nan, math.nan) if spectrum is None else (spectrum.lowest, spectrum.highest)
    theory, best = math.nan, list[Best]()
    if spectrum is None:
        unknown["theory"] = "needs the curvature"
    elif lowest <= spectrum.lowest_error:
        down = lowest < -spectrum.lowest_error
        unknown["theory"] = NO_MINIMUM if down else f"the lowest curvature is 0 to within {spectrum.lowest_error:.2g}"
    else:
        found = None if run.rule is None else _limit(run)
        theory = _theory(run, found, spectrum, unknown)
        rules: dict[type, Optimizer[Any]] = {GradientDescent: GradientDescent(), Momentum: Momentum()}
        if run.rule is not None and found is not None and not (found.adapts or found.reason):
            rules[type(run.rule)] = run.rule
        # Where the gradient falls as a power of the step the curvature is falling too.
        best = [Best(*best_fixed(rule, lowest, highest)) for rule in rules.values() if tail.kind != "sublinear"]
    return Convergence(
        f"{run.optimizer} on {run.title}",
        tail.kind,
        tail.factor,
        tail.power,
        tail.steps,
        theory,
        lowest,
        highest,
        left,
        target,
        tuple(best),
        unknown,
    )


def _spectrum(run: Trajectory, unknown: dict[str, str]) -> Spectrum | None:
    """The ends of the spectrum of the Hessian where the run ended."""
    objective = run.objective
    if objective is None:
        unknown["curvature"] = "needs the objective, which a file cannot hold"
    elif objective.rereads:
        unknown["curvature"] = "needs many passes over files"
    elif not (np.isfinite(run.final.x).all() and np.isfinite(run.final.value)):
        unknown["curvature"] = "the run ended at no finite point"
    else:
        found = extreme_eigenvalues(objective, run.final.x)
        if np.isfinite(found.highest):
            return found
        unknown["curvature"] = "has no finite value where the run ended"
    return None


def _limit(run: Trajectory) -> StabilityLimit:
    """The stability limit of the rule as it was in the last step."""
    assert run.rule is not None
    rates = run.rate[np.isfinite(run.rate)]
    rate = float(rates[-1]) if len(rates) else None
    if run.optimizer_state is None:
        return stability_limit(run.rule, rate=rate, step=max(LATE, run.step_count + 1))
    return stability_limit(run.rule, run.optimizer_state.state, rate=rate, step=run.optimizer_state.step + 1)


def _theory(run: Trajectory, found: StabilityLimit | None, spectrum: Spectrum, unknown: dict[str, str]) -> float:
    """The factor per step of the rule at the curvatures where the run ended."""
    if found is None:
        unknown["theory"] = "needs the rule, which a file cannot hold"
    elif found.reason is not None:
        unknown["theory"] = f"the rule has none: {found.reason}"
    elif not found.adapts:
        return found.factor(spectrum.lowest / found.curvature[0], spectrum.highest / found.curvature[0])
    elif run.optimizer_state is None:
        unknown["theory"] = "needs the state of the rule, which a run by engine='reference' holds"
    else:
        assert run.objective is not None
        shares = extreme_eigenvalues(run.objective, run.final.x, scale=found.curvature)
        if shares.lowest > shares.lowest_error:
            return found.factor(shares.lowest, shares.highest)
        unknown["theory"] = "the lowest curvature is 0 for the rates that the rule gives its coordinates"
    return math.nan


def _measured(run: Trajectory, spectrum: Spectrum | None) -> _Measured:
    """Fit the end of the run."""
    if run.objective is not None and run.objective.stochastic:
        return _Measured("unknown", reason="its gradients are of mini-batches, which do not go to 0")
    norms = run.gradient_norm
    if not np.isfinite(norms).all():
        return _Measured("none", steps=(int(run.steps[0]), run.step_count))
    # The largest from each step on, without the swings of a run that oscillates.
    norms, measured = np.maximum.accumulate(norms[::-1])[::-1], norms
    rounding = float(np.finfo(float).tiny)
    if spectrum is not None:
        assert run.objective is not None
        size = float(np.abs(run.final.x).max()) * abs(spectrum.highest)
        rounding = max(rounding, ROUNDINGS * run.objective.rounding * size)
    above = np.flatnonzero(norms > rounding)
    # A row stands for those after it too, so the last one says least.
    steps, logs = run.steps[above].astype(float), np.log(norms[above])
    kept = steps >= (steps[0] + steps[-1]) / 2 if len(steps) else np.zeros(0, bool)
    steps, logs = steps[kept], logs[kept]
    if len(steps) < FEWEST:
        return _Measured("unknown", reason=f"needs {FEWEST} recorded steps above rounding in its last half")
    chosen = np.linspace(0, len(steps) - 1, min(len(steps), MOST)).astype(int)
    steps, logs = steps[chosen], logs[chosen]
    slope = _slope(steps, logs)
    part = len(steps) // 3
    early, late = _slope(steps[:part], logs[:part]), _slope(steps[-part:], logs[-part:])
    span = int(steps[0]), int(steps[-1])
    if slope * (steps[-1] - steps[0]) > -1e-6:
        return _Measured("none", math.exp(_slope(steps, np.log(measured[np.isin(run.steps, steps)]))), steps=span)
    # Against the line, a power of the step counts by how straight it is in the step's logarithm.
    if late > SLOWER * early and _spread(np.log(steps), logs) < _spread(steps, logs):
        return _Measured("sublinear", math.exp(late), -_slope(np.log(steps), logs), span)
    kind: Kind = "superlinear" if late < FASTER * early else "linear"
    return _Measured(kind, math.exp(slope), steps=span)


def _slope(x: FloatArray, y: FloatArray) -> float:
    """The median slope between pairs of points: Theil (1950) and Sen (1968)."""
    first, second = np.triu_indices(len(x), 1)
    return float(np.median((y[second] - y[first]) / (x[second] - x[first])))


def _spread(x: FloatArray, y: FloatArray) -> float:
    """How far points are from their line, the median."""
    rest = y - _slope(x, y) * x
    return float(np.median(np.abs(rest - np.median(rest))))


def _left(run: Trajectory, tail: _Measured, target: float | None, unknown: dict[str, str]) -> tuple[float, float]:
    """How many steps are left to the target, and the target.

    What is left to fall follows from the last steps: a linear run's falls shrink by the square of its factor, and those
    of one whose gradient falls as step^-p leave a rest that falls as step^(1 - 2p).
    """
    given = math.nan if target is None else target
    rows = np.flatnonzero((run.steps >= tail.steps[0]) & (run.steps <= tail.steps[1]))
    if tail.kind not in ("linear", "sublinear", "superlinear") or len(rows) < FEWEST:
        unknown["left"] = "needs a measured factor"
        return math.nan, given
    if tail.kind == "sublinear" and tail.power <= 0.5:
        unknown["left"] = "cannot be told: at this pace the value falls without end"
        return math.nan, given
    rest = _rest(run, tail, rows)
    end = float(run.value[rows[-1]]) - rest
    # The same from the later half shows how well the end of the fall is known; a power is known to a hundredth.
    known_to = abs(rest - _rest(run, tail, rows[len(rows) // 2 :])) + (0.01 * rest if tail.kind == "sublinear" else 0)
    sought = 2.0**-52 * max(abs(end), abs(float(run.value[0]))) if target is None else target - end
    target = end + sought if target is None else target
    if rest <= sought or run.final.value <= target:
        return 0.0, target
    if sought < -10 * known_to:
        return math.inf, target
    if given == target and sought < 10 * known_to:
        unknown["left"] = f"cannot be told: the value tends to {end:.6g}, within {known_to:.2g}"
        return math.nan, target
    if tail.kind == "sublinear":
        steps = float(run.steps[rows[-1]]) * ((rest / sought) ** (1 / (2 * tail.power - 1)) - 1)
    else:
        steps = math.log(rest / sought) / (-2 * math.log(tail.factor))
    return max(0.0, math.ceil(steps - (run.step_count - float(run.steps[rows[-1]])))), target


def _rest(run: Trajectory, tail: _Measured, rows: npt.NDArray[np.intp]) -> float:
    """How far the value will still fall after these rows, from how far it fell in them."""
    first, last = run.steps[rows[[0, -1]]].tolist()
    fall = float(run.value[rows[0]] - run.value[rows[-1]])
    if tail.kind == "sublinear":
        return fall / float((last / first) ** (2 * tail.power - 1) - 1)
    shrunk = float(tail.factor ** (2 * (last - first)))
    return fall * shrunk / (1 - shrunk)
