"""explain(): one step of a run by the rule's own formula, with the numbers of the step in it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.diagnosis.one_step import OneStep, Quantity, one_step
from fallline.diagnosis.rate_of_step import rate_told
from fallline.errors import FalllineError, check_whole
from fallline.models.batches import Batches
from fallline.objectives import Objective
from fallline.optimizers import Optimizer
from fallline.optimizers.placeholders import formula_settings, observed
from fallline.results.trajectory import Trajectory
from fallline.slips import in_our_words
from fallline.state import named_leaves
from fallline.tables import (
    MOST_COORDINATES,
    Summary,
    data_frame,
    first_lines,
    number_text,
    place_text,
    vector_text,
    wrapped_fact,
)

if TYPE_CHECKING:
    import pandas as pd

    from fallline.diagnosis.written import Written

# How far the step that the rule makes may be from the recorded one, relative to x, before this is told: engines round
# otherwise in the last digits.
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """One step of a run, explained: what is printed, in a notebook and as LaTeX and MathML, is made from these.

    Attributes:
        title: what was minimised.
        optimizer: the rule in a few words.
        names: the coordinates' names, n of them.
        step: the numbers of the step.
        settings: the hyperparameters in the formula, by name.
        before, after: the parts of the rule's state, by name, shape (n,) or (1,).
        quantities: what the rule computes, in order.
        change: what is subtracted from x, shape (n,).
        remarks: what else is known of the step, by name.
        most: how many coordinates are shown, those that move farthest.
        written: the formulas; None where the rule's code cannot be written as such.
    """

    title: str
    optimizer: str
    names: tuple[str, ...]
    step: OneStep
    settings: Mapping[str, float]
    before: Mapping[str, FloatArray]
    after: Mapping[str, FloatArray]
    quantities: tuple[Quantity, ...]
    change: FloatArray
    remarks: Mapping[str, str]
    most: int = MOST_COORDINATES
    written: Written | None = field(default=None)

    @functools.cached_property
    def shown(self) -> tuple[int, ...]:
        """The coordinates that are shown: of many, those that move farthest, the farthest first."""
        if len(self.names) <= self.most:
            return tuple(range(len(self.names)))
        lengths = np.where(np.isnan(self.change), np.inf, abs(self.change))
        return tuple(np.argsort(-lengths, kind="stable")[: self.most].tolist())

    def __repr__(self) -> str:
        return first_lines(self.text)

    @property
    def text(self) -> str:
        """The step: each line of the formula, the same line with numbers, and its result."""
        summary = _summary(self)
        lines = [Summary(summary.head, summary.facts).text]
        for place, coordinate in enumerate(self.shown):
            lines += ["", f"{self.names[coordinate]}, by {0.0 - self.change[coordinate]:+.6g}:"]
            lines += self._lines(coordinate, with_formula=place == 0)
        return "\n".join([*lines, *([f"… {summary.more} more"] if summary.more else [])])

    def _lines(self, coordinate: int, *, with_formula: bool) -> list[str]:
        """The lines of one coordinate; what all coordinates share stands with the formula only."""
        if self.written is not None:
            return self.written.text(coordinate, with_formula=with_formula)
        quantities = (Quantity("g", None, self.step.gradient), *self.quantities)
        width = max(len(one.name) for one in quantities)
        own = [one for one in quantities if with_formula or len(one.value) > 1 or len(self.names) == 1]
        lines = [f"  {one.name:{width}}  = {number_text(_at(one.value, coordinate))}" for one in own]
        x, x_after = self.step.x[coordinate], self.step.x[coordinate] - self.change[coordinate]
        return [*lines, f"  {'x':{width}}  = {x:.6g} - {_bracketed(self.change[coordinate])} = {x_after:.6g}"]

    @property
    def latex(self) -> str:
        """The formula, the formula with numbers, and the results, as an `aligned` block of LaTeX.

        Raises:
            FalllineError: when the rule's code cannot be written as a formula.
        """
        return self._formula().latex(self.shown)

    @property
    def mathml(self) -> str:
        """The same as MathML.

        Raises:
            FalllineError: when the rule's code cannot be written as a formula.
        """
        return self._formula().mathml(self.shown)

    def _formula(self) -> Written:
        if self.written is None:
            raise FalllineError(problem=self.remarks["formula"])
        return self.written

    def _repr_html_(self) -> str:
        shown = _summary(self).html
        return f"<div>{shown}{self.written.mathml(self.shown[:1])}</div>" if self.written is not None else shown

    def _repr_latex_(self) -> str | None:
        return f"$${self.latex}$$" if self.written is not None else None

    def to_frame(self) -> pd.DataFrame:
        """A pandas data frame with a row for each coordinate: x, gradient, every quantity, change and x after.

        Raises:
            FalllineError: when pandas is not installed.
        """
        count = len(self.names)
        columns: dict[str, Any] = {"coordinate": self.names, "x_old": self.step.x, "g": self.step.gradient}
        columns |= {one.name: np.broadcast_to(one.value, count) for one in self.quantities}
        return data_frame({**columns, "change": self.change, "x": self.step.x - self.change})

    def contents(self) -> dict[str, Any]:
        """Everything in it as a mapping that JSON can hold."""
        step = self.step
        return {
            "objective": self.title,
            "optimizer": self.optimizer,
            "step": step.number,
            "names": self.names,
            "x_old": step.x,
            "x": step.x - self.change,
            "value_old": step.value,
            "value": step.value_after,
            "gradient": step.gradient,
            "rate": step.rate,
            "settings": self.settings,
            "state_old": self.before,
            "state": self.after,
            "quantities": {one.name: {"formula": one.formula, "value": one.value} for one in self.quantities},
            "change": self.change,
            "remarks": self.remarks,
        }


def _summary(one: Explanation) -> Summary:
    step, shown = one.step, list(one.shown)
    names = [one.names[i] for i in shown]
    numbers = {"t": step.number, "rate": step.rate, **one.settings}
    facts = [
        ("objective", one.title),
        ("value", f"{step.value:.8g} before, {step.value_after:.8g} after"),
        ("before", place_text(names, step.x[shown])),
        ("after", place_text(names, (step.x - one.change)[shown])),
        *wrapped_fact("with", ", ".join(f"{name} = {number_text(value)}" for name, value in numbers.items())),
        *(line for name, remark in one.remarks.items() for line in wrapped_fact(name, remark)),
    ]
    quantities = [part for part in one.quantities if part.value.dtype != object]
    header = ["", "x_old", "g", *(part.name for part in quantities), "x"]
    rows = [
        [
            one.names[i],
            *(f"{column[i]:.6g}" for column in (step.x, step.gradient)),
            *(number_text(_at(part.value, i)) for part in quantities),
            f"{(step.x - one.change)[i]:.6g}",
        ]
        for i in shown
    ]
    return Summary(f"Step {step.number} of {one.optimizer}", facts, header, rows, len(one.names) - len(shown))


@in_our_words
def explain(
    run: Trajectory,
    step: int,
    *,
    most: int = MOST_COORDINATES,
    objective: Objective | None = None,
    optimizer: Optimizer[Any] | None = None,
) -> Explanation:
    """Explain a step of a run: the rule's formula with this step's numbers in it, coordinate by coordinate.

    The formula and the names in it are those of the rule's own code, a user's rule included. What the run did not
    record is computed again by repeating it.

    Arguments:
        run: the run.
        step: the number of the step, counted from 1.
        most: how many coordinates to show; of more, those that move farthest.
        objective: what was minimised, if the run was loaded from a file that cannot rebuild it.
        optimizer: the rule, if the run was loaded from a file that cannot rebuild it.

    Raises:
        FalllineError: when there is no such step, or what it needs was not recorded and the run cannot be repeated.

    >>> import fallline
    >>> run = fallline.minimize("x**2", 3.0, fallline.Momentum(0.1, momentum=0.5), max_steps=2)
    >>> print(explain(run, 2))
    Step 2 of momentum, learning_rate 0.1, momentum 0.5
    objective  x**2
    value      5.76 before, 2.6244 after
    before     x = 2.4
    after      x = 1.62
    with       t = 2, rate = 0.1, momentum = 0.5
    <BLANKLINE>
    x, by -0.78:
      g        = slope at x_old
               = 4.8
      velocity = g*rate + momentum*velocity_old
               = 4.8*0.1 + 0.5*0.6
               = 0.78
      x        = x_old - velocity
               = 2.4 - 0.78
               = 1.62
    """
    if not isinstance(run, Trajectory):
        raise FalllineError("run", run, "it must be what minimize returns")
    check_whole("most", most, 1)
    one = one_step(run, step, objective, optimizer)
    with np.errstate(all="ignore"):
        (change, after), seen = observed(one.rule.update, *one.arguments)
        change = np.broadcast_to(change, (1, len(one.x)))[0]
        found = {where: _numbers(part) for where, part in seen.items()}
        states = {name: _numbers(part) for name, part in named_leaves(after)}
        remarks = _remarks(run, one, change)
        try:
            from fallline.diagnosis.written import Written

            written = Written.of(run.names, one, found | states, change)
            quantities = written.quantities
        except Exception as reason:  # a user's code may do anything on symbols that it does on numbers
            written, quantities = None, _without_formula(seen, states)
            remarks["formula"] = f"none, since the rule's code does not run on symbols: {reason}"
    return Explanation(
        title=run.title,
        optimizer=one.rule.label,
        names=run.names,
        step=one,
        settings=_settings(one.rule, written),
        before={name: _numbers(part) for name, part in named_leaves(one.state)},
        after=states,
        quantities=quantities,
        change=change,
        remarks=remarks,
        most=most,
        written=written,
    )


def _settings(rule: Optimizer[Any], written: Written | None) -> dict[str, float]:
    """The hyperparameters that the formula has, by their names in it."""
    return formula_settings(rule) if written is None else written.settings


def _numbers(part: Any) -> FloatArray:
    """A quantity of a rule as an array of shape (n,) or (1,)."""
    array = np.asarray(part)
    return array.reshape(-1) if array.ndim != 2 else array[0]


def _without_formula(seen: Mapping[tuple[int, str], Any], states: Mapping[str, FloatArray]) -> tuple[Quantity, ...]:
    """The parts of the state and the local names of the rule's own `update`."""
    last = max((call for call, _ in seen), default=0)
    own = {
        name: _numbers(part)
        for (call, name), part in seen.items()
        if call == last and np.asarray(part).dtype.kind in "iufb"
    }
    parts = {f"state[{name}]" if name.isdecimal() else name: value for name, value in states.items()}
    return tuple(Quantity(name, None, value) for name, value in {**own, **parts}.items() if name.split(".")[-1] != "x")


