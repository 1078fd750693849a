"""A rule wrongly declared elementwise is refused; every rule of the library is declared correctly."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from tests.optimizers.rules import RULES

import fallline
from fallline.bridges.elementwise import check_elementwise
from fallline.errors import FalllineError


@dataclasses.dataclass(frozen=True)
class Normalised(fallline.Optimizer[None]):
    """A rule that forgets to say that it looks at all coordinates."""

    learning_rate: float = 0.1

    def init(self, x: Any) -> None:
        return None

    def update(self, gradient: Any, state: None, rate: Any, step: Any) -> tuple[Any, None]:
        return rate * gradient / np.linalg.norm(gradient, axis=-1, keepdims=True), state


@dataclasses.dataclass(frozen=True)
class Saying(Normalised):
    """The same rule, which says so."""

    elementwise = False


def test_a_rule_that_does_not_say_so_is_refused() -> None:
    with pytest.raises(FalllineError, match="write elementwise = False in the class Normalised"):
        check_elementwise(Normalised())
    with pytest.raises(FalllineError, match="elementwise is True"):
        check_elementwise(fallline.Lookahead(Normalised()))
    check_elementwise(Saying())


@pytest.mark.parametrize("name", RULES)
def test_every_rule_of_the_library_says_the_truth(name: str) -> None:
    check_elementwise(RULES[name])
