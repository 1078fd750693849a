"""Answers --help, --version and shell completion from an outline of the commands, without importing them."""

from __future__ import annotations

import os
import sys

import fallline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Both are made by `python -m fallline.cli.outlining`: the help of the program, for a terminal of at least WIDTH
# columns, and its commands, options and the words that stand for a value, one a line, with tabs between its parts.
HELP, WORDS = (os.path.join(os.path.dirname(__file__), name) for name in ("help.txt", "words.tsv"))
WIDTH = 80
# The environment variable by which the shell scripts of `--install-completion` ask.
COMPLETE = "_FALLLINE_COMPLETE"


def answered(arguments: Sequence[str]) -> bool:
    """Whether the arguments were --help, --version or a question of a shell's, which is then answered on stdout."""
    if asked := os.environ.get(COMPLETE):
        return asked.startswith("complete_") and _completed(asked.removeprefix("complete_"))
    if list(arguments) == ["--version"]:
        print(f"fallline {fallline.__version__}")
    elif list(arguments) in ([], ["-h"], ["--help"]) and _columns() >= WIDTH:
        print(_content(HELP), end="")
    else:
        return False
    return True


def candidates(given: Sequence[str], word: str) -> Iterator[tuple[str, str]]:
    """The words that may stand next, each with its help: commands, values, or options where it begins with a dash.

    Arguments:
        given: the words before it, without the program's name.
        word: what is written of it.

    >>> [command for command, about in candidates([], "ru")]
    ['run']
    >>> [rule for rule, about in candidates(["run", "booth", "--optimizer"], "rms")]
    ['rmsprop']
    """
    rows = [line.split("\t") for line in _content(WORDS).splitlines()]
    commands = {flags for command, flags, *_ in rows if not command and not flags.startswith("-")}
    chosen = next((name for name in given if name in commands), "")
    last = given[-1] if given else ""
    asked = next((value for command, flags, _, value, _ in rows if command == chosen and last in flags.split(" ")), "")
    if asked and not (last == chosen and word.startswith("-")):
        yield from _values(rows, asked, word)
        return
    for command, flags, repeats, _, about in rows:
        names = flags.split(" ")
        used = not repeats and any(name in given for name in names)
        if command == chosen and flags.startswith("-") == word.startswith("-") and not used and "--" not in given:
            yield from ((name, about) for name in names if name.startswith(word))


def _values(rows: Sequence[Sequence[str]], asked: str, word: str) -> Iterator[tuple[str, str]]:
    """The words that stand for a value such as RULE, or go on with a list such as RULE,RULE,..., or light|dark."""
    kinds = set(asked.strip("[].,").replace(",", "|").split("|")) - {""}  # in "cpu|gpu|..." there is an empty one
    before, comma, begun = word.rpartition(",") if "," in asked else ("", "", word)
    for kind, name, _, _, about in rows:
        if kind in kinds and name.startswith(begun):
            yield before + comma + name, about
    yield from ((choice, "") for choice in asked.split("|") if choice.islower() and choice.startswith(word))


def _completed(shell: str) -> bool:
    """Answer a shell in the form that its script by Typer reads; False for a shell that is not known."""
    if shell == "bash":
        words, place = _split(os.environ["COMP_WORDS"]), int(os.environ["COMP_CWORD"])
        print("\n".join(name for name, about in candidates(words[1:place], "".join(words[place : place + 1]))))
        return True
    text = os.environ.get("_TYPER_COMPLETE_ARGS", "")
    given = _split(text)[1:]
    word = given.pop() if given and not text.endswith(" ") else ""
    found = list(candidates(given, word))
    if shell == "zsh":
        rows = "\n".join(f'"{_in_zsh(name)}":"{_in_zsh(about)}"' for name, about in found)
        print(f"_arguments '*: :(({rows}))'" if found else "_files")
    elif shell == "fish":
        if os.environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
            sys.exit(not found)
        print("\n".join(f"{name}\t{about}" for name, about in found))
    return shell in ("zsh", "fish")


def _content(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _columns() -> int:
    """The width of the terminal: shutil's function of this purpose takes longer to import than all else here."""
    try:
        return int(os.environ.get("COLUMNS", 0)) or os.get_terminal_size(sys.stdout.fileno()).columns
    except (AttributeError, ValueError, OSError):  # no terminal
        return WIDTH


def _split(text: str) -> list[str]:
    """The words of a command line, of which the last may lack its closing quote."""
    import shlex

    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:
        words.append(lexer.token)
    return words


def _in_zsh(text: str) -> str:
    """A text between double quotes in the list of words that zsh is given, itself between single quotes."""
    for mark, written in (('"', '""'), ("'", "''"), ("$", "\\$"), ("`", "\\`"), (":", "\\\\:")):
        text = text.replace(mark, written)
    return text
