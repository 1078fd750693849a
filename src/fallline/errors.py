"""FalllineError, which every mistake of a user's raises: its fields, its message, and the suggestions in it."""

from __future__ import annotations

import enum
import shlex
from collections.abc import Callable, Iterable
from numbers import Integral
from typing import Any, NamedTuple, Self, TypeAlias


class _NotTold(enum.Enum):
    """A value that stays the same object in another process, as `pickle` keeps the members of an enum."""

    NOT_TOLD = enum.auto()

    def __repr__(self) -> str:
        return self.name


# Stands for the value of an error whose `problem` already contains it.
NOT_TOLD: Any = _NotTold.NOT_TOLD


class Setting(NamedTuple):
    """A setting that an error recommends: `missing='drop'` in Python, `--missing drop` on the command line."""

    name: str
    value: object


class Verbatim(str):
    """The text of a value as an error shows it, in place of its repr."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


# Translates the name of a parameter: the command line has its own names.
Naming: TypeAlias = Callable[[str], str]


class FalllineError(ValueError):
    """A mistake in a call, in one line: the parameter, its value and what is allowed.

    Attributes:
        parameter: the name of the wrong argument in Python; empty if there is none.
        value: the value given; NOT_TOLD if `problem` contains it.
        allowed: what it must be, or what to do: a text, a range, or texts and settings in order.
        problem: what is wrong, if the value does not show it.
        of: what the parameter belongs to, such as a rule; empty for an argument of the call.

    >>> str(FalllineError("resolution", 1, "it must be at least 2"))
    'resolution is 1; it must be at least 2'
    >>> str(FalllineError("momentum", problem="is given twice", allowed="give it once", of="Adam"))
    'Adam: momentum is given twice; give it once'
    """

    def __init__(
        self, parameter: str = "", value: object = NOT_TOLD, allowed: object = "", *, problem: str = "", of: str = ""
    ) -> None:
        super().__init__()
        self.parameter, self.value, self.allowed, self.problem, self.of = parameter, value, allowed, problem, of

    def __str__(self) -> str:
        return self.told()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.told()!r})"

    def told(self, named: Naming | None = None) -> str:
        """The message, with the names of parameters translated.

        Arguments:
            named: translates a parameter's name; None for Python's names, where a setting is `name='value'`.

        >>> FalllineError("seed", -1, "it must be at least 0").told(lambda name: f"--{name}")
        '--seed is -1; it must be at least 0'
        """
        name = named(self.parameter) if named and not self.of else self.parameter
        if self.value is NOT_TOLD:
            what = f"{name} {self.problem}".strip()
        else:
            # Strings get more room, so that paths are shown whole.
            told = shortened(self.value, 400 if isinstance(self.value, str) else 60)
            what = f"{name} is {told}" + (f", {self.problem}" if self.problem else "")
        of = named(self.of) if named and self.of else self.of
        line = f"{of}: {what}" if of else what
        line = f"{line}; {allowed}" if (allowed := self._allowed(named)) else line
        # The names that a message quotes may be of several lines.
        return " ".join(line.splitlines())

    def under(self, parameter: str) -> Self:
        """The same mistake under the parameter's name in an outer call."""
        self.parameter = parameter
        return self

    def _allowed(self, named: Naming | None) -> str:
        if isinstance(self.allowed, str):
            return self.allowed
        if not isinstance(self.allowed, tuple) or isinstance(self.allowed, Setting):
            return f"it must be {self.allowed}"
        return "".join(_advice(part, named) if isinstance(part, Setting) else str(part) for part in self.allowed)

    def __reduce__(self) -> tuple[Any, ...]:
        # Workers of a cluster pickle their errors; a subclass may have another __init__.
        return _restored, (type(self), dict(vars(self)))


def _advice(setting: Setting, named: Naming | None) -> str:
    if named is None:
        return f"{setting.name}={setting.value!r}"
    if setting.value is False:
        return named(setting.name).replace("--", "--no-")
    return named(setting.name) if setting.value is True else f"{named(setting.name)} {shlex.quote(str(setting.value))}"


def _restored(kind: type[FalllineError], fields: dict[str, Any]) -> FalllineError:
    error = kind.__new__(kind)
    vars(error).update(fields)
    return error


def shortened(thing: Any, length: int = 60) -> str:
    """The repr of an object on one line, truncated to `length`.

    >>> shortened([1] * 100, length=10)
    '[1, 1, 1,…'
    """
    text = " ".join(repr(thing).split())
    return text if len(text) <= length else text[: length - 1] + "…"


def check_whole(parameter: str, number: Any, least: int) -> None:
    """Refuse a value that is not a whole number or is below `least`.

    >>> check_whole("seed", 1.5, least=0)
    Traceback (most recent call last):
    fallline.errors.FalllineError: seed is 1.5; it must be a whole number at least 0
    """
    if isinstance(number, bool) or not isinstance(number, Integral) or int(number) < least:
        raise FalllineError(parameter, number, f"it must be a whole number at least {least}")


# The longest list in an error text: a network may have thousands of parameters.
MOST_LISTED = 100


def listed(words: Iterable[str]) -> str:
    """The words separated by commas; of very many only the first, and their number.

    >>> listed(["w", "b"])
    'w, b'
    >>> listed(f"W{number}" for number in range(1000))
    'W0, W1, W2, ... (1000 in all)'
    """
    names = list(words)
    return ", ".join(names) if len(names) <= MOST_LISTED else f"{', '.join(names[:3])}, ... ({len(names)} in all)"


def nearest(word: str, allowed: Iterable[str]) -> str:
    """The end of an error text: the nearest allowed word if one is close, and the whole list.

    >>> nearest("adm", ["adam", "momentum"])
    "did you mean 'adam'? Allowed: adam, momentum"
    """
    words = list(allowed)
    allowed_words = f"Allowed: {listed(words)}"
    in_lower_case = {name.lower(): name for name in words}
    import difflib  # only errors need it

    close = difflib.get_close_matches(word.lower(), in_lower_case, n=1)
    return f"did you mean {in_lower_case[close[0]]!r}? {allowed_words}" if close else allowed_words
