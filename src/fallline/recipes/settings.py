"""Rules, schedules, line searches, sets, penalties and conditions as tables of a recipe file, from their fields."""

from __future__ import annotations

import dataclasses
import re
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fallline.encoding import encode
from fallline.errors import FalllineError, nearest
from fallline.gradients import Perturbation
from fallline.line_search import LINE_SEARCHES
from fallline.optimizers import BOUNDED, OPTIMIZERS, WRAPPERS
from fallline.optimizers.spelling import rules_meant
from fallline.penalties import STRUCTURES, Penalty
from fallline.recipes.toml import place_of
from fallline.schedules import SCHEDULES
from fallline.slips import meant
from fallline.stopping import CONDITIONS, AnyOf

Kinds = Mapping[str, type[Any]]


def _in_snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _together(*registries: Kinds) -> Kinds:
    """Several registries as one, which is only read: a class is imported when its name is asked for."""
    return ChainMap(*registries)  # type: ignore[arg-type]


# The classes that a table may name, each under the name that it has in files.
RULES = _together(OPTIMIZERS, BOUNDED, WRAPPERS)
RATES = _together(SCHEDULES, LINE_SEARCHES)
PENALTIES: Kinds = {_in_snake_case(name): kind for name, kind in STRUCTURES.items() if issubclass(kind, Penalty)}
SETS: Kinds = {_in_snake_case(name): kind for name, kind in STRUCTURES.items() if not issubclass(kind, Penalty)}
STOPS: Kinds = {_in_snake_case(name): kind for name, kind in CONDITIONS.items() if kind is not AnyOf}
GRADIENTS: Kinds = {"perturbation": Perturbation}

# What a field may hold, by its annotation: the classes of its tables, and whether it must be one.
_TABLES: Mapping[str, tuple[Kinds, bool]] = {
    "LearningRate": (RATES, False),
    "Schedule | float": (SCHEDULES, False),
    "Optimizer[Any]": (RULES, True),
    "Penalty": (PENALTIES, True),
    "ConvexSet": (SETS, True),
}


def table_of(thing: Any) -> dict[str, Any]:
    """A rule, a schedule, a condition or the like as the table of a recipe file: its name, and every setting.

    Raises:
        FalllineError: when it is, or holds, an object of a class of the user's.

    >>> from fallline import Adam, Cosine
    >>> table_of(Adam(Cosine(0.1, steps=50)))["learning_rate"]
    {'name': 'cosine', 'initial': 0.1, 'steps': 50, 'final': 0.0, 'convention': 'paper'}
    """
    table: dict[str, Any] = written(encode(thing))
    return table


def written(encoded: Any) -> Any:
    """What `encode` made of settings, as a recipe file holds it."""
    if isinstance(encoded, list | tuple):
        return [written(item) for item in encoded]
    if not isinstance(encoded, Mapping):
        return encoded
    name, kind = _named(str(encoded["type"]))
    table: dict[str, Any] = {"name": name}
    # TOML has no null: what is None is left out, and None is the default of those fields.
    table |= {key: written(value) for key, value in encoded.items() if key != "type" and value is not None}
    convention = table.pop("convention", None)
    if len(getattr(kind, "conventions", ())) > 1:
        table["convention"] = convention
    return table


def _named(class_name: str) -> tuple[str, type[Any]]:
    """The name in files of a class of Fallline's, and the class."""
    for kinds in (RULES, RATES, PENALTIES, SETS, STOPS, GRADIENTS):
        for name, kind in kinds.items():
            if kind.__name__ == class_name:
                return name, kind
    raise FalllineError(
        problem=f"{class_name} is none of Fallline's own, so that a recipe file cannot hold it",
        allowed="keep the Python that made it",
    )


def read(table: Any, kinds: Kinds, place: str, *, beside: Iterable[str] = ()) -> Any:
    """The object that a table describes: of one of these classes, which alone are ever made.

    Arguments:
        beside: keys that may stand in the table beside the settings, and are none of the object's.

    Raises:
        FalllineError: naming the key, by its place in the file, that is wrong.

    >>> read({"name": "adam", "learning_rate": 0.1}, RULES, "optimizers[0]").label
    'adam, learning_rate 0.1'
    >>> read({"name": "adam", "learning_rat": 0.1}, RULES, "rule")
    Traceback (most recent call last):
    fallline.errors.FalllineError: rule.learning_rat is no setting of adam; did you mean 'learning_rate'? Allowed: ...
    """
    if not isinstance(table, dict):
        raise FalllineError(place, table, 'it must be a table with a name, such as { name = "..." }')
    settings = dict(table)
    name = chosen(settings.pop("name", None), kinds, place_of(place, "name"))
    kind = kinds[name]
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    needed = [key for key, field in fields.items() if field.default is dataclasses.MISSING]
    check_keys(settings, [*fields, *beside], place, needed=needed, of=name)
    given = {
        key: _setting(value, str(fields[key].type), place_of(place, key))
        for key, value in settings.items()
        if key in fields
    }
    return made(lambda: kind(**given), place)


def made(make: Callable[[], Any], place: str) -> Any:
    """What is made of settings that stand at a place, with errors that name it."""
    try:
        return make()
    except FalllineError as error:
        error.of = "" if error.parameter else place
        raise error.under(place_of(place, error.parameter) if error.parameter else "") from None


def chosen(name: Any, kinds: Mapping[str, Any], place: str) -> str:
    """The name at a place, checked to be one of these.

    Raises:
        FalllineError: when it is not, with the nearest one that is.
    """
    if isinstance(name, str) and name in kinds:
        return name
    elsewhere = rules_meant(str(name), kinds) if kinds is RULES else ()
    if elsewhere:
        raise FalllineError(place, name, f"write {' or '.join(map(repr, elsewhere))}")
    if name is None:
        raise FalllineError(place, problem="is missing", allowed=nearest("", kinds))
    raise FalllineError(place, name, nearest(str(name), kinds))


def check_keys(table: Any, allowed: Iterable[str], place: str, *, needed: Iterable[str] = (), of: str = "") -> None:
    """Check the keys of a table at a place.

    Arguments:
        of: what the table describes, for error texts.

    Raises:
        FalllineError: when one is not allowed, with the nearest one that is, or one is lacking.
    """
    if not isinstance(table, dict):
        raise FalllineError(place, table, "it must be a table")
    known = list(allowed)
    for key in table:
        if key not in known:
            problem = f"is no setting of {of}" if of else "is no key of a recipe"
            raise FalllineError(place_of(place, key), problem=problem, allowed=meant(key, known))
    lacking = [key for key in needed if key not in table]
    if lacking:
        raise FalllineError(place, problem=f"lacks {' and '.join(lacking)}")


def _setting(value: Any, annotation: str, place: str) -> Any:
    """The value of a field: a table becomes an object, a list a tuple; ranges are checked by the class itself."""
    kinds, always = _TABLES.get(annotation, ({}, False))
    if always or (isinstance(value, dict) and kinds):
        return read(value, kinds, place)
    several = annotation == "Quantity" or annotation.startswith("tuple")
    if isinstance(value, dict) or (isinstance(value, list) and not several):
        raise FalllineError(place, value, "it must be a single value")
    numbers = tuple(value) if isinstance(value, list) else (value,)
    if several and not all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers):
        raise FalllineError(place, value, "it must be numbers")
    return numbers if isinstance(value, list) else value
