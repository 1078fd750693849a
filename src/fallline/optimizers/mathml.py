"""Formulas of rules as MathML."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any
from xml.dom.minidom import Document

import sympy
from sympy.printing.mathml import MathMLPresentationPrinter

from fallline.letters import greek
from fallline.optimizers.lines import Letter
from fallline.optimizers.symbols import positive_first


def as_mathml(
    expression: sympy.Expr,
    letters: Mapping[sympy.Symbol, Letter],
    numbers: Mapping[sympy.Basic, str] | None = None,
    taken_from: sympy.Symbol | None = None,
    marked: bool = False,
) -> str:
    """A formula as presentation MathML, without the <math> around it.

    Arguments:
        expression: the formula.
        letters: what its symbols stand for.
        numbers: what is written in place of its symbols, norms and sums.
        taken_from: the symbol of x, if the formula is of what is subtracted from it.
        marked: whether the symbol of a hyperparameter has its name as the attribute data-setting.
    """
    printer = _Printer(letters, numbers or {}, marked)
    if taken_from is None:
        return printer.element(expression).toxml()  # type: ignore[no-any-return]
    inside = printer.bracketed(expression) if expression.is_Add else printer.element(expression)
    return printer.row(printer.element(taken_from), printer.sign("-"), inside).toxml()  # type: ignore[no-any-return]


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Lines of a left and a right side, aligned at the equals sign, as a whole <math> element."""
    cells = "".join(
        f'<mtr><mtd style="text-align: right">{left}</mtd>'
        f'<mtd style="text-align: left"><mrow><mo>=</mo>{right}</mrow></mtd></mtr>'
        for left, right in rows
    )
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block"><mtable>{cells}</mtable></math>'


class _Printer(MathMLPresentationPrinter):  # type: ignore[misc]
    def __init__(
        self, letters: Mapping[sympy.Symbol, Letter], numbers: Mapping[sympy.Basic, str], marked: bool
    ) -> None:
        super().__init__({"mul_symbol": "dot" if numbers else None})
        self._letters, self._numbers, self._marked = letters, numbers, marked
        # SymPy writes entities that only HTML knows, unescaped; as characters they are XML.
        self.dom.createTextNode = lambda text: Document.createTextNode(self.dom, html.unescape(text))

    def element(self, expression: Any) -> Any:
        """The element of an expression."""
        number = self._numbers.get(expression) if isinstance(expression, sympy.Basic) else None
        if number is None:
            return super()._print(expression)
        shown = self.tagged("mn", number)
        return self.row(self.sign("("), shown, self.sign(")")) if number.startswith("-") else shown

    def _print(self, expression: Any, **_: Any) -> Any:
        return self.element(expression)

    def _as_ordered_terms(self, expression: Any, order: Any = None) -> list[Any]:
        return positive_first(super()._as_ordered_terms(expression, order))

    def row(self, *parts: Any) -> Any:
        return self.tagged("mrow", *parts)

    def sign(self, text: str) -> Any:
        return self.tagged("mo", text)

    def bracketed(self, expression: Any) -> Any:
        return self.row(self.sign("("), self.element(expression), self.sign(")"))

    def tagged(self, tag: str, *parts: Any) -> Any:
        """An element with these elements or texts in it."""
        made = self.dom.createElement(tag)
        for part in parts:
            made.appendChild(self.dom.createTextNode(part) if isinstance(part, str) else part)
        return made

    def of_setting(self, letter: Letter, element: Any) -> Any:
        """The element of a letter, marked if it is to be, and the letter is a setting."""
        if self._marked and letter.setting:
            element.setAttribute("data-setting", letter.setting)
        return element

    def _print_Symbol(self, symbol: Any, style: str = "plain") -> Any:
        letter = self._letters.get(symbol)
        if letter is None:
            return super()._print_Symbol(symbol, style)
        if letter.symbol is not None:
            # SymPy reads beta_1 as a letter with an index.
            plain = letter.symbol.replace("\\", "").replace("{", "").replace("}", "")
            return self.of_setting(letter, super()._print_Symbol(sympy.Symbol(plain)))
        name = self.tagged("mi", greek(letter.plain_name) or letter.plain_name)
        if letter.has_hat:
            name = self.tagged("mover", name, self.sign("^"))
        above = "".join(f"({part})" for part in letter.place) + "′" * letter.name.count("'")
        if letter.setting:
            return self.of_setting(letter, self.tagged("msup", name, self.tagged("mi", above)) if above else name)
        index = self.row(self.tagged("mi", "t"), self.sign("-"), self.tagged("mn", "1")) if letter.old else "t"
        below = self.tagged("mi", index) if isinstance(index, str) else index
        if not above:
            return self.tagged("msub", name, below)
        return self.tagged("msubsup", name, below, self.tagged("mi", above))

    def _print_Where(self, expression: Any) -> Any:
        condition, yes, no = expression.args
        lines = [
            (self.element(yes), self.row(self.tagged("mtext", "if "), self.element(condition))),
            (self.element(no), self.tagged("mtext", "otherwise")),
        ]
        rows = [self.tagged("mtr", *(self.tagged("mtd", cell) for cell in line)) for line in lines]
        return self.row(self.sign("{"), self.tagged("mtable", *rows))

    def _print_Norm(self, expression: Any) -> Any:
        return self.row(self.sign("‖"), self.element(expression.args[0]), self.sign("‖"))

    def _print_Total(self, expression: Any) -> Any:
        parts = expression.shown
        if len(parts) == 2:
            one, other = map(self.element, parts)
            return self.row(self.sign("⟨"), one, self.sign(","), other, self.sign("⟩"))
        return self.row(self.sign("∑"), self.bracketed(parts[0])) if parts else self.tagged("mi", "n")

    def _print_Highest(self, expression: Any) -> Any:
        return self.row(self.sign("max"), self.bracketed(expression.args[0]))

    def _print_StandardNormal(self, _: Any) -> Any:
        return self.tagged("msub", self.tagged("mi", "ξ"), self.tagged("mi", "t"))

    def _print_Equality(self, expression: Any) -> Any:
        return self.row(self.element(expression.lhs), self.sign("="), self.element(expression.rhs))
