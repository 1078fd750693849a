"""A progress bar for long work: on a terminal only, never when output is piped."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress_bar(total: int, title: str, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with the number of steps done so far.

    Arguments:
        total: the number of steps at most.
        title: the text before the bar.
        shown: whether to show a bar.
    """
    # As rich decides it, which takes long to import.
    if not (shown and (sys.stderr.isatty() or "FORCE_COLOR" in os.environ)):
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Steps per second."""

        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:.3g}/s")

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)
