"""How a call is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fallline import FalllineError


def refusal(call: Callable[..., Any], *arguments: Any, **settings: Any) -> str:
    """The one line of the error that a call raises."""
    with pytest.raises(FalllineError) as caught:
        call(*arguments, **settings)
    line = str(caught.value)
    assert "\n" not in line
    return line
