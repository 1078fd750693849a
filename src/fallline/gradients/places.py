"""The line of the user's code that JAX cannot follow, and the call on it."""

from __future__ import annotations

import itertools
import linecache
import sys
from types import FrameType, TracebackType
from typing import Any

from fallline.errors import Verbatim, shortened

# Stack frames of these packages are not the user's code.
LIBRARIES = {"numpy", "scipy", "jax", "fallline", "torch", "pandas", "sklearn", "tensorflow"}
LIBRARIES |= sys.stdlib_module_names - {"__main__"}


def users_line() -> str:
    """The file and line of the innermost frame that is the user's own; empty without one."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if _is_users(frame):
            return _place(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return ""


def blamed(error: Exception) -> tuple[str, str]:
    """What failed in the innermost user's frame of a traceback, and its file and line; both empty without one."""
    trace, users = error.__traceback__, None
    while trace is not None:
        users = trace if _is_users(trace.tb_frame) else users
        trace = trace.tb_next
    if users is None:
        return "", ""
    return _source(users), _place(users.tb_frame.f_code.co_filename, users.tb_lineno)


def defined_at(function: Any) -> str:
    """The file and line where a Python function is written; empty for one in another language."""
    while (inner := getattr(function, "func", None) or getattr(function, "__wrapped__", None)) is not None:
        function = inner
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    return _place(code.co_filename, code.co_firstlineno) if code else ""


def _is_users(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] not in LIBRARIES


def _place(path: str, line: int | None) -> str:
    return f"{path.replace(chr(92), '/').rpartition('/')[2]}:{line}"


def _source(trace: TracebackType) -> str:
    """The expression that failed: of a call the name, as in `torch.tensor(...)`; empty if its source is not known."""
    code = trace.tb_frame.f_code
    line, last, begin, end = next(itertools.islice(code.co_positions(), trace.tb_lasti // 2, None))
    if line is None or line != last:
        return ""
    text = linecache.getline(code.co_filename, line).encode()[begin:end].decode(errors="replace")
    name = text.partition("(")[0]
    return f"{name}(...)" if name.replace(".", "").isidentifier() and name != text else shortened(Verbatim(text), 40)
