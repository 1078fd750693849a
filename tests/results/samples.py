"""One result of every kind, and one object of every public class, small and quick to make."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import fallline
from fallline import (
    Adam,
    Cluster,
    Cosine,
    GradientDescent,
    Momentum,
    Perturbation,
    Record,
    basins,
    compare,
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
from fallline.data import Classes, Feature, Split, Standardization, open_source, survey
from fallline.data.table import table_of
from fallline.fitting.fitted import FittedModel
from fallline.gradients import chain
from fallline.gradients import check as checking
from fallline.models import MODELS, Batches, Loss, Slice
from fallline.objectives import FunctionObjective
from fallline.objectives.base import Cost
from fallline.objectives.formula import FormulaObjective
from fallline.objectives.landscapes import LANDSCAPES, Landscape
from fallline.optimizers import OPTIMIZERS, WRAPPERS
from fallline.results.archive import Archived
from tests.models.samples import sample

ROWS = {"hours": [1, 2, 3, 4, 5, 6], "passed": ["no", "no", "yes", "no", "yes", "yes"]}
WIDE = np.random.default_rng(0).normal(size=(400, 300))


@functools.cache
def results() -> dict[str, Archived]:
    """A result of every kind, by name; of some kinds several."""
    bowl = "x**2 + 3*y**2 - x*y"
    return {
        "trajectory": minimize(bowl, [1.0, -2.0], Adam(0.1), max_steps=20, record=Record(every=3, state=True)),
        "of a function": minimize(lambda x: np.sum(x**2), np.ones(200), GradientDescent(0.1), max_steps=5),
        "diverging": minimize(bowl, [1.0, 1.0], GradientDescent(1e100)),
        "comparison": compare(bowl, [1.0, 2.0], {"plain": GradientDescent(0.1), "heavy": Momentum(0.1)}, max_steps=30),
        "many runs": compare(bowl, WIDE[:30, :2], GradientDescent(0.1), max_steps=4, record=Record(None, state=True)),
        "sweep": sweep(
            bowl,
            {"learning_rate": [0.1, 0.5, Cosine(0.1, 20)]},
            [[1.0, 1.0], [2.0, 0.0]],
            ["momentum", "adam"],
            target=1e-3,
            max_steps=40,
        ),
        "basins": basins("himmelblau", GradientDescent(0.05), resolution=8),
        "tuning": tune("x**2/2", ["learning_rate"], 1.0, trials=12, max_steps=20),
        "fit": fit(ROWS, "passed", max_steps=40),
        "fit with rows held out": fit(ROWS, "passed", holdout=0.4, max_steps=3, seed=2),
        "fit of batches": fit(ROWS, "passed", batch_size=2, epochs=2),
    }


def result(kind: type[Any]) -> Any:
    """A result of this kind."""
    return next(found for found in results().values() if type(found) is kind)


def public_classes() -> list[type]:
    """The classes that the packages name as theirs, but for what nobody makes: abstract ones, errors, and engines."""
    rooms = [fallline, *(_module(found.name) for found in pkgutil.iter_modules(fallline.__path__, "fallline."))]
    named = {
        thing
        for room in rooms
        if room.__name__ not in ("fallline.engines", "fallline.machine_code")
        for thing in (getattr(room, name) for name in getattr(room, "__all__", ()))
        if inspect.isclass(thing) and thing is not Any
    }
    made = (kind for kind in named if not inspect.isabstract(kind) and not issubclass(kind, BaseException))
    return sorted({*made, *RETURNED}, key=lambda kind: kind.__qualname__)


def _module(name: str) -> Any:
    return importlib.import_module(name if name != "fallline.__main__" else "fallline")


def everything() -> dict[type, Callable[[], Any]]:
    """How an object of each public class is made."""
    return dict(_made())


def _made() -> Iterator[tuple[type, Callable[[], Any]]]:
    for found in results().values():
        yield type(found), lambda found=found: found  # type: ignore[misc]
    for kind in OPTIMIZERS.values():
        yield kind, kind
    for around in WRAPPERS.values():
        yield around, lambda around=around: around(Adam())  # type: ignore[misc]
    for model, loss in MODELS.items():
        yield loss, lambda model=model: sample(model, 12, 30, np.random.default_rng(0))  # type: ignore[misc]
    for registry in (schedules.SCHEDULES, line_search.LINE_SEARCHES, stopping.CONDITIONS, penalties.STRUCTURES):
        for kind in registry.values():
            yield kind, lambda kind=kind: kind(**SETTINGS.get(kind.__name__, {}))  # type: ignore[misc]
    yield from OTHERS.items()


# What has no default in a schedule, a condition, a penalty.
SETTINGS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("StepSize", "GradientNorm", "ValueChange"), {"tolerance": 1e-3}),
    **dict.fromkeys(("Evaluations", "Seconds"), {"limit": 60}),
    **dict.fromkeys(("L1", "L2"), {"strength": 0.1}),
    "AnyOf": {"parts": (stopping.StepSize(1e-3), stopping.Seconds(60))},
    "Target": {"value": 0.0},
    "ElasticNet": {"l1": 0.1, "l2": 0.1},
    "Box": {"low": 0.0, "high": 1.0},
    "Constant": {"initial": 0.1},
    "MultiStep": {"initial": 0.1, "milestones": (10, 20)},
    "WarmUp": {"then": Cosine(0.1, 50), "steps": 5},
}


def _run(names: int = 2) -> Any:
    return minimize("x**2" if names == 1 else "x**2 + y**2", [1.0] * names, Adam(0.1), max_steps=12)


def _loss(features: int = 300) -> Loss:
    return MODELS["linear"](WIDE[:, :features], WIDE[:, 0])


def _survey() -> Any:
    return survey(open_source(ROWS), ["hours"], "passed", classes=True, split=Split(0.4, 0))


_steps = functools.partial(chain.chain_rule, "; ".join(f"u{i} = {'x' if i == 0 else f'u{i - 1}'}**2" for i in range(40)))


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
    fallline.Point: lambda: minimize(lambda x: np.sum(x**2), np.ones(500), Adam(0.1), max_steps=1).final,
    fallline.Record: Record,
    fallline.Interval: lambda: fallline.Interval(0, 1),
    fallline.Finding: lambda: fallline.diagnose(minimize("x**3", 1.0, GradientDescent(0.1)))[0],
    Batches: lambda: _loss().batches(10),
    Slice: lambda: _loss().slice(np.zeros(301), np.ones((1, 301))),
    FunctionObjective: lambda: fallline.as_objective(functools.partial(np.sum), 200),
    Landscape: lambda: LANDSCAPES["himmelblau"],
    Cost: lambda: _run().evaluations,
    Classes: lambda: Classes(tuple(f"class {i}" for i in range(200))),
    Feature: lambda: Feature("colour", ("blue", "red"), None),
    Split: lambda: Split(0.3, 0),
    Standardization: lambda: Standardization((0.0,) * 500, (1.0,) * 500),
    type(_survey()): _survey,
    type(_survey().training): lambda: _survey().training,
    type(_survey().training.preparation): lambda: _survey().training.preparation,
    type(open_source(ROWS)): lambda: open_source(ROWS),
    type(table_of(ROWS)): lambda: table_of(ROWS),
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
    views.TuningCurve: lambda: views.tuning_data(result(fallline.Tuning)),
}
