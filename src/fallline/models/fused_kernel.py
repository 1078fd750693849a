"""Building blocks of the LLVM code of a fused pass over X: loops, masks, sums over lanes, and addresses in X."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fallline.machine_code.code import Code, Region

# Bytes of a cache line.
CACHE_LINE = 64


@dataclass(frozen=True)
class MatrixLayout:
    """How X is stored.

    Attributes:
        order: "rows" where each row is contiguous, "columns" where each column is, "csr" for a CSR matrix.
        number: LLVM's type of the numbers, "double" or "float".
        index: LLVM's type of the indices of a CSR matrix, "i32" or "i64".
    """

    order: str
    number: str
    index: str = "i32"

    @property
    def size(self) -> int:
        """The bytes of a number."""
        return {"double": 8, "float": 4}[self.number]


class Kernel(Code):
    """Writes the LLVM code of a function of the fused pass.

    A *line* of X is a row or a column, whichever is contiguous; `%stride` is the number of elements from the start of
    one line to the start of the next.

    Arguments:
        lanes: how many numbers are processed at once: those of two vector registers.
        outputs: the number of z per row.
    """

    def __init__(self, layout: MatrixLayout, lanes: int, outputs: int) -> None:
        super().__init__()
        self.layout = layout
        self.lanes = lanes
        self.outputs = outputs
        self.wide = Region(self, lanes)
        self.register = Region(self, lanes // 2)
        self.one = Region(self, 1)
        # X as an argument.
        self.X = "ptr %X, ptr %column, ptr %first" if layout.order == "csr" else "ptr %X, i64 %stride"

    def begin(self, name: str, arguments: str) -> None:
        """The head of the function; one that returns nothing is private to the module."""
        kind = "internal " if name.startswith("void") else ""
        self.lines.append(f"define {kind}{name}({arguments}) {{")
        self.label("entry")

    def end(self, result: str = "void") -> None:
        self.do(f"ret {result}")
        self.lines.append("}")

    def loop(self, end: str, by: int | str, body: Callable[[str], None]) -> None:
        """Code that runs for i = 0, by, 2 by, ... while i < end."""
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
        # Most lines are too short for unrolled loops.
        self.declared["loop"] = '!0 = distinct !{!0, !1}\n!1 = !{!"llvm.loop.unroll.disable"}'
        self.do(f"br label %{head}, !llvm.loop !0")
        self.label(after)

    def branch(self, condition: str, then: str, otherwise: str | None = None) -> None:
        """One instruction if the condition holds, else another or none."""
        yes, no, after = (self.new_label(part) for part in ("then", "otherwise", "after"))
        self.jump_if(condition, yes, no)
        for label, text in ((yes, then), (no, otherwise)):
            self.label(label)
            if text is not None:
                self.do(text)
            self.jump(after)
        self.label(after)

    def smaller(self, left: str, right: str) -> str:
        """The minimum of two integers."""
        self.declared["smin"] = "declare i64 @llvm.smin.i64(i64, i64)"
        return self.line(f"call i64 @llvm.smin.i64(i64 {left}, i64 {right})")

    def add(self, number: str, place: str) -> None:
        """Add a number to the one stored at an address."""
        self.store("double", self.line(f"fadd double {self.load('double', place)}, {number}"), place)

    def line_of(self, name: str, output: int, stride: str = "") -> str:
        """The address of the line of one output in an argument that has a line for each.

        Arguments:
            stride: the argument whose stride to use, if not its own.
        """
        return self.place(f"%{name}", self.line(f"mul i64 %{stride or name}_stride, {output}"))

    def in_X(self, base: str, index: str) -> str:
        """The address of an element of X, relative to another."""
        return self.line(f"getelementptr {self.layout.number}, ptr {base}, i64 {index}")

    def row_offset(self, row: str) -> str:
        """The offset of a row from the start of X, in elements."""
        return self.line(f"mul i64 {row}, %stride") if self.layout.order == "rows" else row

    def from_row(self, row: str) -> str:
        """X from a row on, as an argument."""
        if self.layout.order == "csr":
            first = self.line(f"getelementptr {self.layout.index}, ptr %first, i64 {row}")
            return f"ptr %X, ptr %column, ptr {first}"
        return f"ptr {self.in_X('%X', self.row_offset(row))}, i64 %stride"

    def below(self, count: str, region: Region) -> str:
        """The mask of the first `count` lanes."""
        first = self.line(f"insertelement {region.whole} poison, i64 {count}, i64 0")
        zeros = f"<{region.lanes} x i32> zeroinitializer"
        spread = self.line(f"shufflevector {region.whole} {first}, {region.whole} poison, {zeros}")
        counted = ", ".join(f"i64 {lane}" for lane in range(region.lanes))
        return self.line(f"icmp sgt {region.whole} {spread}, <{counted}>")

    def masked_load(self, number: str, place: str, mask: str, region: Region) -> str:
        """Numbers from memory where the mask holds, zeros where it does not."""
        kind, size = f"<{region.lanes} x {number}>", {"float": 4, "double": 8}[number]
        name = f"llvm.masked.load.v{region.lanes}f{8 * size}.p0"
        self.declared[name] = f"declare {kind} @{name}(ptr, i32, {region.mask}, {kind})"
        return self.line(f"call {kind} @{name}(ptr {place}, i32 {size}, {region.mask} {mask}, {kind} zeroinitializer)")

    def lane_sum(self, numbers: str, region: Region) -> str:
        """The sum of all lanes, in pairs, pairs of pairs, and so on."""
        name = f"llvm.vector.reduce.fadd.{region.suffix}"
        self.declared[name] = f"declare double @{name}(double, {region.number})"
        return self.line(f"call reassoc double @{name}(double {self.one.constant(-0.0)}, {region.number} {numbers})")

    def lane_sums(self, vectors: list[str], region: Region) -> str:
        """The sum of the lanes of each vector, as one vector: halves are added first, then neighbouring lanes."""
        lanes = region.lanes // 2
        halves = [[self._shuffled(v, v, region.lanes, range(s, s + lanes)) for s in (0, lanes)] for v in vectors]
        sums = [self.line(f"fadd <{lanes} x double> {low}, {high}") for low, high in halves]
        while len(sums) > 1:
            sums = [self._shuffled(a, b, lanes, range(2 * lanes)) for a, b in zip(sums[::2], sums[1::2], strict=True)]
            lanes *= 2
        (total,) = sums
        while lanes > len(vectors):
            even, odd = (self._shuffled(total, total, lanes, range(s, lanes, 2)) for s in (0, 1))
            lanes //= 2
            total = self.line(f"fadd <{lanes} x double> {even}, {odd}")
        return total

    def _shuffled(self, a: str, b: str, lanes: int, which: range) -> str:
        kind = f"<{lanes} x double>"
        places = ", ".join(f"i32 {place}" for place in which)
        return self.line(f"shufflevector {kind} {a}, {kind} {b}, <{len(which)} x i32> <{places}>")
