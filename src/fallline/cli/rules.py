"""Parsing update rules on the command line: a name and options, or adam@torch(learning_rate=0.1, beta1=0.8)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fallline.errors import FalllineError
from fallline.hyperparameters import Hyperparameter, hyperparameters
from fallline.line_search import LINE_SEARCHES, LineSearch
from fallline.optimizers import OPTIMIZERS, Optimizer, optimizer_from_name
from fallline.optimizers.spelling import spelt
from fallline.schedules import parse_schedule


def rule_from(
    name: str, learning_rate: float | None, schedule: str | None, settings: Sequence[str], flag: str = "--set"
) -> Optimizer[Any]:
    """The update rule that the options describe.

    Arguments:
        settings: hyperparameters, each as NAME=VALUE.
        flag: the option that gives them, for error texts.

    Raises:
        FalllineError: naming the option that is wrong.
    """
    kind = OPTIMIZERS.get(spelt(name.rpartition(":")[2].partition("@")[0], OPTIMIZERS))
    known = hyperparameters(kind) if kind else {}
    given: dict[str, Any] = {} if learning_rate is None else {"learning_rate": learning_rate}
    for text in settings:
        setting, equals, value = text.partition("=")
        if not (setting and equals):
            raise FalllineError(flag, text, "write NAME=VALUE, such as beta1=0.8")
        if setting in given:
            raise FalllineError(flag, text, "give it once", problem=f"but {setting} is given already")
        given[setting] = _setting(f"{flag} is {text!r}", setting, value, getattr(kind, setting, None), known)
    if schedule is not None:
        given["learning_rate"] = _scheduled(name, schedule, given.get("learning_rate"))
    return optimizer_from_name(name, **given)


def rules_from(
    text: str, flag: str, learning_rate: float | None, schedule: str | None, settings: Sequence[str]
) -> dict[str, Optimizer[Any]]:
    """The rules of a list such as "adam@torch(learning_rate=0.1), momentum", by their text in the list.

    Arguments:
        flag: the option that gives the list, for error texts.
        learning_rate: the rate of rules that have none in the list.
        schedule: the schedule of the rates.
        settings: hyperparameters of rules that do not have them in the list, each as NAME=VALUE.

    Raises:
        FalllineError: quoting what is wrong.

    >>> list(rules_from("adam(beta1=0.8, learning_rate=0.1), momentum", "--optimizers", 0.5, None, []))
    ['adam(beta1=0.8, learning_rate=0.1)', 'momentum']
    """
    written = [part.strip() for part in re.split(r",(?![^(]*\))", text) if part.strip()]
    twice = next((part for part in written if written.count(part) > 1), None)
    if not written or twice:
        wrong = f"names {twice} twice" if twice else "names no rule"
        raise FalllineError(flag, text, "write adam@torch,adam@keras", problem=f"which {wrong}")
    rules = {}
    for part in written:
        form = re.fullmatch(r"([^()\s]+)\s*(?:\(([^()]*)\))?", part)
        if form is None:
            raise FalllineError(flag, text, f"write {part!r} as RULE or RULE(NAME=VALUE, NAME=VALUE)")
        own = [setting.replace(" ", "") for setting in (form[2] or "").split(",") if setting.strip()]
        named = {setting.partition("=")[0] for setting in own}
        try:
            optimizer_from_name(form[1])
        except FalllineError as error:
            raise FalllineError(flag, problem=f"is {text!r}: {error}") from None
        others = [setting for setting in settings if setting.partition("=")[0] not in named]
        rate = None if "learning_rate" in named else learning_rate
        rules[part] = rule_from(form[1], rate, schedule, [*own, *others], f"a setting in {flag}" if own else "--set")
    return rules


def _setting(told: str, name: str, value: str, default: Any, known: Mapping[str, Hyperparameter]) -> Any:
    """Parse the value of a hyperparameter by the type of its default."""
    if isinstance(default, bool) and value in ("true", "false"):
        return value == "true"
    if isinstance(default, str):
        return value
    try:
        return int(value) if name in known and known[name].range.whole else float(value)
    except ValueError:
        allowed = known[name].range if name in known else "a number"
        raise FalllineError(problem=told, allowed=f"{name} must be {allowed}") from None


def _scheduled(name: str, schedule: str, rate: float | None) -> Any:
    """The schedule or line search of --schedule, with the given rate or the rule's own as the initial rate."""
    if schedule in LINE_SEARCHES:
        return LINE_SEARCHES[schedule](**({} if rate is None else {"initial": rate}))
    first: Any = optimizer_from_name(name).learning_rate if rate is None else rate
    if isinstance(first, LineSearch):
        raise FalllineError(
            "--schedule", schedule, "give --learning-rate too", problem=f"but {name} searches its rate along a line"
        )
    return parse_schedule(schedule, first)
