"""LLVM code that takes the value and the gradient of a loss on z = X W + b in one pass over X."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fallline.machine_code.code import Code, Region
from fallline.machine_code.graph import Graph, Node

# Lines of X, rows or columns, that go through a loop together.
TOGETHER = 4
# Bytes of a line of the cache.
LINE = 64


@dataclass(frozen=True)
class Pointwise:
    """The loss of one row and its slopes ∂ℓ/∂z, as nodes made from the leaves y and z; a row has one z or several."""

    graph: Graph
    z: list[Node]
    y: Node
    loss: Node
    slopes: list[Node]


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
    numbers of rows, of rows of a block, and of features; the points, each of them a line for each z: the weights,
    zeros up to the width, and b; their number; the sums of each, the gradient laid out like a point, and after the
    first b the loss; the width, which is more than the features and whole lanes; and whether the value and whether the
    gradient is asked for.
    """
    parts = [_Function(layout, lanes, len(pointwise.z)) for _ in range(5)]
    dots, combine, errors, slopes, sums = parts
    if layout.lines == "entries":
        dots.dots_of_entries()
        combine.combine_entries()
    elif len(pointwise.z) > 1:
        dots.dots_of_tiles()
        combine.combine_tiles()
    else:
        dots.dots()
        combine.combine()
    errors.errors("errors", pointwise, [*pointwise.slopes, pointwise.loss])
    slopes.errors("slopes", pointwise, pointwise.slopes)
    sums.sums()
    declared = {name: text for part in parts for name, text in part.declared.items()}
    return "\n".join([*declared.values(), *(line for part in parts for line in part.lines), ""])


