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
from fallline.line_search import Backtracking, ExactQuadratic, LineSearch, PolyakStep, StrongWolfe
from fallline.minimize import minimize, rerun
from fallline.models import Hinge, Huber, Linear, Logistic, Network, Poisson, SigmoidNeuron, Softmax, SquaredHinge
from fallline.objectives import Objective, as_objective
from fallline.optimizers import (
    ADOPT,
    FISTA,
    FTRL,
    LAMB,
    LARS,
    LBFGS,
    MADGRAD,
    AdaBelief,
    AdaBound,
    Adadelta,
    AdaGrad,
    Adam,
    AdaMax,
    AdamW,
    Adan,
    AdEMAMix,
    AMSGrad,
    AveragedDescent,
    BarzilaiBorwein,
    Cautious,
    ClipNorm,
    ClipValue,
    ConjugateGradient,
    CoupledWeightDecay,
    DoG,
    GradientDescent,
    GradientNoise,
    LaProp,
    Lion,
    Lookahead,
    Momentum,
    NAdam,
    Nesterov,
    Optimizer,
    Prodigy,
    Projected,
    ProximalDescent,
    QuasiHyperbolicMomentum,
    RAdam,
    RMSProp,
    Rprop,
    ScheduleFreeAdamW,
    ScheduleFreeSGD,
    SignDescent,
    Signum,
    WeightDecay,
    WindowedMomentum,
    Yogi,
)
from fallline.penalties import L1, L2, Ball, Box, ElasticNet, Simplex
from fallline.results.basins import Basins
from fallline.results.comparison import Comparison
from fallline.results.sweep import Sweep
from fallline.results.trajectory import Point, Record, Trajectory
from fallline.results.tuning import Tuning
from fallline.schedules import (
    Constant,
    Cosine,
    CosineRestarts,
    Cyclic,
    Exponential,
    InverseTime,
    MultiStep,
    OneCycle,
    Polynomial,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
    WarmUp,
    WarmUpStableDecay,
)
from fallline.stopping import (
    Diverging,
    Evaluations,
    GradientNorm,
    NotFinite,
    Seconds,
    StepSize,
    StoppingCondition,
    Target,
    ValueChange,
)

if TYPE_CHECKING:
    from fallline import bridges, examples, views
    from fallline.gradients.chain import chain_rule

__version__ = "0.1.0"

__all__ = [
    "ADOPT",
    "FISTA",
    "FTRL",
    "L1",
    "L2",
    "LAMB",
    "LARS",
    "LBFGS",
    "MADGRAD",
    "AMSGrad",
    "AdEMAMix",
    "AdaBelief",
    "AdaBound",
    "AdaGrad",
    "AdaMax",
    "Adadelta",
    "Adam",
    "AdamW",
    "Adan",
    "AveragedDescent",
    "Backtracking",
    "Ball",
    "BarzilaiBorwein",
    "Basins",
    "Box",
    "Cautious",
    "ClipNorm",
    "ClipValue",
    "Cluster",
    "Comparison",
    "ConjugateGradient",
    "Constant",
    "Cosine",
    "CosineRestarts",
    "CoupledWeightDecay",
    "Cyclic",
    "Diverging",
    "DoG",
    "ElasticNet",
    "Evaluations",
    "ExactQuadratic",
    "Exponential",
    "FalllineError",
    "Finding",
    "Fit",
    "GradientDescent",
    "GradientNoise",
    "GradientNorm",
    "Hinge",
    "Huber",
    "Interval",
    "InverseTime",
    "LaProp",
    "LineSearch",
    "Linear",
    "Lion",
    "Logistic",
    "Lookahead",
    "Momentum",
    "MultiStep",
    "NAdam",
    "Nesterov",
    "Network",
    "NotFinite",
    "Objective",
    "OneCycle",
    "Optimizer",
    "Perturbation",
    "Point",
    "Poisson",
    "PolyakStep",
    "Polynomial",
    "Prodigy",
    "Projected",
    "ProximalDescent",
    "QuasiHyperbolicMomentum",
    "RAdam",
    "RMSProp",
    "Record",
    "ReduceOnPlateau",
    "Rprop",
    "Schedule",
    "ScheduleFreeAdamW",
    "ScheduleFreeSGD",
    "Seconds",
    "SigmoidNeuron",
    "SignDescent",
    "Signum",
    "Simplex",
    "Softmax",
    "SquaredHinge",
    "StepDecay",
    "StepSize",
    "StoppingCondition",
    "StrongWolfe",
    "Sweep",
    "Target",
    "Trajectory",
    "Tuning",
    "ValueChange",
    "WarmUp",
    "WarmUpStableDecay",
    "WeightDecay",
    "WindowedMomentum",
    "Yogi",
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
