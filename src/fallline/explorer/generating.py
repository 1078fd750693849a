"""Writes js/src/generated.ts: what the page takes from the library, so that it is written once.

`python -m fallline.explorer.generating` writes it anew after a change to a rule, a schedule, a stopping condition, a
line search or a landscape.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np

from fallline.engines import flatness, rest
from fallline.experiments import basins, minima, outcomes
from fallline.experiments.compare import compare
from fallline.explorer.literals import literal
from fallline.explorer.rules import Writer
from fallline.gradients.perturbation import POWERS
from fallline.hyperparameters import hyperparameters
from fallline.line_search import LINE_SEARCHES
from fallline.machine_code.graph import STEP, Graph
from fallline.machine_code.javascript import LIBRARY, OF_MATH, code
from fallline.names import NAMES
from fallline.objectives import LANDSCAPES, Landscape, as_objective
from fallline.optimizers import OPTIMIZERS, Adam
from fallline.optimizers.noise import standard_normal
from fallline.pictures import basin_map
from fallline.proxy import Proxy
from fallline.results.basins import DIVERGED, NOT_ARRIVED
from fallline.results.sweep import OUTCOMES
from fallline.schedules import SCHEDULES
from fallline.stopping import CONDITIONS, NEGLIGIBLE, NO_LOWER_VALUE, ROUNDING, STEP_LIMIT, NotFinite, StoppingCondition

FILE = Path(__file__).parents[3] / "js" / "src" / "generated.ts"
# Where runs may start in a landscape, as parts of the way between its bounds: first the usual place. A run has found
# the lowest value when so little of the way down is left; to be worth showing, it goes so far.
_PARTS = [(0.1, 0.6), *((0.08 + 0.14 * right, 0.93 - 0.135 * down) for right in range(7) for down in range(7))]
_LEFT, _FAR = 0.01, 0.2
# Likely numbers of conditions, where they have no default.
_NUMBERS = {"Target": 1.0, "Evaluations": 100, "Seconds": 0.1}
_HEAD = """\
// Written by `python -m fallline.explorer.generating` from the library; do not edit.
import type { Line } from "./mathml.ts";
import { power as pow } from "./pow.ts";
import { remainder } from "./functions.ts";
import { condition, family, rate as R, scheduleFamily, search, setting } from "./rules.ts";
import { step as S, tests as C } from "./rules.ts";
import { stepPower } from "./step_power.ts";
import type { Code, Condition, Landscape, Limits, LineSearchKind, Rule, Schedule, Written } from "./rules.ts";

