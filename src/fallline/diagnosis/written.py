"""A step written out: the lines of the rule's formula with its numbers, as text, LaTeX and MathML."""

from __future__ import annotations

import collections
import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import sympy

from fallline.arrays import FloatArray
from fallline.diagnosis.one_step import OneStep, Quantity
from fallline.optimizers.base import SMALLEST
from fallline.optimizers.latex import moved, tex
from fallline.optimizers.lines import Line, Lines, lines_of, reductions_in
from fallline.optimizers.mathml import as_mathml, table
from fallline.optimizers.noise import standard_normal
from fallline.optimizers.placeholders import CONSTANT, FUNCTIONS, Placeholder, evaluated, formula_settings, needed_for
from fallline.optimizers.plain_text import Numbers, in_words, moved_text, plain_text
from fallline.optimizers.symbols import SYMPY
from fallline.proxy import Library
from fallline.state import named_leaves
from fallline.tables import number_text, vector_text

# A memory of more steps shows only the newest of them.
MOST_PARTS = 3

NUMPY: Library = {
    **{name: getattr(np.linalg if name == "norm" else np, name) for name in FUNCTIONS},
    standard_normal.__name__: standard_normal,
}


class WritesLine(Protocol):
    """Writes a formula, with numbers for its symbols or without; `is_x`: of what is subtracted from x."""

    def __call__(self, expression: sympy.Expr, numbers: Numbers | None, *, is_x: bool) -> str:
        """The text."""


@dataclass(frozen=True)
class Writing:
    """How a step is written.

    Attributes:
        line: writes a formula.
        result: writes a number.
        slope: the gradient, as a formula.
        too_long: stands for a formula that is too long to be read.
    """

    line: WritesLine
    result: Callable[[str], str]
    slope: str
    too_long: str


