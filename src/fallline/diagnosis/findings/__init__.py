"""The findings, one a file: a file added here is a finding added."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from fallline.diagnosis.finding import Check


@functools.cache
def all_checks() -> tuple[Check, ...]:
    """The checks of all files of this package, by name: each holds the check of the file's own name.

    >>> "unbounded" in [check.name for check in all_checks()]
    True
    """
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(getattr(importlib.import_module(f"{__name__}.{name}"), name) for name in names)
