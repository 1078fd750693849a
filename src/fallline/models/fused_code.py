"""LLVM code that takes the value and the gradient of a loss on z = X w + b in one pass over X."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fallline.machine_code.code import Code, Region
from fallline.machine_code.graph import Graph, Node

# A block of rows, whose numbers stay in the cache from X w to Xᵀ s, has at most so many.
MOST_ROWS = 1024
# Lines of X, rows or columns, that go through a loop together.
TOGETHER = 4
# Bytes of a line of the cache, and how many lines the next block is asked for before each step that needs none.
LINE, AHEAD = 64, 16


@dataclass(frozen=True)
class Pointwise:
    """The loss of one row and its slope ∂ℓ/∂z, as nodes made from the leaves z and y."""

    graph: Graph
    z: Node
    y: Node
    loss: Node
    slope: Node


@dataclass(frozen=True)
class Layout:
    """How the numbers of X lie.

    Attributes:
        lines: what lies in one piece: "rows", "columns", or "entries": of each row those that are stored.
        number: LLVM's type of them, "double" or "float".
        index: that of the places of entries, "i32" or "i64".
    """

    lines: str
    number: str
    index: str = "i32"

    @property
    def size(self) -> int:
        """The bytes of a number."""
        return {"double": 8, "float": 4}[self.number]


def source(pointwise: Pointwise, layout: Layout, lanes: int) -> str:
    """The code of the function `sums`, which adds up what a stretch of rows has of the sums.

    Its arguments: X; how far apart its lines are, or the column of each entry and where each row begins; y; the
    numbers of rows, of rows of a block, and of features; the points, each of them the weights, zeros up to the width,
    and b; their number; the sums of each, the gradient laid out like a point, and then the loss; the width, which is
    more than the features and whole lanes; and whether the value and whether the gradient is asked for.
    """
    parts = [_Function(layout, lanes) for _ in range(5)]
    dots, combine, errors, slopes, sums = parts
    if layout.lines == "entries":
        dots.dots_of_entries()
        combine.combine_entries()
    else:
        dots.dots()
        combine.combine()
    errors.errors("errors", pointwise, [pointwise.slope, pointwise.loss])
    slopes.errors("slopes", pointwise, [pointwise.slope])
    sums.sums()
    declared = {name: text for part in parts for name, text in part.declared.items()}
    return "\n".join([*declared.values(), *(line for part in parts for line in part.lines), ""])


class _Function(Code):
    """A function in the making."""

    def __init__(self, layout: Layout, lanes: int) -> None:
        super().__init__()
        self.layout = layout
        self.lanes = lanes
        self.wide = Region(self, lanes)
        self.one = Region(self, 1)
        # X as an argument, and as it is handed on.
        self.X = "ptr %X, ptr %column, ptr %first" if layout.lines == "entries" else "ptr %X, i64 %apart"

    def dots(self) -> None:
        """To each number of `out` is added the product of a line of X and v.

        Of v, numbers past the end are read, and of `out` written, as far as whole lanes go.
        """
        wide = self.wide.number
        self._begin("void @dots", f"{self.X}, i64 %lines, i64 %length, ptr noalias %v, ptr noalias %out")
        sums = [self.variable(wide) for _ in range(TOGETHER)]
        whole, mask = self._tail()

        def group(start: str) -> None:
            lines = [(line, total) for (_, line), total in zip(self._group(start), sums, strict=True)]
            for total in sums:
                self.store(wide, self.wide.constant(0.0), total)
            # Rows come from memory here, fastest in one stream.
            for together in [[one] for one in lines] if self.layout.lines == "rows" else [lines]:

                def stretch(i: str, mask: str | None = None, together: list[tuple[str, str]] = together) -> None:
                    b = self.load(wide, self.place("%v", i))
                    for line, total in together:
                        a = self._numbers(line, i, mask)
                        if self.layout.lines == "columns":
                            # The same rows of the next block.
                            following = self._of_X(self._of_X(line, i), "%length")
                            self._ask_for(following, range(-(-self.lanes * self.layout.size // LINE)), level=2)
                        self.store(wide, self.intrinsic("fma", self.wide, [a, b, self.load(wide, total)]), total)

                self.loop(whole, self.lanes, stretch)
                stretch(whole, mask)
            kind, place = f"<{TOGETHER} x double>", self.place("%out", start)
            totals = self._totals([self.load(wide, total) for total in sums])
            self.store(kind, self.line(f"fadd {kind} {self.load(kind, place)}, {totals}"), place)

        self.loop("%lines", TOGETHER, group)
        self._end()

    def combine(self) -> None:
        """To `out` each line of X is added, times its number of c; c is 0 past the last line."""
        wide = self.wide.number
        self._begin("void @combine", f"{self.X}, i64 %lines, i64 %length, ptr noalias %c, ptr noalias %out")
        whole, mask = self._tail()

        def group(start: str) -> None:
            lines = self._group(start)
            factors = [self.wide.spread(self.load("double", self.place("%c", number))) for number, _ in lines]

            def stretch(i: str, mask: str | None = None) -> None:
                place = self.place("%out", i)
                total = self.load(wide, place)
                for (_, line), factor in zip(lines, factors, strict=True):
                    total = self.intrinsic("fma", self.wide, [self._numbers(line, i, mask), factor, total])
                self.store(wide, total, place)

            self.loop(whole, self.lanes, stretch)
            stretch(whole, mask)

        self.loop("%lines", TOGETHER, group)
        self._end()

    def dots_of_entries(self) -> None:
        """`dots` of rows of which only some numbers are stored."""
        self._begin("void @dots", f"{self.X}, i64 %lines, i64 %length, ptr noalias %v, ptr noalias %out")
        total = self.variable("double")

        def line(row: str) -> None:
            self.store("double", self.one.constant(0.0), total)

            def entry(column: str, number: str) -> None:
                inputs = [number, self.load("double", self.place("%v", column)), self.load("double", total)]
                self.store("double", self.intrinsic("fma", self.one, inputs), total)

            self._entries(row, entry)
            self._add(self.load("double", total), self.place("%out", row))

        self.loop("%lines", 1, line)
        self._end()

    def combine_entries(self) -> None:
        """`combine` of such rows."""
        self._begin("void @combine", f"{self.X}, i64 %lines, i64 %length, ptr noalias %c, ptr noalias %out")

        def line(row: str) -> None:
            factor = self.load("double", self.place("%c", row))

            def entry(column: str, number: str) -> None:
                place = self.place("%out", column)
                inputs = [number, factor, self.load("double", place)]
                self.store("double", self.intrinsic("fma", self.one, inputs), place)

            self._entries(row, entry)

        self.loop("%lines", 1, line)
        self._end()

    def errors(self, name: str, pointwise: Pointwise, wanted: list[Node]) -> None:
        """From z and y of some rows to their slopes; the sums go to totals[0] and, of ℓ, [1].

        Past the last row the slopes are 0, and so are whole lanes more: `dots` reads them, and masks only X.

        Arguments:
            wanted: the slope, and ℓ if its sum is.
        """
        wide, region = self.wide.number, self.wide
        self._begin(f"void @{name}", "ptr noalias %z, ptr noalias %y, i64 %rows, ptr noalias %slopes, ptr %totals")
        sums = [self.variable(wide) for _ in wanted]
        for total in sums:
            self.store(wide, region.constant(0.0), total)

        def stretch(i: str) -> None:
            mask = self._below(self.line(f"sub i64 %rows, {i}"))
            region.names = {
                pointwise.z.index: self.load(wide, self.place("%z", i)),
                pointwise.y.index: self._masked("double", self.place("%y", i), mask),
            }
            for node in pointwise.graph.needed(wanted):
                if node.index not in region.names:
                    region.names[node.index] = region.write(node)
            for node, total in zip(wanted, sums, strict=True):
                number = region.names[node.index]
                number = self.line(f"select {region.mask} {mask}, {wide} {number}, {wide} {region.constant(0.0)}")
                self.store(wide, self.line(f"fadd {wide} {self.load(wide, total)}, {number}"), total)
                if node is pointwise.slope:
                    self.store(wide, number, self.place("%slopes", i))

        self.loop("%rows", self.lanes, stretch)
        self.store(wide, region.constant(0.0), self.place("%slopes", "%rows"))
        for number, total in enumerate(sums):
            self._add(self._total(self.load(wide, total)), self.place("%totals", str(number)))
        self._end()

    def sums(self) -> None:
        """See `source`."""
        wide = self.wide.number
        self._begin(
            "i64 @sums",
            f"{self.X}, ptr %y, i64 %rows, i64 %block, i64 %features, ptr %points, i64 %many, ptr %sums, i64 %width, "
            "i1 %value, i1 %gradient",
        )
        z, slopes = (self.line(f"alloca double, i64 {MOST_ROWS + self.lanes}, align 64") for _ in range(2))

        def block(start: str) -> None:
            count = self._smaller(self.line(f"sub i64 %rows, {start}"), "%block")
            here = self._from_row(start)
            if self.layout.lines == "rows":
                following = self._of_X("%X", self.line(f"mul i64 {self.line(f'add i64 {start}, %block')}, %apart"))
            y = self.place("%y", start)

            def point(number: str) -> None:
                away = self.line(f"mul i64 {number}, {self.line(f'add i64 %width, {self.lanes}')}")
                weights, totals = self.place("%points", away), self.place("%sums", away)
                b = self.wide.spread(self.load("double", self.place(weights, "%width")))
                self.loop(count, self.lanes, lambda i: self.store(wide, b, self.place(z, i)))
                rest = self.place(totals, "%width")
                shape = f"i64 {count}, i64 %features"
                forward, back = "dots", "combine"
                if self.layout.lines == "columns":
                    shape, forward, back = f"i64 %features, i64 {count}", "combine", "dots"
                self.do(f"call void @{forward}({here}, {shape}, ptr {weights}, ptr {z})")
                if self.layout.lines == "rows":
                    self._ask_for(following, range(AHEAD))
                errors = f"(ptr {z}, ptr {y}, i64 {count}, ptr {slopes}, ptr {rest})"
                self._if("%value", f"call void @errors{errors}", f"call void @slopes{errors}")
                if self.layout.lines == "rows":
                    self._ask_for(following, range(AHEAD, 2 * AHEAD))
                self._if("%gradient", f"call void @{back}({here}, {shape}, ptr {slopes}, ptr {totals})")

            self.loop("%many", 1, point)

        self.loop("%rows", "%block", block)
        self._end("i64 0")

    def _if(self, truth: str, then: str, otherwise: str | None = None) -> None:
        """One instruction where the truth holds, another or none where it does not."""
        yes, no, after = (self.new_label(part) for part in ("then", "otherwise", "after"))
        self.jump_if(truth, yes, no)
        for label, text in ((yes, then), (no, otherwise)):
            self.label(label)
            if text is not None:
                self.do(text)
            self.jump(after)
        self.label(after)

    def loop(self, end: str, by: int | str, body: Callable[[str], None]) -> None:
        """Code that runs for i = 0, by, 2 by, ... while below the end."""
        before = self.block
        head, inside, after = (self.new_label(part) for part in ("head", "body", "after"))
        self.jump(head)
        self.label(head)
        i, further = f"%i.{head}", f"%next.{head}"
        place = len(self.lines)
        more = self.line(f"icmp slt i64 {i}, {end}")
        self.jump_if(more, inside, after)
        self.label(inside)
        body(i)
        self.do(f"{further} = add i64 {i}, {by}")
        self.lines.insert(place, f"  {i} = phi i64 [ 0, %{before} ], [ {further}, %{self.block} ]")
        # A line of few registers would not fill an unrolled loop.
        self.declared["loop"] = '!0 = distinct !{!0, !1}\n!1 = !{!"llvm.loop.unroll.disable"}'
        self.do(f"br label %{head}, !llvm.loop !0")
        self.label(after)

    def _begin(self, name: str, arguments: str) -> None:
        kind = "internal " if name.startswith("void") else ""
        self.lines.append(f"define {kind}{name}({arguments}) {{")
        self.label("entry")

    def _end(self, result: str = "void") -> None:
        self.do(f"ret {result}")
        self.lines.append("}")

    def _tail(self) -> tuple[str, str]:
        """How much of a line's length is whole lanes, and the mask of what is left over."""
        whole = self.line(f"and i64 %length, {-self.lanes}")
        return whole, self._below(self.line(f"sub i64 %length, {whole}"))

    def _below(self, count: str) -> str:
        """The mask of the first so many lanes."""
        first = self.line(f"insertelement {self.wide.whole} poison, i64 {count}, i64 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        spread = self.line(f"shufflevector {self.wide.whole} {first}, {self.wide.whole} poison, {zeros}")
        counted = ", ".join(f"i64 {lane}" for lane in range(self.lanes))
        return self.line(f"icmp sgt {self.wide.whole} {spread}, <{counted}>")

    def _ask_for(self, place: str, lines: range, level: int = 3) -> None:
        """Ask for these lines of the cache, counted from a place in X, which may lie beyond its end."""
        self.declared["prefetch"] = "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)"
        for line in lines:
            away = self.line(f"getelementptr i8, ptr {place}, i64 {LINE * line}")
            self.do(f"call void @llvm.prefetch.p0(ptr {away}, i32 0, i32 {level}, i32 1)")

    def _group(self, start: str) -> list[tuple[str, str]]:
        """The lines from here that go together: number and place of each. Past the last, that is taken again."""
        lines = []
        last = self.line("sub i64 %lines, 1")
        for more in range(TOGETHER):
            number = self.line(f"add i64 {start}, {more}")
            away = self.line(f"mul i64 {self._smaller(number, last)}, %apart")
            lines.append((number, self._of_X("%X", away)))
        return lines

    def _smaller(self, left: str, right: str) -> str:
        self.declared["smin"] = "declare i64 @llvm.smin.i64(i64, i64)"
        return self.line(f"call i64 @llvm.smin.i64(i64 {left}, i64 {right})")

    def _of_X(self, base: str, index: str) -> str:
        return self.line(f"getelementptr {self.layout.number}, ptr {base}, i64 {index}")

    def _numbers(self, line: str, i: str, mask: str | None) -> str:
        """Numbers of a line of X, as float64; zeros where a mask does not hold."""
        kind, place = f"<{self.lanes} x {self.layout.number}>", self._of_X(line, i)
        if mask is None:
            numbers = self.line(f"load {kind}, ptr {place}, align {self.layout.size}")
        else:
            numbers = self._masked(self.layout.number, place, mask)
        return numbers if self.layout.number == "double" else self.line(f"fpext {kind} {numbers} to {self.wide.number}")

    def _masked(self, number: str, place: str, mask: str) -> str:
        kind, size = f"<{self.lanes} x {number}>", {"float": 4, "double": 8}[number]
        name = f"llvm.masked.load.v{self.lanes}f{8 * size}.p0"
        self.declared[name] = f"declare {kind} @{name}(ptr, i32, {self.wide.mask}, {kind})"
        return self.line(
            f"call {kind} @{name}(ptr {place}, i32 {size}, {self.wide.mask} {mask}, {kind} zeroinitializer)"
        )

    def _entries(self, row: str, body: Callable[[str, str], None]) -> None:
        """Code for each entry of a row: its column and its number."""
        index = self.layout.index

        def whole(base: str, place: str) -> str:
            read = self.line(f"load {index}, ptr {self.line(f'getelementptr {index}, ptr {base}, i64 {place}')}")
            return read if index == "i64" else self.line(f"sext {index} {read} to i64")

        start = whole("%first", row)
        count = self.line(f"sub i64 {whole('%first', self.line(f'add i64 {row}, 1'))}, {start}")

        def entry(i: str) -> None:
            k = self.line(f"add i64 {start}, {i}")
            number = self.line(f"load {self.layout.number}, ptr {self._of_X('%X', k)}")
            if self.layout.number == "float":
                number = self.line(f"fpext float {number} to double")
            body(whole("%column", k), number)

        self.loop(count, 1, entry)

    def _from_row(self, row: str) -> str:
        """X from a row on, as an argument."""
        if self.layout.lines == "entries":
            first = self.line(f"getelementptr {self.layout.index}, ptr %first, i64 {row}")
            return f"ptr %X, ptr %column, ptr {first}"
        away = self.line(f"mul i64 {row}, %apart") if self.layout.lines == "rows" else row
        return f"ptr {self._of_X('%X', away)}, i64 %apart"

    def _total(self, numbers: str) -> str:
        """The sum of all lanes, in pairs, pairs of pairs, and so on."""
        name = f"llvm.vector.reduce.fadd.v{self.lanes}f64"
        self.declared[name] = f"declare double @{name}(double, {self.wide.number})"
        return self.line(f"call reassoc double @{name}(double {self.one.constant(-0.0)}, {self.wide.number} {numbers})")

    def _totals(self, parts: list[str]) -> str:
        """The sum of the lanes of each part: first of the halves, then of neighbours."""
        lanes = self.lanes // 2
        halves = [[self._shuffled(part, part, self.lanes, range(s, s + lanes)) for s in (0, lanes)] for part in parts]
        sums = [self.line(f"fadd <{lanes} x double> {low}, {high}") for low, high in halves]
        while len(sums) > 1:
            sums = [self._shuffled(a, b, lanes, range(2 * lanes)) for a, b in zip(sums[::2], sums[1::2], strict=True)]
            lanes *= 2
        (total,) = sums
        while lanes > len(parts):
            even, odd = (self._shuffled(total, total, lanes, range(s, lanes, 2)) for s in (0, 1))
            lanes //= 2
            total = self.line(f"fadd <{lanes} x double> {even}, {odd}")
        return total

    def _shuffled(self, a: str, b: str, lanes: int, which: range) -> str:
        kind = f"<{lanes} x double>"
        places = ", ".join(f"i32 {place}" for place in which)
        return self.line(f"shufflevector {kind} {a}, {kind} {b}, <{len(which)} x i32> <{places}>")

    def _add(self, number: str, place: str) -> None:
        self.store("double", self.line(f"fadd double {self.load('double', place)}, {number}"), place)
