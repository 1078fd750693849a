"""What is rewritten of SciPy is still there by its name; its gradients are held by the corpus."""

from __future__ import annotations

import importlib

from fallline.gradients.carrying import name_of
from fallline.gradients.rewritten import REWRITTEN

MODULES = (
    "interpolate._ppoly",
    "linalg",
    "sparse._sparsetools",
    "spatial._distance_pybind",
    "spatial._distance_wrap",
)


def test_every_routine_is_in_the_installed_scipy_by_its_name() -> None:
    modules = [importlib.import_module(f"scipy.{name}") for name in MODULES]
    there = {name_of(thing) for module in modules for thing in vars(module).values() if callable(thing)}
    assert set(REWRITTEN) <= there
