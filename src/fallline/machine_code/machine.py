"""Compiles LLVM code to functions of this machine, with a cache on disk."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.util
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from fallline.errors import FalllineError
from fallline.machine_code import cache

# Functions of the C library that compiled code may call.
LIBRARY = ("pow", "fmod", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "erf", "cbrt")


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
            compiled = cache.read(key) or _compiled(source, key)
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
    cache.write(key, code)
    return code
