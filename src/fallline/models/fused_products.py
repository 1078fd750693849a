"""LLVM code of the two products of a fused pass: of a block of X with a vector, and of its transpose with a vector."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from fallline.machine_code.code import Region
from fallline.models.fused_kernel import CACHE_LINE, Kernel, MatrixLayout

# Lines of X that are multiplied at the same time.
TOGETHER = 4


class Products(Kernel):
    """`dots` and `combine`, the products with X and with its transpose.

    Both take X, the number of its lines and their length, `%v` and `%out`; where a row has several outputs, `%v` and
    `%out` have a line for each.
    """

    @property
    def arguments_of_X(self) -> str:
        """The parameters of both functions for a block of X."""
        return self.X

    @abstractmethod
    def dots(self) -> None:
        """out[i] += line i of X · v."""

    @abstractmethod
    def combine(self) -> None:
        """out += Σ v[i] · line i of X."""

    def begin_product(self, name: str) -> None:
        lines = "ptr noalias %v, i64 %v_stride, ptr noalias %out, i64 %out_stride"
        self.begin(f"void @{name}", f"{self.arguments_of_X}, i64 %lines, i64 %length, {lines}")


class CsrProducts(Products):
    """The products of a CSR matrix, whose lines are its rows."""

    def dots(self) -> None:
        self.begin_product("dots")
        totals = [self.variable("double") for _ in range(self.outputs)]
        vectors = [self.line_of("v", output) for output in range(self.outputs)]
        outs = [self.line_of("out", output) for output in range(self.outputs)]

        def line(row: str) -> None:
            for total in totals:
                self.store("double", self.one.constant(0.0), total)

            def entry(column: str, number: str) -> None:
                for vector, total in zip(vectors, totals, strict=True):
                    inputs = [number, self.load("double", self.place(vector, column)), self.load("double", total)]
                    self.store("double", self.intrinsic("fma", self.one, inputs), total)

            self._entries(row, entry)
            for out, total in zip(outs, totals, strict=True):
                self.add(self.load("double", total), self.place(out, row))

        self.loop("%lines", 1, line)
        self.end()

    def combine(self) -> None:
        self.begin_product("combine")
        vectors = [self.line_of("v", output) for output in range(self.outputs)]
        outs = [self.line_of("out", output) for output in range(self.outputs)]

        def line(row: str) -> None:
            factors = [self.load("double", self.place(vector, row)) for vector in vectors]

            def entry(column: str, number: str) -> None:
                for out, factor in zip(outs, factors, strict=True):
                    place = self.place(out, column)
                    inputs = [number, factor, self.load("double", place)]
                    self.store("double", self.intrinsic("fma", self.one, inputs), place)

            self._entries(row, entry)

        self.loop("%lines", 1, line)
        self.end()

    def _entries(self, row: str, body: Callable[[str, str], None]) -> None:
        """Code for each stored entry of a row, given its column and its number."""
        index = self.layout.index

        def integer(base: str, place: str) -> str:
            read = self.line(f"load {index}, ptr {self.line(f'getelementptr {index}, ptr {base}, i64 {place}')}")
            return read if index == "i64" else self.line(f"sext {index} {read} to i64")

        start = integer("%first", row)
        count = self.line(f"sub i64 {integer('%first', self.line(f'add i64 {row}, 1'))}, {start}")

        def entry(i: str) -> None:
            k = self.line(f"add i64 {start}, {i}")
            number = self.line(f"load {self.layout.number}, ptr {self.in_X('%X', k)}")
            if self.layout.number == "float":
                number = self.line(f"fpext float {number} to double")
            body(integer("%column", k), number)

        self.loop(count, 1, entry)


class DenseProducts(Products):
    """What the products of a dense X share: groups of lines, ends of lines, and the prefetch of the next block.

    While one block of rows is processed, the next one is fetched into the cache: the first of the two products
    prefetches one half of it, the second the other, so that the memory is never idle. They get its address as
    `%next`. A group that is not full repeats the last line, so `dots` writes past the end of `%out`.
    """

    @property
    def arguments_of_X(self) -> str:
        return f"{self.X}, ptr %next"

    def group(self, start: str) -> list[tuple[str, str]]:
        """Number and address of the lines of a group; past the last line, the last one is repeated."""
        lines = []
        last = self.line("sub i64 %lines, 1")
        for more in range(TOGETHER):
            number = self.line(f"add i64 {start}, {more}")
            offset = self.line(f"mul i64 {self.smaller(number, last)}, %stride")
            lines.append((number, self.in_X("%X", offset)))
        return lines

    def tail(self, region: Region) -> tuple[str, str]:
        """The length of a line in whole vectors, and the mask of the remainder."""
        whole = self.line(f"and i64 %length, {-region.lanes}")
        return whole, self.below(self.line(f"sub i64 %length, {whole}"), region)

    def along(self, whole: str, mask: str, region: Region, stretch: Callable[..., None]) -> None:
        """Code along a line: for each whole vector, and for the remainder."""
        self.loop(whole, region.lanes, stretch)
        if self.layout.order == "rows":
            stretch(whole, mask)
            return
        # With contiguous columns only the last block has a remainder.
        rest, after = (self.new_label(part) for part in ("rest", "after"))
        self.jump_if(self.line(f"icmp slt i64 {whole}, %length"), rest, after)
        self.label(rest)
        stretch(whole, mask)
        self.jump(after)
        self.label(after)

    def from_X(self, line: str, i: str, mask: str | None, region: Region) -> str:
        """A vector of a line of X, as float64; zeros where the mask does not hold."""
        kind, place = f"<{region.lanes} x {self.layout.number}>", self.in_X(line, i)
        if mask is None:
            numbers = self.line(f"load {kind}, ptr {place}, align {self.layout.size}")
        else:
            numbers = self.masked_load(self.layout.number, place, mask, region)
        return numbers if self.layout.number == "double" else self.line(f"fpext {kind} {numbers} to {region.number}")

    def from_vector(self, line: str, i: str, mask: str | None, region: Region) -> str:
        """A vector of a line of float64; zeros where the mask does not hold, because that memory is not initialised."""
        place = self.place(line, i)
        return self.load(region.number, place) if mask is None else self.masked_load("double", place, mask, region)

    def to_prefetch(self, start: str) -> list[str]:
        """Addresses in the next block, one for each line of a group: half a line is prefetched from each."""

        def line(start: str, more: int) -> str:
            return self.in_X("%next", self.line(f"mul i64 {self.line(f'add i64 {start}, {more}')}, %stride"))

        if self.layout.order == "columns":
            return [line(start, more) for more in range(TOGETHER)]
        half, first = self.line("lshr i64 %length, 1"), self.line(f"lshr i64 {start}, 1")
        rows = [line(first, more) for more in range(TOGETHER // 2)]
        return [place for row in rows for place in (row, self.in_X(row, half))]

    def prefetch(self, place: str, i: str) -> None:
        """Prefetch a cache line, i / 2 elements after an address; it may lie beyond the end of X.

        The address prefetched is a cache line's length further, less one element: if `place` lies inside a cache line,
        that one was fetched with the block before, and the one in which the half ends would be missed.
        """
        self.declared["prefetch"] = "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)"
        last = CACHE_LINE // self.layout.size - 1
        place = self.in_X(place, self.line(f"add i64 {self.line(f'lshr i64 {i}, 1')}, {last}"))
        # Into the second-level cache.
        self.do(f"call void @llvm.prefetch.p0(ptr {place}, i32 0, i32 2, i32 1)")


class VectorProducts(DenseProducts):
    """The products of a dense X where a row has one output; `combine` relies on zeros past the end of `%v`."""

    def dots(self) -> None:
        wide = self.wide.number
        self.begin_product("dots")
        sums = [self.variable(wide) for _ in range(TOGETHER)]
        whole, mask = self.tail(self.wide)

        def group(start: str) -> None:
            lines = list(zip(self.group(start), self.to_prefetch(start), sums, strict=True))
            for total in sums:
                self.store(wide, self.wide.constant(0.0), total)
            # Rows are read from memory here, which is fastest as one stream.
            for together in [[one] for one in lines] if self.layout.order == "rows" else [lines]:

                def stretch(i: str, mask: str | None = None, together: list[Any] = together) -> None:
                    b = self.from_vector("%v", i, mask, self.wide)
                    for (_, line), following, total in together:
                        a = self.from_X(line, i, mask, self.wide)
                        self.prefetch(following, i)
                        self.store(wide, self.intrinsic("fma", self.wide, [a, b, self.load(wide, total)]), total)

                self.along(whole, mask, self.wide, stretch)
            kind, place = f"<{TOGETHER} x double>", self.place("%out", start)
            totals = self.lane_sums([self.load(wide, total) for total in sums], self.wide)
            self.store(kind, self.line(f"fadd {kind} {self.load(kind, place)}, {totals}"), place)

        self.loop("%lines", TOGETHER, group)
        self.end()

    def combine(self) -> None:
        wide = self.wide.number
        self.begin_product("combine")
        whole, mask = self.tail(self.wide)

        def group(start: str) -> None:
            lines = self.group(start)
            factors = [self.wide.spread(self.load("double", self.place("%v", number))) for number, _ in lines]
            following = self.to_prefetch(start)

            def stretch(i: str, mask: str | None = None) -> None:
                place = self.place("%out", i)
                total = self.load(wide, place)
                for (_, line), factor, address in zip(lines, factors, following, strict=True):
                    self.prefetch(address, i)
                    total = self.intrinsic("fma", self.wide, [self.from_X(line, i, mask, self.wide), factor, total])
                self.store(wide, total, place)

            self.along(whole, mask, self.wide, stretch)

        self.loop("%lines", TOGETHER, group)
        self.end()


class MatrixProducts(DenseProducts):
    """The products of a dense X where a row has several outputs: each number of X is loaded once for many of them.

    The sums of a tile (some lines by some outputs) stay in registers during the pass over X.
    """

    def __init__(self, layout: MatrixLayout, lanes: int, outputs: int) -> None:
        super().__init__(layout, lanes, outputs)
        # The sums of a tile take at most 24 of 32 registers, or 8 of 16; the rest hold the operands.
        count = -(-outputs // (6 if lanes == 16 else 2))
        starts = [outputs * i // count for i in range(count + 1)]
        self.tiles = [range(start, end) for start, end in itertools.pairwise(starts)]

    def dots(self) -> None:
        self.begin_product("dots")
        wide, room = self.register.number, self._room()
        kind = f"<{TOGETHER} x double>"
        whole, mask = self.tail(self.register)

        def group(start: str) -> None:
            lines, following = [line for _, line in self.group(start)], self.to_prefetch(start)
            for outputs in self.tiles:
                vectors = [self.line_of("v", output) for output in outputs]
                for total in itertools.chain(*room[: len(outputs)]):
                    self.store(wide, self.register.constant(0.0), total)

                def stretch(
                    i: str, mask: str | None = None, vectors: list[str] = vectors, first: bool = not outputs.start
                ) -> None:
                    for address in following if first else []:
                        self.prefetch(address, i)
                    numbers = [self.from_X(line, i, mask, self.register) for line in lines]
                    for vector, totals in zip(vectors, room, strict=False):
                        v = self.from_vector(vector, i, mask, self.register)
                        for a, total in zip(numbers, totals, strict=True):
                            added = self.intrinsic("fma", self.register, [a, v, self.load(wide, total)])
                            self.store(wide, added, total)

                self.along(whole, mask, self.register, stretch)
                for output, totals in zip(outputs, room, strict=False):
                    place = self.place(self.line_of("out", output), start)
                    added = self.lane_sums([self.load(wide, total) for total in totals], self.register)
                    self.store(kind, self.line(f"fadd {kind} {self.load(kind, place)}, {added}"), place)

        self.loop("%lines", TOGETHER, group)
        self.end()

    def combine(self) -> None:
        self.begin_product("combine")
        lanes, room = self.register.lanes, self._room()

        def columns(i: str, count: int, mask: str | None) -> None:
            for outputs in self.tiles:
                self._combine_tile(i, count, mask, outputs, [sums[:count] for sums in room[: len(outputs)]])

        together = TOGETHER * lanes
        whole = self.line(f"and i64 %length, {-together}")
        self.loop(whole, together, lambda i: columns(i, TOGETHER, None))
        rest = self.line(f"sub i64 %length, {whole}")

        def single(i: str) -> None:
            left = self.line(f"sub i64 {rest}, {i}")
            columns(self.line(f"add i64 {whole}, {i}"), 1, self.below(left, self.register))

        self.loop(rest, lanes, single)
        self.end()

    def _combine_tile(self, i: str, count: int, mask: str | None, outputs: range, sums: list[list[str]]) -> None:
        """Add all lines of X to a tile of `out`: `count` vectors from i on, of some outputs, kept in `sums`."""
        wide, lanes = self.register.number, self.register.lanes
        vectors = [self.line_of("v", output) for output in outputs]
        places = [
            [self.place(line, self.line(f"add i64 {i}, {lanes * more}")) for more in range(count)]
            for line in (self.line_of("out", output) for output in outputs)
        ]
        tile = list(zip(itertools.chain(*places), itertools.chain(*sums), strict=True))
        for place, total in tile:
            self.store(wide, self.load(wide, place), total)

        def line(number: str) -> None:
            start = self.in_X(self.in_X("%X", self.line(f"mul i64 {number}, %stride")), i)
            numbers = [self.from_X(start, str(lanes * more), mask, self.register) for more in range(count)]
            for vector, totals in zip(vectors, sums, strict=True):
                factor = self.register.spread(self.load("double", self.place(vector, number)))
                for a, total in zip(numbers, totals, strict=True):
                    added = self.intrinsic("fma", self.register, [a, factor, self.load(wide, total)])
                    self.store(wide, added, total)

        self.loop("%lines", 1, line)
        for place, total in tile:
            self.store(wide, self.load(wide, total), place)

    def _room(self) -> list[list[str]]:
        """Variables for the sums of the largest tile."""
        most = max(map(len, self.tiles))
        return [[self.variable(self.register.number) for _ in range(TOGETHER)] for _ in range(most)]
