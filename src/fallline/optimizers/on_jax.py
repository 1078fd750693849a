"""An update rule on JAX arrays: its own methods, run on stand-ins for them."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

from fallline.libraries import jax_library
from fallline.optimizers.base import Optimizer
from fallline.proxy import ArrayProxy, carried


class OnJax:
    """The methods of a rule, taking and returning JAX arrays.

    Arguments:
        rule: the rule.
        is_array: which of its hyperparameters are JAX arrays, or numbers that JAX traces.
    """

    def __init__(self, rule: Optimizer[Any], is_array: Callable[[Any], bool]) -> None:
        library = jax_library()
        rule = with_settings_replaced(rule, is_array, lambda value: ArrayProxy(value, library))
        methods = rule.init, rule.update, rule.lookahead, rule.rate, rule.projected_gradient
        self.init, self.update, self.lookahead, self.rate, self.projected_gradient = (
            carried(method, library, ArrayProxy) for method in methods
        )


def with_settings_replaced(settings: Any, chosen: Callable[[Any], bool], instead: Callable[[Any], Any]) -> Any:
    """A rule, or a part of one, with other values in place of some hyperparameters.

    Arguments:
        settings: the rule, a rule inside it, or its schedule.
        chosen: whether a value is replaced.
        instead: takes such a value.
    """
    copied = copy.copy(settings)
    for name, value in vars(settings).items():
        if chosen(value):
            # Not by `dataclasses.replace`, which checks that they are numbers.
            object.__setattr__(copied, name, instead(value))
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            object.__setattr__(copied, name, with_settings_replaced(value, chosen, instead))
    return copied
