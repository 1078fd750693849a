"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from fallline.errors import FalllineError

# Seconds after which nobody can be writing a draft any more.
OLD = 3600


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str], parameter: str = "path") -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it onto `path` only if the block succeeds.

    The temporary name keeps the ending of `path`, because writers choose their format by it. What a killed process left
    under such a name is removed after an hour, when the file is written again.

    Raises:
        FalllineError: naming `parameter`, when the folder is missing or the file cannot be written.

    >>> folder = tempfile.mkdtemp()
    >>> with whole_file(f"{folder}/a.txt") as draft:
    ...     _ = draft.write_text("done")
    >>> os.listdir(folder)
    ['a.txt']
    """
    if not isinstance(path, str | os.PathLike) or "\0" in os.fspath(path):
        raise FalllineError(parameter, path, "it must be the name of a file")
    if not os.fspath(path):
        raise FalllineError(parameter, problem="is empty", allowed="give the name of a file")
    target = Path(path)
    refused = f"{parameter} is {str(target)!r}, which cannot be written"
    if os.path.isdir(target):
        raise FalllineError(parameter, str(target), "give the name of a file", problem="a folder")
    if not os.path.isdir(target.parent):
        raise FalllineError(parameter, str(target), problem=f"but the folder {str(target.parent)!r} does not exist")
    try:
        handle, name = tempfile.mkstemp(prefix=_draft_prefix(target), suffix=target.suffix, dir=target.parent)
    except OSError as error:
        raise FalllineError(problem=f"{refused}: {error.strerror}") from None
    os.close(handle)
    _remove_leftovers(target)
    draft = Path(name)
    try:
        yield draft
        # mkstemp makes files private; a file the user asked for gets the usual permissions.
        umask = os.umask(0)
        os.umask(umask)
        draft.chmod(0o666 & ~umask)
        draft.replace(target)
    except OSError as error:
        # A full disk, a name too long, ...
        raise FalllineError(problem=f"{refused}: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)


class _OnlyTried(Exception):
    """Leaves `whole_file` before anything is written."""


def check_writable(path: str | os.PathLike[str], parameter: str = "path") -> None:
    """Refuse a file that could not be written, by beginning to.

    Raises:
        FalllineError: naming the parameter, the path and what is wrong with it.
    """
    try:
        with whole_file(path, parameter):
            raise _OnlyTried
    except _OnlyTried:
        pass


def _remove_leftovers(target: Path) -> None:
    """Remove what processes that were killed while they wrote this file have left of it beside it."""
    for draft in target.parent.glob(glob.escape(_draft_prefix(target)) + "????????" + glob.escape(target.suffix)):
        # A younger one may be another process's, which is writing now.
        with contextlib.suppress(OSError):
            if time.time() - draft.stat().st_mtime > OLD:
                draft.unlink()


def _draft_prefix(target: Path) -> str:
    return f".{target.stem[:32]}-"
