"""Makes the outline of the commands from the commands themselves: `python -m fallline.cli.outlining`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from fallline.cli.app import COMMANDS, app_of
from fallline.cli.optimizers import about_rule
from fallline.cli.outline import HELP, WIDTH, WORDS
from fallline.examples import recipes
from fallline.files import whole_file
from fallline.objectives import LANDSCAPES
from fallline.optimizers import OPTIMIZERS

# The words that stand for a value, each with its help.
VALUES = {
    "RULE": {name: about_rule(kind) for name, kind in OPTIMIZERS.items()},
    "OBJECTIVE": dict.fromkeys(LANDSCAPES, "a landscape"),
    "RECIPE": dict.fromkeys(recipes(), "a recipe"),
}


def outline() -> dict[Path, str]:
    """The files of the outline, and what must be in them."""
    group: Any = typer.main.get_command(app_of(COMMANDS))
    with group.make_context("fallline", [], resilient_parsing=True, terminal_width=WIDTH - 2) as context:
        lines = list(_options("", group, context))
        lines += ["\t".join(["", name, "", "", each.get_short_help_str()]) for name, each in group.commands.items()]
        for name, command in group.commands.items():
            lines += _options(name, command, context)
        for value, words in VALUES.items():
            lines += ["\t".join([value, word, "", "", about]) for word, about in words.items()]
        return {Path(HELP): group.get_help(context) + "\n", Path(WORDS): "\n".join(lines) + "\n"}


def _options(name: str, command: Any, context: Any) -> Iterator[str]:
    """The options of a command, each as the command's name, its flags, whether it may be repeated, value and help.

    The value of the command itself is what stands right behind it.
    """
    for place, option in enumerate(command.get_params(context)):
        if option.param_type_name == "option" and not option.hidden:
            # Those of help come in the order of a set.
            flags = " ".join(sorted([*option.opts, *option.secondary_opts]))
            value = "" if option.is_flag else option.metavar or ""
            yield "\t".join([name, flags, "repeats" if option.multiple else "", value, option.help or ""])
        elif place == 0:
            yield "\t".join([name, name, "", option.metavar or "", ""])


if __name__ == "__main__":
    for path, text in outline().items():
        with whole_file(path) as draft:
            draft.write_text(text, encoding="utf-8")
