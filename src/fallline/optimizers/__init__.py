"""The update rules, one family per module, and the lookup of a rule by its name."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from fallline.errors import FalllineError, nearest
from fallline.names import public, public_names
from fallline.optimizers.base import BOUNDED as BOUNDED
from fallline.optimizers.base import OPTIMIZERS as OPTIMIZERS
from fallline.optimizers.base import WRAPPERS as WRAPPERS
from fallline.optimizers.base import LearningRate as LearningRate
from fallline.optimizers.base import Optimizer as Optimizer
from fallline.optimizers.spelling import spelt

if TYPE_CHECKING:
    from fallline.optimizers.adam import *
    from fallline.optimizers.adaptive import *
    from fallline.optimizers.averaging import *
    from fallline.optimizers.bounded import *
    from fallline.optimizers.curvature import *
    from fallline.optimizers.descent import *
    from fallline.optimizers.large_batch import *
    from fallline.optimizers.long_memory import *
    from fallline.optimizers.momentum import *
    from fallline.optimizers.parameter_free import *
    from fallline.optimizers.schedule_free import *
    from fallline.optimizers.signs import *
    from fallline.optimizers.structured import *
    from fallline.optimizers.wrappers import *


def __dir__() -> list[str]:
    own = ["BOUNDED", "OPTIMIZERS", "WRAPPERS", "LearningRate", "optimizer_from_name"]
    return [*own, *public_names(__name__)]


def __getattr__(name: str) -> Any:
    return __dir__() if name == "__all__" else public(name, __name__)


def optimizer_from_name(text: str, **settings: Any) -> Optimizer[Any]:
    """The rule that a name such as "adam" or "adam@tutorial" stands for, with these hyperparameters.

    Case, "-" and "_" are ignored, and names of other libraries are accepted: "sgd", "NAG", "heavy_ball". A wrapper is
    written before the rule with a colon, as in "cautious:adam"; a hyperparameter that both have is the wrapper's.

    Raises:
        FalllineError: when the rule, its convention or one of the hyperparameters does not exist.

    >>> optimizer_from_name("adam@tutorial", learning_rate=0.5).beta2
    0.9
    >>> optimizer_from_name("lookahead:adam", period=6, beta1=0.8).label
    'lookahead, period 6, of adam, learning_rate 0.001, beta1 0.8'
    """
    outer, colon, inner = text.partition(":")
    named, at, convention = outer.partition("@")
    if at:
        settings["convention"] = convention
    if colon:
        return _wrapped(text, named, inner, settings)
    name = spelt(named, OPTIMIZERS, WRAPPERS)
    if name in OPTIMIZERS:
        return OPTIMIZERS[name](**settings)
    if name in WRAPPERS:
        raise FalllineError("optimizer", text, f"name the rule inside it too, such as {text}:adam")
    raise FalllineError("optimizer", text, nearest(name, OPTIMIZERS))


def _wrapped(text: str, named: str, inner: str, settings: dict[str, Any]) -> Optimizer[Any]:
    """The wrapper of that name around the rule that `inner` names, each with its own of the settings."""
    name = spelt(named, WRAPPERS)
    if name not in WRAPPERS:
        raise FalllineError("optimizer", text, nearest(name, WRAPPERS))
    own = {entry.name for entry in dataclasses.fields(WRAPPERS[name]) if entry.init} - {"rule"}
    around = {setting: settings.pop(setting) for setting in own & set(settings)}
    wrapper: Optimizer[Any] = WRAPPERS[name](optimizer_from_name(inner, **settings), **around)
    return wrapper
