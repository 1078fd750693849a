"""The checks of arguments that many rooms share."""

from __future__ import annotations

import pytest

from fallline.errors import FalllineError, check_whole


@pytest.mark.parametrize("wrong", [1, 2.5, True, "9"])
def test_a_count_is_a_whole_number(wrong: object) -> None:
    with pytest.raises(FalllineError, match=r"resolution is .*; it must be a whole number at least 2"):
        check_whole("resolution", wrong, least=2)
