"""The checks of arguments that many rooms share."""

from __future__ import annotations

import copy
import pickle
import shlex

import pytest

from fallline.errors import FalllineError, Setting, check_whole


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


@pytest.mark.parametrize("value", [";", " ", "|", "one-hot", ",", "it's"])
def test_an_advised_option_is_written_as_a_shell_reads_it(value: str) -> None:
    told = FalllineError("columns", allowed=(Setting("separator", value),)).told(lambda name: f"--{name}")
    assert shlex.split(told.split("; ", 1)[1]) == ["--separator", value]
