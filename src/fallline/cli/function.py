"""User functions on the command line, named by file and function: `losses.py:rosenbrock`."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fallline.errors import FalllineError, nearest
from fallline.gradients import parse_gradient
from fallline.objectives import Objective, as_objective

OBJECTIVE_HELP = "A formula, a landscape such as rosenbrock, or FILE.py:NAME, a function in a file, which is run."


def names_a_function(text: str) -> bool:
    """Whether the text names a function in a file, or a file; no formula contains ".py:" or ends with ".py".

    >>> names_a_function("losses.py:rosenbrock"), names_a_function("x**2")
    (True, False)
    """
    return ".py:" in text or text.endswith(".py")


def function_from_file(text: str, flag: str) -> Callable[..., Any]:
    """The function that FILE.py:NAME names. The file is run as Python would import it.

    Arguments:
        text: the file and the name of the function in it.
        flag: the name of the option or argument, for error texts.

    Raises:
        FalllineError: when there is no such file or function, or the file fails.
    """
    if text.endswith(".py"):
        raise FalllineError(flag, text, f"name the function in it, as FILE.py:NAME: {text}:NAME")
    file, _, name = text.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise FalllineError(flag, text, f"there is no file {file!r}")
    # As for a script, modules beside the file can be imported.
    sys.path.insert(0, str(path.parent.resolve()))
    module_name = f"fallline_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    with told_in_one_line(text, flag):
        spec.loader.exec_module(module)
    function = getattr(module, name, None)
    if not callable(function):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise FalllineError(flag, text, f"{file} has no function {name!r}; {nearest(name, known)}")
    found: Callable[..., Any] = function
    return found


def gradient_at(text: str) -> Any:
    """What --gradient names, as an argument of the Python functions: a kind of gradient, or a function in a file.

    Raises:
        FalllineError: when there is no such kind, file or function.
    """
    return function_from_file(text, "--gradient") if names_a_function(text) else parse_gradient(text)


def thing_at(text: str) -> Any:
    """What OBJECTIVE names, as an argument of the Python functions: the text of a formula or landscape, or a function.

    Raises:
        FalllineError: when there is no such file or function.
    """
    return function_from_file(text, "OBJECTIVE") if names_a_function(text) else text


def objective_at(text: str, point: Any) -> Objective:
    """The objective that OBJECTIVE names: a formula, a landscape, or a function in a file.

    Arguments:
        text: the argument of the command line.
        point: a point where it is evaluated, as `options.parse_start` returns it: it determines the dimension.

    Raises:
        FalllineError: when it does not name an objective.
    """
    # With a single number as the point, f(x) takes a number, not a vector of length 1.
    return as_objective(thing_at(text), len(point) if isinstance(point, list) and len(point) > 1 else None)


@contextmanager
def told_in_one_line(text: str, flag: str) -> Iterator[None]:
    """Turn an exception of the user's code in this block into an error of one line that says what and where it was.

    Arguments:
        text: the file and the name of the function in it; for anything else, exceptions are left unchanged.
        flag: the name of the option or argument.
    """
    try:
        yield
    except FalllineError:
        raise
    except Exception as error:
        if not names_a_function(text):
            raise
        file = text.rpartition(":")[0]
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == Path(file).resolve()]
        if isinstance(error, SyntaxError):
            lines, told = [error.lineno], error.msg
        elif lines:
            told = str(error)
        else:
            # The exception does not come from this file.
            raise
        notes = "".join(f", {note}" for note in getattr(error, "__notes__", ()))
        raise FalllineError(
            flag, text, f"{file} failed in line {lines[-1]}: {type(error).__name__}: {told}{notes}"
        ) from error
