"""One result of every kind, and one object of every public class, small and quick to make."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tests.models.samples import sample

import fallline
from fallline import (
    Adam,
    Cluster,
    GradientDescent,
    Momentum,
    Optimizer,
    Perturbation,
    Record,
    basins,
    compare,
    diagnosis,
    fit,
    line_search,
    minimize,
    penalties,
    schedules,
    stopping,
    sweep,
    tune,
    views,
)
from fallline.data import (
    Classes,
    Dataset,
    Feature,
    Preparation,
    Source,
    Split,
    Standardization,
    Survey,
    Table,
    open_source,
    survey,
)
from fallline.data.table import table_of
from fallline.fitting.fitted import FittedModel
from fallline.gradients import chain
from fallline.gradients import check as checking
from fallline.models import MODELS, Batches, Loss, Slice
from fallline.objectives import FunctionObjective
from fallline.objectives.base import Cost
from fallline.objectives.formula import FormulaObjective
from fallline.objectives.landscapes import LANDSCAPES, Landscape
from fallline.optimizers import BOUNDED, OPTIMIZERS, WRAPPERS
from fallline.results.archive import Archived

ROWS = {"hours": [1, 2, 3, 4, 5, 6], "passed": ["no", "no", "yes", "no", "yes", "yes"]}
WIDE = np.random.default_rng(0).normal(size=(400, 300))


BOWL = "x**2 + 3*y**2 - x*y"
RULES: dict[str, Optimizer[Any]] = {"plain": GradientDescent(0.1), "heavy": Momentum(0.1)}
GRID: dict[str, list[Any]] = {"learning_rate": [0.1, 0.5], "convention": ["paper", "torch"]}
STARTS = [[1.0, 1.0], [2.0, 0.0]]

# A result of every kind, by name; of some kinds several.
RESULTS: dict[str, Callable[[], Any]] = {
    "trajectory": lambda: minimize(BOWL, [1.0, -2.0], Adam(0.1), max_steps=20, record=Record(every=3, state=True)),
    "of a function": lambda: minimize(lambda x: np.sum(x**2), np.ones(200), GradientDescent(0.1), max_steps=5),
    "diverging": lambda: minimize(BOWL, [1.0, 1.0], GradientDescent(1e100)),
    "comparison": lambda: compare(BOWL, [1.0, 2.0], RULES, max_steps=30),
    "many runs": lambda: compare(BOWL, WIDE[:12, :2], Adam(0.1), max_steps=4, record=Record(None, state=True)),
    "sweep": lambda: sweep(BOWL, STARTS, ["momentum", "rmsprop"], GRID, target=1e-3, max_steps=40),
    "basins": lambda: basins("himmelblau", None, GradientDescent(0.01), resolution=8),
    "tuning": lambda: tune("x**2/2", 1.0, "gradient_descent", ["learning_rate"], trials=12, max_steps=20),
    "fit": lambda: fit(ROWS, "passed", max_steps=40),
    "fit with rows held out": lambda: fit(ROWS, "passed", holdout=0.4, max_steps=3, seed=2),
    "fit of batches": lambda: fit(ROWS, "passed", batch_size=2, epochs=2),
}


KINDS: dict[str, type[Archived]] = {
    **dict.fromkeys(("trajectory", "of a function", "diverging"), fallline.Trajectory),
    **dict.fromkeys(("comparison", "many runs"), fallline.Comparison),
    "sweep": fallline.Sweep,
    "basins": fallline.Basins,
    "tuning": fallline.Tuning,
    **dict.fromkeys(("fit", "fit with rows held out", "fit of batches"), fallline.Fit),
}


@functools.cache
def named(name: str) -> Any:
    """The result of this name."""
    return RESULTS[name]()


def result(kind: type[Any]) -> Any:
    """A result of this kind."""
    return next(named(name) for name in RESULTS if KINDS[name] is kind)


def public_classes() -> list[type]:
    """The public classes of the packages, except those a user does not create: abstract ones, errors, and engines."""
    rooms = [fallline, *(_module(found.name) for found in pkgutil.iter_modules(fallline.__path__, "fallline."))]
    found = {
        thing
        for room in rooms
        if room.__name__ not in ("fallline.engines", "fallline.machine_code")
        for thing in (getattr(room, name) for name in getattr(room, "__all__", ()))
        if inspect.isclass(thing) and thing is not Any
    }
    made = (kind for kind in found if not inspect.isabstract(kind) and not issubclass(kind, BaseException))
    return sorted({*made, *RETURNED}, key=lambda kind: kind.__qualname__)


def _module(name: str) -> Any:
    return importlib.import_module(name if name != "fallline.__main__" else "fallline")


def everything() -> dict[type, Callable[[], Any]]:
    """How an object of each public class is made."""
    return dict(_made())


def _made() -> Iterator[tuple[type, Callable[[], Any]]]:
    for name, kind in KINDS.items():
        yield kind, lambda name=name: named(name)  # type: ignore[misc]
    yield from ((rule, rule) for rule in (*OPTIMIZERS.values(), *BOUNDED.values()))
    for around in WRAPPERS.values():
        yield around, lambda around=around: around(Adam())  # type: ignore[misc]
    for model, loss in MODELS.items():
        yield loss, lambda model=model: sample(model, 12, 30, np.random.default_rng(0))  # type: ignore[misc]
    for schedule in schedules.SCHEDULES.values():
        needed = [field.name for field in dataclasses.fields(schedule) if field.default is dataclasses.MISSING]
        yield schedule, lambda kind=schedule, needed=needed: kind(**dict.fromkeys(needed, 10))  # type: ignore[misc]
    for registry in (line_search.LINE_SEARCHES, stopping.CONDITIONS, penalties.STRUCTURES):
        for thing in registry.values():
            yield thing, lambda thing=thing: thing(**SETTINGS.get(thing.__name__, {}))  # type: ignore[misc]
    yield from OTHERS.items()


# What has no default in a condition, or in a penalty.
SETTINGS: dict[str, dict[str, Any]] = {
    "StepSize": {"tolerance": 1e-3},
    "GradientNorm": {"tolerance": 1e-3},
    "ValueChange": {"tolerance": 1e-3},
    "Evaluations": {"limit": 60},
    "Seconds": {"limit": 60},
    "Target": {"value": 0.0},
    "AnyOf": {"parts": (stopping.StepSize(1e-3), stopping.Seconds(60))},
    "L1": {"strength": 0.1},
    "L2": {"strength": 0.1},
    "ElasticNet": {"l1": 0.1, "l2": 0.1},
    "Box": {"low": 0.0, "high": 1.0},
}


def _run(names: int = 2) -> Any:
    return minimize("x**2" if names == 1 else "x**2 + y**2", [1.0] * names, Adam(0.1), max_steps=12)


def _loss(features: int = 300) -> Loss:
    return MODELS["linear"](WIDE[:, :features], WIDE[:, 0])


def _survey() -> Any:
    return survey(open_source(ROWS), ["hours"], "passed", classes=True, split=Split(0.4, 0))


_steps = functools.partial(
    chain.chain_rule, "; ".join(f"u{i} = {'x' if i == 0 else f'u{i - 1}'}**2" for i in range(40))
)


def _slopes() -> checking.GradientCheck:
    return checking.check_gradient(lambda x: np.sum(x**2), np.ones(40), gradient=lambda x: 3 * x)


# Classes that no package names, whose objects a user is given all the same.
RETURNED: dict[type, Callable[[], Any]] = {
    FittedModel: lambda: fit(ROWS, "passed", max_steps=3).fitted,
    FormulaObjective: lambda: fallline.as_objective(" + ".join(f"x{i}**2" for i in range(100))),
    checking.GradientCheck: _slopes,
    checking.CheckedSlope: lambda: _slopes().slopes[0],
    chain.ChainRule: lambda: _steps(1.0),
    chain.Path: lambda: _steps(1.0).paths["x"][0],
    chain.Factor: lambda: _steps(1.0).factors[0],
}

OTHERS: dict[type, Callable[[], Any]] = RETURNED | {
    Cluster: lambda: Cluster("tcp://127.0.0.1:8786"),
    Perturbation: Perturbation,
    fallline.Recipe: lambda: fallline.Recipe(objective=BOWL, starts=[[1.0, 2.0]], optimizers=[Adam(0.1)]),
    fallline.Point: lambda: minimize(lambda x: np.sum(x**2), np.ones(500), Adam(0.1), max_steps=1).final,
    fallline.Record: Record,
    fallline.Interval: lambda: fallline.Interval(0, 1),
    diagnosis.Diagnosis: lambda: fallline.diagnose(minimize("x**3", 1.0, GradientDescent(0.1))),
    fallline.Explanation: lambda: minimize("x**2 + y**2", [1.0, 2.0], "adam", max_steps=3).explain(2),
    fallline.Parting: lambda: compare("x**2", 1.0, ["adam", "lion"], max_steps=3).differ(),
    fallline.Finding: lambda: fallline.diagnose(minimize("x**3", 1.0, GradientDescent(0.1)))[0],
    diagnosis.Remedy: lambda: diagnosis.Remedy("GradientDescent(0.4)", {"optimizer": GradientDescent(0.4)}),
    Batches: lambda: _loss().batches(10),
    Slice: lambda: _loss().slice(np.zeros(301), np.ones((1, 301))),
    FunctionObjective: lambda: fallline.as_objective(functools.partial(np.sum), 200),
    Landscape: lambda: LANDSCAPES["himmelblau"],
    Cost: lambda: _run().evaluations,
    Classes: lambda: Classes(tuple(f"class {i}" for i in range(200))),
    Feature: lambda: Feature("colour", ("blue", "red"), None),
    Split: lambda: Split(0.3, 0),
    Standardization: lambda: Standardization((0.0,) * 500, (1.0,) * 500),
    Survey: _survey,
    Dataset: lambda: _survey().training,
    Preparation: lambda: _survey().training.preparation,
    Source: lambda: open_source(ROWS),
    Table: lambda: table_of(ROWS),
    views.Arrows: lambda: views.arrows_data(minimize("x**2 + y**2", [1.0, 1.0], Adam(0.1), record=Record(state=True))),
    views.BasinMap: lambda: views.basin_map_data(result(fallline.Basins)),
    views.ChainGraph: lambda: views.chain_data(_steps(1.0)),
    views.ChainNode: lambda: views.chain_data(_steps(1.0)).nodes[0],
    views.ChainEdge: lambda: views.chain_data(_steps(1.0)).edges[0],
    views.Curve: lambda: views.curve_data(fallline.as_objective("x**2"), (-1.0, 1.0)),
    views.Descent: lambda: views.descent_data(_run(1)),
    views.Epochs: lambda: views.epochs_data(_run(1)),
    views.Film: lambda: views.animate(_run(), frames=2),
    views.HeatMap: lambda: views.heat_map_data(result(fallline.Sweep)),
    views.Histories: lambda: views.histories_data(result(fallline.Trajectory)),
    views.Landscape: lambda: views.landscape_data(_run()),
    fallline.Explorer: lambda: fallline.explore("x**2"),
    views.Look: lambda: views.Look(style="dark", context="paper"),
    views.TuningCurve: lambda: views.tuning_data(result(fallline.Tuning)),
}


def parts(name: str, path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the arrays of a result's file, which is written."""
    named(name).save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    return json.loads(str(arrays.pop("header"))), arrays


def write(path: Path, header: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Write the file of a result with this header and these arrays."""
    np.savez(path, header=np.array(json.dumps(header)), **arrays)