"""


def generated() -> str:
    """The text of the file."""
    writer = Writer()
    lists = {
        "rules: readonly Rule[]": map(writer.family, OPTIMIZERS.values()),
        "schedules: readonly Schedule[]": map(writer.schedules, SCHEDULES.values()),
        "stoppingConditions: readonly Condition[]": (
            f"condition(H,{literal(writer.condition(_with_numbers(CONDITIONS[name])))})"
            for name in NAMES["fallline.stopping"]
            if name in CONDITIONS
        ),
        "lineSearches: readonly LineSearchKind[]": (
            f"search(H,{literal(writer.search(kind()))})" for kind in LINE_SEARCHES.values()
        ),
        "landscapes: readonly Landscape[]": map(literal, map(landscape_entry, LANDSCAPES.values())),
    }
    written = {head: "".join(f"  {part},\n" for part in parts) for head, parts in lists.items()}
    functions = f"const F: readonly Code[] = {writer.functions};\n"
    called = [name for name in OF_MATH if re.search(rf"\b{name}\(", functions)]
    return "\n".join(
        [
            _HEAD,
            f"const {{ {', '.join(called)} }} = Math;\n",
            f"const L: readonly Line[] = {writer.lines};\n",
            functions,
            f"const A: readonly Limits[] = {writer.ranges};\n",
            f"const H = ({writer.settings} as readonly Written[]).map((written) => setting(A, written));\n",
            *(f"export const {head} = [\n{parts}];\n" for head, parts in written.items()),
            f"export const differencePowers: Readonly<Record<string, number>> = {literal(POWERS)};",
            _noise(),
            f"export const reasons = {literal(_reasons())};",
            f"export const flatness = {literal(_flatness())};",
            f"export const basins = {literal(_basins())};",
            f"export const outcomes = {literal(OUTCOMES)};",
            "",
        ]
    )


def _with_numbers(kind: type[StoppingCondition]) -> StoppingCondition:
    """A condition, with a number for each setting that has no default."""
    known = hyperparameters(kind)
    return kind(**{name: _NUMBERS[kind.__name__] for name in known if known[name].default is dataclasses.MISSING})


def _reasons() -> dict[str, Any]:
    """The reasons of ends that no condition gives."""
    saddle, maximum, *_ = rest.ELSEWHERE
    return {
        "stepLimit": STEP_LIMIT,
        "noLowerValue": NO_LOWER_VALUE,
        "notFinite": NotFinite.reason,
        "noGradient": rest.NO_GRADIENT,
        "toRounding": rest.TO_ROUNDING,
        "saddle": saddle,
        "maximum": maximum,
        "undecided": rest.UNDECIDED,
        "atRest": sorted(set(outcomes.AT_REST)),
    }


def _flatness() -> dict[str, Any]:
    """The numbers by which it is judged whether a run came to rest at a minimum."""
    return {
        "apart": flatness.APART,
        "estimatesApart": flatness.ESTIMATES_APART,
        "least": flatness.LEAST,
        "modest": flatness.MODEST,
        "noise": flatness.NOISE,
        "rounding": ROUNDING,
        "roughly": rest.ROUGHLY,
        "short": NEGLIGIBLE,
    }


def _basins() -> dict[str, Any]:
    """The numbers by which the ends of many runs are told apart, and a map of them is shaded."""
    return {
        "tolerance": inspect.signature(basins.basins).parameters["tolerance"].default,
        "least": minima.LEAST,
        "notArrived": NOT_ARRIVED,
        "diverged": DIVERGED,
        "telling": basin_map.TELLING,
    }


def _noise() -> str:
    """The function of the noise."""
    graph = Graph(of_many=False)
    seed, step, coordinate = (Proxy(graph.leaf(name, STEP), LIBRARY) for name in ("seed", "step", "coordinate"))
    number = standard_normal(seed, step, coordinate)
    parameters = "seed: number, step: number, coordinate: number"
    return f"export function standardNormal({parameters}): number {{{code(graph, [], result=number.value).text}}}"


def landscape_entry(landscape: Landscape) -> dict[str, Any]:
    """What the page is told of a landscape."""
    return {
        "name": landscape.name,
        "formula": landscape.formula,
        "names": as_objective(landscape.formula).names,
        "bounds": landscape.bounds,
        "minima": landscape.minima,
        "lowest": landscape.lowest,
        "start": _start(landscape),
    }


def _start(landscape: Landscape) -> list[float]:
    """The usual place, or if Adam does not find the lowest value from there, the farthest from which it does."""
    low, high = np.array(landscape.bounds).T
    starts = [[float(one) for one in (low + np.array(parts) * (high - low)).round(6)] for parts in _PARTS]
    race = compare(landscape.formula, starts, Adam(0.01 * float((high - low).max())), max_steps=1000)
    ends = [(run.value[0] - landscape.lowest, run.value[-1] - landscape.lowest) for run in race]
    moved = [float(np.linalg.norm((run.x[-1] - run.x[0]) / (high - low))) for run in race]
    way = [far if after < _LEFT * before else 0.0 for far, (before, after) in zip(moved, ends, strict=True)]
    return starts[0 if way[0] or max(way) < _FAR else int(np.argmax(np.round(way, 3)))]


if __name__ == "__main__":
    FILE.write_text(generated(), encoding="utf-8")
