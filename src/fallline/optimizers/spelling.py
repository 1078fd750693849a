"""Alternative names of rules, and advice when an optimizer or a schedule of another library is given."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from fallline.errors import listed, nearest
from fallline.registry import plain

# Other libraries by the names of their modules.
LIBRARIES: Mapping[str, str] = {"optax": "optax", "torch": "PyTorch", "keras": "Keras"}
# Other names of rules, in lower case without underscores: the rules meant, the likeliest first.
OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "sgd": ("gradient_descent", "momentum"),
    "gd": ("gradient_descent",),
    "steepestdescent": ("gradient_descent",),
    "heavyball": ("momentum",),
    "polyak": ("momentum",),
    "sgdmomentum": ("momentum",),
    "sgdm": ("momentum",),
    "nag": ("nesterov",),
    "nesterovmomentum": ("nesterov",),
    "acceleratedgradient": ("nesterov",),
    "quasihyperbolicmomentum": ("qhm",),
    "asgd": ("averaged_descent",),
    "signsgd": ("sign_descent",),
    "bb": ("barzilai_borwein",),
    "cg": ("conjugate_gradient",),
    "bfgs": ("lbfgs",),
    "ista": ("proximal",),
    "proximalgradient": ("proximal",),
    "proximaldescent": ("proximal",),
    "apg": ("fista",),
}

# The schedules of other libraries whose `_shape` is not that of one of Fallline's: the schedule meant.
SCHEDULES_ELSEWHERE: Mapping[str, str] = {
    # of torch
    "ConstantLR": "PiecewiseConstant",
    "LinearLR": "WarmUp",
    "CosineAnnealingLR": "Cosine",
    "CosineAnnealingWarmRestarts": "CosineRestarts",
    "ReduceLROnPlateau": "ReduceOnPlateau",
    # of optax, where the schedules of a warm-up are joined ones and those of one cycle interpolated ones
    "linear_schedule": "Polynomial",
    "join_schedules": "WarmUp",
    "piecewise_interpolate_schedule": "OneCycle",
    "cosine_onecycle_schedule": "OneCycle",
    "linear_onecycle_schedule": "OneCycle",
    "sgdr_schedule": "CosineRestarts",
    **dict.fromkeys(("warmup_constant_schedule", "warmup_cosine_decay_schedule"), "WarmUp"),
    "warmup_exponential_decay_schedule": "WarmUp",
    # of Keras
    "CosineDecayRestarts": "CosineRestarts",
}


def rules_meant(name: str, registered: Iterable[str]) -> tuple[str, ...]:
    """The registered names that a name in any spelling stands for; empty if there is none.

    >>> rules_meant("Heavy-Ball", ["adam", "momentum"]), rules_meant("adm", ["adam"])
    (('momentum',), ())
    """
    by_plain = {plain(known): known for known in registered}
    if plain(name) in by_plain:
        return (by_plain[plain(name)],)
    return tuple(known for known in OTHER_NAMES.get(plain(name), ()) if known in by_plain.values())


def spelt(name: str, *registered: Collection[str]) -> str:
    """The registered name that a name stands for; the name itself if there is none."""
    if any(name in names for names in registered):
        return name
    return next(iter(rules_meant(name, itertools.chain(*registered))), name)


def instead_of(thing: Any, rules: Mapping[str, Any]) -> str | None:
    """What to give instead of a class, or of another library's optimizer; None if there is no advice.

    Arguments:
        thing: what was given as a rule. No library is imported to inspect it.
        rules: the rules by their registered names.
    """
    kind = thing if isinstance(thing, type) else type(thing)
    libraries = {base.__module__.partition(".")[0] for base in kind.__mro__ if base.__module__}
    if "optax" in libraries or (callable(thing) and _module(thing) == "optax"):
        call = "" if "optax" in libraries else f" and call it, as in {thing.__name__}(0.1)"
        return f"it is optax's: give fallline.bridges.optax.from_optax of it{call}"
    for library, bridge in LIBRARIES.items():
        if library in libraries:
            meant = rules_meant(kind.__name__, rules)
            same = [f"{rule}@{library}" for rule in meant if library in rules[rule].conventions]
            return f"it is {bridge}'s: " + (
                f"write {' or '.join(map(repr, same))}" if same else nearest(kind.__name__, rules)
            )
    return f"write {thing.__name__}()" if isinstance(thing, type) else None


def schedule_instead_of(thing: Any, schedules: Mapping[str, Any]) -> str | None:
    """What to give instead of a schedule of another library, or of a function of the step; None if it is neither.

    Arguments:
        thing: what was given as a learning rate. No library is imported to inspect it.
        schedules: the schedules by their registered names.

    >>> schedule_instead_of(lambda step: 0.1 / step, {})
    'a rate that changes is a Schedule, such as Cosine(0.1, steps=100)'
    """
    kind = thing if isinstance(thing, type) or inspect.isfunction(thing) else type(thing)
    bases = kind.__mro__ if isinstance(kind, type) else (kind,)
    # A rate may be another thing of a library's, such as a tensor.
    libraries = {_module(base) for base in bases if "schedul" in base.__module__}
    library = next((spelt for key, spelt in LIBRARIES.items() if key in libraries), None)
    if library is None:
        return "a rate that changes is a Schedule, such as Cosine(0.1, steps=100)" if callable(thing) else None
    name = kind.__qualname__.partition(".")[0]
    known = {made.__name__: made for made in schedules.values()}
    ours = SCHEDULES_ELSEWHERE.get(name) or next((each for each in known if _shape(each) == _shape(name)), None)
    if ours not in known:
        return f"it is {library}'s: write one of {listed(known)}"
    settings = [setting for setting in inspect.signature(known[ours]).parameters if setting != "convention"]
    return f"it is {library}'s: write {ours}({', '.join(settings)})"


def _shape(name: str) -> str:
    """The name of a schedule without what libraries append to it."""
    return re.sub("(decay)?(lr|schedule)?$", "", plain(name))


def _module(thing: Any) -> str:
    return str(getattr(thing, "__module__", "")).partition(".")[0]