@dataclass(frozen=True, eq=False)
class Written:
    """The formula of a step and the numbers of everything in it.

    Attributes:
        names: the coordinates' names.
        lines: the formula.
        values: the numbers of each placeholder that has a symbol, shape (1, n) or (1, 1), or plain numbers.
        x_after: the point after the step.
    """

    names: tuple[str, ...]
    lines: Lines
    values: Mapping[Placeholder, Any]
    x_after: FloatArray

    @classmethod
    def of(cls, names: tuple[str, ...], one: OneStep, found: Mapping[Any, FloatArray], change: FloatArray) -> Written:
        """Write the step out.

        Arguments:
            names: the coordinates' names.
            one: the step.
            found: the numbers of the parts of the state after it, by name, and of the local names.
            change: what is subtracted from x.

        Raises:
            FalllineError: when the rule's code cannot be written as a formula.
        """
        lines = lines_of(one.rule, all_names=True, coordinates=len(one.x))
        values = cls._values(lines, one, found, change)
        if _guarded(lines, values):
            lines = lines_of(one.rule, all_names=True, guards=True, coordinates=len(one.x))
            values = cls._values(lines, one, found, change)
        return cls(names, lines, values, one.x - change)

    @staticmethod
    def _values(
        lines: Lines, one: OneStep, found: Mapping[Any, FloatArray], change: FloatArray
    ) -> dict[Placeholder, Any]:
        """The numbers of everything that has a symbol."""
        run, state = lines.recorded, dict(named_leaves(one.state))
        settings = formula_settings(one.rule)
        values: dict[Placeholder, Any] = {run.x: one.x[None], run.gradient: one.gradient[None]}
        values |= {run.rate: one.rate, run.step: one.number}
        values |= {part: state[name] for name, part in run.before.items()}
        values |= {part: settings[path] for path, part in run.hyperparameters.items()}
        values |= {line.part: found[line.found][None] for line in lines.lines}
        constants = [part for part in lines.symbols if part.operation == CONSTANT]
        values |= {part: np.reshape(part.settings["numbers"], (1, -1)) for part in constants}
        x_after = one.x - change
        values |= {part: x_after[None] for part, symbol in lines.symbols.items() if symbol == lines.change.symbol}
        return values

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """Every line but the last, which is that of x."""
        words = in_words(self.lines)
        return tuple(
            Quantity(
                self.lines.letters[line.symbol].text,
                None if line.expression is None else plain_text(line.expression.xreplace(words)),
                self.values[line.part][0],
            )
            for line in self.lines.lines
        )

    @property
    def place(self) -> str:
        """Where the gradient is taken, as a formula in plain text."""
        return plain_text(self.lines.place.xreplace(in_words(self.lines)))

    @property
    def settings(self) -> dict[str, float]:
        """The hyperparameters that occur in the formula, by their names in it."""
        shown = [line.expression for line in (*self.lines.lines, self.lines.change) if line.expression is not None]
        used = set().union(*(expression.free_symbols for expression in (*shown, self.lines.place)))
        parts = self.lines.recorded.hyperparameters.values()
        symbols = {part: self.lines.symbols[part] for part in parts}
        return {
            self.lines.letters[symbol].text: self.values[part] for part, symbol in symbols.items() if symbol in used
        }

    def text(self, coordinate: int, *, with_formula: bool) -> list[str]:
        """The lines of one coordinate; without the formula only what is not the same for all coordinates."""
        words = in_words(self.lines)

        def write(expression: sympy.Expr, numbers: Numbers | None, *, is_x: bool) -> str:
            renamed = {part.xreplace(words): number for part, number in (numbers or {}).items()}
            return (moved_text if is_x else plain_text)(expression.xreplace(words), renamed)

        rows = [
            (self.lines.letters[symbol].text, parts)
            for symbol, parts in self._rows(
                coordinate, Writing(write, str, f"slope at {self.place}", "computed by the rule's code"), with_formula
            )
        ]
        width = max(len(name) for name, _ in rows)
        if not with_formula:
            return [f"  {name:{width}} = {' = '.join(parts)}" for name, parts in rows]
        return [
            f"  {name if number == 0 else '':{width}} = {part}"
            for name, parts in rows
            for number, part in enumerate(parts)
        ]

    def latex(self, coordinates: Sequence[int]) -> str:
        """An `aligned` block: the formula and the numbers of the first coordinate, the numbers of the others."""

        def write(expression: sympy.Expr, numbers: Numbers | None, *, is_x: bool) -> str:
            shown = {part: _in_latex(text) for part, text in (numbers or {}).items()}
            return (moved if is_x else tex)(expression, shown)

        slope = rf"\nabla f\left({tex(self.lines.place)}\right)"
        writing = Writing(write, _power_of_ten, slope, r"\ldots")
        lines: list[str] = []
        for coordinate in coordinates:
            if len(self.names) > 1:
                name = self.names[coordinate].replace("_", r"\_")
                lines.append(rf"&\text{{{name}:}}")
            for symbol, parts in self._rows(coordinate, writing, coordinate == coordinates[0]):
                lines.append(f"{tex(symbol)} &= " + " \\\\\n&= ".join(parts))
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def mathml(self, coordinates: Sequence[int]) -> str:
        """The same lines as a MathML table."""
        letters, x_old = self.lines.letters, self.lines.symbols[self.lines.recorded.x]

        def write(expression: sympy.Expr, numbers: Numbers | None = None, *, is_x: bool = False) -> str:
            return as_mathml(expression, letters, numbers, taken_from=x_old if is_x else None)

        slope = f"<mrow><mo>∇</mo><mi>f</mi><mo>(</mo>{write(self.lines.place)}<mo>)</mo></mrow>"
        writing = Writing(write, "<mn>{}</mn>".format, slope, "<mo>…</mo>")
        rows: list[tuple[str, str]] = []
        for coordinate in coordinates:
            if len(self.names) > 1:
                rows.append(("", f"<mtext>{html.escape(self.names[coordinate])}:</mtext>"))
            for symbol, parts in self._rows(coordinate, writing, coordinate == coordinates[0]):
                rows += [(write(symbol), parts[0]), *(("", part) for part in parts[1:])]
        return table(rows)

    def _rows(self, coordinate: int, writing: Writing, with_formula: bool) -> Iterator[tuple[sympy.Symbol, list[str]]]:
        """Each line's symbol, and what it equals in turn: its formula, the formula with numbers, the result."""
        slope = self.lines.recorded.gradient
        result = writing.result(_number(self.values[slope], coordinate))
        yield self.lines.symbols[slope], [writing.slope, result] if with_formula else [result]
        for line, number in self._with_results(coordinate):
            if not (with_formula or self._is_of_one(line)):
                continue
            parts = [writing.result(number)]
            if line.expression is not None:
                is_x = line is self.lines.change
                parts.insert(0, writing.line(line.expression, self._numbers(line, coordinate), is_x=is_x))
                if with_formula:
                    parts.insert(0, writing.line(line.expression, None, is_x=is_x))
            elif with_formula:
                parts.insert(0, writing.too_long)
            # What is a number alone is not written twice.
            yield line.symbol, list(dict.fromkeys(parts))

    def _with_results(self, coordinate: int) -> Iterator[tuple[Line, str]]:
        """The lines, that of x last, each with its result; of a long memory only its newest part."""
        letters = self.lines.letters
        parts = collections.Counter(letters[line.symbol].name for line in self.lines.lines)
        last = {letters[line.symbol].name: line for line in self.lines.lines}
        for line in self.lines.lines:
            name = letters[line.symbol].name
            if parts[name] > MOST_PARTS and line is not last[name]:
                continue
            yield line, _number(self.values[line.part], coordinate)
        yield self.lines.change, _number(self.x_after[None], coordinate)

    def _is_of_one(self, line: Line) -> bool:
        """Whether a line differs from coordinate to coordinate."""
        return line is self.lines.change or len(self.x_after) == 1 or np.shape(self.values[line.part])[-1] > 1

    def _numbers(self, line: Line, coordinate: int) -> dict[sympy.Basic, str]:
        """What to write in place of the symbols of a line, and of its norms and sums, which take all coordinates."""
        own = line.part if line.symbol != self.lines.change.symbol else None
        known = {part: value for part, value in self.values.items() if part is not own}
        symbols = {part: self.lines.symbols[part] for part in known}
        texts: dict[sympy.Basic, str] = {symbols[part]: _number(value, coordinate) for part, value in known.items()}
        if isinstance(line.part, Placeholder) and line.part not in known:
            for part in reductions_in(line.part, known):
                if part.operation == "standard_normal":
                    inside = _number(evaluated(part, NUMPY, known), coordinate)
                else:
                    argument = np.broadcast_to(evaluated(part.inputs[0], NUMPY, known), (1, len(self.x_after)))
                    inside = f"{part.operation}({vector_text(argument)})"
                texts[sympy.S(evaluated(part, SYMPY, symbols))] = inside
        return texts


