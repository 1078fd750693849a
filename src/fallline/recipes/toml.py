"""TOML read from files that anyone may have written, and written so that a person likes to read it."""

from __future__ import annotations

import datetime
import json
import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fallline.errors import FalllineError, Verbatim
from fallline.files import whole_file
from fallline.json_text import check_unicode

# No recipe is larger or nested deeper. The time to read dotted keys grows with the square of their length.
LARGEST, DEEPEST = 2**20, 16
_PART = r"""(?:[\w-]++|"[^"\n]*"|'[^'\n]*')[ \t]*+\.[ \t]*+"""
_DOTTED = re.compile(rf"""(?<![\w"'-])(?:{_PART}){{{DEEPEST}}}""")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
# Longer lists are written in several lines.
WIDTH = 100


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a TOML file holds: strings, numbers, booleans, and lists and tables of these.

    Raises:
        FalllineError: when there is no such file, it is too large, or it is not TOML, with the line.
    """
    if not isinstance(path, str | os.PathLike) or "\0" in os.fspath(path) or not os.path.isfile(path):
        raise FalllineError("recipe", str(path), "there is no such file")
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
        return parsed(content)
    except OSError as error:
        raise FalllineError("recipe", str(path), f"it cannot be read: {error.strerror}") from None
    except FalllineError as error:
        error.of = str(path)
        raise


def parsed(content: bytes) -> dict[str, Any]:
    """What a TOML text in UTF-8 holds.

    >>> parsed(b"starts = [1, 2.5]")
    {'starts': [1, 2.5]}
    >>> parsed(b"starts = [1, 2.5")
    Traceback (most recent call last):
    fallline.errors.FalllineError: this is not TOML: Unclosed array (at the end, in line 1)
    """
    if len(content) > LARGEST:
        raise FalllineError(problem=f"this is larger than {LARGEST} bytes", allowed="keep data in a CSV file beside it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FalllineError(problem=f"this is not TOML: line {line} is not in UTF-8") from None
    if _DOTTED.search(text):
        raise _too_deep()
    try:
        tree = tomllib.loads(text)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        lines = text.rstrip("\n").count("\n") + 1
        told = str(error).replace("(at end of document)", f"(at the end, in line {lines})")
        raise FalllineError(problem=f"this is not TOML: {told}") from None
    _check(tree, "", 0)
    return tree


def _check(value: Any, place: str, depth: int) -> None:
    """Refuse what is nested too deeply, is no JSON either, or is a number that no float can hold."""
    if depth > DEEPEST:
        raise _too_deep()
    if isinstance(value, datetime.date | datetime.time):
        raise FalllineError(place, Verbatim(value), "a recipe has no dates or times: put a text in quotes")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise FalllineError(place, value, "a whole number of TOML is below 2**63")
    for part, inner in _parts(value):
        _check(inner, place_of(place, part), depth + 1)


def _parts(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _too_deep() -> FalllineError:
    return FalllineError(problem=f"this nests tables or lists more than {DEEPEST} deep")


def place_of(place: str, part: str | int) -> str:
    """The place of a part of the table or list at a place.

    >>> place_of(place_of("", "optimizers"), 1), place_of("optimizers[1]", "learning_rate")
    ('optimizers[1]', 'optimizers[1].learning_rate')
    """
    if isinstance(part, int):
        return f"{place}[{part}]"
    name = part if _BARE.fullmatch(part) else f'"{_escaped(part)}"'
    return f"{place}.{name}" if place else name


def write(path: str | os.PathLike[str], content: Mapping[str, Any], *, blocks: Sequence[str] = ()) -> None:
    """Write a table to a TOML file, whole or not at all.

    Arguments:
        blocks: the keys of tables that are written below all others, under their [name], and of lists of tables, under
            a [[name]] each; tables of other keys stand in a line.

    Raises:
        FalllineError: when the file cannot be written, or is larger than `read` takes.
    """
    check_unicode(content)
    written = text_of(content, blocks=blocks).encode()
    if len(written) > LARGEST:
        raise FalllineError(
            "recipe", problem=f"would be larger than {LARGEST} bytes", allowed="keep the data in a file, and fit to it"
        )
    with whole_file(path) as draft:
        draft.write_bytes(written)


def text_of(content: Mapping[str, Any], *, blocks: Sequence[str] = ()) -> str:
    """The TOML text of a table.

    >>> print(text_of({"starts": [[1.0, 2.0]], "rule": {"name": "adam"}}, blocks=["rule"]), end="")
    starts = [[1.0, 2.0]]
    <BLANKLINE>
    [rule]
    name = "adam"
    """
    first = {name: value for name, value in content.items() if name not in blocks or isinstance(value, str)}
    paragraphs = [_lines(first)] if first else []
    for name in blocks:
        value = content.get(name, ())
        if isinstance(value, Mapping):
            paragraphs.append(f"[{name}]\n{_lines(value)}")
        elif name not in first:
            paragraphs += [f"[[{name}]]\n{_lines(table)}" for table in value]
    return "\n".join(paragraphs)


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{place_of('', name)} = {_text(value, len(name) + 3)}\n" for name, value in table.items())


def _text(value: Any, indent: int) -> str:
    """A value beside its key; a long list in several lines."""
    if isinstance(value, str) and "\n" in value:
        return '"""\n' + "\n".join(map(_escaped, value.split("\n"))) + '"""'
    text = _inline(value)
    if indent + len(text) <= WIDTH or not isinstance(value, list | tuple):
        return text
    lines = ["   "]
    for item in map(_inline, value):
        if len(lines[-1]) + len(item) + 2 > WIDTH and lines[-1].strip():
            lines.append("   ")
        lines[-1] += f" {item},"
    return "[\n" + "\n".join(lines) + "\n]"


def _inline(value: Any) -> str:
    if isinstance(value, str):
        return f'"{_escaped(value)}"'
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{place_of('', name)} = {_inline(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nan" if isinstance(value, float) and math.isnan(value) else repr(value)


def _escaped(text: str) -> str:
    """The text between quotes; JSON has the same escapes, except of the character DEL."""
    return json.dumps(text, ensure_ascii=False)[1:-1].replace("\x7f", "\\u007f")
