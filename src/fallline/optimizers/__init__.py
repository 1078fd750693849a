"""The update rules and the registry of their names and conventions."""

from __future__ import annotations

import dataclasses
from typing import Any

from fallline.errors import FalllineError, nearest
from fallline.optimizers.adam import (
    AdaBelief,
    AdaBound,
    Adam,
    AdaMax,
    AdamW,
    Adan,
    AMSGrad,
    LaProp,
    NAdam,
    RAdam,
    Yogi,
)
from fallline.optimizers.adaptive import FTRL, MADGRAD, Adadelta, AdaGrad, RMSProp
from fallline.optimizers.averaging import AveragedDescent
from fallline.optimizers.base import LearningRate, Optimizer
from fallline.optimizers.curvature import LBFGS, BarzilaiBorwein, ConjugateGradient
from fallline.optimizers.descent import GradientDescent
from fallline.optimizers.large_batch import LAMB, LARS
from fallline.optimizers.long_memory import ADOPT, AdEMAMix
from fallline.optimizers.momentum import Momentum, Nesterov, QuasiHyperbolicMomentum, WindowedMomentum
from fallline.optimizers.parameter_free import DoG, Prodigy
from fallline.optimizers.schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from fallline.optimizers.signs import Lion, Rprop, SignDescent, Signum
from fallline.optimizers.spelling import spelt
from fallline.optimizers.structured import FISTA, Projected, ProximalDescent
from fallline.optimizers.wrappers import (
    Cautious,
    ClipNorm,
    ClipValue,
    CoupledWeightDecay,
    GradientNoise,
    Lookahead,
    WeightDecay,
    Wrapper,
)

__all__ = [
    "ADOPT",
    "FISTA",
    "FTRL",
    "LAMB",
    "LARS",
    "LBFGS",
    "MADGRAD",
    "OPTIMIZERS",
    "WRAPPERS",
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
    "BarzilaiBorwein",
    "Cautious",
    "ClipNorm",
    "ClipValue",
    "ConjugateGradient",
    "CoupledWeightDecay",
    "DoG",
    "GradientDescent",
    "GradientNoise",
    "LaProp",
    "LearningRate",
    "Lion",
    "Lookahead",
    "Momentum",
    "NAdam",
    "Nesterov",
    "Optimizer",
    "Prodigy",
    "Projected",
    "ProximalDescent",
    "QuasiHyperbolicMomentum",
    "RAdam",
    "RMSProp",
    "Rprop",
    "ScheduleFreeAdamW",
    "ScheduleFreeSGD",
    "SignDescent",
    "Signum",
    "WeightDecay",
    "WindowedMomentum",
    "Yogi",
    "optimizer_from_name",
]

OPTIMIZERS: dict[str, type[Optimizer[Any]]] = {
    rule.name: rule
    for rule in (
        GradientDescent,
        Momentum,
        WindowedMomentum,
        Nesterov,
        QuasiHyperbolicMomentum,
        AveragedDescent,
        AdaGrad,
        RMSProp,
        Adadelta,
        FTRL,
        MADGRAD,
        Adam,
        AdamW,
        AdaMax,
        AMSGrad,
        NAdam,
        RAdam,
        AdaBelief,
        Yogi,
        Adan,
        AdaBound,
        LaProp,
        SignDescent,
        Signum,
        Rprop,
        Lion,
        LARS,
        LAMB,
        ADOPT,
        AdEMAMix,
        ScheduleFreeSGD,
        ScheduleFreeAdamW,
        Prodigy,
        DoG,
        BarzilaiBorwein,
        ConjugateGradient,
        LBFGS,
        ProximalDescent,
        FISTA,
    )
}

# Rules around a rule, which must be named too: "cautious:adam".
WRAPPERS: dict[str, type[Wrapper[Any]]] = {
    rule.name: rule
    for rule in (
        WeightDecay,
        CoupledWeightDecay,
        ClipValue,
        ClipNorm,
        GradientNoise,
        Cautious,
        Lookahead,
        Projected,
    )
}


def optimizer_from_name(text: str, **settings: Any) -> Optimizer[Any]:
    """The rule that a name such as "adam" or "adam@tutorial" stands for, with these hyperparameters.

    Case, "-" and "_" make no difference, and what other libraries call a rule will do: "sgd", "NAG", "heavy_ball".
    Before a colon stands a rule around the rule that follows, as in "cautious:adam"; a hyperparameter that both
    have is the outer one's.

    Raises:
        FalllineError: when the rule, its convention or one of the hyperparameters does not exist.

    >>> optimizer_from_name("adam@tutorial", learning_rate=0.5).beta2
    0.9
    >>> optimizer_from_name("lookahead:adam", period=6, beta1=0.8).label
    'lookahead, period 6, of adam, learning_rate 0.001, beta1 0.8'
    """
    outer, colon, inner = text.partition(":")
    named, at, convention = outer.partition("@")
    name = spelt(named, WRAPPERS if colon else [*OPTIMIZERS, *WRAPPERS])
    if name in WRAPPERS:
        if not colon:
            raise FalllineError(f"optimizer is {text!r}; name the rule inside it too, such as {text}:adam")
        wrapper = WRAPPERS[name]
        own = {entry.name for entry in dataclasses.fields(wrapper) if entry.init} - {"rule", "convention"}
        around = {setting: settings.pop(setting) for setting in own & set(settings)}
        if at:
            around["convention"] = convention
        return wrapper(optimizer_from_name(inner, **settings), **around)
    if colon:
        raise FalllineError(f"optimizer is {text!r}; {nearest(name, WRAPPERS)}")
    if name not in OPTIMIZERS:
        raise FalllineError(f"optimizer is {text!r}; {nearest(name, OPTIMIZERS)}")
    rule = OPTIMIZERS[name]
    if at:
        settings["convention"] = convention
    return rule(**settings)