def _remarks(run: Trajectory, one: OneStep, change: FloatArray) -> dict[str, str]:
    """What is known of the step beside its numbers."""
    remarks: dict[str, str] = {}
    place = np.broadcast_to(one.rule.lookahead(one.x[None], one.state), (1, len(one.x)))[0]
    if not np.array_equal(place, one.x):
        remarks["slope at"] = place_text(run.names, place)
    if isinstance(one.objective, Batches):
        remarks["batch"] = _batch(one.objective, one.number, run)
    remarks |= rate_told(one, run.seed, run.recipe)
    if one.repeated:
        remarks["numbers"] = "from repeating the run, which did not record this step and all before it"
    apart = np.fmax.reduce(abs(one.x - change - one.x_after))
    if apart > ROUNDING * np.fmax.reduce(abs(one.x_after)):
        remarks["but"] = f"the run went to {place_text(run.names, one.x_after)}, {apart:.3g} from here"
    return remarks


def _batch(batches: Batches, step: int, run: Trajectory) -> str:
    """Which mini-batch the gradient is of."""
    counted = step - (int(run.steps[0]) if run.recipe.get("resumed") else 0)
    epoch, number = divmod(counted - 1, batches.steps_per_epoch)
    rows = np.arange(batches.loss.rows)[batches.rows_at(counted, run.seed)]
    return f"{number + 1} of {batches.steps_per_epoch} in epoch {epoch + 1}: rows {vector_text(rows)}"


def _at(value: FloatArray, coordinate: int) -> Any:
    return value[coordinate if len(value) > 1 else 0].item()


def _bracketed(number: float) -> str:
    text = f"{number:.6g}"
    return f"({text})" if text.startswith("-") else text
