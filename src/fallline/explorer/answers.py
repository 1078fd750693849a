"""What Python answers to the page in a notebook: values and runs of a function that the page cannot compute itself."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError
from fallline.experiments.basins import basins
from fallline.experiments.sweep import sweep
from fallline.explorer.link import rule_text
from fallline.explorer.rules import name_of
from fallline.explorer.shown import Shown
from fallline.minimizing import minimize
from fallline.objectives import Objective, as_objective
from fallline.optimizers import OPTIMIZERS, Optimizer
from fallline.optimizers.settings import with_learning_rate
from fallline.results.trajectory import Trajectory

# The seconds that the values of a landscape may take, and the points of which the time is taken.
PATIENCE, TIMED = 0.5, 16

# Plain data for the page, and the arrays that go with it.
Answer = tuple[dict[str, Any], list[FloatArray]]


class Answers:
    """Answers to the page's questions, each of which says what is shown as a link does.

    Arguments:
        objective: what Python computes; None if the page reads it as a formula.
        gradient: its gradient, as for `minimize`.
        rules: the user's own rules, as the page was handed them.
    """

    def __init__(
        self, objective: Objective | None, gradient: Any = "auto", rules: Sequence[Optimizer[Any]] = ()
    ) -> None:
        self._objective = objective
        self._gradient = gradient
        self._own = {name_of(rule): rule for rule in rules}

    def to(self, question: Mapping[str, Any]) -> Answer:
        """The answer; of a question that cannot be answered, why.

        >>> answers = Answers(None)
        >>> link = "f=x**2&start=1&rule=gradient_descent@paper,rate=constant,learning_rate=1.5&steps=20"
        >>> answer, _ = answers.to({"kind": "diagnosis", "link": link})
        >>> answer["findings"][0]["remedy"]
        'GradientDescent(0.5)'
        """
        kinds = {"land": self._land, "runs": self._runs, "best": self._best, "diagnosis": self._diagnosis}
        kinds |= {"basins": self._basins, "rates": self._rates}
        try:
            with np.errstate(all="ignore"):
                return kinds[question["kind"]](question)
        except Exception as error:  # a user's function may raise anything
            said = str(error) if isinstance(error, FalllineError) else f"{type(error).__name__}: {error}"
            return {"error": said}, []

    def _land(self, question: Mapping[str, Any]) -> Answer:
        """The values over the box: columns × rows of them, or as many as there is time for, rows from the top."""
        shown = Shown.of(question["link"], self._own)
        objective = self._of(shown)
        left, right, bottom, top = question["box"]
        columns, rows = question["columns"], question["rows"]
        start = np.array(shown.starts[shown.active[1]])
        axes = question["axes"][: objective.dimension]

        def values(columns: int, rows: int) -> FloatArray:
            points = np.tile(start, (rows, columns, 1))
            across, up = np.meshgrid(np.linspace(left, right, columns), np.linspace(top, bottom, rows))
            for axis, coordinates in zip(axes, (across, up), strict=False):
                points[..., axis] = coordinates
            return np.asarray(objective.value(points), float)

        begun = time.perf_counter()
        values(TIMED if rows == 1 else 4, 1 if rows == 1 else TIMED // 4)
        share = PATIENCE / max(1e-9, (time.perf_counter() - begun) / TIMED * columns * rows)
        if share < 1:
            scale = share if rows == 1 else share**0.5
            columns, rows = max(12, int(columns * scale)), 1 if rows == 1 else max(12, int(rows * scale))
        return {"columns": columns, "rows": rows}, [values(columns, rows).ravel()]

    def _runs(self, question: Mapping[str, Any]) -> Answer:
        """The runs of all rules from all starts, and why a rule cannot be run."""
        shown = Shown.of(question["link"], self._own)
        runs: list[dict[str, Any]] = []
        problems: dict[int, str] = {}
        arrays: list[FloatArray] = []
        for entry, rule in shown.rules.items():
            try:
                made = [self._run(shown, rule, start) for start in shown.starts]
            except FalllineError as error:
                problems[entry] = str(error)
                continue
            for start, run in enumerate(made):
                stop = {"reason": run.stop.reason, "converged": run.stop.converged}
                runs.append({"entry": entry, "start": start, "count": int(run.steps[-1]), **stop})
                arrays += [run.x.ravel(), run.value, run.gradient.ravel(), run.rate]
        if problems and not runs:
            raise FalllineError(problem=next(iter(problems.values())))
        return {"runs": runs, "problems": problems}, arrays

    def _best(self, question: Mapping[str, Any]) -> Answer:
        """The rate with which a rule ends lowest from the start looked at, of those that are tried."""
        shown = Shown.of(question["link"], self._own)
        rule, start = shown.rules[question["entry"]], shown.starts[shown.active[1]]
        ends = [self._run(shown, with_learning_rate(rule, rate), start).final for rate in question["rates"]]
        # Of as low ends, the one that came there first.
        values = [end.value + 1e-12 * end.step if np.isfinite(end.value) else np.inf for end in ends]
        return {"rate": question["rates"][int(np.argmin(values))]}, []

    def _basins(self, question: Mapping[str, Any]) -> Answer:
        """In which minimum the rule looked at ends from each of side × side cells over the box, rows from the top."""
        shown = Shown.of(question["link"], self._own)
        objective = as_objective(self._of(shown))
        entry, number = shown.active
        side, axes = question["side"], question["axes"]
        left, right, bottom, top = question["box"]
        # The starts are the middles of the cells.
        halves = (right - left) / (2 * side), (top - bottom) / (2 * side)
        middles = [(left + halves[0], right - halves[0]), (bottom + halves[1], top - halves[1])]
        names = objective.names
        at = {name: shown.starts[number][i] for i, name in enumerate(names) if i not in axes}
        found = basins(
            objective,
            {names[axis]: interval for axis, interval in zip(axes, middles, strict=True)},
            shown.rules[entry],
            at=at,
            resolution=side,
            max_steps=question["steps"],
            stop=shown.stop,
            gradient=self._gradient_of(shown),
        )
        maps = (found.basin, found.steps)
        return {"minima": found.minima.tolist()}, [part[::-1].ravel().astype(float) for part in maps]

    def _rates(self, question: Mapping[str, Any]) -> Answer:
        """How the rule looked at ends over the values of one or two of its hyperparameters, rows of the second."""
        shown = Shown.of(question["link"], self._own)
        entry, number = shown.active
        found = sweep(
            self._of(shown),
            shown.starts[number],
            shown.rules[entry],
            dict(question["grid"]),
            max_steps=shown.max_steps,
            target=shown.target,
            stop=shown.stop,
            gradient=self._gradient_of(shown),
        )
        shape = [len(values) for _, values in question["grid"]]
        columns = [np.moveaxis(part.reshape(*shape, -1), 0, -2) for part in (found.outcome, found.steps, found.value)]
        points = np.moveaxis(found.x.reshape(*shape, -1), 0, -2)
        return {}, [part.ravel().astype(float) for part in (*columns, points)]

    def _diagnosis(self, question: Mapping[str, Any]) -> Answer:
        """What ails the run that is looked at, with the remedies that are a rule as a link says them."""
        from fallline.diagnosis import diagnose

        shown = Shown.of(question["link"], self._own)
        entry, start = shown.active
        if entry not in shown.rules:
            return {"findings": []}, []
        diagnosis = diagnose(self._run(shown, shown.rules[entry], shown.starts[start]), proof=False)
        findings = []
        for finding in diagnosis.findings:
            told = {"title": finding.title, "evidence": finding.evidence, "remark": finding.remark}
            for remedy in () if finding.remark else finding.remedies:
                rule = remedy.settings.get("optimizer")
                if isinstance(rule, Optimizer) and (rule.name in OPTIMIZERS or name_of(rule) in self._own):
                    told |= {"remedy": remedy.text, "rule": rule_text(rule, self._own.get(name_of(rule)), entry)}
                    break
            findings.append(told)
        return {"findings": findings}, []

    def _of(self, shown: Shown) -> Any:
        """What is minimised: Python's own function, or else the formula."""
        own = self._objective
        return own if own is not None and shown.formula == own.title else shown.formula

    def _gradient_of(self, shown: Shown) -> Any:
        return shown.gradient or (self._gradient if self._of(shown) is self._objective else "auto")

    def _run(self, shown: Shown, rule: Optimizer[Any], start: list[float]) -> Trajectory:
        return minimize(
            self._of(shown),
            start,
            rule,
            max_steps=shown.max_steps,
            target=shown.target,
            stop=shown.stop,
            gradient=self._gradient_of(shown),
        )
