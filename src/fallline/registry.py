"""Tables of Fallline's own rules, schedules and conditions, filled as the classes are defined."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from fallline.names import NAMES

Kind = TypeVar("Kind")


class Registry(Mapping[str, type[Kind]], Generic[Kind]):
    """Classes by their names on the command line, in the order of `NAMES`.

    A class is entered when it is defined, so that no list has to be kept, and its module is imported when the class is
    asked for, so that a run imports the one rule that it needs.

    Arguments:
        rooms: the modules, or packages of modules, whose classes are entered here.

    >>> from fallline.schedules import SCHEDULES
    >>> SCHEDULES["cosine"].__name__, "cosines" in SCHEDULES
    ('Cosine', False)
    """

    def __init__(self, *rooms: str) -> None:
        self._modules = [module for module in NAMES if module in rooms or module.rpartition(".")[0] in rooms]
        self._entered: dict[str, type[Kind]] = {}

    def enter(self, name: str, kind: type[Kind]) -> None:
        """Enter a class, from its `__init_subclass__`, if it has a name and is Fallline's own; users' have none."""
        if name and kind.__module__.partition(".")[0] == __name__.partition(".")[0]:
            self._entered[name] = kind

    def __getitem__(self, name: str) -> type[Kind]:
        if name not in self._entered:
            # Most names are those of the classes; for the others all modules are imported.
            likely = [module for module in self._modules if plain(name) in map(plain, NAMES[module])]
            for module in likely or self._modules:
                importlib.import_module(module)
        return self._entered[name]

    def __iter__(self) -> Iterator[str]:
        for module in self._modules:
            importlib.import_module(module)
        return iter(sorted(self._entered, key=lambda name: self._modules.index(self._entered[name].__module__)))

    def __len__(self) -> int:
        return len(list(iter(self)))


def plain(name: str) -> str:
    """A name in lower case without anything but letters and digits, as spellings are compared."""
    return "".join(character for character in name.lower() if character.isalnum())
