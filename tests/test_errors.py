"""The checks of arguments that many rooms share."""

from __future__ import annotations

import copy
import pickle

import pytest

from fallline.errors import FalllineError, check_whole


@pytest.mark.parametrize("wrong", [1, 2.5, True, "9"])
def test_a_count_is_a_whole_number(wrong: object) -> None:
    with pytest.raises(FalllineError, match=r"resolution is .*; it must be a whole number at least 2"):
        check_whole("resolution", wrong, least=2)


def test_an_error_from_another_process_says_the_same() -> None:
    error = FalllineError("objective", problem="has no variable")
    for again in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert str(again) == str(error) == "objective has no variable"
        assert again.value is error.value
        assert repr(again) == "FalllineError('objective has no variable')"
