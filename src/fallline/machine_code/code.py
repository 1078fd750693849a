"""LLVM code line by line: the operations of a graph on single numbers, or on vectors with one number per lane."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from fallline.machine_code.graph import ONE_BY_ONE, QUOTIENT, RARELY, Graph, Node


class Region:
    """A piece of code on quantities of one kind: single numbers, or vectors with one number per lane."""

    def __init__(self, code: Code, lanes: int) -> None:
        self.code = code
        self.lanes = lanes
        self.names: dict[int, str] = {}
        self.number = "double" if lanes == 1 else f"<{lanes} x double>"
        self.whole = "i64" if lanes == 1 else f"<{lanes} x i64>"
        self.mask = "i1" if lanes == 1 else f"<{lanes} x i1>"
        self.suffix = "f64" if lanes == 1 else f"v{lanes}f64"

    def type_of(self, node: Node) -> str:
        return self.mask if node.is_mask else self.number

    def constant(self, number: float) -> str:
        """A constant, written in hexadecimal so that no bit is lost."""
        bits = "0x" + struct.pack(">d", number).hex().upper()
        return bits if self.lanes == 1 else "<" + ", ".join([f"double {bits}"] * self.lanes) + ">"

    def whole_constant(self, number: int) -> str:
        return str(number) if self.lanes == 1 else "<" + ", ".join([f"i64 {number}"] * self.lanes) + ">"

    def write(self, node: Node) -> str:
        """Write the code of one operation whose inputs have names, and return the name of its result."""
        code, a = self.code, [self.names[part.index] for part in node.inputs]
        number, whole = self.number, self.whole
        match node.operation:
            case "constant":
                return self.constant(float.fromhex(node.detail))
            case "fadd" | "fsub" | "fmul" | "fdiv":
                return code.line(f"{node.operation} {number} {a[0]}, {a[1]}")
            case "remainder":
                return code.line(f"frem {number} {a[0]}, {a[1]}")
            case "fneg":
                return code.line(f"fneg {number} {a[0]}")
            case "fabs" | "sqrt" | "floor":
                return code.intrinsic(node.operation, self, a)
            case "fma":
                return code.intrinsic("fma", self, a)
            case "olt" | "ole" | "ogt" | "oge" | "oeq" | "une" | "ugt" | "ult":
                return code.line(f"fcmp {node.operation} {number} {a[0]}, {a[1]}")
            case "and" | "or":
                return code.line(f"{node.operation} {self.mask} {a[0]}, {a[1]}")
            case "not":
                return code.line(f"xor {self.mask} {a[0]}, {self.always()}")
            case "number":
                return code.line(f"uitofp {self.mask} {a[0]} to {number}")
            case "select":
                return code.line(f"select {self.mask} {a[0]}, {number} {a[1]}, {number} {a[2]}")
            case "quotient":
                return code.line(f"fdiv {number} {a[0]}, {a[1]}")
            case "one_by_one":
                # The first input; in the lanes where the second is true, the C library's function of the rest.
                return self.calls(node.detail, a[2:], a[0], a[1])
            case "finite":
                # Zero times a finite number is zero; zero times infinity or NaN is NaN.
                zero = nothing = self.constant(0.0)
                for part in a:
                    nothing = code.intrinsic("fma", self, [part, zero, nothing])
                return code.line(f"fcmp oeq {number} {nothing}, {zero}")
            case "rarely":
                return code.line(f"select {self.mask} {a[1]}, {number} {a[2]}, {number} {a[0]}")
            case "library":
                return self.calls(node.detail, a, self.constant(0.0), self.always())
            case "flip":
                # Move the second lowest bit, after adding `detail`, to the sign bit.
                bits = code.line(f"bitcast {number} {a[1]} to {whole}")
                bits = code.line(f"add {whole} {bits}, {self.whole_constant(node.detail)}")
                bits = code.line(f"shl {whole} {bits}, {self.whole_constant(62)}")
                bits = code.line(f"and {whole} {bits}, {self.whole_constant(-(1 << 63))}")
                own = code.line(f"bitcast {number} {a[0]} to {whole}")
                return code.line(f"bitcast {whole} {code.line(f'xor {whole} {own}, {bits}')} to {number}")
            case "two_to":
                # Adding this leaves n + 1023, the biased exponent, in the lowest bits.
                shifted = code.line(f"fadd {number} {a[0]}, {self.constant(1.5 * 2**52 + 1023)}")
                bits = code.line(f"bitcast {number} {shifted} to {whole}")
                bits = code.line(f"shl {whole} {bits}, {self.whole_constant(52)}")
                return code.line(f"bitcast {whole} {bits} to {number}")
            case "bit":
                bits = code.line(f"bitcast {number} {a[0]} to {whole}")
                bits = code.line(f"and {whole} {bits}, {self.whole_constant(1 << node.detail)}")
                return code.line(f"icmp ne {whole} {bits}, {self.whole_constant(0)}")
            case "exponent":
                return code.line(f"sitofp {whole} {self.exponent(a[0])} to {number}")
            case "mantissa":
                bits = code.line(f"shl {whole} {self.exponent(a[0])}, {self.whole_constant(52)}")
                own = code.line(f"bitcast {number} {a[0]} to {whole}")
                return code.line(f"bitcast {whole} {code.line(f'sub {whole} {own}, {bits}')} to {number}")
            case operation:
                raise NotImplementedError(operation)

    def always(self) -> str:
        """The mask that is true in every lane."""
        return "true" if self.lanes == 1 else "<" + ", ".join(["i1 true"] * self.lanes) + ">"

    def exponent(self, x: str) -> str:
        """The integer k for which x / 2ᵏ is between √½ and √2."""
        root_half = struct.unpack(">q", struct.pack(">d", 0.5**0.5))[0]
        bits = self.code.line(f"bitcast {self.number} {x} to {self.whole}")
        beyond = self.code.line(f"sub {self.whole} {bits}, {self.whole_constant(root_half)}")
        return self.code.line(f"ashr {self.whole} {beyond}, {self.whole_constant(52)}")

    def calls(self, name: str, arguments: Sequence[str], otherwise: str, chosen: str) -> str:
        """The C library's function in the chosen lanes, `otherwise` in the rest."""
        function = self.code.of_lanes(name, len(arguments), self)
        given = ", ".join(f"{self.number} {argument}" for argument in (*arguments, otherwise))
        return self.code.line(f"call {self.number} @{function}({given}, {self.mask} {chosen})")

    def quick(self, node: Node) -> tuple[str, str | None]:
        """The code of an operation for the usual case, and the mask of the lanes where it may be wrong (or None)."""
        parts = [self.names[part.index] for part in node.inputs]
        if node.operation in (ONE_BY_ONE, RARELY):
            return parts[0], parts[1]
        if node.operation == QUOTIENT and self.lanes > 1:
            return self.by_reciprocal(*parts)
        return self.write(node), None

    def by_reciprocal(self, dividend: str, divisor: str, reciprocal: str) -> tuple[str, str]:
        """The correctly rounded quotient, and the mask of the lanes where it may not be.

        Markstein (1990), Computation of elementary functions on the IBM RISC System/6000 processor: correct unless
        the mantissa of the divisor is all ones, or a result comes near the limits of the range of floats.
        """
        code, number, whole = self.code, self.number, self.whole
        nearly = code.line(f"fmul {number} {dividend}, {reciprocal}")
        less = code.line(f"fneg {number} {nearly}")
        left = code.intrinsic("fma", self, [less, divisor, dividend])
        quotient = code.intrinsic("fma", self, [left, reciprocal, nearly])
        # After subtracting the exponent of 2**-767, the highest exponent bit is 0 for quotients up to 2**257.
        bits = code.line(f"bitcast {number} {quotient} to {whole}")
        beyond = code.line(f"sub {whole} {bits}, {self.whole_constant((1023 - 767) << 52)}")
        beyond = code.line(f"and {whole} {beyond}, {self.whole_constant(1 << 62)}")
        return quotient, code.line(f"icmp ne {whole} {beyond}, {self.whole_constant(0)}")

    def either(self, masks: Sequence[str]) -> str:
        """The `or` of the masks."""
        first, *others = masks
        for mask in others:
            first = self.code.line(f"or {self.mask} {first}, {mask}")
        return first

    def any(self, mask: str) -> str:
        """Whether the mask holds in any lane."""
        if self.lanes == 1:
            return mask
        bits = self.code.line(f"bitcast {self.mask} {mask} to i{self.lanes}")
        return self.code.line(f"icmp ne i{self.lanes} {bits}, 0")

    def spread(self, name: str, is_mask: bool = False) -> str:
        """Broadcast one number, or one boolean, to all lanes."""
        if self.lanes == 1:
            return name
        one, all_lanes = ("i1", self.mask) if is_mask else ("double", self.number)
        first = self.code.line(f"insertelement {all_lanes} poison, {one} {name}, i64 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        return self.code.line(f"shufflevector {all_lanes} {first}, {all_lanes} poison, {zeros}")

    def emit(self, graph: Graph, level: int, outputs: Sequence[Node]) -> None:
        """Code for these nodes, and for the nodes of the same level that they depend on.

        It is written twice: for the usual case, without branches, and with the calls for doubtful results.
        """
        code, names = self.code, self.names
        needed = graph.needed(outputs)
        new = [node for node in needed if node.level == level and node.index not in names]
        doubts: list[str] = []
        unsure: set[int] = set()
        for node in new:
            names[node.index], doubt = self.quick(node)
            if doubt is not None:
                doubts.append(doubt)
            if doubt is not None or any(part.index in unsure for part in node.inputs):
                unsure.add(node.index)
        if not doubts:
            return
        before, slow, done = code.block, code.new_label("slow"), code.new_label("done")
        code.jump_if(self.any(self.either(doubts)), slow, done, rarely=True)
        code.label(slow)
        quick = {index: names.pop(index) for index in unsure}
        for node in new:
            if node.index in unsure:
                names[node.index] = self.write(node)
        exact = {index: names.pop(index) for index in unsure}
        after = code.block
        code.jump(done)
        code.label(done)
        for node in outputs:
            if node.index in unsure:
                sources = f"[ {quick[node.index]}, %{before} ], [ {exact[node.index]}, %{after} ]"
                names[node.index] = code.line(f"phi {self.type_of(node)} {sources}")


class Code:
    """The text of one function, line by line."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.declared: dict[str, str] = {}
        self.block = "entry"
        self._count = 0

    def line(self, right: str) -> str:
        self._count += 1
        self.lines.append(f"  %v{self._count} = {right}")
        return f"%v{self._count}"

    def do(self, text: str) -> None:
        self.lines.append(f"  {text}")

    def new_label(self, name: str) -> str:
        self._count += 1
        return f"{name}{self._count}"

    def label(self, name: str) -> None:
        self.lines.append(f"{name}:")
        self.block = name

    def jump(self, label: str) -> None:
        self.do(f"br label %{label}")

    def jump_if(self, condition: str, label: str, other: str, rarely: bool = False) -> None:
        self.do(f"br i1 {condition}, label %{label}, label %{other}" + (", !prof !0" if rarely else ""))

    def counted_loop(
        self, name: str, counter: str, bounds: tuple[str, str], by: int, body: Callable[[str], None]
    ) -> None:
        """A loop with counter = start, start + by, ... below the end."""
        start, end = bounds
        head, inside, after = (self.new_label(f"{name}.{part}.") for part in ("head", "body", "after"))
        self.store("i64", start, counter)
        self.jump(head)
        self.label(head)
        now = self.load("i64", counter)
        self.jump_if(self.line(f"icmp slt i64 {now}, {end}"), inside, after)
        self.label(inside)
        body(now)
        self.store("i64", self.line(f"add i64 {self.load('i64', counter)}, {by}"), counter)
        self.jump(head)
        self.label(after)

    def intrinsic(self, name: str, region: Region, arguments: Sequence[str]) -> str:
        full = f"llvm.{name}.{region.suffix}"
        kinds = ", ".join([region.number] * len(arguments))
        self.declared[full] = f"declare {region.number} @{full}({kinds})"
        return self.line(f"call {region.number} @{full}({', '.join(f'{region.number} {a}' for a in arguments)})")

    def of_lanes(self, name: str, arity: int, region: Region) -> str:
        """The name of a function that calls the C library's function for each chosen lane in turn.

        Its arguments: those of the library's function, the result for all other lanes, and the mask of chosen lanes.
        """
        self.declared[name] = f"declare double @{name}({', '.join(['double'] * arity)})"
        full = f"lanes.{name}.{region.suffix}"
        if full in self.declared:
            return full
        given = ", ".join(f"{region.number} %x{i}" for i in range(arity))
        lines = [
            f"define internal {region.number} @{full}({given}, {region.number} %r0, {region.mask} %chosen) noinline {{"
        ]
        if region.lanes == 1:
            lines.append("  br i1 %chosen, label %call, label %otherwise")
            lines.append("call:")
            lines.append(f"  %y = call double @{name}({given})")
            lines.append("  ret double %y")
            lines.append("otherwise:")
            lines.append("  ret double %r0")
        else:
            lines.append("  br label %lane0")
            for lane in range(region.lanes):
                lines.append(f"lane{lane}:")
                before = "%r0"
                if lane:
                    before = f"%r{lane}"
                    last = lane - 1
                    phi = f"[ %r{last}, %lane{last} ], [ %s{last}, %call{last} ]"
                    lines.append(f"  {before} = phi {region.number} {phi}")
                lines.append(f"  %m{lane} = extractelement {region.mask} %chosen, i64 {lane}")
                lines.append(f"  br i1 %m{lane}, label %call{lane}, label %lane{lane + 1}")
                lines.append(f"call{lane}:")
                for i in range(arity):
                    lines.append(f"  %x{i}.{lane} = extractelement {region.number} %x{i}, i64 {lane}")
                arguments = ", ".join(f"double %x{i}.{lane}" for i in range(arity))
                lines.append(f"  %y{lane} = call double @{name}({arguments})")
                lines.append(f"  %s{lane} = insertelement {region.number} {before}, double %y{lane}, i64 {lane}")
                lines.append(f"  br label %lane{lane + 1}")
            last = region.lanes - 1
            lines.append(f"lane{region.lanes}:")
            phi = f"[ %r{last}, %lane{last} ], [ %s{last}, %call{last} ]"
            lines.append(f"  %result = phi {region.number} {phi}")
            lines.append(f"  ret {region.number} %result")
        self.declared[full] = "\n".join([*lines, "}"])
        return full

    def variable(self, kind: str) -> str:
        """Allocate a variable, which LLVM keeps in a register."""
        return self.line(f"alloca {kind}")

    def load(self, kind: str, place: str) -> str:
        return self.line(f"load {kind}, ptr {place}, align 8")

    def store(self, kind: str, value: str, place: str) -> None:
        self.do(f"store {kind} {value}, ptr {place}, align 8")

    def place(self, base: str, index: str) -> str:
        return self.line(f"getelementptr double, ptr {base}, i64 {index}")
