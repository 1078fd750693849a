"""From the text of one expression to terms, by Python's parser: the syntax tree is walked, never executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from fractions import Fraction

from fallline.objectives.grammar import terms
from fallline.objectives.grammar.definitions import Definition
from fallline.objectives.grammar.notation import MAX_DEPTH
from fallline.objectives.grammar.terms import NoValueError, Term
from fallline.objectives.grammar.tokens import Text
from fallline.objectives.grammar.words import ALLOWED


class Expression:
    """The expression of one line.

    Attributes:
        known: what each name stands for.
    """

    def __init__(self, text: Text, line: Definition, known: Mapping[str, Term]) -> None:
        self.text = text
        self.line = line
        self.known = known
        # Replaced in the text, so that ^ has the precedence of a power.
        self.source = line.expression.replace("^", "**")

    def read(self) -> Term:
        """The expression as a term.

        Raises:
            FalllineError: naming the part that has no meaning or no value.
        """
        if self.line.open:
            raise self.text.error(self.line.expression[-20:], f"nothing follows the {self.line.open}")
        try:
            tree = ast.parse(self.source, mode="eval")
        except SyntaxError as error:
            part = self.source[max(0, (error.offset or 1) - 1) :][:20]
            raise self.text.error(part or self.source[-20:], f"it does not fit there. {ALLOWED}") from None
        return self._term(tree.body, 0)

    def _term(self, node: ast.expr, depth: int) -> Term:
        if depth > MAX_DEPTH:
            raise self.text.error(self._segment(node), f"operations are nested more than {MAX_DEPTH} deep")
        try:
            term = self._made(node, depth + 1)
        except NoValueError as error:
            raise self.text.error(self._segment(node), str(error)) from None
        return term

    def _made(self, node: ast.expr, depth: int) -> Term:
        """The term of a node of the tree, whose parts are read at the next depth."""
        match node:
            case ast.Constant(value=int() | float() as value):
                return terms.number(Fraction(value) if isinstance(value, int) else value)
            case ast.Name(id=name):
                return self.known[name]
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._term(operand, depth)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return terms.negative(self._term(operand, depth))
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                addends = self._operands(node, depth, ast.Add, ast.Sub)
                return terms.total(terms.negative(addend) if minus else addend for minus, addend in addends)
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                return terms.product(self._operands(node, depth, ast.Mult, ast.Div))
            case ast.BinOp(op=ast.Pow(), left=base, right=exponent):
                return terms.power(self._term(base, depth), self._term(exponent, depth))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return terms.call(name, [self._term(argument, depth) for argument in arguments])
        raise NoValueError(f"it has no meaning in a formula. {ALLOWED}")

    def _operands(self, node: ast.expr, depth: int, *operators: type[ast.operator]) -> Iterator[tuple[bool, Term]]:
        """The operands of a chain such as a - b + c, without recursion; True after the second operator."""
        operands = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, operators):
            operands.append((isinstance(node.op, operators[1]), node.right))
            node = node.left
        for second, operand in [(False, node), *reversed(operands)]:
            yield second, self._term(operand, depth)

    def _segment(self, node: ast.expr) -> str:
        # The tree's offsets count bytes.
        return self.source.encode()[node.col_offset : node.end_col_offset].decode()
