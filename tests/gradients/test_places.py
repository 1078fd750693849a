"""Where the user's function is written, and what failed in it."""

from __future__ import annotations

import functools
import linecache
import math
from typing import Any

import pytest

from fallline.gradients.places import blamed, defined_at, users_line


def plain(x: Any) -> Any:
    return x


@functools.cache
def cached(x: Any) -> Any:
    return x


class Callable:
    def __call__(self, x: Any) -> Any:
        return x


LINE = plain.__code__.co_firstlineno
UNTYPED: Any = plain


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (plain, LINE),
        (functools.partial(plain, 1), LINE),
        (functools.partial(functools.partial(cached), x=1), LINE + 4),
        (functools.wraps(plain)(lambda x: plain(x)), LINE),
        (Callable(), LINE + 10),
        (functools.partial(Callable()), LINE + 10),
    ],
)
def test_the_line_where_a_function_is_written(function: Any, line: int) -> None:
    assert defined_at(function) == f"test_places.py:{line}"


@pytest.mark.parametrize("function", [math.sin, functools.partial(math.pow, 2), print])
def test_a_function_in_another_language_has_none(function: Any) -> None:
    assert defined_at(function) == ""


def failing(function: Any) -> Exception:
    try:
        function()
    except Exception as error:
        return error
    raise AssertionError


def fails() -> Any:
    import json

    return json.loads("{") + 1


@pytest.mark.parametrize(
    ("function", "said", "line"),
    [
        (fails, "json.loads(...)", 3),
        (lambda: [1, 2][5] + 1, "[1, 2][5]", 0),
        (lambda: int("many words" + "ö"), "int(...)", 0),
        (lambda: 1 / (3 - 3), "1 / (3 - 3)", 0),
        (lambda: {"ä": UNTYPED}["ä"](1, 2), '{"ä": UNTYPED}["ä"](1, 2)', 0),
        (lambda: UNTYPED.unknown, "UNTYPED.unknown", 0),
        (lambda: UNTYPED["a name that is long enough to be too long"], 'UNTYPED["a name that is long enough to …', 0),
        (lambda: UNTYPED([
            1, "2"], 3), "", 0),
    ],
)  # fmt: skip
def test_what_failed_in_the_users_code(function: Any, said: str, line: int) -> None:
    assert blamed(failing(function)) == (said, f"test_places.py:{function.__code__.co_firstlineno + line}")


def test_a_source_that_changed_since_is_read_without_an_error(monkeypatch: Any) -> None:
    error = failing(fails)
    for before in ("", "x"):
        # One of the two begins within a letter.
        monkeypatch.setattr(linecache, "getline", lambda *_, before=before: before + 100 * "ä")
        assert "ä" in blamed(error)[0]


def test_without_a_frame_of_the_users_there_is_no_place(monkeypatch: Any) -> None:
    first = test_without_a_frame_of_the_users_there_is_no_place.__code__.co_firstlineno
    assert users_line() == f"test_places.py:{first + 2}"
    assert blamed(KeyError("never raised")) == ("", "")
    monkeypatch.setitem(globals(), "__name__", "fallline.inner")
    assert blamed(failing(fails)) == ("", "")
    assert "test_places" not in users_line()
