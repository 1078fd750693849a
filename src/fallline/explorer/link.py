"""The fragment of the page's address, which says what it shows: read by js/src/fragment.ts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus

import numpy as np

from fallline.arguments import length_of, prepared, rules_of, starts_of
from fallline.errors import FalllineError, check_whole
from fallline.explorer.rules import name_of
from fallline.explorer.tracing import settings_of
from fallline.gradients import Perturbation
from fallline.line_search import LINE_SEARCHES, LineSearch
from fallline.objectives import LANDSCAPES, Objective, as_objective
from fallline.optimizers import OPTIMIZERS, Optimizer
from fallline.optimizers.wrappers import GradientNoise
from fallline.schedules import SCHEDULES, Constant, Schedule
from fallline.stopping import CONDITIONS, StepSize, StoppingCondition, Target, conditions

# The limits of the page, as in js/src/state.ts.
MOST_STARTS, MOST_RULES, MOST_STEPS, MOST_COORDINATES = 8, 8, 10_000, 20


def link_of(
    objective: Any,
    x0: Any,
    optimizers: Any,
    *,
    box: Sequence[tuple[float, float]] | Mapping[str, tuple[float, float]] | None = None,
    coordinates: Sequence[str] | None = None,
    solid: bool = False,
    principal: bool = False,
    max_steps: int | None = None,
    stop: StoppingCondition | None = None,
    target: float | None = None,
    gradient: Any = "auto",
) -> tuple[str, str, list[Optimizer[Any]]]:
    """The title of what is shown, the fragment that says it, and which of the rules are not the library's.

    The arguments are those of `fallline.explore`, and whether a surface and the runs' principal plane are shown.

    >>> link_of("x**2", 3.0, "adam")[1]
    'f=x**2&start=3&rule=adam@paper,rate=constant,learning_rate=0.001,beta1=0.9,beta2=0.999,epsilon=1e-08,look=0'
    """
    said: list[tuple[str, str]] = []
    title, own = "", []
    if objective is None:
        if x0 is not None or box is not None:
            raise FalllineError("objective", problem="is missing", allowed="a start or a box needs one")
    else:
        function, title = _function(objective)
        said.append(("f", function.title))
        axes = _axes(function, coordinates)
        said += _box([function.names[axis] for axis in axes], _bounds(objective, function) if box is None else box)
        said += [("axes", _numbers(axes))] if axes not in ([0], [0, 1]) else []
        said += [("start", _numbers(start)) for start in _starts(function, x0)]
    if optimizers is not None:
        rules = rules_of(optimizers)[1]
        if len(rules) > MOST_RULES:
            raise FalllineError("optimizers", problem=f"has {len(rules)} rules", allowed=f"at most {MOST_RULES}")
        rules, noise = _without_noise(rules)
        said += noise
        # On the page, the settings of the first of each kind are the defaults of a rule of the user's.
        firsts = {name_of(rule): rule for rule in reversed(rules) if not _is_known(rule)}
        own = list(firsts.values())
        said += [("rule", rule_text(rule, firsts.get(name_of(rule)), look)) for look, rule in enumerate(rules)]
    if max_steps is not None:
        check_whole("max_steps", max_steps, least=1)
        said.append(("steps", str(min(int(max_steps), MOST_STEPS))))
    said += _gradient(gradient)
    said += _stop(stop, target)
    if solid:
        said.append(("view", "surface"))
    if principal:
        said.append(("plane", "principal"))
    # These have no meaning in a fragment, and read better as they are.
    return title, "&".join(f"{name}={quote_plus(text, safe=',@=*()/')}" for name, text in said), own


def own_objective(objective: Any, x0: Any) -> Objective | None:
    """The objective, if it is none that the page reads as a formula."""
    function = as_objective(objective, None if x0 is None else length_of(starts_of(x0)[0]))
    return None if "formula" in (function.recipe() or {}) else function


def _function(objective: Any) -> tuple[Objective, str]:
    function = as_objective(objective)
    if function.dimension > MOST_COORDINATES:
        problem = f"has {function.dimension} coordinates"
        raise FalllineError("objective", problem=problem, allowed=f"the page shows at most {MOST_COORDINATES}")
    return function, objective if isinstance(objective, str) and objective in LANDSCAPES else function.title


def _starts(objective: Objective, x0: Any) -> Any:
    if x0 is None:
        return []
    starts = starts_of(x0)
    if len(starts) > MOST_STARTS:
        raise FalllineError("x0", problem=f"has {len(starts)} starts", allowed=f"at most {MOST_STARTS}")
    return prepared(objective, starts, "auto")[1]


def _bounds(objective: Any, function: Objective) -> Any:
    """The bounds of a landscape by its coordinates."""
    landscape = LANDSCAPES.get(objective) if isinstance(objective, str) else None
    return landscape and dict(zip(function.names, landscape.bounds, strict=True))


def _axes(objective: Objective, coordinates: Sequence[str] | None) -> list[int]:
    """The numbers of the coordinates that are drawn."""
    names = list(objective.names)
    if coordinates is None:
        return list(range(min(2, len(names))))
    chosen = [names.index(name) for name in coordinates if name in names]
    if isinstance(coordinates, str) or len(chosen) != 2 or len(coordinates) != 2 or chosen[0] == chosen[1]:
        raise FalllineError("coordinates", coordinates, f"it must be two of {', '.join(names)}")
    return chosen


def _box(shown: Sequence[str], box: Any) -> list[tuple[str, str]]:
    if box is None:
        return []
    intervals = [box.get(name) for name in shown] if isinstance(box, Mapping) else list(box)
    try:
        ends = np.array(intervals, float).reshape(-1, 2)
    except (TypeError, ValueError):
        ends = np.empty((0, 2))
    if len(ends) != len(shown) or not np.isfinite(ends).all() or (ends[:, 0] >= ends[:, 1]).any():
        raise FalllineError("box", box, f"it must be an interval (low, high) for {' and '.join(shown)}")
    if len(ends) == 1:
        ends = np.vstack([ends, [0.0, 1.0]])
    return [("box", _numbers(ends.ravel()))]


def _without_noise(rules: list[Optimizer[Any]]) -> tuple[list[Optimizer[Any]], list[tuple[str, str]]]:
    """The rules inside the same noise of a variance that stays, which the page has for all rules together."""
    noises = {(rule.variance, rule.power, rule.seed) for rule in rules if isinstance(rule, GradientNoise)}
    if len(noises) != 1 or not all(isinstance(rule, GradientNoise) for rule in rules):
        return rules, []
    ((variance, power, seed),) = noises
    if power:
        return rules, []
    inner = [rule.rule for rule in rules if isinstance(rule, GradientNoise)]
    return inner, [("noise", f"{_number(math.sqrt(variance))},{seed}")]


def _gradient(gradient: Any) -> list[tuple[str, str]]:
    if isinstance(gradient, Perturbation):
        step = 1e-6 if gradient.step is None else gradient.step
        return [("gradient", f"{gradient.scheme},{_number(step)}")]
    if gradient not in ("auto", "symbolic"):
        raise FalllineError("gradient", gradient, "it must be 'auto', 'symbolic' or a Perturbation")
    return []


def _stop(stop: StoppingCondition | None, target: float | None) -> list[tuple[str, str]]:
    """The target, which the page checks first, and the other conditions, if they are not the usual ones."""
    parts = conditions(stop)[1:]
    targets = [one.value for one in parts if isinstance(one, Target)]
    targets += [] if target is None else [target]
    # Of several, a run comes to the highest first.
    said = [("target", repr(float(max(targets))))] if targets else []
    others = [one for one in parts if not isinstance(one, Target)]
    if others == [StepSize()]:
        return said
    return said + ([("stop", _condition(one)) for one in others] or [("stop", "none")])


def _condition(condition: StoppingCondition) -> str:
    if CONDITIONS.get(type(condition).__name__) is not type(condition):
        raise FalllineError("stop", condition, "the page has the library's own conditions; this one it does not know")
    given = [(path, value) for path, value in settings_of(condition) if value is not None]
    return ",".join([type(condition).__name__, *(f"{path}={_value(value)}" for path, value in given)])


def rule_text(rule: Optimizer[Any], usual: Optimizer[Any] | None, look: int) -> str:
    """A rule with its rate and its settings; of the user's own those that are not the page's defaults."""
    known = {} if usual is None else dict(settings_of(usual))
    parts = [f"{name_of(rule)}@{rule.convention}", *_rate(rule.learning_rate)]
    own = [(path, value) for path, value in settings_of(rule) if value is not None and value != known.get(path)]
    return ",".join([*parts, *(f"{path}={_value(value)}" for path, value in own), f"look={look}"])


def _is_known(rule: Optimizer[Any]) -> bool:
    return OPTIMIZERS.get(rule.name) is type(rule)


def _rate(rate: Any) -> list[str]:
    if isinstance(rate, LineSearch):
        name = next(name for name, kind in LINE_SEARCHES.items() if isinstance(rate, kind))
        return [f"rate=search:{name}", *_rate_settings(rate)]
    if not isinstance(rate, Schedule):
        return ["rate=constant", f"learning_rate={_value(rate)}"]
    if SCHEDULES.get(rate.name) is not type(rate):
        raise FalllineError(
            "learning_rate", rate, "the page has the library's own schedules; this one it does not know"
        )
    convention = getattr(rate, "convention", "paper")
    after = getattr(rate, "after", None)
    if isinstance(after, Constant):
        after = after.initial
    if isinstance(after, Schedule):
        raise FalllineError("learning_rate", rate, "the page has no schedule within another")
    parts = [f"rate=schedule:{rate.name}@{convention}"]
    if after is not None:
        return [*parts, f"learning_rate={_value(after)}", *_rate_settings(rate)]
    (_, scale), *_others = settings_of(rate)
    return [*parts, f"learning_rate={_value(scale)}", *_rate_settings(rate, leave=1)]


def _rate_settings(rate: Any, leave: int = 0) -> list[str]:
    return [f"rate.{path}={_value(value)}" for path, value in list(settings_of(rate))[leave:] if path != "after"]


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return ";".join(map(_value, value))
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else _number(value)


def _number(value: Any) -> str:
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _numbers(values: Any) -> str:
    return ",".join(map(_number, values))
