"""The findings, one a file: a file added here, or in `of_data`, is a finding added."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from fallline.diagnosis.finding import Check
from fallline.diagnosis.findings import of_data as data_room


@functools.cache
def all_checks(of_data: bool = True) -> tuple[Check, ...]:
    """The checks of all files, by name: each file holds the check of its own name.

    Arguments:
        of_data: whether with those that only a model with its data can show: they take long to import.

    >>> "unbounded" in [check.name for check in all_checks()]
    True
    """
    places = {module.name: f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__) if not module.ispkg}
    if of_data:
        places |= {
            module.name: f"{data_room.__name__}.{module.name}" for module in pkgutil.iter_modules(data_room.__path__)
        }
    return tuple(getattr(importlib.import_module(places[name]), name) for name in sorted(places))