def _guarded(lines: Lines, values: Mapping[Placeholder, Any]) -> bool:
    """Whether a quotient of the step would be 0 / 0 without what guards it."""
    run = lines.recorded
    guards = [part for part in needed_for([run.change, *run.after.values()], {}) if SMALLEST in part.inputs]
    given = {part: value for part, value in values.items() if part.operation in ("", CONSTANT)}
    return any(np.any(evaluated(guard, NUMPY, given) == SMALLEST) for guard in guards)


def _number(value: Any, coordinate: int) -> str:
    numbers = np.asarray(value).reshape(-1)
    number = numbers[coordinate if len(numbers) > 1 else 0].item()
    # Not -0, which is no news.
    return f"{number + 0.0:.6g}" if isinstance(number, float) else number_text(number)


def _in_latex(text: str) -> str:
    """A number inside a formula, in brackets where sign or power of ten need them; or a norm or sum of some."""
    if called := re.fullmatch(r"(\w+)\(\[(.*)\]\)", text):
        entries = [r"\ldots" if entry.startswith("…") else _power_of_ten(entry) for entry in called[2].split(", ")]
        vector = rf"\left({', '.join(entries)}\right)"
        return rf"\left\|{vector}\right\|" if called[1] == "norm" else rf"\mathrm{{{called[1]}}}{vector}"
    shown = _power_of_ten(text)
    return rf"\left({shown}\right)" if shown.startswith("-") or r"\cdot" in shown else shown


def _power_of_ten(text: str) -> str:
    mantissa, e, power = text.partition("e")
    if not e or not power.lstrip("+-").isdecimal():
        return text if text.replace(".", "").lstrip("-").isdecimal() else rf"\mathrm{{{text}}}".replace("…", r"\ldots")
    times = {"1": "", "-1": "-"}.get(mantissa, rf"{mantissa} \cdot ")
    return f"{times}10^{{{int(power)}}}"
