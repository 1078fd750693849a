"""A workbench for gradient descent: run update rules, record every step, see and explain what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fallline.basins import Basins, basins
from fallline.diagnosis import Finding, diagnose
from fallline.engines import Cluster
from fallline.errors import FalllineError
from fallline.fit import Fit, fit
from fallline.gradients import Perturbation
from fallline.gradients.check import check_gradient
from fallline.line_search import LINE_SEARCHES, LineSearch
from fallline.minimize import Comparison, compare, minimize, rerun
from fallline.models import Hinge, Huber, Linear, Logistic, Network, Poisson, SigmoidNeuron, Softmax, SquaredHinge
from fallline.objectives import Objective, as_objective
from fallline.optimizers import OPTIMIZERS, WRAPPERS, Optimizer
from fallline.penalties import STRUCTURES
from fallline.schedules import SCHEDULES, Schedule
from fallline.stopping import CONDITIONS, StoppingCondition
from fallline.sweep import Sweep, sweep
from fallline.trajectory import Point, Record, Trajectory
from fallline.tune import Interval, Tuning, tune

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
    for table in (OPTIMIZERS, WRAPPERS, SCHEDULES, LINE_SEARCHES, STRUCTURES, CONDITIONS)
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
    raise AttributeError(f"module 'fallline' has no attribute {name!r}")
