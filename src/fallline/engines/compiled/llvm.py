"""Generates the LLVM code that makes many steps, of one run or of many in lanes, from the graph of one step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fallline.engines.compiled.powers import Powers
from fallline.engines.compiled.trace import GIVEN_RATE, Step
from fallline.machine_code.code import Code, Region
from fallline.machine_code.graph import LANE, POWERS, SETTING, START, STEP, Node

# The slots that are written when a run ends.
AT_THE_END = ("value", "made", "stop")
# The number of runs whose numbers fit into the first-level cache.
STRIP = 64


@dataclass(frozen=True)
class Layout:
    """Where the code finds its numbers.

    Attributes:
        lanes: the number of runs in one vector.
        steps: the number of steps in one vector while the table is computed; more than one.
        slots: the numbers kept per run between two calls: the row of the array of slots, by name.
        columns: the nodes of the table, which depend on the step only.
    """

    lanes: int
    steps: int
    slots: dict[str, int]
    columns: tuple[Node, ...]


def layout(step: Step, lanes: int, steps: int, lowest: bool = False) -> Layout:
    """Lay out the numbers of a step and, with one lane, those of its record and of the lowest point.

    Arguments:
        step: what one step computes.
        lanes, steps: as in `Layout`.
        lowest: whether the lowest value is kept with several lanes too.
    """
    graph = step.graph
    outputs = _outputs(step)
    needed = graph.needed(outputs)
    columns = {part for node in needed if node.level == LANE for part in node.inputs if part.level == STEP}
    columns |= {node for node in outputs if node.level == STEP}
    columns = {node for node in columns if node.operation != START}
    names = [node.detail for node in (*step.x, *_flat(step.state))]
    names += [kept.leaf.detail for kept in step.kept]
    names += [f"own.{i}" for i in range(step.own)]
    n = len(step.x)
    if lanes == 1 or lowest:
        names += ["lowest.value"]
    if lanes == 1:
        names += ["lowest.step"]
        names += [f"lowest.{part}.{i}" for part in ("x", "gradient") for i in range(n)]
    names += AT_THE_END
    ordered = tuple(sorted(columns, key=lambda node: node.index))
    return Layout(lanes, steps, {name: row for row, name in enumerate(names)}, ordered)


def _outputs(step: Step) -> list[Node]:
    following = [kept.following for kept in step.kept]
    return [
        *step.near,
        *step.met,
        *step.change,
        *_flat(step.next_state),
        *following,
        step.value,
        *step.gradient,
        step.rate,
    ]


def _flat(parts: Iterable[Iterable[Node]]) -> list[Node]:
    return [node for part in parts for node in part]


# Arguments: the settings; the table, and the stride of its columns; the slots, and the stride of their rows; the number
# of runs, a multiple of the lanes; the updates made before, and the number of points to visit; for one lane, the
# record, its capacity in rows, the rows written before, the number of steps between rows, and the number of steps to
# the next row. It returns the number of rows.
HEADER = (
    "define i64 @advance(ptr noalias %settings, ptr noalias %table, i64 %room, ptr noalias %slots, i64 %stride, "
    "i64 %runs, i64 %first, i64 %count, ptr noalias %rows, i64 %capacity, i64 %written, i64 %every, i64 %until) {"
)
# Branch weights for a rare branch, so that LLVM keeps the numbers of the usual path in registers.
RARELY = '!0 = !{!"branch_weights", i32 1, i32 1048575}'


def source(step: Step, where: Layout, state_rows: bool) -> str:
    """The code of a function that takes runs through a number of steps.

    Arguments:
        step: what one step computes.
        where: where its numbers are.
        state_rows: whether the record holds the rule's state.
    """
    return _Advance(step, where, state_rows).text()


class _Slots:
    """The numbers of a group of runs: in memory between two steps, in variables, that is registers, within one.

    Attributes:
        variables: the variables by the names of their slots.
    """

    def __init__(self, lanes: Region, where: Layout, group: str) -> None:
        self._code, self._lanes, self._where, self._group = lanes.code, lanes, where, group
        # The others are written once, when a run ends.
        kept = [name for name in where.slots if name not in AT_THE_END]
        self.variables = {name: lanes.code.variable(lanes.number) for name in kept}

    def place(self, name: str) -> str:
        """The address of a slot of the group's first run."""
        code = self._code
        start = code.line(f"mul i64 %stride, {self._where.slots[name]}")
        return code.place("%slots", code.line(f"add i64 {start}, {code.load('i64', self._group)}"))

    def keep(self, name: str, value: str, mask: str) -> None:
        """Store a number into a slot of the runs in the mask."""
        place, number = self.place(name), self._lanes.number
        before = self._code.load(number, place)
        chosen = self._code.line(f"select {self._lanes.mask} {mask}, {number} {value}, {number} {before}")
        self._code.store(number, chosen, place)

    def take_up(self) -> None:
        """Load the group's slots into variables."""
        for name, variable in self.variables.items():
            number = self._code.load(self._lanes.number, self.place(name))
            self._code.store(self._lanes.number, number, variable)

    def put_back(self) -> None:
        """Store the variables into the group's slots."""
        for name, variable in self.variables.items():
            number = self._code.load(self._lanes.number, variable)
            self._code.store(self._lanes.number, number, self.place(name))


