"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fallline.errors import FalllineError


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str], parameter: str = "path") -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it onto `path` only if the block succeeds.

    The temporary name keeps the ending of `path`, because writers choose their format by it.

    Raises:
        FalllineError: naming `parameter`, when the folder is missing or the file cannot be written.

    >>> folder = tempfile.mkdtemp()
    >>> with whole_file(f"{folder}/a.txt") as draft:
    ...     _ = draft.write_text("done")
    >>> os.listdir(folder)
    ['a.txt']
    """
    if not isinstance(path, str | os.PathLike) or "\0" in os.fspath(path):
        raise FalllineError(f"{parameter} is {path!r}; it must be the name of a file")
    if not os.fspath(path):
        raise FalllineError(f"{parameter} is empty; give the name of a file")
    target = Path(path)
    refused = f"{parameter} is {str(target)!r}, which cannot be written"
    if os.path.isdir(target):
        raise FalllineError(f"{parameter} is {str(target)!r}, a folder; give the name of a file")
    if not os.path.isdir(target.parent):
        raise FalllineError(f"{parameter} is {str(target)!r}, but the folder {str(target.parent)!r} does not exist")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.stem[:32]}-", suffix=target.suffix, dir=target.parent)
    except OSError as error:
        raise FalllineError(f"{refused}: {error.strerror}") from None
    os.close(handle)
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
        raise FalllineError(f"{refused}: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)
