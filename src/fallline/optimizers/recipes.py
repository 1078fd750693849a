"""Rules, schedules, line searches and penalties from the recipes that files hold of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fallline.errors import FalllineError
from fallline.line_search import LINE_SEARCHES
from fallline.optimizers import OPTIMIZERS, WRAPPERS
from fallline.penalties import STRUCTURES
from fallline.recipe import decode, encode
from fallline.schedules import SCHEDULES


def rebuilt(recipe: Any) -> Any:
    """A rule or a setting of one, from its recipe.

    Raises:
        FalllineError: when it is of a class that Fallline does not have.

    >>> from fallline import Adam, Cosine
    >>> rebuilt(encode(Adam(Cosine(0.1, 50)))) == Adam(Cosine(0.1, 50))
    True
    """
    registries = (OPTIMIZERS, WRAPPERS, SCHEDULES, LINE_SEARCHES, STRUCTURES)
    return decode(recipe, {kind.__name__: kind for registry in registries for kind in registry.values()})


def kept(setting: Any) -> Any:
    """A rule or a setting as a file holds it; a recipe, which stands for a class of the user's, as it is."""
    return setting if isinstance(setting, Mapping) else encode(setting)


def unkept(recipe: Any) -> Any:
    """What `kept` wrote, built again; where that takes a class of the user's, the recipe as it is.

    Raises:
        FalllineError: when a recipe is none.
    """
    try:
        return rebuilt(recipe)
    except FalllineError:
        if not _names_a_users_class(recipe):
            raise
        return recipe


def _names_a_users_class(recipe: Any) -> bool:
    """Whether a class with the name of its module before it stands somewhere in the recipe."""
    if isinstance(recipe, list):
        return any(map(_names_a_users_class, recipe))
    if not isinstance(recipe, Mapping):
        return False
    return "." in str(recipe.get("type")) or any(map(_names_a_users_class, recipe.values()))
