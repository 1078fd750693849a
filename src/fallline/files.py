"""Atomic writing of files."""

from __future__ import annotations

import contextlib
import glob
import os
import time
from collections.abc import Iterator
from pathlib import Path

from fallline.errors import FalllineError

# Seconds after which a temporary file is taken to be abandoned.
OLD = 3600


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str], parameter: str = "path") -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it onto `path` only if the block succeeds.

    The temporary name keeps the extension of `path`, because writers choose their format by it. Temporary files left by
    a killed process are removed when the file is written again, if they are older than an hour.

    Raises:
        FalllineError: naming `parameter`, when the folder is missing or the file cannot be written.

    >>> import tempfile
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
        import tempfile  # takes longer to import than all else here

        handle, name = tempfile.mkstemp(prefix=_draft_prefix(target), suffix=target.suffix, dir=target.parent)
    except OSError as error:
        raise FalllineError(problem=f"{refused}: {error.strerror}") from None
    os.close(handle)
    _remove_leftovers(target)
    draft = Path(name)
    try:
        yield draft
        # mkstemp makes files private; the final file gets the usual permissions.
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
    """Raised inside `whole_file` to leave it without writing anything."""


def check_writable(path: str | os.PathLike[str], parameter: str = "path") -> None:
    """Refuse a file that cannot be written, by trying to create a temporary file beside it.

    Raises:
        FalllineError: naming the parameter, the path and what is wrong with it.
    """
    try:
        with whole_file(path, parameter):
            raise _OnlyTried
    except _OnlyTried:
        pass


def _remove_leftovers(target: Path) -> None:
    """Remove temporary files that killed processes have left beside this file."""
    for draft in target.parent.glob(glob.escape(_draft_prefix(target)) + "????????" + glob.escape(target.suffix)):
        # A younger file may belong to another process that is writing now.
        with contextlib.suppress(OSError):
            if time.time() - draft.stat().st_mtime > OLD:
                draft.unlink()


def _draft_prefix(target: Path) -> str:
    return f".{target.stem[:32]}-"
