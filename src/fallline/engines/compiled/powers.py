"""Powers of a number by the step: products carried from step to step, each a sum of two floats, good to 100 bits."""

from __future__ import annotations

from fallline.machine_code.code import Code, Region
from fallline.machine_code.elementary import POWER_SCALE

Parts = tuple[str, str]


class Powers:
    """Writes the code of the powers of one number by the consecutive numbers of the steps, a vector of steps at a time.

    Arguments:
        code: the function, in its entry block.
        once, steps: the regions of single numbers, and of vectors with a step per lane.
    """

    def __init__(self, code: Code, once: Region, steps: Region) -> None:
        self._code, self._once, self._steps = code, once, steps
        self._power = code.variable(once.number), code.variable(once.number)
        self._vector = code.variable(steps.number), code.variable(steps.number)
        self._next = code.variable(steps.number), code.variable(steps.number)
        self._counter = code.variable("i64")

    def begin(self, base: str) -> None:
        """The powers by the first steps after `%first`, and the power by which the following are multiplied."""
        code, once, steps = self._code, self._once, self._steps
        number = base, once.constant(0.0)
        # The power by half of %first, from its highest bit on; the other half as a scaled product, which is never tiny.
        half = code.line("lshr i64 %first, 1")
        code.declared["llvm.ctlz.i64"] = "declare i64 @llvm.ctlz.i64(i64, i1)"
        bits = code.line(f"sub i64 64, {code.line(f'call i64 @llvm.ctlz.i64(i64 {half}, i1 false)')}")
        self._store(once, (once.constant(1.0), number[1]), self._power)

        def square(i: str) -> None:
            power = self._load(once, self._power)
            place = code.line(f"sub i64 {code.line(f'sub i64 {bits}, 1')}, {i}")
            self._store(
                once, self._with_bit(product(once, power, power), number, f"lshr i64 {half}, {place}"), self._power
            )

        code.counted_loop("bit", self._counter, ("0", bits), 1, square)
        scale = once.constant(POWER_SCALE**0.5)
        high, low = (code.line(f"fmul double {part}, {scale}") for part in self._load(once, self._power))
        whole = product(once, (high, low), (high, low))
        self._store(once, self._with_bit(whole, number, "add i64 %first, 0"), self._power)

        def fill(i: str) -> None:
            power = product(once, self._load(once, self._power), number)
            self._store(once, power, self._power)
            for part, vector in zip(power, self._vector, strict=True):
                code.store("double", part, code.place(vector, i))

        code.counted_loop("first", self._counter, ("0", str(steps.lanes)), 1, fill)
        for _ in range(steps.lanes.bit_length() - 1):
            number = product(once, number, number)
        self._store(steps, (steps.spread(number[0]), steps.spread(number[1])), self._next)

    def following(self) -> Parts:
        """The powers by the next vector of steps."""
        powers = self._load(self._steps, self._vector)
        self._store(self._steps, product(self._steps, powers, self._load(self._steps, self._next)), self._vector)
        return powers

    def _with_bit(self, power: Parts, number: Parts, bits: str) -> Parts:
        """The power, times the number if the lowest of these bits is set."""
        code = self._code
        is_set = code.line(f"trunc i64 {code.line(bits)} to i1")
        factor = code.line(f"select i1 {is_set}, double {number[0]}, double {self._once.constant(1.0)}")
        return product(self._once, power, (factor, number[1]))

    def _load(self, region: Region, variables: Parts) -> Parts:
        high, low = (self._code.load(region.number, variable) for variable in variables)
        return high, low

    def _store(self, region: Region, parts: Parts, variables: Parts) -> None:
        for part, variable in zip(parts, variables, strict=True):
            self._code.store(region.number, part, variable)


def product(region: Region, left: Parts, right: Parts) -> Parts:
    """The product of two numbers, each the sum of two floats."""
    code, number = region.code, region.number
    high = code.line(f"fmul {number} {left[0]}, {right[0]}")
    low = code.intrinsic("fma", region, [left[0], right[0], code.line(f"fneg {number} {high}")])
    low = code.intrinsic("fma", region, [left[0], right[1], low])
    low = code.intrinsic("fma", region, [left[1], right[0], low])
    total = code.line(f"fadd {number} {high}, {low}")
    return total, code.line(f"fadd {number} {code.line(f'fsub {number} {high}, {total}')}, {low}")
