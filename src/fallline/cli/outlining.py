"""Makes the outline of the commands from the commands themselves: `python -m fallline.cli.outlining`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from fallline.cli.app import COMMANDS, app_of
from fallline.cli.outline import HELP, WIDTH, WORDS
from fallline.files import whole_file


def outline() -> dict[Path, str]:
    """The files of the outline, and what must be in them."""
    group: Any = typer.main.get_command(app_of(COMMANDS))
    with group.make_context("fallline", [], resilient_parsing=True, terminal_width=WIDTH - 2) as context:
        lines = list(_options("", group, context))
        lines += ["\t".join(["", name, "", each.get_short_help_str()]) for name, each in group.commands.items()]
        for name, command in group.commands.items():
            lines += _options(name, command, context)
        return {Path(HELP): group.get_help(context) + "\n", Path(WORDS): "\n".join(lines) + "\n"}


def _options(name: str, command: Any, context: Any) -> Iterator[str]:
    """The options of a command, each as the command's name, its flags, whether it may be repeated, and its help."""
    for option in command.get_params(context):
        if option.param_type_name == "option" and not option.hidden:
            # Those of help come in the order of a set.
            flags = " ".join(sorted([*option.opts, *option.secondary_opts]))
            yield "\t".join([name, flags, "repeats" if option.multiple else "", option.help or ""])


if __name__ == "__main__":
    for path, text in outline().items():
        with whole_file(path) as draft:
            draft.write_text(text, encoding="utf-8")
