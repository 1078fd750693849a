"""Rules, schedules and stopping conditions as JavaScript: their code, their settings, their formulas."""

from __future__ import annotations

import dataclasses
import inspect
import math
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fallline.explorer.formulas import formula_of
from fallline.explorer.literals import Code, Table, literal
from fallline.explorer.rolling import rolled
from fallline.explorer.settings import ANY_NUMBER, MOST_NUMBERS, Setting, placed, settings_offered, variants
from fallline.explorer.tracing import (
    StepGraph,
    changed,
    place_in_state,
    place_of_scratch,
    settings_of,
    trace_condition,
    trace_rule,
    trace_schedule,
)
from fallline.hyperparameters import hyperparameters
from fallline.line_search import LineSearch
from fallline.machine_code import javascript
from fallline.machine_code.graph import Graph, Node
from fallline.machine_code.javascript import Store
from fallline.optimizers import GradientDescent, Optimizer
from fallline.optimizers.base import layers
from fallline.schedules import Schedule, watches_values
from fallline.stopping import StoppingCondition

# The most characters of a function that is offered beside others, such as that of a longer memory, and the most parts
# of a state, unless it is the default; longer functions than the last number are written as loops.
LONGEST, MOST_PARTS, UNROLLED = 6000, 25, 2000
# A rate where a rule has none of its own.
USUAL_RATE = 0.01
# A year, as a citation has it.
_YEAR = re.compile(r"\b(?:1[89]|20)\d\d\b")


