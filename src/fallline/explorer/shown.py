"""What the page shows, as the library's own objects: read from a link that the page wrote."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from fallline.explorer.tracing import changed
from fallline.gradients import Perturbation
from fallline.line_search import LINE_SEARCHES
from fallline.optimizers import OPTIMIZERS, Optimizer
from fallline.optimizers.settings import with_learning_rate
from fallline.optimizers.wrappers import GradientNoise
from fallline.schedules import SCHEDULES
from fallline.stopping import CONDITIONS, NotFinite, StoppingCondition


@dataclass(frozen=True)
class Shown:
    """What a link says.

    Attributes:
        formula: what is minimised.
        starts: the points that runs start from.
        rules: the rules that are run, by their number in the list.
        max_steps: the number of steps.
        gradient: a `Perturbation`; None: exact.
        target: the value at which a run ends.
        stop: what else ends it; None for the usual condition.
        active: the numbers of the rule and of the start that are looked at.

    >>> shown = Shown.of("f=x%2By&start=1,2&rule=adam@torch,rate=constant,learning_rate=0.5,beta1=0.8,look=0&steps=9")
    >>> shown.formula, shown.starts, shown.max_steps
    ('x+y', [[1.0, 2.0]], 9)
    >>> shown.rules[0].beta1, shown.rules[0].convention
    (0.8, 'torch')
    """

    formula: str
    starts: list[list[float]]
    rules: dict[int, Optimizer[Any]]
    max_steps: int
    gradient: Perturbation | None
    target: float | None
    stop: StoppingCondition | None
    active: tuple[int, int]

    @classmethod
    def of(cls, link: str, own: Mapping[str, Optimizer[Any]] | None = None) -> Shown:
        """Read a link; `own` are the user's own rules by their names on the page."""
        said = parse_qs(link, keep_blank_values=True)

        def one(name: str, otherwise: str = "") -> str:
            return said.get(name, [otherwise])[0]

        deviation, seed = one("noise", "0,0").split(",")
        rules = {}
        for number, text in enumerate(said["rule"]):
            rule = rule_from(text, own or {})
            if rule is not None:
                noisy = float(deviation) > 0
                rules[number] = GradientNoise(rule, float(deviation) ** 2, 0.0, int(seed)) if noisy else rule
        scheme, _, step = one("gradient").partition(",")
        rule_looked_at, start_looked_at = one("active", "0,0").split(",")
        return cls(
            formula=one("f"),
            starts=[[float(number) for number in text.split(",")] for text in said["start"]],
            rules=rules,
            max_steps=int(one("steps")),
            gradient=Perturbation(float(step), scheme) if step else None,
            target=float(one("target")) if "target" in said else None,
            stop=_stop(said.get("stop", [])),
            active=(int(rule_looked_at), int(start_looked_at)),
        )


def _stop(texts: Sequence[str]) -> StoppingCondition | None:
    if texts == ["none"]:
        return NotFinite()
    made = []
    for text in texts:
        name, *parts = text.split(",")
        settings = dict(part.split("=", 1) for part in parts)
        made.append(CONDITIONS[name](**{path: _value(value) for path, value in settings.items()}))
    return functools.reduce(operator.or_, made) if made else None


def rule_from(text: str, own: Mapping[str, Optimizer[Any]]) -> Optimizer[Any] | None:
    """The rule that a link says; None if it is hidden.

    >>> rule_from("momentum,rate=schedule:cosine,learning_rate=0.1,rate.steps=50,momentum=0.8", {}).learning_rate
    Cosine(initial=0.1, steps=50, final=0.0, convention='paper')
    """
    head, *parts = text.split(",")
    said = dict(part.split("=", 1) for part in parts)
    said.pop("look", None)
    if said.pop("hidden", None):
        return None
    name, _, convention = head.partition("@")
    of_rate = ("rate", "learning_rate")
    settings = {path: _value(value) for path, value in said.items() if path.split(".")[0] not in of_rate}
    if name in own:
        return with_learning_rate(_changed(own[name], settings), _rate(said))
    settings |= {"learning_rate": _rate(said), "convention": convention or "paper"}
    rule: Optimizer[Any] = _with(OPTIMIZERS[name], settings)
    return rule


def _rate(said: Mapping[str, str]) -> Any:
    kind, _, name = said["rate"].partition(":")
    settings = {path[len("rate.") :]: _value(value) for path, value in said.items() if path.startswith("rate.")}
    if kind == "search":
        return _with(LINE_SEARCHES[name], settings)
    scale = _value(said["learning_rate"])
    if kind == "constant":
        return scale
    name, _, convention = name.partition("@")
    schedule = SCHEDULES[name]
    fields = [field.name for field in dataclasses.fields(schedule)]
    held = "after" if "after" in fields else fields[0]
    if convention and "convention" in fields:
        settings["convention"] = convention
    return _with(schedule, {held: scale, **settings})


def _with(kind: Any, settings: Mapping[str, Any]) -> Any:
    """A rule, schedule or line search with these settings by their paths."""
    made = kind(**{path: value for path, value in settings.items() if "." not in path})
    return _changed(made, {path: value for path, value in settings.items() if "." in path})


def _changed(made: Any, settings: Mapping[str, Any]) -> Any:
    for path, value in settings.items():
        made = changed(made, path, value)
    return made


def _value(text: str) -> Any:
    if ";" in text:
        return tuple(_value(part) for part in text.split(";"))
    if text in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[text]
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
