"""Alternative names of rules, and advice when an optimizer of another library is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fallline.errors import nearest

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


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def rules_meant(name: str, registered: Iterable[str]) -> tuple[str, ...]:
    """The registered names that a name in any spelling stands for; empty if there is none.

    >>> rules_meant("Heavy-Ball", ["adam", "momentum"]), rules_meant("adm", ["adam"])
    (('momentum',), ())
    """
    by_plain = {_plain(known): known for known in registered}
    plain = _plain(name)
    if plain in by_plain:
        return (by_plain[plain],)
    return tuple(known for known in OTHER_NAMES.get(plain, ()) if known in by_plain.values())


def spelt(name: str, registered: Iterable[str]) -> str:
    """The registered name that a name stands for; the name itself if there is none."""
    return next(iter(rules_meant(name, registered)), name)


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
    for library, bridge in (("torch", "PyTorch"), ("keras", "Keras")):
        if library in libraries:
            meant = rules_meant(kind.__name__, rules)
            same = [f"{rule}@{library}" for rule in meant if library in rules[rule].conventions]
            return f"it is {bridge}'s: " + (
                f"write {' or '.join(map(repr, same))}" if same else nearest(kind.__name__, rules)
            )
    return f"write {thing.__name__}()" if isinstance(thing, type) else None


def _module(thing: Any) -> str:
    return str(getattr(thing, "__module__", "")).partition(".")[0]
