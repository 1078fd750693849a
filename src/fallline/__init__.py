"""A workbench for gradient descent: run update rules, record every step, see and explain what happened."""

from __future__ import annotations

from fallline.names import public, public_names

# As of `typing`, which takes longer to import than all of this.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    # As `names` has them, for type checkers and editors.
    from fallline import bridges as bridges
    from fallline import examples as examples
    from fallline import views as views
    from fallline.diagnosis import Diagnosis as Diagnosis
    from fallline.diagnosis import Finding as Finding
    from fallline.diagnosis import Remedy as Remedy
    from fallline.diagnosis import diagnose as diagnose
    from fallline.diagnosis.explanation import Explanation as Explanation
    from fallline.diagnosis.explanation import explain as explain
    from fallline.diagnosis.parting import Parting as Parting
    from fallline.diagnosis.parting import differ as differ
    from fallline.engines import Cluster as Cluster
    from fallline.errors import FalllineError as FalllineError
    from fallline.experiments.basins import basins as basins
    from fallline.experiments.compare import compare as compare
    from fallline.experiments.sweep import sweep as sweep
    from fallline.experiments.tune import Interval as Interval
    from fallline.experiments.tune import tune as tune
    from fallline.fitting.fit import fit as fit
    from fallline.fitting.result import Fit as Fit
    from fallline.gradients import Perturbation as Perturbation
    from fallline.gradients.chain import chain_rule as chain_rule
    from fallline.gradients.check import check_gradient as check_gradient
    from fallline.line_search import *
    from fallline.minimizing import minimize as minimize
    from fallline.minimizing import rerun as rerun
    from fallline.models import Hinge as Hinge
    from fallline.models import Huber as Huber
    from fallline.models import Linear as Linear
    from fallline.models import Logistic as Logistic
    from fallline.models import Network as Network
    from fallline.models import Poisson as Poisson
    from fallline.models import SigmoidNeuron as SigmoidNeuron
    from fallline.models import Softmax as Softmax
    from fallline.models import SquaredHinge as SquaredHinge
    from fallline.objectives import Objective as Objective
    from fallline.objectives import as_objective as as_objective
    from fallline.optimizers import *
    from fallline.penalties import *
    from fallline.recipes.recipe import Recipe as Recipe
    from fallline.results.basins import Basins as Basins
    from fallline.results.comparison import Comparison as Comparison
    from fallline.results.sweep import Sweep as Sweep
    from fallline.results.trajectory import Point as Point
    from fallline.results.trajectory import Record as Record
    from fallline.results.trajectory import Trajectory as Trajectory
    from fallline.results.tuning import Tuning as Tuning
    from fallline.schedules import *
    from fallline.stopping import *

__version__ = "0.1.0"


def __dir__() -> list[str]:
    return sorted([*public_names(), "__version__"])


def __getattr__(name: str) -> Any:
    # A module is imported when one of its names is first asked for.
    if name == "__all__":
        return public_names()
    try:
        globals()[name] = found = public(name)
    except AttributeError as error:
        raise AttributeError(f"{error}{_meant(name)}", name=name) from None
    return found


def _meant(name: str) -> str:
    """What there is instead of a name that the package does not have."""
    if name.startswith("_"):
        return ""
    from fallline.errors import nearest
    from fallline.optimizers import OPTIMIZERS, WRAPPERS
    from fallline.optimizers.spelling import rules_meant

    rules = {**OPTIMIZERS, **WRAPPERS}
    if meant := [rules[rule].__name__ for rule in rules_meant(name, rules)]:
        return f"; write {' or '.join(meant)}"
    close = nearest(name, public_names()).partition(" Allowed: ")
    return f"; {close[0]}" if close[1] else ""