class _Advance:
    """Writes the function."""

    def __init__(self, step: Step, where: Layout, state_rows: bool) -> None:
        self.step = step
        self.where = where
        self.records = where.lanes == 1
        self.recorded_state = _flat(step.state) if state_rows else []
        self.code = code = Code()
        code.label("entry")
        self.once = Region(code, 1)
        self.steps = Region(code, where.steps)
        self.lanes = Region(code, where.lanes)
        self.group = code.variable("i64")
        self.slots = _Slots(self.lanes, where, self.group)
        bases = {node.inputs[0]: None for node in step.graph.needed(_outputs(step)) if node.operation in POWERS}
        self.powers = {base: Powers(code, self.once, self.steps) for base in bases}
        self.row, self.until, self.i, self.visited, self.strip = (code.variable("i64") for _ in range(5))

    def text(self) -> str:
        code = self.code
        code.store("i64", "%written", self.row)
        code.store("i64", "%until", self.until)
        self._settings()
        for base, powers in self.powers.items():
            powers.begin(self.once.names[base.index])
        self.code.counted_loop("tabled", self.i, ("0", "%count"), self.where.steps, self._table)
        if self.records:
            self._alone()
        else:
            self.code.counted_loop("strip", self.strip, ("0", "%runs"), STRIP, self._strip)
        code.do(f"ret i64 {code.load('i64', self.row)}")
        return "\n".join([*code.declared.values(), HEADER, *code.lines, "}", RARELY, ""])

    def _settings(self) -> None:
        """The numbers that are the same throughout the call."""
        for i in range(len(self.step.settings)):
            leaf = self.step.graph.leaf(f"setting.{i}", SETTING)
            self.once.names[leaf.index] = self.code.load("double", self.code.place("%settings", str(i)))
        needed = self.step.graph.needed(_outputs(self.step))
        self.once.emit(self.step.graph, SETTING, [node for node in needed if node.level == SETTING])
        for node in needed:
            if node.level == SETTING:
                constant = node.operation == "constant"
                name = self.once.names[node.index]
                for region in (self.steps, self.lanes):
                    region.names[node.index] = region.write(node) if constant else region.spread(name, node.is_mask)

    def _column(self, column: int, i: str) -> str:
        """The address of a number of the table."""
        start = self.code.line(f"mul i64 %room, {column}")
        return self.code.place("%table", self.code.line(f"add i64 {start}, {i}"))

    def _table(self, i: str) -> None:
        """Compute the table's columns for one vector of steps."""
        code, graph, steps = self.code, self.step.graph, self.steps
        before = steps.spread(code.line(f"sitofp i64 {code.line(f'add i64 %first, {i}')} to double"))
        counted = ", ".join(f"double {number}.0" for number in range(1, steps.lanes + 1))
        step = graph.step
        steps.names[step.index] = code.line(f"fadd {steps.number} {before}, <{counted}>")
        first = code.line(f"fcmp oeq {steps.number} {steps.names[step.index]}, {steps.constant(1.0)}")
        steps.names[graph.start.index] = first
        for base, powers in self.powers.items():
            for operation, name in zip(POWERS, powers.following(), strict=True):
                steps.names[graph.node(operation, base, step).index] = name
        for column, node in enumerate(self.where.columns):
            if node.detail == GIVEN_RATE:
                steps.names[node.index] = code.load(steps.number, self._column(column, i))
        steps.emit(self.step.graph, STEP, self.where.columns)
        for column, node in enumerate(self.where.columns):
            name = steps.names[node.index]
            if node.is_mask:
                name = code.line(f"uitofp {steps.mask} {name} to {steps.number}")
            code.store(steps.number, name, self._column(column, i))

    def _alone(self) -> None:
        """Make all steps of the call for one run, whose numbers stay in registers."""
        code, lanes = self.code, self.lanes
        code.store("i64", "0", self.group)
        self.slots.take_up()
        after = code.new_label("alone.after")

        def visit(i: str) -> None:
            self._columns(i)
            value, near = self._arrive()
            self._keep_lowest(
                {"lowest.value": value, "lowest.step": self.made}
                | {f"lowest.x.{n}": lanes.names[node.index] for n, node in enumerate(self.step.x)}
                | {f"lowest.gradient.{n}": lanes.names[node.index] for n, node in enumerate(self.step.gradient)},
            )
            look, ended, on = (code.new_label(name) for name in ("look", "ended", "on"))
            outer = dict(lanes.names)
            code.jump_if(self._any(near), look, on, rarely=True)
            code.label(look)
            met = self._met()
            code.jump_if(met, ended, on, rarely=True)
            code.label(ended)
            self._end(met, value)
            self._record(value)
            code.jump(after)
            code.label(on)
            lanes.names = outer
            until = code.load("i64", self.until)
            write, skip = code.new_label("write"), code.new_label("skip")
            code.store("i64", code.line(f"sub i64 {until}, 1"), self.until)
            code.jump_if(code.line(f"icmp eq i64 {until}, 0"), write, skip)
            code.label(write)
            self._record(value)
            code.store("i64", code.line("sub i64 %every, 1"), self.until)
            code.jump(skip)
            code.label(skip)
            self._leave(lanes.always())

        self.code.counted_loop("visited", self.visited, ("0", "%count"), 1, visit)
        code.jump(after)
        code.label(after)
        self.slots.put_back()

    def _strip(self, start: str) -> None:
        """Make all steps of the call for a strip of runs: each step for all of its groups in turn.

        The operations of a step depend on one another, and quotients and roots take long. The groups are independent,
        so the processor can overlap several of them.
        """
        code = self.code
        beyond = code.line(f"add i64 {start}, {STRIP}")
        within = code.line(f"icmp slt i64 {beyond}, %runs")
        end = code.line(f"select i1 {within}, i64 {beyond}, i64 %runs")

        def visit(i: str) -> None:
            self._columns(i)
            self.code.counted_loop("grouped", self.group, (start, end), self.where.lanes, lambda _: self._group())

        self.code.counted_loop("visited", self.visited, ("0", "%count"), 1, visit)

    def _group(self) -> None:
        """Make one step for a group of runs, one per lane. Runs that have ended do not move."""
        code, lanes = self.code, self.lanes
        stop = code.load(lanes.number, self.slots.place("stop"))
        zero = lanes.constant(0.0)
        active = code.line(f"fcmp oeq {lanes.number} {stop}, {zero}")
        going, gone, look, ended, on = (code.new_label(name) for name in ("going", "gone", "look", "ended", "on"))
        code.jump_if(lanes.any(active), going, gone)
        code.label(going)
        outer = dict(lanes.names)
        self.slots.take_up()
        value, near = self._arrive()
        here = dict(lanes.names)
        code.jump_if(self._any(code.line(f"and {lanes.mask} {near}, {active}")), look, on, rarely=True)
        # From here on the mask is computed anew, by another comparison of the same result: LLVM would otherwise pack
        # the first for its way across the branches, and unpack it, at every step.
        code.label(look)
        active = code.line(f"fcmp ueq {lanes.number} {stop}, {zero}")
        ending = code.line(f"and {lanes.mask} {self._met()}, {active}")
        code.jump_if(lanes.any(ending), ended, on, rarely=True)
        code.label(ended)
        self._end(ending, value)
        code.jump(on)
        code.label(on)
        lanes.names = here
        if "lowest.value" in self.slots.variables:
            self._keep_lowest({"lowest.value": value})
        stop = code.load(lanes.number, self.slots.place("stop"))
        self._leave(code.line(f"fcmp ueq {lanes.number} {stop}, {zero}"))
        self.slots.put_back()
        lanes.names = outer
        code.jump(gone)
        code.label(gone)

    def _any(self, mask: str) -> str:
        """Whether a condition may be met: in any lane of the mask, or in all of them, by the number of the step."""
        of_all = [self.scalars[node.index] for node in self.step.near if node.level == STEP]
        return self.once.either([self.lanes.any(mask), *of_all])

    def _columns(self, i: str) -> None:
        """Load the table's numbers of a step, and broadcast them to all lanes."""
        code, lanes = self.code, self.lanes
        self.scalars = dict(self.once.names)
        for column, node in enumerate(self.where.columns):
            name = code.load("double", self._column(column, i))
            if node.is_mask:
                name = code.line(f"fcmp une double {name}, {self.once.constant(0.0)}")
            self.scalars[node.index] = name
            lanes.names[node.index] = lanes.spread(name, node.is_mask)
        made = code.line(f"add i64 %first, {i}")
        self.made = code.line(f"sitofp i64 {made} to double")
        self.at_start = code.line(f"icmp eq i64 {made}, 0")
        zero = lanes.constant(0.0)
        first = code.line(f"fcmp oeq {lanes.number} {lanes.spread(self.made)}, {zero}")
        lanes.names[self.step.graph.start.index] = first

    def _arrive(self) -> tuple[str, str]:
        """Evaluate a point: its value, and the mask of runs for which a condition may be met."""
        code, step, lanes = self.code, self.step, self.lanes
        for node in step.graph.nodes:
            if node.operation == "leaf" and node.detail in self.slots.variables:
                lanes.names[node.index] = code.load(lanes.number, self.slots.variables[node.detail])
        lanes.emit(self.step.graph, LANE, [step.value, *step.gradient, *step.near])
        # That of the step's number is in `_any`.
        near = [lanes.names[node.index] for node in step.near if node.level != STEP]
        return lanes.names[step.value.index], lanes.either(["false" if lanes.lanes == 1 else "zeroinitializer", *near])

    def _met(self) -> str:
        """Look closely: the mask of runs for which a condition is met."""
        lanes, met = self.lanes, self.step.met
        lanes.emit(self.step.graph, LANE, met)
        return lanes.either([lanes.names[node.index] for node in met])

    def _keep_lowest(self, here: Mapping[str, str]) -> None:
        """Keep this point as the lowest where its value is lower than all before, or the first."""
        code, kind, mask = self.code, self.lanes.number, self.lanes.mask
        before = code.load(kind, self.slots.variables["lowest.value"])
        lower = code.line(f"fcmp olt {kind} {here['lowest.value']}, {before}")
        lower = code.line(f"or {mask} {lower}, {self.lanes.spread(self.at_start, is_mask=True)}")
        for name, number in here.items():
            before = code.load(kind, self.slots.variables[name])
            code.store(
                kind, code.line(f"select {mask} {lower}, {kind} {number}, {kind} {before}"), self.slots.variables[name]
            )

    def _end(self, ending: str, value: str) -> None:
        """Write the slots of the runs that end here."""
        code, step, lanes = self.code, self.step, self.lanes
        stop = lanes.constant(0.0)
        for number, condition in reversed(list(enumerate(step.met, start=1))):
            met = lanes.names[condition.index]
            stop = code.line(
                f"select {lanes.mask} {met}, {lanes.number} {lanes.constant(number)}, {lanes.number} {stop}"
            )
        self.slots.keep("stop", stop, ending)
        self.slots.keep("made", lanes.spread(self.made), ending)
        self.slots.keep("value", value, ending)

    def _record(self, value: str) -> None:
        """Write one row: the value, the rate, the point, the gradient and, if wanted, the state."""
        code, step, names = self.code, self.step, self.lanes.names
        row = code.load("i64", self.row)
        rate = self.scalars[step.rate.index]
        start = 0
        for numbers in ([value], [rate], *([names[node.index] for node in part] for part in self._parts())):
            block = code.line(f"mul i64 %capacity, {start}")
            within = code.line(f"mul i64 {row}, {len(numbers)}")
            place = code.line(f"add i64 {block}, {within}")
            for i, number in enumerate(numbers):
                code.store("double", number, code.place("%rows", code.line(f"add i64 {place}, {i}")))
            start += len(numbers)
        code.store("i64", code.line(f"add i64 {row}, 1"), self.row)

    def _parts(self) -> list[list[Node]]:
        return [self.step.x, self.step.gradient, *(self.step.state if self.recorded_state else [])]

    def _leave(self, active: str) -> None:
        """Make the step from the point, for the runs that have not ended."""
        code, step, lanes = self.code, self.step, self.lanes
        following = dict(zip(_flat(step.state), _flat(step.next_state), strict=True))
        following |= {kept.leaf: kept.following for kept in step.kept}
        lanes.emit(self.step.graph, LANE, [*step.change, *following.values()])
        names = lanes.names
        after = {leaf.detail: names[node.index] for leaf, node in following.items()}
        for leaf, node in zip(step.x, step.change, strict=True):
            change = code.line(
                f"select {lanes.mask} {active}, {lanes.number} {names[node.index]}, "
                f"{lanes.number} {lanes.constant(0.0)}"
            )
            after[leaf.detail] = code.line(f"fsub {lanes.number} {names[leaf.index]}, {change}")
        for name, number in after.items():
            code.store(lanes.number, number, self.slots.variables[name])
