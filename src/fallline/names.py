"""The public names of Fallline, each with the module that defines it, which is imported when the name is asked for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_NAMES = {
    "fallline": "bridges examples views",
    # The rules, in the order in which they are listed.
    "fallline.optimizers.descent": "GradientDescent",
    "fallline.optimizers.momentum": "Momentum Nesterov QuasiHyperbolicMomentum WindowedMomentum",
    "fallline.optimizers.averaging": "AveragedDescent",
    "fallline.optimizers.adaptive": "AdaGrad RMSProp Adadelta FTRL MADGRAD",
    "fallline.optimizers.adam": "Adam AdamW AdaMax AMSGrad NAdam RAdam AdaBelief Yogi Adan AdaBound LaProp",
    "fallline.optimizers.signs": "SignDescent Signum Rprop Lion",
    "fallline.optimizers.large_batch": "LARS LAMB",
    "fallline.optimizers.long_memory": "ADOPT AdEMAMix",
    "fallline.optimizers.schedule_free": "ScheduleFreeSGD ScheduleFreeAdamW",
    "fallline.optimizers.parameter_free": "DoG Prodigy",
    "fallline.optimizers.curvature": "BarzilaiBorwein ConjugateGradient LBFGS",
    "fallline.optimizers.bounded": "ProjectedLBFGS",
    "fallline.optimizers.wrappers": (
        "ClipValue ClipNorm WeightDecay CoupledWeightDecay GradientNoise Cautious Lookahead"
    ),
    "fallline.optimizers.structured": "ProximalDescent FISTA Projected",
    "fallline.optimizers.base": "Optimizer",
    "fallline.schedules.constant": "Constant",
    "fallline.schedules.decays": "StepDecay MultiStep PiecewiseConstant Exponential Polynomial InverseTime Cosine",
    "fallline.schedules.cycles": "CosineRestarts OneCycle Cyclic",
    "fallline.schedules.warm_up": "WarmUp WarmUpStableDecay",
    "fallline.schedules.plateau": "ReduceOnPlateau",
    "fallline.schedules.base": "Schedule",
    "fallline.line_search": "Backtracking StrongWolfe ExactQuadratic PolyakStep LineSearch",
    "fallline.penalties": "L1 L2 ElasticNet Box Ball Simplex",
    "fallline.stopping": (
        "StepSize GradientNorm ValueChange Target Evaluations Seconds NotFinite Diverging StoppingCondition"
    ),
    "fallline.objectives": "Objective as_objective",
    "fallline.gradients": "Perturbation",
    "fallline.gradients.chain": "chain_rule",
    "fallline.gradients.check": "check_gradient",
    "fallline.models": "Hinge Huber Linear Logistic Network Poisson SigmoidNeuron Softmax SquaredHinge",
    "fallline.engines.workers": "Cluster",
    "fallline.minimizing": "minimize rerun",
    "fallline.experiments.compare": "compare",
    "fallline.experiments.sweep": "sweep",
    "fallline.experiments.basins": "basins",
    "fallline.experiments.tune": "Interval tune",
    "fallline.fitting.fit": "fit",
    "fallline.recipes.recipe": "Recipe",
    "fallline.diagnosis": "Diagnosis Finding Remedy diagnose",
    "fallline.explorer.page": "Explorer explore",
    "fallline.diagnosis.explanation": "Explanation explain",
    "fallline.diagnosis.parting": "Parting differ",
    "fallline.results.trajectory": "Point Record Trajectory",
    "fallline.results.comparison": "Comparison",
    "fallline.results.sweep": "Sweep",
    "fallline.results.basins": "Basins",
    "fallline.results.tuning": "Tuning",
    "fallline.fitting.result": "Fit",
    "fallline.errors": "FalllineError",
}
# The names of each module.
NAMES: Mapping[str, tuple[str, ...]] = {module: tuple(names.split()) for module, names in _NAMES.items()}
_HOMES = {name: module for module, names in NAMES.items() for name in names}


def public_names(room: str = "fallline") -> list[str]:
    """Those that are defined in a room: the package or one within it."""
    return [name for name, home in _HOMES.items() if room == "fallline" or home.startswith(f"{room}.")]


def public(name: str, room: str = "fallline") -> Any:
    """What a public name, or the name of a module, stands for in a room: the package or one within it.

    Raises:
        AttributeError: when the room has none of this name.
    """
    import importlib.util

    home = _HOMES.get(name, "")
    if home.startswith(f"{room}."):
        return getattr(importlib.import_module(home), name)
    if name.isidentifier() and not name.startswith("_") and importlib.util.find_spec(f"{room}.{name}"):
        return importlib.import_module(f"{room}.{name}")
    raise AttributeError(f"module {room!r} has no attribute {name!r}", name=name)
