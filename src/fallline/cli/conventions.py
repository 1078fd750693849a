"""`fallline conventions`: what each library computes under one rule's name, and how much that changes a run."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fallline.cli import options, report
from fallline.errors import FalllineError, nearest
from fallline.experiments.convention_runs import OBJECTIVE, START, STEPS, worked_run
from fallline.json_text import written
from fallline.optimizers import OPTIMIZERS, WRAPPERS
from fallline.optimizers.spelling import spelt
from fallline.tables import number_text, text_table

# Longer lines of a formula are cut: they are not readable.
LONGEST = 300


def conventions(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The update rule, such as adam.")],
    json: options.JsonOption = False,
) -> None:
    """Show what each library computes under the name of a rule, and how much the runs differ.

    In a formula, g is the gradient, t the step counted from 1, rate the learning rate, and _old marks the value of a
    quantity before the step.
    """
    from fallline.optimizers.conventions import conventions as known_conventions

    rule = spelt(rule, OPTIMIZERS, WRAPPERS)
    if rule not in OPTIMIZERS and rule not in WRAPPERS:
        raise FalllineError("RULE", rule, nearest(rule, [*OPTIMIZERS, *WRAPPERS]))
    known = known_conventions(rule)
    apart = worked_run(rule)
    if not json:
        report.say(_text(rule, known, apart))
        return
    data = [
        {
            "convention": convention.name,
            "about": convention.about,
            "formula": convention.formula,
            "defaults": {name: number_text(value) for name, value in convention.defaults.items()},
            "value": run.value,
            "distance": {"own defaults": run.by_default, "paper's defaults": run.by_formula},
        }
        for convention, run in zip(known, apart, strict=True)
    ]
    report.say(written({"rule": rule, "objective": OBJECTIVE, "start": START, "steps": STEPS, "runs": data}))


def shortened_line(text: str) -> str:
    """A line of a formula, cut if it is too long."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 2]} …"


def _text(rule: str, known: Any, apart: Any) -> str:
    from fallline.optimizers.conventions import differences

    width = max(len(convention.name) for convention in known)
    lines = [rule, *(f"  {convention.name:{width}}  {convention.about}" for convention in known), ""]
    differing = differences(known)
    if differing:
        lines.append("What differs in a step:")
    for quantity, texts in differing.items():
        lines.append(f"  {quantity}")
        lines += [f"    {', '.join(names)}:\n      {shortened_line(text)}" for text, names in texts.items()]
    alike = {name: text for name, text in known[0].formula.items() if name not in differing}
    if alike:
        lines += ["", "What all have in common:"] if differing else ["The same step in all:"]
        lines += [f"  {quantity} = {shortened_line(text)}" for quantity, text in alike.items()]
    names = [convention.name for convention in known]
    defaults = [
        [setting, *(number_text(convention.defaults[setting]) for convention in known)] for setting in known[0].defaults
    ]
    lines += ["", "Defaults:", text_table(["", *names], defaults), ""]
    start = ",".join(f"{number:g}" for number in START)
    lines.append(f"Largest distance from the paper's run in {STEPS} steps on {OBJECTIVE} from {start}:")
    rows = [[run.convention, f"{run.by_default:.3g}", f"{run.by_formula:.3g}", f"{run.value:.6g}"] for run in apart]
    lines.append(text_table(["", "own defaults", "the paper's defaults", "f at the end, own defaults"], rows))
    if len(known) > 1:
        inner = ":gradient_descent" if rule in WRAPPERS else ""
        others = ",".join(f"{rule}@{name}{inner}" for name in names)
        lines += ["", f"Side by side: fallline compare {OBJECTIVE} --start {start} --optimizers {others}"]
    return "\n".join(lines)
