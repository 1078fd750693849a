"""`fallline optimizers`: the update rules, their formulas and their hyperparameters."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fallline.cli import options, report
from fallline.cli.conventions import shortened_line
from fallline.errors import FalllineError, nearest
from fallline.hyperparameters import Hyperparameter, hyperparameters
from fallline.json_text import written
from fallline.optimizers import OPTIMIZERS, WRAPPERS, Optimizer
from fallline.optimizers.spelling import spelt
from fallline.tables import number_text, text_table


def optimizers(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[RULE]...", help="Rules to show. [default: all]")
    ] = None,
    json: options.JsonOption = False,
) -> None:
    """List the update rules, or show some with their formulas, hyperparameters and allowed ranges.

    The formulas are derived from the rules' source code. In them, g is the gradient, t the step counted from 1, rate
    the learning rate, and _old marks the value of a quantity before the step.
    """
    known: dict[str, type[Optimizer[Any]]] = {**OPTIMIZERS, **WRAPPERS}
    names = [spelt(name, known) for name in names or ()]
    for name in names:
        if name not in known:
            raise FalllineError("RULE", name, nearest(name, known))
    if json:
        report.say(written([_data(name, known[name]) for name in names or known]))
    elif names:
        report.say("\n\n".join(_text(name, known[name]) for name in names))
    else:
        report.say(text_table(["rule", ""], [_row(*item) for item in known.items()], left=(0, 1)))
        report.say("\nfallline optimizers RULE shows its formula, its conventions and what each number may be.")


def _row(name: str, kind: type[Optimizer[Any]]) -> list[str]:
    return [f"{name}:RULE" if name in WRAPPERS else name, about_rule(kind)]


def _data(name: str, kind: type[Optimizer[Any]]) -> dict[str, Any]:
    from fallline.optimizers.conventions import conventions

    return {
        "name": name,
        "about": _about(kind),
        "formula": conventions(name)[0].formula,
        "conventions": dict(kind.conventions),
        "hyperparameters": {
            setting: {"default": number_text(about.default), "allowed": str(about.range), "about": about.about}
            for setting, about in hyperparameters(kind).items()
        },
    }


def _text(name: str, kind: type[Optimizer[Any]]) -> str:
    from fallline.optimizers.conventions import conventions

    lines = [f"{name}:RULE" if name in WRAPPERS else name, f"  {_about(kind)}"]
    lines += [f"  {quantity} = {shortened_line(text)}" for quantity, text in conventions(name)[0].formula.items()]
    lines += [f"    {setting}={_setting(about)}" for setting, about in hyperparameters(kind).items()]
    if len(kind.conventions) > 1:
        lines.append(f"  conventions: {', '.join(kind.conventions)}; see fallline conventions {name}")
    return "\n".join(lines)


def about_rule(kind: type[Optimizer[Any]]) -> str:
    """What a rule is, in a few words."""
    return _about(kind).partition(":")[0].rstrip(".")


def _about(kind: type[Optimizer[Any]]) -> str:
    return (kind.__doc__ or "").partition("\n")[0]


def _setting(about: Hyperparameter) -> str:
    return f"{number_text(about.default)}: {about.about}, {about.range}"
