"""A workbench for gradient descent: run update rules, record every step, see and explain what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fallline.diagnosis import Finding, diagnose
from fallline.engines import Cluster
from fallline.errors import FalllineError, nearest
from fallline.experiments.basins import basins
from fallline.experiments.compare import compare
from fallline.experiments.sweep import sweep
from fallline.experiments.tune import Interval, tune
from fallline.fitting.fit import fit
from fallline.fitting.result import Fit
from fallline.gradients import Perturbation
from fallline.gradients.check import check_gradient
from fallline.line_search import LINE_SEARCHES, LineSearch
from fallline.minimize import minimize, rerun
from fallline.models import Hinge, Huber, Linear, Logistic, Network, Poisson, SigmoidNeuron, Softmax, SquaredHinge
from fallline.objectives import Objective, as_objective
from fallline.optimizers import BOUNDED, OPTIMIZERS, WRAPPERS, Optimizer
from fallline.penalties import STRUCTURES
from fallline.results.basins import Basins
from fallline.results.comparison import Comparison
from fallline.results.sweep import Sweep
from fallline.results.trajectory import Point, Record, Trajectory
from fallline.results.tuning import Tuning
from fallline.schedules import SCHEDULES, Schedule
from fallline.stopping import CONDITIONS, StoppingCondition

if TYPE_CHECKING:
    from fallline import bridges, examples, views
    from fallline.gradients.chain import chain_rule

    # As `_DEFINED` has them, for type checkers and editors.
    from fallline.line_search import *
    from fallline.optimizers import *
    from fallline.penalties import *
    from fallline.schedules import *
    from fallline.stopping import *

__version__ = "0.1.0"

# Rules, schedules, line searches, penalties and stopping conditions, each known by being defined.
_DEFINED = {
    kind.__name__: kind
    for table in (OPTIMIZERS, BOUNDED, WRAPPERS, SCHEDULES, LINE_SEARCHES, STRUCTURES, CONDITIONS)
    for kind in table.values()
    if kind.__name__ not in ("AnyOf", "SmallEpoch")  # made by `|`, and by a bridge
}
globals().update(_DEFINED)

__all__ = [
    *_DEFINED,
    "Basins",
    "Cluster",
    "Comparison",
    "FalllineError",
    "Finding",
    "Fit",
    "Hinge",
    "Huber",
    "Interval",
    "LineSearch",
    "Linear",
    "Logistic",
    "Network",
    "Objective",
    "Optimizer",
    "Perturbation",
    "Point",
    "Poisson",
    "Record",
    "Schedule",
    "SigmoidNeuron",
    "Softmax",
    "SquaredHinge",
    "StoppingCondition",
    "Sweep",
    "Trajectory",
    "Tuning",
    "as_objective",
    "basins",
    "bridges",
    "chain_rule",
    "check_gradient",
    "compare",
    "diagnose",
    "examples",
    "fit",
    "minimize",
    "rerun",
    "sweep",
    "tune",
    "views",
]


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def __getattr__(name: str) -> Any:
    # What needs SymPy or Matplotlib is imported when it is first asked for.
    import importlib

    if name in ("bridges", "examples", "views"):
        return importlib.import_module(f"fallline.{name}")
    if name == "chain_rule":
        return importlib.import_module("fallline.gradients.chain").chain_rule
    raise AttributeError(f"module 'fallline' has no attribute {name!r}{_meant(name)}")


def _meant(name: str) -> str:
    """What there is instead of a name that the package does not have."""
    from fallline.optimizers import OPTIMIZERS, WRAPPERS
    from fallline.optimizers.spelling import rules_meant

    if name.startswith("_"):
        return ""
    rules = {**OPTIMIZERS, **WRAPPERS}
    if meant := [rules[rule].__name__ for rule in rules_meant(name, rules)]:
        return f"; write {' or '.join(meant)}"
    close = nearest(name, __all__).partition(" Allowed: ")
    return f"; {close[0]}" if close[1] else ""
