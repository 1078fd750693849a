"""The printed summary of each result."""

from __future__ import annotations

import math

import numpy as np

from fallline.results.basins import DIVERGED, NOT_ARRIVED, Basins
from fallline.results.comparison import Comparison
from fallline.results.repeats import is_told_by_rule, table_by_rule
from fallline.results.sweep import NOT_RUN, OUTCOMES, Setting, Sweep
from fallline.results.trajectory import Trajectory
from fallline.results.tuning import Trial, Tuning
from fallline.tables import MOST_COORDINATES, MOST_ROWS, Summary, number_text, place_text, summary_of, wrapped_fact

# The longest label in a table.
LONGEST_LABEL = 40


@summary_of.register
def _of_trajectory(run: Trajectory) -> Summary:
    start, final, best = run.start, run.final, run.best
    cost = run.evaluations
    facts = [
        ("objective", run.title),
        ("optimizer", run.optimizer),
        ("stopped", f"{run.stop.reason}: {run.stop.message}"),
        ("start", place_text(run.names, start.x)),
        ("final", place_text(run.names, final.x)),
        ("value", f"{final.value:.8g}"),
        ("|gradient|", f"{final.gradient_norm:.4g}"),
    ]
    if best.value < final.value or math.isnan(final.value):
        facts.append(("best", f"{best.value:.8g} at step {best.step}: {place_text(run.names, best.x)}"))
    left_out = run.step_count + 1 - len(run)
    facts += [
        ("steps", f"{run.step_count}" + (f", of which {len(run)} rows are recorded" if left_out else "")),
        ("evaluations", f"{cost.value} of the value, {cost.gradient} of the gradient ({run.gradient_kind})"),
        ("time", f"{run.seconds:.3g} s ({run.engine})"),
    ]
    return Summary("Trajectory", facts)


@summary_of.register
def _of_comparison(runs: Comparison) -> Summary:
    """The runs, the one that saw the lowest value first; of a rule that is repeated, median and quartiles."""
    if not len(runs):
        return Summary("Comparison of 0 runs")
    lowest = runs.lowest
    first = np.argsort(np.where(np.isnan(lowest), np.inf, lowest), kind="stable")[:MOST_ROWS].tolist()
    facts = [("objective", runs[first[0]].title), ("gradient", runs[first[0]].gradient_kind)]
    # To avoid making all trajectories, only these are compared: with several starts, the first and last run differ.
    if len({runs[place].start.x.tobytes() for place in (0, *first, -1)}) == 1:
        facts.append(("start", place_text(runs[0].names, runs[0].start.x)))
    head = f"Comparison of {_counted(len(runs), 'run')}, the best first"
    if is_told_by_rule(runs):
        facts.append(("best", f"{lowest[first[0]]:.6g}: {runs.labels[first[0]]}"))
        header, rows = table_by_rule(runs)
        rows = [[_label(rule), *figures] for rule, *figures in rows]
        return Summary(head, facts, header, rows[:MOST_ROWS], max(0, len(rows) - MOST_ROWS))
    header = ["run", "f", "lowest f", "|gradient|", "steps", "evaluations", "seconds", "stopped"]
    rows = []
    for place in first:
        run = runs[place]
        figures = [f"{run.final.value:.6g}", f"{lowest[place]:.6g}", f"{run.final.gradient_norm:.3g}"]
        counts = [str(run.step_count), str(sum(run.evaluations)), f"{run.seconds:.2g}"]
        rows.append([_label(runs.labels[place]), *figures, *counts, run.stop.reason])
    return Summary(head, facts, header, rows, len(runs) - len(rows))