class _Function(Code):
    """A function in the making.

    Arguments:
        lanes: how many numbers are computed with side by side: two registers full.
        outputs: how many z a row has.
    """

    def __init__(self, layout: Layout, lanes: int, outputs: int) -> None:
        super().__init__()
        self.layout = layout
        self.lanes = lanes
        self.outputs = outputs
        self.wide = Region(self, lanes)
        self.register = Region(self, lanes // 2)
        self.one = Region(self, 1)
        # X as an argument, and a block of it: beside its lines lies what is asked for meanwhile of the next block.
        self.X = "ptr %X, ptr %column, ptr %first" if layout.lines == "entries" else "ptr %X, i64 %apart"
        self.block_of_X = self.X if layout.lines == "entries" else f"{self.X}, ptr %next"

    def dots(self) -> None:
        """To each number of `out` is added the product of a line of X and v.

        Of `out`, numbers past the end are written, as far as whole lanes go. Where a row has several z, there is a line
        of v and one of `out` for each.
        """
        wide = self.wide.number
        self._begin_product("dots")
        sums = [self.variable(wide) for _ in range(TOGETHER)]
        whole, mask = self._tail(self.wide)

        def group(start: str) -> None:
            lines = list(zip(self._group(start), self._meanwhile(start), sums, strict=True))
            for total in sums:
                self.store(wide, self.wide.constant(0.0), total)
            # Rows come from memory here, fastest in one stream.
            for together in [[one] for one in lines] if self.layout.lines == "rows" else [lines]:

                def stretch(i: str, mask: str | None = None, together: list[Any] = together) -> None:
                    b = self._vector("%v", i, mask, self.wide)
                    for (_, line), following, total in together:
                        a = self._numbers(line, i, mask, self.wide)
                        self._ask_for(following, i)
                        self.store(wide, self.intrinsic("fma", self.wide, [a, b, self.load(wide, total)]), total)

                self._along(whole, mask, self.wide, stretch)
            kind, place = f"<{TOGETHER} x double>", self.place("%out", start)
            totals = self._totals([self.load(wide, total) for total in sums], self.wide)
            self.store(kind, self.line(f"fadd {kind} {self.load(kind, place)}, {totals}"), place)

        self.loop("%lines", TOGETHER, group)
        self._end()

    def combine(self) -> None:
        """To `out` each line of X is added, times its number of v; v is 0 past the last line."""
        wide = self.wide.number
        self._begin_product("combine")
        whole, mask = self._tail(self.wide)

        def group(start: str) -> None:
            lines = self._group(start)
            factors = [self.wide.spread(self.load("double", self.place("%v", number))) for number, _ in lines]
            meanwhile = self._meanwhile(start)

            def stretch(i: str, mask: str | None = None) -> None:
                place = self.place("%out", i)
                total = self.load(wide, place)
                for (_, line), factor, following in zip(lines, factors, meanwhile, strict=True):
                    self._ask_for(following, i)
                    total = self.intrinsic("fma", self.wide, [self._numbers(line, i, mask, self.wide), factor, total])
                self.store(wide, total, place)

            self._along(whole, mask, self.wide, stretch)

        self.loop("%lines", TOGETHER, group)
        self._end()

    def dots_of_tiles(self) -> None:
        """`dots` of several v: a number of X, once it is in a register, serves some of them."""
        self._begin_product("dots")
        tiles, wide = self._tiles(), self.register.number
        room = self._room(tiles)
        kind = f"<{TOGETHER} x double>"
        whole, mask = self._tail(self.register)

        def group(start: str) -> None:
            lines, meanwhile = [line for _, line in self._group(start)], self._meanwhile(start)
            for outputs in tiles:
                vectors = [self._line_of("v", output) for output in outputs]
                for total in itertools.chain(*room[: len(outputs)]):
                    self.store(wide, self.register.constant(0.0), total)

                def stretch(
                    i: str, mask: str | None = None, vectors: list[str] = vectors, first: bool = outputs is tiles[0]
                ) -> None:
                    for following in meanwhile if first else []:
                        self._ask_for(following, i)
                    numbers = [self._numbers(line, i, mask, self.register) for line in lines]
                    for vector, totals in zip(vectors, room, strict=False):
                        v = self._vector(vector, i, mask, self.register)
                        for a, total in zip(numbers, totals, strict=True):
                            added = self.intrinsic("fma", self.register, [a, v, self.load(wide, total)])
                            self.store(wide, added, total)

                self._along(whole, mask, self.register, stretch)
                for output, totals in zip(outputs, room, strict=False):
                    place = self.place(self._line_of("out", output), start)
                    added = self._totals([self.load(wide, total) for total in totals], self.register)
                    self.store(kind, self.line(f"fadd {kind} {self.load(kind, place)}, {added}"), place)

        self.loop("%lines", TOGETHER, group)
        self._end()

    def combine_tiles(self) -> None:
        """`combine` of several v, with a tile of `out` in registers while all lines go by."""
        self._begin_product("combine")
        tiles, wide, lanes = self._tiles(), self.register.number, self.register.lanes
        room = self._room(tiles)

        def columns(i: str, count: int, mask: str | None) -> None:
            for outputs in tiles:
                vectors = [self._line_of("v", output) for output in outputs]
                places = [
                    [self.place(line, self.line(f"add i64 {i}, {lanes * more}")) for more in range(count)]
                    for line in (self._line_of("out", output) for output in outputs)
                ]
                sums = [totals[:count] for totals in room[: len(outputs)]]
                for of_output, totals in zip(places, sums, strict=True):
                    for place, total in zip(of_output, totals, strict=True):
                        self.store(wide, self.load(wide, place), total)

                def line(number: str, vectors: list[str] = vectors, sums: list[list[str]] = sums) -> None:
                    start = self._of_X(self._of_X("%X", self.line(f"mul i64 {number}, %apart")), i)
                    numbers = [self._numbers(start, str(lanes * more), mask, self.register) for more in range(count)]
                    for vector, totals in zip(vectors, sums, strict=True):
                        factor = self.register.spread(self.load("double", self.place(vector, number)))
                        for a, total in zip(numbers, totals, strict=True):
                            added = self.intrinsic("fma", self.register, [a, factor, self.load(wide, total)])
                            self.store(wide, added, total)

                self.loop("%lines", 1, line)
                for of_output, totals in zip(places, sums, strict=True):
                    for place, total in zip(of_output, totals, strict=True):
                        self.store(wide, self.load(wide, total), place)

        together = TOGETHER * lanes
        whole = self.line(f"and i64 %length, {-together}")
        self.loop(whole, together, lambda i: columns(i, TOGETHER, None))
        rest = self.line(f"sub i64 %length, {whole}")

        def single(i: str) -> None:
            left = self.line(f"sub i64 {rest}, {i}")
            columns(self.line(f"add i64 {whole}, {i}"), 1, self._below(left, self.register))

        self.loop(rest, lanes, single)
        self._end()

    def dots_of_entries(self) -> None:
        """`dots` of rows of which only some numbers are stored."""
        self._begin_product("dots")
        totals = [self.variable("double") for _ in range(self.outputs)]
        vectors = [self._line_of("v", output) for output in range(self.outputs)]
        outs = [self._line_of("out", output) for output in range(self.outputs)]

        def line(row: str) -> None:
            for total in totals:
                self.store("double", self.one.constant(0.0), total)

            def entry(column: str, number: str) -> None:
                for vector, total in zip(vectors, totals, strict=True):
                    inputs = [number, self.load("double", self.place(vector, column)), self.load("double", total)]
                    self.store("double", self.intrinsic("fma", self.one, inputs), total)

            self._entries(row, entry)
            for out, total in zip(outs, totals, strict=True):
                self._add(self.load("double", total), self.place(out, row))

        self.loop("%lines", 1, line)
        self._end()

    def combine_entries(self) -> None:
        """`combine` of such rows."""
        self._begin_product("combine")
        vectors = [self._line_of("v", output) for output in range(self.outputs)]
        outs = [self._line_of("out", output) for output in range(self.outputs)]

        def line(row: str) -> None:
            factors = [self.load("double", self.place(vector, row)) for vector in vectors]

            def entry(column: str, number: str) -> None:
                for out, factor in zip(outs, factors, strict=True):
                    place = self.place(out, column)
                    inputs = [number, factor, self.load("double", place)]
                    self.store("double", self.intrinsic("fma", self.one, inputs), place)

            self._entries(row, entry)

        self.loop("%lines", 1, line)
        self._end()

    def errors(self, name: str, pointwise: Pointwise, wanted: list[Node]) -> None:
        """From z and y of some rows to their slopes, 0 past the last row; the sums go to totals, that of ℓ to [1].

        Arguments:
            wanted: the slopes, and ℓ if its sum is.
        """
        # Several z fill the registers with one of each.
        region = self.wide if self.outputs == 1 else self.register
        wide = region.number
        self._begin(
            f"void @{name}",
            "ptr noalias %z, ptr noalias %y, i64 %rows, i64 %z_apart, ptr noalias %slopes, ptr %totals, "
            "i64 %totals_apart",
        )
        sums = [self.variable(wide) for _ in wanted]
        for total in sums:
            self.store(wide, region.constant(0.0), total)
        lines = [(self._line_of("z", i), self._line_of("slopes", i, "z")) for i in range(self.outputs)]

        def stretch(i: str) -> None:
            mask = self._below(self.line(f"sub i64 %rows, {i}"), region)
            region.names = {pointwise.y.index: self._masked("double", self.place("%y", i), mask, region)}
            for leaf, (line, _) in zip(pointwise.z, lines, strict=True):
                region.names[leaf.index] = self.load(wide, self.place(line, i))
            for node in pointwise.graph.needed(wanted):
                if node.index not in region.names:
                    region.names[node.index] = region.write(node)
            for number, (node, total) in enumerate(zip(wanted, sums, strict=True)):
                kept = region.names[node.index]
                kept = self.line(f"select {region.mask} {mask}, {wide} {kept}, {wide} {region.constant(0.0)}")
                self.store(wide, self.line(f"fadd {wide} {self.load(wide, total)}, {kept}"), total)
                if number < self.outputs:
                    self.store(wide, kept, self.place(lines[number][1], i))

        self.loop("%rows", region.lanes, stretch)
        places = [self._line_of("totals", i) for i in range(self.outputs)]
        for total, place in zip(sums, [*places, self.place("%totals", "1")], strict=False):
            self._add(self._total(self.load(wide, total), region), place)
        self._end()

    def sums(self) -> None:
        """See `source`."""
        wide = self.wide.number
        self._begin(
            "i64 @sums",
            f"{self.X}, ptr %y, i64 %rows, i64 %block, i64 %features, ptr %points, i64 %many, ptr %sums, i64 %width, "
            "i1 %value, i1 %gradient",
        )
        # How far the lines of z and those of a point are apart.
        of_rows, of_point = (self.line(f"add i64 {size}, {self.lanes}") for size in ("%block", "%width"))
        size = self.line(f"mul i64 {of_rows}, {self.outputs}")
        z, slopes = (self.line(f"alloca double, i64 {size}, align 64") for _ in range(2))

        def block(start: str) -> None:
            count = self._smaller(self.line(f"sub i64 %rows, {start}"), "%block")
            here = self._from_row(start)
            first, second = [f"{here}{half}" for half in self._halves_after(start)]
            y = self.place("%y", start)

            def point(number: str) -> None:
                away = self.line(f"mul i64 {number}, {self.line(f'mul i64 {of_point}, {self.outputs}')}")
                weights, totals = self.place("%points", away), self.place("%sums", away)
                for output in range(self.outputs):
                    line = self.place(weights, self.line(f"mul i64 {of_point}, {output}"))
                    out = self.place(z, self.line(f"mul i64 {of_rows}, {output}"))
                    b = self.wide.spread(self.load("double", self.place(line, "%width")))

                    def stretch(i: str, b: str = b, out: str = out) -> None:
                        self.store(wide, b, self.place(out, i))

                    self.loop(count, self.lanes, stretch)
                rest = self.place(totals, "%width")
                shape = f"i64 {count}, i64 %features"
                forward, back = "dots", "combine"
                if self.layout.lines == "columns":
                    shape, forward, back = f"i64 %features, i64 {count}", "combine", "dots"
                lines = f"ptr {weights}, i64 {of_point}, ptr {z}, i64 {of_rows}"
                self.do(f"call void @{forward}({first}, {shape}, {lines})")
                errors = f"(ptr {z}, ptr {y}, i64 {count}, i64 {of_rows}, ptr {slopes}, ptr {rest}, i64 {of_point})"
                self._if("%value", f"call void @errors{errors}", f"call void @slopes{errors}")
                self._if(
                    "%gradient",
                    f"call void @{back}({second}, {shape}, ptr {slopes}, i64 {of_rows}, ptr {totals}, i64 {of_point})",
                )

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

    def _begin_product(self, name: str) -> None:
        lines = "ptr noalias %v, i64 %v_apart, ptr noalias %out, i64 %out_apart"
        self._begin(f"void @{name}", f"{self.block_of_X}, i64 %lines, i64 %length, {lines}")

    def _line_of(self, name: str, output: int, apart: str = "") -> str:
        """Where an argument that has a line for each z holds that of one of them."""
        return self.place(f"%{name}", self.line(f"mul i64 %{apart or name}_apart, {output}"))

    def _room(self, tiles: list[range]) -> list[list[str]]:
        """Variables for a tile."""
        return [[self.variable(self.register.number) for _ in range(TOGETHER)] for _ in range(max(map(len, tiles)))]

    def _tiles(self) -> list[range]:
        """All z in groups that go through a loop together.

        Of 32 registers they take, with so many lines, 24, and of 16 they take 8; the others are for what is added.
        """
        count = -(-self.outputs // (6 if self.lanes == 16 else 2))
        starts = [self.outputs * i // count for i in range(count + 1)]
        return [range(start, end) for start, end in itertools.pairwise(starts)]

    def _end(self, result: str = "void") -> None:
        self.do(f"ret {result}")
        self.lines.append("}")

    def _tail(self, region: Region) -> tuple[str, str]:
        """How much of a line's length is whole lanes, and the mask of what is left over."""
        whole = self.line(f"and i64 %length, {-region.lanes}")
        return whole, self._below(self.line(f"sub i64 %length, {whole}"), region)

    def _along(self, whole: str, mask: str, region: Region, stretch: Callable[..., None]) -> None:
        """Code for a line: whole lanes, and what is left over, which of columns is something in the last block only."""
        self.loop(whole, region.lanes, stretch)
        if self.layout.lines == "rows":
            stretch(whole, mask)
            return
        rest, after = (self.new_label(part) for part in ("rest", "after"))
        self.jump_if(self.line(f"icmp slt i64 {whole}, %length"), rest, after)
        self.label(rest)
        stretch(whole, mask)
        self.jump(after)
        self.label(after)

    def _below(self, count: str, region: Region) -> str:
        """The mask of the first so many lanes."""
        first = self.line(f"insertelement {region.whole} poison, i64 {count}, i64 0")
        zeros = f"<{region.lanes} x i32> zeroinitializer"
        spread = self.line(f"shufflevector {region.whole} {first}, {region.whole} poison, {zeros}")
        counted = ", ".join(f"i64 {lane}" for lane in range(region.lanes))
        return self.line(f"icmp sgt {region.whole} {spread}, <{counted}>")

    def _halves_after(self, start: str) -> list[str]:
        """The halves of the block after this one, as arguments: the passes forward and back ask for one each.

        So the memory never rests.
        """
        if self.layout.lines == "entries":
            return ["", ""]
        following = self.line(f"add i64 {start}, %block")
        half = self.line("lshr i64 %block, 1")
        rows = [following, self.line(f"add i64 {following}, {half}")]
        return [f", ptr {self._of_X('%X', self._first_of(row))}" for row in rows]

    def _meanwhile(self, start: str) -> list[str]:
        """Where that of the next block begins which is asked for beside each line of a group: half of its length."""

        def line(start: str, more: int) -> str:
            return self._of_X("%next", self.line(f"mul i64 {self.line(f'add i64 {start}, {more}')}, %apart"))

        if self.layout.lines == "columns":
            return [line(start, more) for more in range(TOGETHER)]
        half, first = self.line("lshr i64 %length, 1"), self.line(f"lshr i64 {start}, 1")
        rows = [line(first, more) for more in range(TOGETHER // 2)]
        return [place for row in rows for place in (row, self._of_X(row, half))]

    def _ask_for(self, place: str, i: str) -> None:
        """Ask for a line of the cache, half as far from a place as i; it may lie beyond the end of X.

        It is asked for by its last number: where a line of the cache begins before the place, that one has come with
        the block before, and the one in which the piece ends would be missed.
        """
        self.declared["prefetch"] = "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)"
        last = LINE // self.layout.size - 1
        place = self._of_X(place, self.line(f"add i64 {self.line(f'lshr i64 {i}, 1')}, {last}"))
        # Into the second cache.
        self.do(f"call void @llvm.prefetch.p0(ptr {place}, i32 0, i32 2, i32 1)")

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

    def _numbers(self, line: str, i: str, mask: str | None, region: Region) -> str:
        """Numbers of a line of X, as float64; zeros where a mask does not hold."""
        kind, place = f"<{region.lanes} x {self.layout.number}>", self._of_X(line, i)
        if mask is None:
            numbers = self.line(f"load {kind}, ptr {place}, align {self.layout.size}")
        else:
            numbers = self._masked(self.layout.number, place, mask, region)
        return numbers if self.layout.number == "double" else self.line(f"fpext {kind} {numbers} to {region.number}")

    def _vector(self, line: str, i: str, mask: str | None, region: Region) -> str:
        """Numbers of a line that is no X; zeros where a mask does not hold, for there anything may stand."""
        place = self.place(line, i)
        return self.load(region.number, place) if mask is None else self._masked("double", place, mask, region)

    def _masked(self, number: str, place: str, mask: str, region: Region) -> str:
        kind, size = f"<{region.lanes} x {number}>", {"float": 4, "double": 8}[number]
        name = f"llvm.masked.load.v{region.lanes}f{8 * size}.p0"
        self.declared[name] = f"declare {kind} @{name}(ptr, i32, {region.mask}, {kind})"
        return self.line(f"call {kind} @{name}(ptr {place}, i32 {size}, {region.mask} {mask}, {kind} zeroinitializer)")

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
        return f"ptr {self._of_X('%X', self._first_of(row))}, i64 %apart"

    def _first_of(self, row: str) -> str:
        """How far from X a row begins."""
        return self.line(f"mul i64 {row}, %apart") if self.layout.lines == "rows" else row

    def _total(self, numbers: str, region: Region) -> str:
        """The sum of all lanes, in pairs, pairs of pairs, and so on."""
        name = f"llvm.vector.reduce.fadd.{region.suffix}"
        self.declared[name] = f"declare double @{name}(double, {region.number})"
        return self.line(f"call reassoc double @{name}(double {self.one.constant(-0.0)}, {region.number} {numbers})")

    def _totals(self, parts: list[str], region: Region) -> str:
        """The sum of the lanes of each part: first of the halves, then of neighbours."""
        lanes = region.lanes // 2
        halves = [[self._shuffled(part, part, region.lanes, range(s, s + lanes)) for s in (0, lanes)] for part in parts]
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
