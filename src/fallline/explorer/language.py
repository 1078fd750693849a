"""Writes js/src/language.ts: the words, characters, limits and faults of the formula language, for the explorer's page.

Run it as `python -m fallline.explorer.language` in a checkout, when the grammar has changed.
"""

from __future__ import annotations

import json
import keyword
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fallline.objectives.grammar import faults, tokens, words
from fallline.objectives.grammar.cursor import MAX_DEPTH
from fallline.objectives.grammar.reading import MAX_CHARACTERS
from fallline.objectives.grammar.terms import MAX_PARTS

_SPACES = [code for code in range(0x10000) if chr(code).isspace()]
PATH = Path(__file__).parents[3] / "js" / "src" / "language.ts"


def language() -> str:
    """The text of language.ts."""
    said = {name: text for name, text in vars(faults).items() if name.isupper() and isinstance(text, str)}
    functions = {name: [function.most or 0, *(function.slopes or ())] for name, function in words.FUNCTIONS.items()}
    constants = {
        "MAX_CHARACTERS": MAX_CHARACTERS,
        "MAX_DEPTH": MAX_DEPTH,
        "MAX_PARTS": MAX_PARTS,
        "MOST_FAULTS": tokens.MOST_FAULTS,
        "SPACE": _ranges(_SPACES),
        "LOWERED_LETTERS": tokens.LOWERED_LETTERS,
        "TOKEN": in_javascript(tokens.TOKEN.pattern),
        "LANGUAGES": [[in_javascript(pattern), told] for pattern, told in tokens.LANGUAGES],
    }
    maps: dict[str, Mapping[str, Any]] = {
        "CONSTANTS": words.CONSTANTS,
        "WRITTEN": words.WRITTEN,
        "ELSEWHERE": words.ELSEWHERE,
        "COMPARISONS": words.COMPARISONS,
        "CHARACTERS": tokens.CHARACTERS,
        "MARKS": tokens.MARKS,
        "SAME": {chr(code): sign for code, sign in tokens.SAME.items()},
        "RAISED_DIGITS": {chr(code): chr(sign) for code, sign in tokens.RAISED_DIGITS.items()},
    }
    sets = {
        "OVER_PARTS": words.OVER_PARTS,
        "INDEXED": words.INDEXED,
        "MODULES": sorted(words.MODULES),
        "WORDS": tokens.WORDS,
        "KEYWORDS": keyword.kwlist,
        "CALLED": [*words.FUNCTIONS, *words.WRITTEN, *words.OVER_PARTS],
    }
    return "\n".join(
        [
            "// Written by `python -m fallline.explorer.language`.",
            "const map = <Value>(entries: Record<string, Value>): ReadonlyMap<string, Value> =>",
            "  new Map(Object.entries(entries));",
            'const set = (words: string): ReadonlySet<string> => new Set(words.split(" "));',
            *(f"export const {name} = {_written(value)};" for name, value in {**said, **constants}.items()),
            *(f"export const {name} = map({_written(entries)});" for name, entries in maps.items()),
            f"export const FUNCTIONS = map<readonly (string | number)[]>({_written(functions)});",
            *(f"export const {name} = set({_written(' '.join(entries))});" for name, entries in sets.items()),
            "",
        ]
    )


def in_javascript(pattern: str) -> str:
    r"""A regular expression of Python's as JavaScript writes it, where \w, \b and \s know only ASCII or other spaces.

    >>> in_javascript(r"(?P<word>[^\W\d]\w*)")
    '(?<word>[\\p{L}\\p{Nl}\\p{No}_][\\p{L}\\p{N}_]*)'
    """
    inline = _ranges(code for code in _SPACES if chr(code) != "\n")
    letter = r"[\p{L}\p{N}_]"
    for python, javascript in (
        ("(?P<", "(?<"),
        (r"[^\W\d]", r"[\p{L}\p{Nl}\p{No}_]"),
        (r"[^\S\n]", f"[{inline}]"),
        (r"\b", f"(?:(?<={letter})(?!{letter})|(?<!{letter})(?={letter}))"),
        (r"\w", letter),
        (r"\s", f"[{_ranges(_SPACES)}]"),
    ):
        pattern = pattern.replace(python, javascript)
    return pattern


def _ranges(codes: Iterable[int]) -> str:
    """Characters as the inside of a regular expression's brackets."""
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"\\u{low:04x}" + (f"-\\u{high:04x}" if high > low else "") for low, high in ranges)


def _written(value: Any) -> str:
    """A value as JavaScript; the list of all that is allowed stands once."""
    text = json.dumps(value, ensure_ascii=False)
    allowed = json.dumps(faults.ALLOWED)[1:]
    return text if value == faults.ALLOWED else text.replace(allowed, '" + ALLOWED')


if __name__ == "__main__":
    PATH.write_text(language(), encoding="utf-8")
