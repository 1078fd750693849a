"""The reference: a page of each room's public names, which mkdocstrings fills from their docstrings."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any, NamedTuple

import fallline
from fallline.explorer.formulas import lines_in_mathml
from fallline.hyperparameters import Hyperparameter, hyperparameters
from fallline.names import NAMES
from fallline.optimizers import OPTIMIZERS
from fallline.optimizers.mathml import table
from fallline.tables import number_text

INTRODUCTION = """\
# Reference

All public names: each is an attribute of `fallline`, and imported when it is first asked for. What is public keeps its
meaning; what is not listed here may change.
"""

# The rooms of the names that `fallline` has itself, with what is in them.
ROOMS = {
    "minimizing": "One run",
    "experiments": "Many runs",
    "fitting": "Fits to data",
    "optimizers": "Update rules",
    "schedules": "Schedules",
    "line_search": "Line searches",
    "stopping": "Stopping conditions",
    "penalties": "Penalties and sets",
    "objectives": "Objectives",
    "gradients": "Gradients",
    "models": "Models",
    "results": "Results",
    "diagnosis": "Diagnosis and explanation",
    "explorer": "Explorer",
    "recipes": "Recipes",
    "engines": "Engines",
    "errors": "Errors",
}
# The modules whose names are reached through them, where the libraries that they need may be missing.
BRIDGES = {
    "torch": "as_torch_optimizer from_torch",
    "optax": "as_optax from_optax eval_params",
    "jax": "from_jax",
    "scipy": "method to_scipy",
    "sklearn": "GradientDescentClassifier GradientDescentRegressor SigmoidNeuronRegressor",
}


class Public(NamedTuple):
    """A public name: how a user reaches it, where it is defined, and what it is, if it is here."""

    path: str
    home: str
    thing: Any = None


def pages() -> dict[str, str]:
    """The text of each page, by its name: one of each room, and the list of them."""
    rooms = {room: (title, [_public("fallline", name) for name in names_of(room)]) for room, title in ROOMS.items()}
    rooms["views"] = ("Pictures and films", [_public("fallline.views", name) for name in fallline.views.__all__])
    rooms["examples"] = ("Examples", [_public("fallline.examples", name) for name in fallline.examples.__all__])
    bridged = [f"fallline.bridges.{module}.{name}" for module, names in BRIDGES.items() for name in names.split()]
    rooms["bridges"] = ("Bridges", [Public(path, path) for path in bridged])
    listed = [
        f"- [{title}]({room}.md): {', '.join(f'[`{name(one)}`][{one.path}]' for one in publics)}"
        for room, (title, publics) in rooms.items()
    ]
    made = {room: "\n".join([f"# {title}\n", *map(_section, publics)]) for room, (title, publics) in rooms.items()}
    return {"index": "\n".join([INTRODUCTION, *listed, ""]), **made}


def names_of(room: str) -> list[str]:
    """The names that `fallline` has from a room."""
    homes = (names for home, names in NAMES.items() if f"{home}.".startswith(f"fallline.{room}."))
    return [name for names in homes for name in names]


def name(public: Public) -> str:
    """The last part of its path."""
    return public.path.rpartition(".")[2]


def _public(room: str, named: str) -> Public:
    thing = getattr(importlib.import_module(room), named)
    return Public(f"{room}.{named}", f"{thing.__module__}.{named}", thing)


def _section(public: Public) -> str:
    """The part of a public name; it can be linked to by both of its paths."""
    alias = "" if public.path == public.home else f"[](){{ #{public.path} aria-hidden=true tabindex=-1 }}\n\n"
    told = f"{alias}::: {public.home}\n"
    kind = public.thing
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind) and hyperparameters(kind)):
        return told
    return f"{told}\n{_formula(kind)}{_settings(kind)}"


def _formula(kind: type) -> str:
    """The formula of a rule, derived from its code, and the way to what the libraries make of it."""
    if not issubclass(kind, fallline.Optimizer) or kind.name not in OPTIMIZERS:
        return ""
    lines = lines_in_mathml(kind())
    told = f'<div class="formula" tabindex="0">{table(lines)}</div>\n\n' if lines else ""
    more = f"[Its conventions](../conventions.md#{kind.__name__.lower()})\n\n" if len(kind.conventions) > 1 else ""
    return told + more


def _settings(kind: type) -> str:
    """A table of the hyperparameters of a rule, schedule or condition."""
    rows = [
        f"| `{setting}` | {_default(about)} | {about.about}; {about.range} |"
        for setting, about in hyperparameters(kind).items()
    ]
    return "\n".join(["| | default | |", "|---|---|---|", *rows, ""])


def _default(about: Hyperparameter) -> str:
    return "" if about.default is dataclasses.MISSING else f"`{number_text(about.default)}`"
