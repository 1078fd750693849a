"""What Fallline has of each kind is known by being defined, and is what a user finds."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

import fallline
from fallline import GradientDescent, Optimizer, StoppingCondition
from fallline.line_search import LINE_SEARCHES, LineSearch
from fallline.optimizers import BOUNDED, OPTIMIZERS, WRAPPERS, optimizer_from_name
from fallline.penalties import STRUCTURES, ConvexSet, Penalty
from fallline.schedules import SCHEDULES, Schedule
from fallline.stopping import CONDITIONS, AnyOf, Progress, SmallEpoch


def defined_below(kind: Any) -> Iterator[Any]:
    """All classes that are made from this one, those of Fallline's own that somebody can make an object of."""
    for one in kind.__subclasses__():
        # What a bridge makes of another library's optimizer has no name to be called by.
        ours = one.__module__.startswith("fallline.") and not one.__module__.startswith("fallline.bridges.")
        if ours and not inspect.isabstract(one):
            yield one
        yield from defined_below(one)


@pytest.mark.parametrize(
    ("roots", "tables"),
    [
        ([Optimizer], [OPTIMIZERS, BOUNDED, WRAPPERS]),
        ([Schedule], [SCHEDULES]),
        ([LineSearch], [LINE_SEARCHES]),
        ([Penalty, ConvexSet], [STRUCTURES]),
        ([StoppingCondition], [CONDITIONS]),
    ],
    ids=lambda kinds: "",
)
def test_every_class_is_in_one_table_and_public(roots: list[Any], tables: list[dict[str, Any]]) -> None:
    known = [kind for table in tables for kind in table.values()]
    defined = {kind for root in roots for kind in defined_below(root) if "<locals>" not in kind.__qualname__}
    assert len(known) == len(set(known))
    # The examples of docstrings may have been run, which define some; and what has no name for users is a part of one.
    named = {kind for kind in defined if kind.__name__ in vars(inspect.getmodule(kind))}
    assert {kind for kind in named if not kind.__name__.startswith("_")} <= set(known)
    for kind in {*known} - {AnyOf, SmallEpoch}:
        if kind.__name__ in vars(inspect.getmodule(kind)):
            assert getattr(fallline, kind.__name__) is kind
            assert kind.__name__ in dir(fallline)


def test_dir_shows_what_there_is_and_nothing_else() -> None:
    shown = dir(fallline)
    assert {"minimize", "Adam", "views", "bridges", "examples", "chain_rule", "__version__"} <= set(shown)
    assert set(shown) == {*fallline.__all__, "__version__"}
    assert len(shown) == len(set(shown))
    modules = [name for name in shown if isinstance(getattr(fallline, name), ModuleType)]
    assert modules == ["bridges", "examples", "views"]
    assert [name for name in shown if getattr(fallline, name) is None] == []


def test_a_rule_or_a_condition_of_the_users_takes_no_ones_place() -> None:
    @dataclass(frozen=True)
    class Descent(GradientDescent):
        name = "gradient_descent"

    class Target(StoppingCondition):
        reason = "another target"

        def met(self, progress: Progress) -> Any:
            return progress.value < 1

        def message(self, progress: Progress, run: int) -> str:
            return "reached"

    assert type(optimizer_from_name("gradient_descent")) is GradientDescent
    assert CONDITIONS["Target"] is fallline.Target
    assert fallline.minimize("x**2", 2.0, Descent(0.25), stop=Target()).stop.message == "reached"


def test_the_package_alone_imports_nothing_and_a_rule_only_its_family() -> None:
    program = """if True:
        import sys
        import fallline
        print("numpy" in sys.modules)
        fallline.Adam(0.1)
        print(*sorted(name.rpartition(".")[2] for name in sys.modules if name.startswith("fallline.optimizers.")))
        fallline.minimize("x**2", 1.0, "adam")
        print(*{"sympy", "matplotlib", "dask", "llvmlite", "jax", "fallline.models", "fallline.data"} & {*sys.modules})
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["False", "adam base spelling", ""]


def test_a_star_import_has_every_public_name() -> None:
    program = "from fallline import *; print(*(name for name in dir() if not name.startswith('__')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {*done.stdout.split()} == {*dir(fallline)} - {"__version__"}


@pytest.mark.parametrize(("room", "kinds"), [("optimizers", {**OPTIMIZERS, **WRAPPERS}), ("schedules", SCHEDULES)])
def test_the_rooms_of_rules_have_them_as_names(room: str, kinds: dict[str, Any]) -> None:
    program = f"from fallline.{room} import *; print(*(name for name in dir() if not name.startswith('__')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found = {*done.stdout.split()}
    assert {kind.__name__ for kind in kinds.values()} <= found == {*dir(getattr(fallline, room))}


def test_a_name_that_is_none_is_not_there() -> None:
    assert [name for name in ("x.y", "", "os.path", "_y", "adma") if hasattr(fallline, name)] == []


@pytest.mark.parametrize("name", ["ADAM", "heavy-ball", "qhm", "proximal_descent"])
def test_a_rule_is_found_by_any_spelling_before_any_other_is_imported(name: str) -> None:
    program = f"from fallline.optimizers import optimizer_from_name; print(optimizer_from_name({name!r}).name)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == optimizer_from_name(name).name