class Writer:
    """Writes rules, schedules and conditions; what several of them have stands in tables."""

    def __init__(self) -> None:
        self.functions, self.settings, self.ranges, self.lines = map(Table, "FHAL")

    def family(self, kind: type[Optimizer[Any]]) -> Code:
        """All conventions of a rule."""
        made: Any = kind
        rules = [made(convention=convention) for convention in kind.conventions]
        return _family(kind.name, kind, [self.rule(rule, rules) for rule in rules])

    def own_rule(self, rule: Optimizer[Any]) -> Code:
        """A rule with its own settings as defaults."""
        return _family(name_of(rule), type(rule), [self.rule(rule)])

    def rule(self, rule: Optimizer[Any], others: Sequence[Optimizer[Any]] = ()) -> list[Any]:
        """A rule, with the code of each of its variants; `others` are its other conventions."""

        def is_short(rule: Any, path: str, value: Any) -> bool:
            made = changed(rule, path, value)
            graph = trace_rule(made, {})
            few = len(graph.names) <= MOST_PARTS or value == dict(settings_of(rule))[path]
            return few and len(self._step_texts(graph)["update"]) <= LONGEST

        offered = settings_offered(rule, trace_rule, is_short)
        read = {leaf for variant in variants(rule, offered) for leaf in trace_rule(*variant).settings_read}
        settings = placed(setting for setting in offered if setting.offered or f"h[{setting.place}]" in read)
        graphs = [trace_rule(*variant) for variant in variants(rule, settings)]
        more = {
            "longestRate": None if rule.longest_rate == math.inf else rule.longest_rate,
            "search": _search_of(rule),
            "decays": [setting.place for setting in settings if _is_decay(rule, setting)] or None,
            "by": _by(settings) or None,
        }
        return [
            rule.convention,
            int(rule.elementwise),
            self._rate(rule),
            self._settings(settings, others),
            " ".join(str(self.lines.place(literal(line))) for line in formula_of(rule)),
            [Code(self._step(graph)) for graph in graphs],
            *([more] if any(part is not None for part in more.values()) else []),
        ]

    def search(self, search: LineSearch) -> dict[str, Any]:
        """A line search."""
        settings = [Setting(path, hyperparameters(search)[path], value) for path, value in settings_of(search)]
        return {"name": search.name, "hyperparameters": self._settings(settings)}

    def _settings(self, settings: Iterable[Setting], others: Sequence[Any] = ()) -> str:
        """The indices of settings; `others` are things that may have them with other defaults."""
        found = []
        for setting in settings:
            elsewhere = [
                value for other in others if isinstance(value := dict(settings_of(other)).get(setting.path), float)
            ]
            found.append(self._setting(setting, elsewhere))
        return " ".join(map(str, found))

    def _setting(self, setting: Setting, others: Sequence[Any] = ()) -> int:
        described, limits = setting.described(others)
        return self.settings.place(literal([self.ranges.place(literal(limits)), *described]))

    def _rate(self, rule: Optimizer[Any]) -> int:
        """The index of the setting of a rule's rate, which has no default if a line search finds it."""
        rate, inner = rule.learning_rate, layers(rule)[-1]
        known = hyperparameters(inner).get("learning_rate", hyperparameters(GradientDescent)["learning_rate"])
        number = rate if isinstance(rate, float) else USUAL_RATE
        return self._setting(Setting("learning_rate", known, number, is_needed=isinstance(rate, LineSearch)))

    def _step(self, graph: StepGraph) -> str:
        texts = self._step_texts(graph)
        shared = len(graph.wide) - sum(graph.wide)
        parameters = {"init": "x,s,h,r", "update": "g,s,r,step,h,o", "lookahead": "x,s,h,o", "projected": "x,g,h,o"}
        parameters["unbalanced"] = "x,g,near,h,o"
        functions = [
            self.functions.entry(_function(names, texts[name])) if name in texts else "0"
            for name, names in parameters.items()
        ]
        while functions[-1] == "0":
            functions.pop()
        # First the parts of every coordinate, then those that all of them share.
        names = [
            name for each in (True, False) for name, wide in zip(graph.names, graph.wide, strict=True) if wide == each
        ]
        return f"S({literal(' '.join(names))},{shared},{texts.scratch},{','.join(functions)})"

    @staticmethod
    def _step_texts(graph: StepGraph) -> _Texts:
        def code(stores: Sequence[Store], sized: str) -> javascript.Code:
            made = javascript.code(graph.graph, stores, scratch=lambda row: place_of_scratch(row, graph.wide))
            text = _with_size(made.text, sized)
            return made._replace(text=rolled(text) if len(text) > UNROLLED else text)

        def state(nodes: Sequence[Node]) -> list[Store]:
            return [Store(place_in_state(k, graph.wide), node, graph.wide[k]) for k, node in enumerate(nodes)]

        codes = {
            "init": code(state(graph.init), "x"),
            "update": code([Store("o[i]", graph.change, wide=True), *state(graph.after)], "g"),
        }
        others = {"lookahead": graph.place, "projected": graph.projected, "unbalanced": graph.unbalanced}
        for name, node in others.items():
            if node is not None:
                codes[name] = code([Store("o[i]", node, wide=True)], "x")
        return _Texts({name: code.text for name, code in codes.items()}, max(code.scratch for code in codes.values()))

    def schedules(self, kind: type[Schedule]) -> Code:
        """All conventions of a schedule."""
        named = [{"convention": name} if name != "paper" else {} for name in kind.conventions]
        conventions = [self.schedule(kind(USUAL_RATE, **convention)) for convention in named]  # type: ignore[call-arg]
        return Code(f"...scheduleFamily(H,{literal(kind.name)},{literal(conventions)})")

    def schedule(self, schedule: Schedule) -> dict[str, Any]:
        """A schedule."""
        settings = settings_offered(schedule, trace_schedule, lambda *_: True)
        # A list may be shorter than its room, which is traced.
        roomy = _with_room(schedule, settings)
        graphs = [trace_schedule(*variant) for variant in variants(roomy, settings)]
        made = []
        for graph in graphs:
            functions = [self._function("step,h,m,inner", graph.graph, [], graph.rate)]
            for memory, parameters in ((graph.first, "v,m,h"), (graph.after, "v,m,h")):
                if memory is not None:
                    stores = [Store(f"m[{k}]", node, wide=False) for k, node in enumerate(memory)]
                    functions.append(self._function(parameters, graph.graph, stores))
            made.append(Code(f"R({','.join([str(len(graph.first or ())), *functions])})"))
        return {
            "convention": getattr(schedule, "convention", "paper"),
            "watches": watches_values(schedule),
            "holds": hasattr(schedule, "after"),
            "hyperparameters": self._settings(settings),
            "by": _by(settings) or None,
            "rates": made,
        }

    def condition(self, condition: StoppingCondition) -> dict[str, Any]:
        """A stopping condition."""
        settings = settings_offered(condition, trace_condition, lambda *_: True)
        tests = []
        for variant, places in variants(condition, settings):
            graph = trace_condition(variant, places)
            never = graph.at_start is graph.graph.of_boolean(False)
            nodes = [None if never else graph.at_start, graph.near, graph.met, graph.holds]
            functions = ["0" if node is None else self._function("p,h", graph.graph, [], node) for node in nodes]
            on_a_slope = literal(variant.on_a_slope) if condition.of_slope else "null"
            tests.append(Code(f"C({on_a_slope},{','.join(functions)})"))
        return {
            "name": type(condition).__name__,
            "about": about(type(condition)),
            "reason": condition.reason,
            "converged": condition.converged,
            "hyperparameters": self._settings(settings),
            "by": _by(settings) or None,
            "of": tests,
        }

    def _function(self, parameters: str, graph: Graph, stores: Sequence[Store], result: Node | None = None) -> Code:
        text = javascript.code(graph, stores, result=result).text
        arrays = {"n": "p.x.length", "x": "p.x", "g": "p.gradient", "c": "p.change", "b": "p.previousChange"}
        arrays |= {"d": "p.slope", "e": "p.step"}
        used = [f"{name}={place}" for name, place in arrays.items() if _uses(text, name)]
        declared = f"const {','.join(used)};" if used else ""
        return self.functions.entry(_function(parameters, declared + text))


