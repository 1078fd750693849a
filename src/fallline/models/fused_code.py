"""LLVM code that computes the value and the gradient of a loss on z = X W + b in one pass over X."""

from __future__ import annotations

from dataclasses import dataclass

from fallline.machine_code.graph import Graph, Node
from fallline.models.fused_kernel import Kernel, MatrixLayout
from fallline.models.fused_products import CsrProducts, MatrixProducts, Products, VectorProducts


@dataclass(frozen=True)
class Pointwise:
    """The loss of one row and its slopes ∂ℓ/∂z, as nodes made from the leaves z, one for each output, y and weight."""

    graph: Graph
    z: list[Node]
    y: Node
    weight: Node | None
    loss: Node
    slopes: list[Node]


def source(pointwise: Pointwise, layout: MatrixLayout, lanes: int) -> str:
    """The code of the function `sums`, which adds the sums over some rows to those it is given.

    Its arguments:
        X: address and stride; for a CSR matrix the addresses of its data, of its column indices and of the entry of
            indptr for the first row.
        y, weights, rows: the targets and the weights (null if there are none), and the number of rows.
        block: the number of rows that are processed at a time.
        features: the number of features.
        points, many: the points and their number. A point has a line for each output: its weights, zeros up to the
            width, and b.
        sums: for each point the sums so far: those of the gradient, laid out like a point, and that of the loss after
            the first b.
        width: a multiple of the number of lanes, greater than the number of features.
        value, gradient: whether each is needed.
    """
    outputs = len(pointwise.z)
    kind: type[Products] = MatrixProducts if outputs > 1 else VectorProducts
    if layout.order == "csr":
        kind = CsrProducts
    dots, combine = kind(layout, lanes, outputs), kind(layout, lanes, outputs)
    dots.dots()
    combine.combine()
    errors, slopes, sums = (_Pass(layout, lanes, outputs) for _ in range(3))
    errors.errors("errors", pointwise, [*pointwise.slopes, pointwise.loss])
    slopes.errors("slopes", pointwise, pointwise.slopes)
    sums.sums()
    parts = [dots, combine, errors, slopes, sums]
    declared = {name: text for part in parts for name, text in part.declared.items()}
    return "\n".join([*declared.values(), *(line for part in parts for line in part.lines), ""])


class _Pass(Kernel):
    """The pass over X, and what it does between the two products."""

    def errors(self, name: str, pointwise: Pointwise, wanted: list[Node]) -> None:
        """From z and y of some rows to their slopes, and the sums of these and of ℓ.

        The slopes are 0 past the last row. Their sums are added to totals[0] of each output, that of ℓ to totals[1] of
        the first.

        Arguments:
            wanted: the slopes, and ℓ if its sum is needed.
        """
        # With several outputs, one vector of each output is enough to fill the registers.
        region = self.wide if self.outputs == 1 else self.register
        wide = region.number
        self.begin(
            f"void @{name}",
            "ptr noalias %z, ptr noalias %y, ptr noalias %weights, i64 %rows, i64 %z_stride, ptr noalias %slopes, "
            "ptr %totals, i64 %totals_stride",
        )
        sums = [self.variable(wide) for _ in wanted]
        for total in sums:
            self.store(wide, region.constant(0.0), total)
        lines = [(self.line_of("z", i), self.line_of("slopes", i, "z")) for i in range(self.outputs)]

        def stretch(i: str) -> None:
            mask = self.below(self.line(f"sub i64 %rows, {i}"), region)
            given = {"%y": pointwise.y} | ({} if pointwise.weight is None else {"%weights": pointwise.weight})
            region.names = {
                leaf.index: self.masked_load("double", self.place(name, i), mask, region)
                for name, leaf in given.items()
            }
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
        places = [self.line_of("totals", i) for i in range(self.outputs)]
        for total, place in zip(sums, [*places, self.place("%totals", "1")], strict=False):
            self.add(self.lane_sum(self.load(wide, total), region), place)
        self.end()

    def sums(self) -> None:
        """See `source`."""
        self.begin(
            "i64 @sums",
            f"{self.X}, ptr %y, ptr %weights, i64 %rows, i64 %block, i64 %features, ptr %points, i64 %many, "
            "ptr %sums, i64 %width, i1 %value, i1 %gradient",
        )
        # The strides of z and slopes, and of the lines of a point.
        of_rows, of_point = (self.line(f"add i64 {size}, {self.lanes}") for size in ("%block", "%width"))
        size = self.line(f"mul i64 {of_rows}, {self.outputs}")
        z, slopes = (self.line(f"alloca double, i64 {size}, align 64") for _ in range(2))

        def block(start: str) -> None:
            count = self.smaller(self.line(f"sub i64 %rows, {start}"), "%block")
            here = self.from_row(start)
            first, second = [f"{here}{half}" for half in self._halves_after(start)]
            y, given = self.place("%y", start), self.place("%weights", start)

            def point(number: str) -> None:
                offset = self.line(f"mul i64 {number}, {self.line(f'mul i64 {of_point}, {self.outputs}')}")
                weights, totals = self.place("%points", offset), self.place("%sums", offset)
                self._start_from_b(z, of_rows, count, weights, of_point)
                rest = self.place(totals, "%width")
                shape, forward, back = f"i64 {count}, i64 %features", "dots", "combine"
                if self.layout.order == "columns":
                    shape, forward, back = f"i64 %features, i64 {count}", "combine", "dots"
                lines = f"ptr {weights}, i64 {of_point}, ptr {z}, i64 {of_rows}"
                self.do(f"call void @{forward}({first}, {shape}, {lines})")
                of_z = f"i64 {count}, i64 {of_rows}, ptr {slopes}, ptr {rest}, i64 {of_point}"
                errors = f"(ptr {z}, ptr {y}, ptr {given}, {of_z})"
                self.branch("%value", f"call void @errors{errors}", f"call void @slopes{errors}")
                lines = f"ptr {slopes}, i64 {of_rows}, ptr {totals}, i64 {of_point}"
                self.branch("%gradient", f"call void @{back}({second}, {shape}, {lines})")

            self.loop("%many", 1, point)

        self.loop("%rows", "%block", block)
        self.end("i64 0")

    def _start_from_b(self, z: str, of_rows: str, count: str, weights: str, of_point: str) -> None:
        """Set each z of the rows to its b."""
        for output in range(self.outputs):
            line = self.place(weights, self.line(f"mul i64 {of_point}, {output}"))
            out = self.place(z, self.line(f"mul i64 {of_rows}, {output}"))
            b = self.wide.spread(self.load("double", self.place(line, "%width")))

            def stretch(i: str, b: str = b, out: str = out) -> None:
                self.store(self.wide.number, b, self.place(out, i))

            self.loop(count, self.lanes, stretch)

    def _halves_after(self, start: str) -> list[str]:
        """The halves of the next block, one for each product to prefetch, as arguments; see `DenseProducts`."""
        if self.layout.order == "csr":
            return ["", ""]
        following = self.line(f"add i64 {start}, %block")
        half = self.line("lshr i64 %block, 1")
        rows = [following, self.line(f"add i64 {following}, {half}")]
        return [f", ptr {self.in_X('%X', self.row_offset(row))}" for row in rows]
