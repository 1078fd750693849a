"""SciPy: an update rule as a method of `scipy.optimize.minimize`, and a trajectory as its result."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, nearest
from fallline.minimizing import minimize
from fallline.objectives.function import FunctionObjective, title_of
from fallline.optimizers import LBFGS, Optimizer, Projected, ProjectedLBFGS
from fallline.penalties import Box
from fallline.results.trajectory import Point, Trajectory
from fallline.stopping import GradientNorm

# SciPy's status codes for the reasons for which a run ends.
STATUS = {"step limit": 1, "not finite": 3, "callback": 99}
OPTIONS = ("maxiter", "tol", "disp")


def method(rule: Optimizer[Any], *, gradient: Any = "auto") -> Callable[..., Any]:
    """An update rule as a `method` for `scipy.optimize.minimize`.

    It supports `args`, `jac`, `bounds` (every step is projected onto them; L-BFGS becomes
    `ProjectedLBFGS`), `callback` in both of SciPy's forms, `tol`
    (the gradient norm at which the run ends) and the options `maxiter`, 1000 by default, and `disp`. The result has the
    whole run as its `trajectory`.

    Arguments:
        rule: the update rule.
        gradient: how to find the gradient if `jac` gives none, as for `fallline.minimize`.

    Raises:
        FalllineError: when SciPy is not installed; in the run, naming what a rule does not support.

    >>> import fallline, scipy.optimize
    >>> adam = method(fallline.Adam(0.1))
    >>> result = scipy.optimize.minimize(lambda x: (x[0] - 3)**2 + x[1]**2, [0, 1], method=adam)
    >>> result.x.round(6), result.success
    (array([3., 0.]), True)
    """
    _scipy("method")
    if not isinstance(rule, Optimizer):
        raise FalllineError("rule", rule, "it must be an update rule such as Adam(0.1)")

    def by_rule(
        fun: Callable[..., Any],
        x0: Any,
        args: tuple[Any, ...] = (),
        *,
        jac: Callable[..., Any] | None = None,
        bounds: Any = None,
        callback: Callable[..., Any] | None = None,
        maxiter: int = 1000,
        tol: float | None = None,
        disp: bool = False,
        **others: Any,
    ) -> Any:
        _refuse(others)
        start = np.atleast_1d(np.asarray(x0))
        names = tuple(f"x{i}" for i in range(len(start))) if len(start) > 1 else ("x",)
        around, start = (rule, start) if bounds is None else _within(bounds, rule, start)
        result = to_scipy(
            minimize(
                FunctionObjective(_of_x(fun, args), names, vector=True),
                start,
                around,
                max_steps=maxiter,
                stop=None if tol is None else GradientNorm(tol),
                gradient=_of_x(jac, args) if callable(jac) else gradient,
                callback=None if callback is None else _asked(callback),
            )
        )
        if disp:
            print(result.message)  # noqa: T201 - the option `disp`
        return result

    by_rule.__name__ = rule.name or type(rule).__name__
    return by_rule


def _within(bounds: Any, rule: Optimizer[Any], start: FloatArray) -> tuple[Optimizer[Any], FloatArray]:
    """The rule within the bounds, and the start, projected onto them."""
    box = _box(bounds, len(start))
    start = box.projected(start)
    if isinstance(rule, LBFGS) and rule.convention == "paper":
        return ProjectedLBFGS(rule.learning_rate, box, rule.memory), start
    return Projected(rule, box), start


def _refuse(others: Mapping[str, Any]) -> None:
    """Refuse arguments of SciPy that an update rule does not support."""
    for name, given in others.items():
        if name not in ("hess", "hessp", "constraints"):
            raise FalllineError("options", problem=f"has {name!r}", allowed=nearest(name, OPTIONS))
        if given is not None and np.size(given):
            raise FalllineError(name, given, "an update rule takes none, only jac and bounds: leave it out")


def _of_x(function: Callable[..., Any], args: tuple[Any, ...]) -> Callable[[Any], Any]:
    """A function of x and `args` as one of x alone."""

    def of_x(x: Any) -> Any:
        return function(x, *args)

    of_x.__name__ = title_of(function)
    return of_x


def to_scipy(trajectory: Trajectory) -> Any:
    """A trajectory as SciPy's `OptimizeResult`: its last point, and the whole of it as `trajectory`.

    `success` says whether the reason for stopping indicates a minimum; `status` is 0 then, 1 at the step limit, 3 when
    a value became infinite or NaN, 99 when the callback ended the run, and 2 for any other reason.

    Raises:
        FalllineError: when SciPy is not installed.

    >>> import fallline
    >>> to_scipy(fallline.minimize("x**2", 4.0, fallline.GradientDescent(0.5))).x
    array([0.])
    """
    final, stop = trajectory.final, trajectory.stop
    return _scipy("to_scipy").OptimizeResult(
        x=final.x,
        fun=final.value,
        jac=final.gradient,
        nit=trajectory.step_count,
        nfev=trajectory.evaluations.value,
        njev=trajectory.evaluations.gradient,
        success=stop.converged,
        status=0 if stop.converged else STATUS.get(stop.reason, 2),
        message=stop.message,
        trajectory=trajectory,
    )


def _scipy(wanted: str) -> Any:
    try:
        import scipy.optimize
    except ImportError:
        raise FalllineError(problem=f'{wanted} needs SciPy: pip install "fallline[scipy]"') from None
    return scipy.optimize


def _box(bounds: Any, dimension: int) -> Box:
    """The bounds as SciPy takes them, `Bounds(lb, ub)` or one pair for each coordinate, as a set."""
    if hasattr(bounds, "lb"):
        low, high = bounds.lb, bounds.ub
    else:
        if not isinstance(bounds, Sequence | np.ndarray) or any(np.size(pair) != 2 for pair in bounds):
            raise FalllineError("bounds", bounds, "it must be Bounds(lb, ub) or a list of pairs")
        if len(bounds) != dimension:
            raise FalllineError("bounds", bounds, f"it must be {dimension} pairs, as many as x0 has numbers")
        low = [-np.inf if pair[0] is None else pair[0] for pair in bounds]
        high = [np.inf if pair[1] is None else pair[1] for pair in bounds]
    try:
        ends = [np.broadcast_to(np.asarray(end, float), dimension).tolist() for end in (low, high)]
    except ValueError:
        raise FalllineError("bounds", bounds, f"x0 has {dimension} numbers") from None
    return Box(tuple(ends[0]), tuple(ends[1]))


def _asked(callback: Callable[..., Any]) -> Callable[[Point], object]:
    """SciPy's callback as a function of the recorded point, called after each step."""
    whole = set(inspect.signature(callback).parameters) == {"intermediate_result"}

    def ask(point: Point) -> None:
        if point.step == 0:
            return
        if whole:
            result = _scipy("callback").OptimizeResult(x=point.x, fun=point.value, jac=point.gradient, nit=point.step)
            callback(intermediate_result=result)
        else:
            callback(point.x)

    return ask
