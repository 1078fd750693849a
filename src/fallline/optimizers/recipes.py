"""Rebuilds rules, schedules, line searches and penalties from the recipes stored in files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fallline.encoding import decode, encode
from fallline.errors import FalllineError
from fallline.line_search import LINE_SEARCHES
from fallline.optimizers import BOUNDED, OPTIMIZERS, WRAPPERS
from fallline.schedules import SCHEDULES


def rebuilt(recipe: Any) -> Any:
    """A rule, or a setting of a rule, from its recipe.

    Raises:
        FalllineError: when its class is not one of Fallline's.

    >>> from fallline import Adam, Cosine
    >>> rebuilt(encode(Adam(Cosine(0.1, 50)))) == Adam(Cosine(0.1, 50))
    True
    """
    from fallline.penalties import STRUCTURES

    registries = (OPTIMIZERS, BOUNDED, WRAPPERS, SCHEDULES, LINE_SEARCHES, STRUCTURES)
    return decode(recipe, {kind.__name__: kind for registry in registries for kind in registry.values()})


def kept(setting: Any) -> Any:
    """A rule or a setting in the form stored in files; a recipe of a user's class is returned unchanged."""
    return setting if isinstance(setting, Mapping) else encode(setting)


def unkept(recipe: Any) -> Any:
    """Rebuild what `kept` wrote; if that needs a user's class, return the recipe unchanged.

    Raises:
        FalllineError: when it is not a recipe.
    """
    try:
        return rebuilt(recipe)
    except FalllineError:
        if not _names_a_users_class(recipe):
            raise
        return recipe


def _names_a_users_class(recipe: Any) -> bool:
    """Whether the recipe contains a class named with its module, which is a user's."""
    if isinstance(recipe, list):
        return any(map(_names_a_users_class, recipe))
    if not isinstance(recipe, Mapping):
        return False
    return "." in str(recipe.get("type")) or any(map(_names_a_users_class, recipe.values()))