@summary_of.register
def _of_sweep(runs: Sweep) -> Summary:
    """How many runs ended in which way, and the settings, the best first."""
    left = int(np.count_nonzero(runs.outcome == NOT_RUN))
    facts = [("objective", runs.title), ("runs", f"{len(runs) - left}, each of at most {runs.max_steps} steps")]
    if left:
        facts.append(("interrupted", f"{left} runs to go"))
    if runs.target is not None:
        facts.append(("target", f"{runs.target:g}"))
    counts = [(name, runs.count(name), about) for name, about in OUTCOMES.items() if runs.count(name)]
    for name, count, about in counts:
        facts += wrapped_fact(name, f"{count}: {about}")
    settings = _ranked(runs)
    head = f"Sweep of {_counted(len(runs), 'run')}"
    if not settings:
        return Summary(head, facts)
    names = [name for name in settings[0].settings if len(runs.factors[name]) > 1] or ["optimizer"]
    rows = [
        [*(_label(number_text(one.settings[name])) for name in names), *_outcome(one)] for one in settings[:MOST_ROWS]
    ]
    header = [*names, "converged", "steps", "f"]
    return Summary(f"{head}, the best settings first", facts, header, rows, len(settings) - len(rows))


@summary_of.register
def _of_basins(found: Basins) -> Summary:
    """The minima, those with the largest basins first, and the starts that reached none."""
    shape = " × ".join(map(str, found.basin.shape[::-1]))
    box = ", ".join(
        f"{name} from {side[0]:g} to {side[-1]:g}" for name, side in zip(found.axes, (found.x, found.y), strict=True)
    )
    facts = [("objective", found.title), ("optimizer", found.optimizer), ("starts", f"{shape}: {box}")]
    if found.held:
        facts.append(("held", place_text(list(found.held), list(found.held.values()))))
    facts.append(("engine", found.engine))
    names = found.names[:MOST_COORDINATES]
    rows = [
        [
            str(place + 1),
            *(f"{number:.6g}" for number in found.minima[place, : len(names)]),
            f"{found.values[place]:.6g}",
            *_basin(found, place),
        ]
        for place in range(min(len(found.minima), MOST_ROWS))
    ]
    more = len(found.minima) - len(rows)
    for place, label in ((NOT_ARRIVED, "does not arrive"), (DIVERGED, "diverges")):
        if found.share(place):
            rows.append([label, *[""] * (len(names) + 1), *_basin(found, place)])
    header = ["minimum", *names, "f", "starts", "share", "steps"]
    return Summary(f"Basins of {_counted(found.basin.size, 'start')}", facts, header, rows, more)


@summary_of.register
def _of_tuning(found: Tuning) -> Summary:
    """The trials, the best first."""
    ranked = sorted(found.trials, key=lambda trial: trial.score)
    given_up = sum(math.isinf(trial.score) for trial in ranked)
    facts = [("objective", found.title), ("optimizer", found.optimizer)]
    if found.target is not None:
        facts.append(("target", f"{found.target:g}"))
    end = "" if found.complete else "; interrupted"
    facts.append(("trials", f"{len(ranked)}, of which {given_up} were given up as diverging{end}"))
    names = list(ranked[0].settings)
    if given_up < len(ranked):
        facts.append(("best", ", ".join(f"{name} = {number_text(ranked[0].settings[name])}" for name in names)))
    rows = [[*(number_text(trial.settings[name]) for name in names), *_outcome(trial)] for trial in ranked[:MOST_ROWS]]
    head = f"Tuning in {_counted(len(ranked), 'trial')}, the best first"
    return Summary(head, facts, [*names, "converged", "steps", "f"], rows, len(ranked) - len(rows))


def _ranked(runs: Sweep) -> list[Setting]:
    """All settings of a sweep, the best first."""
    return runs.ranked(runs.outcome.size)


def _outcome(one: Setting | Trial) -> list[str]:
    steps = "" if math.isnan(one.steps) else f"{one.steps:g}"
    return [f"{100 * one.converged:.3g} %", steps, f"{one.value:.6g}"]


def _basin(found: Basins, place: int) -> list[str]:
    """The number of starts, their share, and their median steps."""
    here = found.basin == place
    return [str(np.count_nonzero(here)), f"{100 * found.share(place):.2f} %", f"{np.median(found.steps[here]):g}"]


def _label(text: str) -> str:
    """A label, cut in the middle if it is long: rules differ at its beginning, starts at its end."""
    half = LONGEST_LABEL // 2
    return text if len(text) <= LONGEST_LABEL else f"{text[: half - 1].rstrip()}…{text[-half:].lstrip()}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
