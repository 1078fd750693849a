"""Runs of the page's code in Node, beside the same in Python."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tests.explorer.node import JS
from tests.views.browser import firefox

import fallline
from fallline.explorer.told import told
from fallline.results.trajectory import Trajectory


@dataclass(frozen=True)
class RunCase:
    """A run to be made in both languages.

    Attributes:
        formula: what is minimised.
        x0: the start.
        rule: the rule.
        settings: the other arguments of `minimize`.
    """

    formula: str
    x0: tuple[float, ...]
    rule: Any
    settings: dict[str, Any]

    @property
    def name(self) -> str:
        """What is told of it where it fails."""
        return f"{self.formula} from {self.x0} by {self.rule.label}, {self.settings}"

    def in_python(self, engine: str = "reference") -> Trajectory:
        """The run as Fallline's engine makes it."""
        settings = {"gradient": "symbolic", **{name: part for name, part in self.settings.items() if part is not None}}
        return fallline.minimize(self.formula, list(self.x0), self.rule, engine=engine, **settings)


def case(formula: str, x0: Sequence[float], rule: Any, *, max_steps: int = 100, **settings: Any) -> RunCase:
    """A case, with the arguments of `minimize`."""
    return RunCase(formula, tuple(x0), rule, {"max_steps": max_steps, **settings})


@dataclass(frozen=True)
class Made:
    """A run as the page makes it: its columns and how it ended, or what it was refused for."""

    end: dict[str, Any]
    x: Any = None
    value: Any = None
    gradient: Any = None
    rate: Any = None


def in_node(programs: Path, cases: Sequence[RunCase], own: str | None = None) -> list[Made]:
    """The runs as the page's code makes them in Node.

    Arguments:
        programs: where the programs of js/test are built.
        cases: the runs.
        own: what `own_rules` wrote.
    """
    return _made(cases, run_program(programs, "runs", _given(cases, own)))


def in_browser(page: Any, cases: Sequence[RunCase]) -> list[Made]:
    """The same in a page that has the program `runs_in_browser`."""
    return _made(cases, page.evaluate("given => outcomes(given)", _given(cases, None)))


def in_firefox(programs: Path, cases: Sequence[RunCase]) -> list[Made]:
    """The same in Firefox."""
    given_at, found_at = programs / "firefox.given.json", programs / "firefox.found.json"
    given_at.write_text(json.dumps(_given(cases, None)), encoding="utf-8")
    command = [JS / "test" / "runs_in_firefox.mjs", programs / "runs_in_browser.mjs", given_at, found_at]
    environment = {**os.environ, "FALLLINE_FIREFOX": firefox()}
    subprocess.run(["node", *map(str, command)], check=True, timeout=300, env=environment)
    return _made(cases, json.loads(found_at.read_text(encoding="utf-8")))


def _given(cases: Sequence[RunCase], own: str | None) -> dict[str, Any]:
    rows = [{"formula": one.formula, "x0": one.x0, "settings": told(one.rule, **one.settings)} for one in cases]
    return {"rows": rows, "own": own}


def run_program(programs: Path, name: str, given: Any) -> Any:
    """What one of the programs makes of what it is given."""
    given_at, found_at = programs / f"{name}.given.json", programs / f"{name}.found.json"
    given_at.write_text(json.dumps(given), encoding="utf-8")
    subprocess.run(["node", str(programs / f"{name}.mjs"), str(given_at), str(found_at)], check=True, timeout=300)
    return json.loads(found_at.read_text(encoding="utf-8"))


def _made(cases: Sequence[RunCase], found: Sequence[dict[str, Any]]) -> list[Made]:
    return [_of_row(row, len(one.x0)) for row, one in zip(found, cases, strict=True)]


def _of_row(row: dict[str, Any], n: int) -> Made:
    if "x" not in row:
        return Made(row)
    columns = {name: np.frombuffer(base64.b64decode(row.pop(name))) for name in ("x", "value", "gradient", "rate")}
    columns |= {name: columns[name].reshape(-1, n) for name in ("x", "gradient")}
    return Made(row, **columns)


def apart(a: Any, b: Any) -> Any:
    """How far two columns differ, row by row, beside their size or 1; NaN and infinities are equal to themselves."""
    with np.errstate(all="ignore"):
        error = np.abs(a - b) / np.maximum(1, np.abs(b))
    error = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, error)
    error = np.where(np.isnan(error), np.inf, error)
    return error if error.ndim == 1 else error.max(axis=1)
