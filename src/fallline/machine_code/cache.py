"""The cache of compiled code: a folder of bounded size, shared by processes, that no other user may write to."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import re
import stat
import sys
import tempfile
import time
from pathlib import Path

from fallline.errors import FalllineError

# Megabytes, 10^6 bytes, that the entries may take.
SIZE = 200.0
# A process looks at the folder when it first writes, and after each such part of the size that it has written.
_PART = 1 / 16
_unseen = math.inf
# Seconds after which a temporary file is taken to be abandoned, the length of a checksum, and the temporary prefix.
_ABANDONED = 3600
_DIGEST = hashlib.sha256().digest_size
_DRAFT = ".fallline-draft-"
# The name of an entry: its key.
_ENTRY = re.compile("[0-9a-f]{64}")
# Errors that mean there is no cache folder, which only costs time; a user without a home directory is a RuntimeError.
_NO_FOLDER = (OSError, RuntimeError)


def read(key: str) -> bytes | None:
    """The code with this key; None if there is none, it is damaged, or another user may have written it."""
    try:
        if not _only_ours(os.stat(folder())):
            return None
        with open(folder() / key, "rb", opener=_without_waiting) as file:
            found = os.fstat(file.fileno())
            if not (_only_ours(found) and stat.S_ISREG(found.st_mode)):
                return None
            stored = file.read()
    except _NO_FOLDER:
        return None
    # The time of the last use, which few file systems keep by themselves.
    with contextlib.suppress(OSError):
        os.utime(folder() / key, ns=(time.time_ns(), found.st_mtime_ns))
    digest, code = stored[:_DIGEST], stored[_DIGEST:]
    return code if digest == _digest(code, key) else None


def write(key: str, code: bytes) -> None:
    """Store code under a key, if there is a folder for it, and remove what has not been used for the longest time.

    Raises:
        FalllineError: when FALLLINE_CACHE_SIZE is not a size.
    """
    most = _most_bytes()
    stored = _digest(code, key) + code
    if len(stored) > most:
        return
    with contextlib.suppress(*_NO_FOLDER):  # then it is compiled again next time
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        if _only_ours(os.stat(folder())):
            _put(key, stored)
            _make_room(len(stored), most)


def folder() -> Path:
    """The cache folder: FALLLINE_CACHE, or a folder in the user's cache directory."""
    chosen = os.environ.get("FALLLINE_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "fallline"


def _put(key: str, stored: bytes) -> None:
    """Write an entry: the whole of it appears at once."""
    handle, draft = tempfile.mkstemp(prefix=_DRAFT, dir=folder())
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(stored)
        os.replace(draft, folder() / key)
    finally:
        Path(draft).unlink(missing_ok=True)


def _make_room(written: int, most: float) -> None:
    """Count what this process has written; remove the oldest entries when it may be too much."""
    global _unseen
    _unseen += written
    if _unseen > most * _PART:
        _unseen = 0
        _remove_oldest(most * (1 - _PART))


def _remove_oldest(most: float) -> None:
    """Remove abandoned temporary files, and the entries used longest ago until the others are small enough.

    Other processes may do the same meanwhile, or read an entry that is removed: they still have it, or compile again.
    """
    entries = []
    with os.scandir(folder()) as files:
        for file in files:
            with contextlib.suppress(OSError):  # another process has removed it, or is reading it on Windows
                found = file.stat()
                if _ENTRY.fullmatch(file.name):
                    entries.append((found.st_atime_ns, found.st_size, file.path))
                elif file.name.startswith(_DRAFT) and time.time() - found.st_mtime > _ABANDONED:
                    os.unlink(file)
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= most:
            break
        with contextlib.suppress(OSError):
            os.unlink(path)
        total -= size


def _most_bytes() -> float:
    """The bytes that all entries may take: FALLLINE_CACHE_SIZE megabytes."""
    chosen = os.environ.get("FALLLINE_CACHE_SIZE") or str(SIZE)
    try:
        megabytes = float(chosen)
    except ValueError:
        megabytes = math.nan
    if not megabytes >= 0:
        raise FalllineError("FALLLINE_CACHE_SIZE", chosen, "it must be a number of megabytes, 0 for no cache")
    return megabytes * 1e6


def _only_ours(found: os.stat_result) -> bool:
    """Whether no other user may have written to the file or folder: what is in it will be executed."""
    # On Windows the folder is the user's.
    return sys.platform == "win32" or (found.st_uid == os.geteuid() and not found.st_mode & 0o022)


def _without_waiting(path: str, flags: int) -> int:
    """Open a file without blocking, should it be a pipe that no process writes to."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _digest(code: bytes, key: str) -> bytes:
    """A checksum of the entry and its key."""
    return hashlib.sha256(key.encode() + code).digest()
