"""Docstrings as the site shows them: examples as code, and public names as links to their place in the reference."""

from __future__ import annotations

import re
from typing import Any

import griffe

from fallline.names import public_names

# Lines of a doctest: from a prompt to the next empty line.
_EXAMPLES = re.compile(r"^>>> .*(?:\n.+)*(?:\n\n>>> .*(?:\n.+)*)*", re.MULTILINE)
# Several arguments or attributes of one description, which Griffe reads one at a time.
_SEVERAL = re.compile(r"^    (\w+(?:, \w+)+): (.*(?:\n {8}.*)*)", re.MULTILINE)
_NAME = re.compile(rf"`({'|'.join(public_names())})((?:\(.*?\))?)`")


class Docstrings(griffe.Extension):
    """What mkdocstrings does with each docstring before it is read."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Prepare the docstring of an object."""
        if obj.docstring:
            obj.docstring.value = prepared(obj.docstring.value, of=obj.name)


def prepared(docstring: str, of: str) -> str:
    """A docstring, of the object of a name, as Markdown.

    >>> print(prepared("As `Adam(0.1)`.\\n\\n>>> 1 + 1\\n2", "Adam"))
    As `Adam(0.1)`.
    <BLANKLINE>
    ```pycon
    >>> 1 + 1
    2
    ```
    """
    parts = _EXAMPLES.split(_SEVERAL.sub(_one_by_one, docstring))
    linked = [_NAME.sub(lambda name: _link(name, of), part) for part in parts]
    examples = [f"```pycon\n{example}\n```" for example in _EXAMPLES.findall(docstring)]
    return "".join(text for pair in zip(linked, [*examples, ""], strict=True) for text in pair)


def _one_by_one(described: re.Match[str]) -> str:
    return "\n".join(f"    {name}: {described[2]}" for name in described[1].split(", "))


def _link(name: re.Match[str], of: str) -> str:
    return name[0] if name[1] == of else f"[{name[0]}][fallline.{name[1]}]"