def name_of(rule: Optimizer[Any]) -> str:
    """The name of a rule, and of the rule inside it.

    >>> from fallline import Adam, Cautious
    >>> name_of(Cautious(Adam()))
    'cautious:adam'
    """
    return ":".join(one.name or type(one).__name__ for one in layers(rule))


def _family(name: str, kind: type[Any], conventions: Sequence[Sequence[Any]]) -> Code:
    texts = map(literal, (name, kind.__name__, source_of(kind), conventions))
    return Code(f"...family(L,H,{','.join(texts)})")


def _search_of(rule: Optimizer[Any]) -> dict[str, Any] | None:
    """The line search that a rule has in place of a rate."""
    rate = rule.learning_rate
    return {"lineSearch": rate.name, "values": dict(settings_of(rate))} if isinstance(rate, LineSearch) else None


def _is_decay(rule: Optimizer[Any], setting: Setting) -> bool:
    """Whether a setting says how much a rule, or one inside it, shrinks x by itself."""
    *inside, _ = setting.path.split(".")
    is_a_rules = isinstance(operator.attrgetter(".".join(inside))(rule) if inside else rule, Optimizer)
    return is_a_rules and setting.known is not None and setting.known.symbol == r"\lambda"


class _Texts(dict[str, str]):
    """The bodies of a step's functions, and how many numbers for each coordinate they store on the way."""

    def __init__(self, texts: Mapping[str, str], scratch: int) -> None:
        super().__init__(texts)
        self.scratch = scratch


def _with_room(schedule: Schedule, settings: Sequence[Setting]) -> Schedule:
    """The schedule with lists as long as there is room for."""
    clone = dataclasses.replace(schedule)
    for setting in settings:
        if isinstance(setting.value, tuple):
            object.__setattr__(clone, setting.path, tuple(float(k + 1) for k in range(MOST_NUMBERS)))
    return clone


def _uses(text: str, name: str) -> bool:
    return re.search(rf"(?<![.\w]){name}(?!\w)", text) is not None


def _with_size(text: str, array: str) -> str:
    return f"const n={array}.length;{text}" if _uses(text, "n") else text


def _function(parameters: str, text: str) -> str:
    """A function of some of these parameters, separated by commas; an underscore marks those that it does not use."""
    names = [name if _uses(text, name) else f"_{name}" for name in parameters.split(",")]
    while names and names[-1].startswith("_"):
        names.pop()
    return f"({','.join(names)})=>{{{text}}}"


def _by(settings: Iterable[Setting]) -> list[tuple[int, tuple[Any, ...]]]:
    """The places of the settings for which there is code of its own, and their values."""
    return [
        (setting.place, tuple(_as_number(value, k) for k, value in enumerate(setting.offered)))
        for setting in settings
        if setting.offered is not None
    ]


def _as_number(value: Any, place: int) -> Any:
    """A value as the array of settings has it: a text by its place, and none as NaN."""
    if value == ANY_NUMBER:
        return None
    if value is None:
        return float("nan")
    return place if isinstance(value, str) else float(value)


def about(kind: type[Any]) -> str:
    """What a class says of itself, up to its formula.

    >>> from fallline import Momentum
    >>> about(Momentum)
    'The heavy ball'
    """
    first = inspect.getdoc(kind) or ""
    # Python gives a dataclass without a text its signature.
    if first.startswith(f"{kind.__name__}("):
        return ""
    return " ".join(first.partition("\n\n")[0].split()).partition(":")[0].rstrip(".")


def source_of(kind: type[Any]) -> str:
    """The paper that a class names, if any.

    >>> from fallline import LAMB, Momentum
    >>> source_of(Momentum)
    'Polyak (1964), Some methods of speeding up the convergence of iteration methods.'
    >>> source_of(LAMB)
    'You et al. (2020), Large batch optimization for deep learning: training BERT in 76 minutes.'
    """
    paragraphs = [" ".join(paragraph.split()) for paragraph in (inspect.getdoc(kind) or "").split("\n\n")]
    named = next((paragraph for paragraph in paragraphs if _YEAR.search(paragraph)), "")
    sentences = re.split(r"(?<=[.)]) (?=[A-Z]|\((?!\d))", named)
    return next((sentence for sentence in sentences if _YEAR.search(sentence)), "")
