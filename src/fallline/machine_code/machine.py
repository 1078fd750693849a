"""Compiles LLVM code to functions of this machine, with a cache on disk."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import importlib.util
import os
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fallline.errors import FalllineError

# Seconds after which a temporary file is taken to be abandoned, the length of a checksum, and the temporary prefix.
_ABANDONED = 3600
_DIGEST = hashlib.sha256().digest_size
_DRAFT = ".fallline-draft-"
# Errors that mean there is no cache folder, which only costs time; a user without a home directory is a RuntimeError.
_NO_FOLDER = (OSError, RuntimeError)
# Functions of the C library that compiled code may call.
LIBRARY = ("pow", "fmod", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "erf")


def available() -> bool:
    """Whether llvmlite is installed."""
    try:
        return importlib.util.find_spec("llvmlite") is not None
    except ValueError:  # sys.modules holds something without a spec under this name
        return False


@functools.cache
def _llvm() -> Any:
    """LLVM, set up for this machine."""
    try:
        import llvmlite.binding as llvm
    except ImportError:
        raise FalllineError(
            "engine", problem='is "compiled", which needs llvmlite: pip install "fallline[fast]"'
        ) from None
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    library = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
    for name in LIBRARY:
        llvm.add_symbol(name, ctypes.cast(getattr(library, name), ctypes.c_void_p).value)
    return llvm


@functools.cache
def _target() -> Any:
    llvm = _llvm()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3
    )


@functools.cache
def lanes() -> int:
    """How many numbers fit into two vector registers of this machine."""
    with _ONE_AT_A_TIME:
        features = _llvm().get_host_cpu_features()
    return 16 if features.get("avx512f") else 8 if features.get("avx") else 4


# LLVM has global state, so only one thread compiles at a time, and the process does not fork meanwhile.
_ONE_AT_A_TIME = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_ONE_AT_A_TIME.acquire, after_in_parent=_ONE_AT_A_TIME.release, after_in_child=_ONE_AT_A_TIME.release
    )
# LLVM's engines own the code, so they live as long as the process.
_LOADED: dict[str, Any] = {}


def function(source: str, name: str, arguments: tuple[Any, ...]) -> Callable[..., int]:
    """The function of this name in LLVM code, which returns an integer. Calls release the GIL.

    Arguments:
        source: the code of a module.
        name: the function's name.
        arguments: the ctypes of its arguments.
    """
    with _ONE_AT_A_TIME:
        llvm = _llvm()
        key = _key(source)
        if key not in _LOADED:
            compiled = _cached(key) or _compiled(source, key)
            engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target())
            engine.add_object_file(llvm.ObjectFileRef.from_data(compiled))
            engine.finalize_object()
            _LOADED[key] = engine
        made: Callable[..., int] = ctypes.CFUNCTYPE(ctypes.c_int64, *arguments)(_LOADED[key].get_function_address(name))
        return made


def _key(source: str) -> str:
    """The cache key: a hash of the code, the machine and the versions."""
    llvm = _llvm()
    import llvmlite

    machine = (llvmlite.__version__, llvm.llvm_version_info, _target().triple, llvm.get_host_cpu_name())
    parts = (source, machine, llvm.get_host_cpu_features().flatten())
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _compiled(source: str, key: str) -> bytes:
    """Compile to machine code, and store it in the cache."""
    llvm = _llvm()
    module = llvm.parse_assembly(source)
    module.verify()
    passes = llvm.create_pass_builder(_target(), llvm.create_pipeline_tuning_options(speed_level=2))
    passes.getModulePassManager().run(module, passes)
    code: bytes = _target().emit_object(module)
    with contextlib.suppress(*_NO_FOLDER):  # then it is compiled again next time
        _put_on_disk(code, key)
    return code


def _put_on_disk(code: bytes, key: str) -> None:
    """Write a cache entry atomically, and remove abandoned temporary files."""
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=_DRAFT, dir=folder())
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_digest(code, key) + code)
        os.replace(draft, folder() / key)
    finally:
        Path(draft).unlink(missing_ok=True)
    for old in folder().glob(f"{_DRAFT}*"):
        if time.time() - old.stat().st_mtime > _ABANDONED:
            old.unlink(missing_ok=True)


def _cached(key: str) -> bytes | None:
    """The cached machine code; None if there is none, it is damaged, or another user may have written it."""
    try:
        with open(folder() / key, "rb", opener=_without_waiting) as file:
            found = os.fstat(file.fileno())
            # The content will be executed, so no other user may have written it. On Windows the folder is the user's.
            others = found.st_uid != os.geteuid() or found.st_mode & 0o022 if sys.platform != "win32" else False
            if others or not stat.S_ISREG(found.st_mode):
                return None
            stored = file.read()
    except _NO_FOLDER:
        return None
    digest, code = stored[:_DIGEST], stored[_DIGEST:]
    return code if digest == _digest(code, key) else None


def _without_waiting(path: str, flags: int) -> int:
    """Open a file without blocking, should it be a pipe that no process writes to."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _digest(code: bytes, key: str) -> bytes:
    """A checksum of the entry and its key."""
    return hashlib.sha256(key.encode() + code).digest()


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
