"""differ(): where two runs first part, and by what."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from fallline.arrays import FloatArray
from fallline.diagnosis.one_step import one_step, recorded_to
from fallline.errors import FalllineError
from fallline.line_search import LineSearch
from fallline.norms import norm
from fallline.optimizers import Optimizer
from fallline.results.trajectory import Trajectory
from fallline.schedules import Schedule
from fallline.tables import Printed, Summary, data_frame, number_text, place_text, summary_of, vector_text, wrapped_fact

if TYPE_CHECKING:
    import pandas as pd

Cause = Literal["nothing", "start", "objective", "gradient", "batches", "rate", "rule", "state", "stopping", "rounding"]
# Distances of so many roundings of x are no more than rounding: one step rounds a few times.
ROUNDINGS = 64 * float(np.finfo(float).eps)
# A difference that began as rounding is called amplified from this part of x on.
AMPLIFIED = 1e-9
# The steps that are looked at first, of runs that did not record all; then eight times as many, and so on.
FIRST_STEPS = 64
# A longer label is not repeated behind each line.
LONGEST_LABEL = 30
ORDER = "the first", "the second"


@dataclass(frozen=True, eq=False, repr=False)
class Parting(Printed):
    """Where two runs part, and by what.

    Attributes:
        labels: what the runs are called.
        step: the first step that leads them to different points; 0 for the start; None if there is none.
        by: what parts them.
        facts: the evidence, by name: what each of the two has.
        lines: the lines of the rules' formulas that differ, by quantity: that of the first and that of the second run.
        steps: the steps that both have made, shape (k,), as far as they were compared.
        distance: the Euclidean distance of the two points after each, shape (k,).
    """

    labels: tuple[str, str]
    step: int | None
    by: Cause
    facts: Mapping[str, str]
    lines: Mapping[str, tuple[str, str]]
    steps: npt.NDArray[np.int64]
    distance: FloatArray

    def __bool__(self) -> bool:
        return self.by != "nothing"

    @property
    def text(self) -> str:
        """The same lines as are printed."""
        return self._summary().text

    def _repr_html_(self) -> str:
        return self._summary().html

    def to_frame(self) -> pd.DataFrame:
        """A pandas data frame of the distance after each step.

        Raises:
            FalllineError: when pandas is not installed.
        """
        return data_frame({"step": self.steps, "distance": self.distance})

    def contents(self) -> dict[str, Any]:
        """Everything in it but the distances, as a mapping that JSON can hold."""
        return {
            "runs": self.labels,
            "step": self.step,
            "by": self.by,
            "facts": self.facts,
            "lines": self.lines,
            "largest_distance": float(np.nanmax(self.distance, initial=0)),
        }


@summary_of.register
def _of_parting(found: Parting) -> Summary:
    both = " and ".join(found.labels)
    short = [label if len(label) <= LONGEST_LABEL else order for label, order in zip(found.labels, ORDER, strict=True)]
    if found.by == "nothing":
        head = f"{both} do not differ"
    elif found.step is None:
        head = f"{both} take the same steps and differ by the stopping"
    elif found.by == "start":
        head = f"{both} start at different points"
    else:
        cause = "rounding only" if found.by == "rounding" else f"the {found.by}"
        head = f"{both} part at step {found.step}, by {cause}"
    facts = [line for name, fact in found.facts.items() for line in wrapped_fact(name, fact)]
    for name, pair in found.lines.items():
        for number, (label, line) in enumerate(zip(short, pair, strict=True)):
            facts += wrapped_fact(f"{name} =" if number == 0 else "", f"{line} ({label})")
    return Summary(head, facts)


def differ(a: Trajectory, b: Trajectory, labels: tuple[str, str] | None = None) -> Parting:
    """Where two runs first part, and by what: start, gradient, rate, the line of the rule, or rounding.

    Arguments:
        a, b: the runs. Where they did not record every step, they are repeated.
        labels: what they are called; if not given, by their rules.

    Raises:
        FalllineError: when they have different coordinates.

    >>> import fallline
    >>> race = fallline.compare("x**2", 1.0, ["adagrad@paper", "adagrad@tutorial"], max_steps=50)
    >>> print(differ(*race))
    adagrad and adagrad@tutorial part at step 1, by the rule
    paper     epsilon is added to the root; the sum starts at 0
    tutorial  epsilon is added to the ratio of the rate and the root
    distance  2e-08 at step 1, 8.99e-07 at step 50
    change =  g*rate/(epsilon + sqrt(total)) (adagrad)
              g*(epsilon + rate/sqrt(total)) (adagrad@tutorial)
    """
    for name, run in {"a": a, "b": b}.items():
        if not isinstance(run, Trajectory):
            raise FalllineError(name, run, "it must be what minimize returns")
    if a.names != b.names:
        raise FalllineError("b", b.names, f"it must be of the coordinates {a.names}", problem="in its coordinates")
    labels = labels or _labels(a.optimizer, b.optimizer)
    if not np.array_equal(a.start.x, b.start.x):
        places = [place_text(run.names, run.start.x) for run in (a, b)]
        return Parting(labels, 0, "start", {"start": " and ".join(places)}, {}, *_distances(a, b))
    for one, other in _with_all_steps(a, b):
        steps, distance = _distances(one, other)
        apart = np.flatnonzero(~_same(one.x[: len(steps)], other.x[: len(steps)]))
        if len(apart):
            return _parted(one, other, labels, int(apart[0]), steps, distance)
    ends = [f"{run.stop.message} ({run.stop.reason})" for run in (a, b)]
    if a.step_count - a.start.step == b.step_count - b.start.step and a.stop.reason == b.stop.reason:
        return Parting(labels, None, "nothing", {"both": f"bit for bit; {ends[0]}"}, {}, steps, distance)
    facts = dict(zip(labels, ends, strict=True))
    return Parting(labels, None, "stopping", facts, {}, steps, distance)


def _labels(one: str, other: str) -> tuple[str, str]:
    """The names of two rules, each with the settings that the other does not have."""
    # Not at the commas within the brackets of a schedule.
    words = [re.split(r", (?![^(]*\))", text) for text in (one, other)]
    short = [
        ", ".join([own[0], *(word for word in own[1:] if word not in others)]) for own, others in (words, words[::-1])
    ]
    return (short[0], short[1]) if short[0] != short[1] else (f"{short[0]} (first)", f"{short[1]} (second)")


def _with_all_steps(a: Trajectory, b: Trajectory) -> Iterator[tuple[Trajectory, Trajectory]]:
    """The two runs with all rows up to some step, then up to later ones, until the first of them ends."""
    last = min(run.step_count - run.start.step for run in (a, b))
    for power in itertools.count():
        step = min(last, FIRST_STEPS * 8**power)
        one, other = recorded_to(a, step), recorded_to(b, step)
        yield one, other
        if min(len(one), len(other)) > last:
            return


def _same(one: FloatArray, other: FloatArray) -> npt.NDArray[np.bool_]:
    """Which rows are equal, NaN included."""
    equal = (one == other) | (np.isnan(one) & np.isnan(other))
    rows: npt.NDArray[np.bool_] = np.all(equal.reshape(len(one), -1), axis=1)
    return rows


def _distances(a: Trajectory, b: Trajectory) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """The steps from their starts that both recorded, and the distance of the points after each."""
    counted = [run.steps - run.steps[0] for run in (a, b)]
    steps, of_a, of_b = np.intersect1d(*counted, return_indices=True)
    with np.errstate(all="ignore"):
        return steps, norm(a.x[of_a] - b.x[of_b])


def _parted(
    a: Trajectory,
    b: Trajectory,
    labels: tuple[str, str],
    first: int,
    steps: npt.NDArray[np.int64],
    distance: FloatArray,
) -> Parting:
    """The parting of runs whose points are equal up to the step before `first`."""
    scale = norm(a.x[: len(steps)]).clip(min=float(np.finfo(float).tiny))
    beyond = steps[~(distance <= ROUNDINGS * scale)]
    by, facts = _cause(a, b, first, labels)
    rules, lines = _rules(a, b)
    step = first
    if by == "rule" and not (rules or lines):
        facts = {"engine": f"{a.engine} and {b.engine}"} if a.engine != b.engine else {}
        by = "rounding"
    elif not len(beyond) and by == "rule":
        by = "rounding"
    elif len(beyond) and by == "rounding" and (rules or lines):
        by = "rule"
    elif by == "rule" and beyond[0] > first:
        # Before that only the order of operations shows, such as at the first step of an Adam with another β₂.
        facts["before"], step = f"from step {first} on the same but for rounding", int(beyond[0])
    if by == "rounding":
        facts |= _grown(distance, scale)
    return Parting(
        labels, step, by, {**facts, **rules, "distance": _told(steps, distance, step)}, lines, steps, distance
    )


def _cause(a: Trajectory, b: Trajectory, first: int, labels: tuple[str, str]) -> tuple[Cause, dict[str, str]]:
    """What differs in the step before which the points are equal, and after which they are not."""
    resumed = [label for label, run in zip(labels, (a, b), strict=True) if run.recipe.get("resumed")]
    if resumed:
        return "state", {"state": f"that of an earlier run, with which began {' and '.join(resumed)}"}
    row = first - 1
    gradients = [run.gradient[row : row + 1] for run in (a, b)]
    if not _same(*gradients)[0] and not _looks_elsewhere(a, b, first):
        return _gradient(a, b, row)
    if not _same(a.rate[row : row + 1], b.rate[row : row + 1])[0]:
        return "rate", {"rate": " and ".join(_rate(run, row) for run in (a, b))}
    return "rule", {}


def _rate(run: Trajectory, row: int) -> str:
    """The rate of a step, and the schedule or line search that finds it."""
    source = run.rule.learning_rate if run.rule is not None else None
    found = f"{run.rate[row]:.6g}"
    return f"{found} of {source}" if isinstance(source, Schedule | LineSearch) else found


def _looks_elsewhere(a: Trajectory, b: Trajectory, step: int) -> bool:
    """Whether the two rules take the gradient of a step at different points."""
    if a.rule is None or b.rule is None:
        return False
    ones = [one_step(run, step) for run in (a, b)]
    places = [np.broadcast_to(one.rule.lookahead(one.x[None], one.state), (1, len(one.x))) for one in ones]
    return not _same(*places)[0]


def _gradient(a: Trajectory, b: Trajectory, row: int) -> tuple[Cause, dict[str, str]]:
    """Why two runs have different gradients at the same point."""
    shown = {"gradient": " and ".join(vector_text(run.gradient[row]) for run in (a, b))}
    with np.errstate(all="ignore"):
        shown["apart"] = (
            f"{norm(a.gradient[row] - b.gradient[row]) / norm(a.gradient[row]):.3g} of the gradient's length"
        )
    if a.title != b.title:
        return "objective", {"objective": f"{a.title} and {b.title}", **shown}
    if a.gradient_kind != b.gradient_kind:
        return "gradient", {"kind": f"{a.gradient_kind} and {b.gradient_kind}", **shown}
    if a.seed != b.seed:
        return "batches", {"seed": f"{a.seed} and {b.seed}", **shown}
    if a.engine != b.engine:
        return "rounding", {"engine": f"{a.engine} and {b.engine}"}
    return "gradient", shown


def _rules(a: Trajectory, b: Trajectory) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """In what two rules differ, apart from their rates: conventions, settings, and the lines of their formulas."""
    one, other = a.rule, b.rule
    if one is None or other is None:
        return ({"rule": f"{a.optimizer} and {b.optimizer}"} if a.optimizer != b.optimizer else {}), {}
    facts = {}
    if type(one) is type(other):
        if one.convention != other.convention:
            facts = {rule.convention: _about(rule, rule.convention) for rule in (one, other)}
        if settings := list(_settings(one, other)):
            facts["settings"] = "; ".join(settings)
        # Rules of other settings, such as flags, may have other formulas.
        if not facts:
            return {}, {}
    return facts, _lines(one, other)


def _settings(one: Any, other: Any) -> Iterator[str]:
    """The settings in which two rules of one class differ, apart from their rates; of rules inside them too."""
    for field in dataclasses.fields(one):
        values = getattr(one, field.name), getattr(other, field.name)
        if field.name in ("learning_rate", "convention"):
            continue
        if isinstance(values[0], Optimizer) and type(values[0]) is type(values[1]):
            yield from _settings(*values)
        elif not np.array_equal(values[0], values[1]):
            yield f"{field.name} {' and '.join(map(number_text, values))}"


def _about(rule: Optimizer[Any], convention: str) -> str:
    """What a convention does; where it does as another, what that does."""
    about = rule.conventions[convention]
    other = about.removeprefix("as ").removeprefix("the ")
    return rule.conventions[other] if about.startswith("as ") and other in rule.conventions else about


def _lines(one: Optimizer[Any], other: Optimizer[Any]) -> dict[str, tuple[str, str]]:
    """The lines in which two rules differ: of their formulas, or of their code where that has none."""
    from fallline.optimizers.comparing import different_lines

    try:
        return different_lines(one, other)
    except Exception:  # a user's code may do anything on symbols that it does on numbers
        return _source_lines(one, other)


def _source_lines(one: Optimizer[Any], other: Optimizer[Any]) -> dict[str, tuple[str, str]]:
    """The first line of code in which the `update` of two rules differ, if their source is at hand."""
    try:
        sources = [inspect.getsource(type(rule).update).splitlines() for rule in (one, other)]
    except (OSError, TypeError):
        return {}
    for pair in itertools.zip_longest(*sources, fillvalue=""):
        if pair[0].strip() != pair[1].strip():
            return {"code": (pair[0].strip() or "-", pair[1].strip() or "-")}
    return {}


def _grown(distance: FloatArray, scale: FloatArray) -> dict[str, str]:
    """How large a difference became that began as rounding."""
    part = float(np.nanmax(distance / scale))
    if not part > AMPLIFIED:
        return {"size": f"at most {part:.2g} of x: the last digits"}
    return {
        "size": f"up to {part:.2g} of x: each step multiplies what is as small as rounding, so that no two machines "
        "agree on these points"
    }


def _told(steps: npt.NDArray[np.int64], distance: FloatArray, step: int) -> str:
    """The distance where the runs part, the largest and the last."""
    first, last = int(np.searchsorted(steps, step)), len(steps) - 1
    largest = int(np.argmax(np.where(np.isnan(distance), -np.inf, distance)))
    places = dict.fromkeys((first, largest, last))
    told = [f"{distance[place]:.3g} at step {steps[place]}" for place in sorted(places)]
    return ", ".join(told)
