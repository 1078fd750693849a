"""A page as a notebook: its text in cells of Markdown, its Python and its commands in cells of code."""

from __future__ import annotations

import re

from website.code import blocks_of, typed

_PICTURE = re.compile(r"^!\[.*?\]\(.*?\)(\{.*?\})?\n", re.MULTILINE)


def notebook(text: str) -> str:
    """The notebook of a page's text, without the pictures and the outputs, which running it makes.

    Returns:
        The text of an .ipynb file, the same each time.
    """
    from nbformat import v4, writes  # it takes seconds to import

    cells, told, lines = [], [], text.splitlines()
    place = 0
    blocks = blocks_of(text)
    for number, block in enumerate(blocks):
        told += lines[place : block.line - 1]
        place = block.line + len(block.text.splitlines()) + 1
        if code := _code(block.language, block.text, block.file):
            cells += [*map(v4.new_markdown_cell, _markdown(told)), v4.new_code_cell(code)]
            told = []
        elif not (block.language == "text" and number and blocks[number - 1].language in ("python", "console")):
            told += lines[block.line - 1 : place]
    cells += map(v4.new_markdown_cell, _markdown(told + lines[place:]))
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return str(writes(v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})))


def _code(language: str, text: str, file: str) -> str:
    """The cell of a block; none if it is to be read only."""
    if file:
        return f"%%writefile {file}\n{text}".rstrip()
    if language == "console":
        return "\n".join(f"!{line}" for line in typed(text).splitlines())
    return text.rstrip() if language == "python" else ""


def _markdown(lines: list[str]) -> list[str]:
    """The cell of lines between blocks, if there is anything in them."""
    text = _PICTURE.sub("", "\n".join(lines) + "\n").strip()
    return [text] if text else []
