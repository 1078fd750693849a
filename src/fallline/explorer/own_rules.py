"""A user's own rules as JavaScript that the page is handed, once it is sure that it does the same as their Python."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.engines import rehearsal
from fallline.engines.problem import Problem, Unable, is_ours
from fallline.errors import FalllineError, Verbatim
from fallline.explorer.rules import Writer, name_of
from fallline.explorer.settings import settings_offered
from fallline.explorer.tracing import StepGraph, trace_rule
from fallline.machine_code.graph import ALL, ANY, FINITE, LARGEST, SUM, Graph, Node
from fallline.machine_code.javascript import CALL, OF_MATH, RUNNING_SUM
from fallline.objectives import as_objective
from fallline.optimizers import Optimizer
from fallline.results.trajectory import Record
from fallline.stopping import conditions

# What a rule is tried on: no two coordinates are alike.
_TRIAL, _START = "x**2 + 2*y**2 + 3*z**4 + x*y - z", (1.5, -0.8, 0.6)


def own_rules(rules: Sequence[Optimizer[Any]]) -> str:
    """A JavaScript function that makes rules for the page from what js/src/rules.ts builds with.

    Arguments:
        rules: the rules; their settings are the defaults on the page.

    Raises:
        FalllineError: when a rule does in Python what JavaScript would not.

    >>> from fallline import Cautious, Momentum
    >>> own_rules([Cautious(Momentum())])[:49]
    '({family,pow,remainder,setting,step:S,stepPower})'
    """
    writer = Writer()
    written = [writer.own_rule(_checked(rule)) for rule in rules]
    tables = f"const L={writer.lines},F={writer.functions},A={writer.ranges},H={writer.settings}.map(h=>setting(A,h));"
    return (
        f"({{family,pow,remainder,setting,step:S,stepPower}})=>{{const{{{','.join(OF_MATH)}}}=Math;"
        f"{tables}return[{','.join(written)}];}}"
    )


def _checked(rule: Optimizer[Any]) -> Optimizer[Any]:
    """A copy of the rule, if its code does what its graph does."""
    try:
        try:
            # Tracing is no step: what a rule counts in it, its runs do not begin with.
            tried = copy.deepcopy(rule)
            settings = [one for one in settings_offered(tried, trace_rule, lambda *_: True) if one.offered is None]
            places = {setting.path: setting.place for setting in settings}
            graph, again = trace_rule(tried, places), trace_rule(tried, places)
        except Exception as error:  # code may fail anywhere on a stand-in for an array
            raise Unable(f"it does more than arithmetic on coordinates ({error})") from error
        if not is_ours(rule):
            if _told(again) != _told(graph):
                raise Unable("it computes something else each time")
            _rehearse(tried, graph, {f"h[{setting.place}]": setting.value for setting in settings})
    except Unable as reason:
        raise FalllineError(
            "optimizer",
            Verbatim(name_of(rule)),
            "leave it out",
            problem=f"which the page cannot compute with: {reason}",
        ) from None
    return tried


def _rehearse(rule: Optimizer[Any], graph: StepGraph, settings: Mapping[str, Any]) -> None:
    """Make the first steps of a rule on the reference engine and from its graph, in which these are its open settings.

    Raises:
        Unable: when they differ, or the rule draws chance or counts elsewhere.
    """
    problem = Problem(
        objective=as_objective(_TRIAL),
        starts=np.array([_START]),
        optimizer=rule,
        max_steps=1000,
        conditions=conditions(None)[:1],
        record=Record(),
        seed=0,
    )
    rehearsal.rehearse(problem, 0, lambda short: _steps(short, graph, settings))


def _told(step: StepGraph) -> list[Any]:
    """Everything that a step computes, in a form that can be compared."""
    results = [step.change, *step.after, *step.init, *filter(None, (step.place, step.projected, step.unbalanced))]
    nodes = [(node.operation, [part.index for part in node.inputs], repr(node.detail)) for node in step.graph.nodes]
    return [nodes, [node.index for node in results]]


def _steps(problem: Problem, step: StepGraph, settings: Mapping[str, Any]) -> tuple[FloatArray, int]:
    """The last point of a run by a graph, and the number of its steps."""
    x = problem.starts[0]
    with np.errstate(all="ignore"):
        state = _values(step.graph, step.init, {"x[i]": x, "r": problem.optimizer.rate(1), **settings})
        for made in range(problem.max_steps):
            known = {leaf.detail: part for leaf, part in zip(step.state, state, strict=True)} | {"x[i]": x, **settings}
            place = x if step.place is None else _values(step.graph, [step.place], known)[0]
            gradient = problem.objective.gradient(place[None])[0]
            finite = np.isfinite([*x, *gradient, problem.objective.value(x[None])[0]]).all()
            if not finite:
                return x, made
            known |= {"g[i]": gradient, "r": problem.optimizer.rate(made + 1), "step": float(made + 1)}
            change, *state = _values(step.graph, [step.change, *step.after], known)
            x = x - change
    return x, problem.max_steps


def _values(graph: Graph, wanted: Sequence[Node], leaves: Mapping[str, Any]) -> list[Any]:
    """What nodes are, given the leaves by their names; of every coordinate an array."""
    values: dict[Node, Any] = {}
    for node in graph.needed(wanted):
        parts = [values[part] for part in node.inputs]
        if node.operation == "constant":
            values[node] = float.fromhex(node.detail)
        elif node.operation == "leaf":
            values[node] = leaves[node.detail] if node.detail in leaves else float(node.detail)
        else:
            values[node] = _OPERATIONS[node.detail if node.operation == CALL else node.operation](*parts)
    return [np.broadcast_to(values[node], np.shape(leaves.get("x[i]", values[node]))) for node in wanted]


_OPERATIONS: Mapping[str, Any] = {
    "fadd": np.add, "fsub": np.subtract, "fmul": np.multiply, "fdiv": np.divide, "fneg": np.negative, "fabs": np.abs,
    "olt": np.less, "ole": np.less_equal, "ogt": np.greater, "oge": np.greater_equal, "oeq": np.equal,
    "une": np.not_equal, "and": np.logical_and, "or": np.logical_or, "not": np.logical_not, "select": np.where,
    "number": np.float64, "pow": np.power, "stepPower": np.power, "max": np.maximum, "min": np.minimum,
    "remainder": np.remainder,
    FINITE: lambda *parts: np.logical_and.reduce([np.isfinite(part) for part in parts]),
    SUM: np.sum, LARGEST: np.max, ANY: np.any, ALL: np.all, RUNNING_SUM: np.cumsum,
    **{name: getattr(np, name) for name in OF_MATH if name not in ("max", "min")},
}  # fmt: skip
