"""The words of the formula language that the page has are the library's."""

from __future__ import annotations

import re

import pytest

from fallline.explorer.language import PATH, in_javascript, language
from fallline.objectives.grammar import tokens


def test_the_file_is_what_the_grammar_writes() -> None:
    assert PATH.read_text(encoding="utf-8") == language(), "run: python -m fallline.explorer.language"


@pytest.mark.parametrize("pattern", [r"\d", r"\D", r"\W", r"\B", r"\A", r"\Z", "(?i)x", "(?P=name)"])
def test_no_pattern_of_the_grammar_means_something_else_in_javascript(pattern: str) -> None:
    for known in (tokens.TOKEN.pattern, *(foreign for foreign, _ in tokens.LANGUAGES)):
        assert pattern not in in_javascript(known)


def test_a_sentence_stands_once() -> None:
    text = language()
    assert len(re.findall("Allowed: numbers", text)) == 1
