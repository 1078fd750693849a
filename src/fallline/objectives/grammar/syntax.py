"""From the tokens of one line to a syntax tree: Python's precedence, and what mathematics leaves out.

A product may be written without its sign and a function without its brackets where only one reading is possible;
elsewhere the fault names the readings. What cannot be read is remembered, and reading goes on where it can.
"""

from __future__ import annotations

import itertools
import re

from fallline.objectives.grammar import faults
from fallline.objectives.grammar.cursor import Cursor, Tree, UnreadableError
from fallline.objectives.grammar.juxtaposition import (
    check_product,
    either,
    may_be_factor,
    no_function,
    takes_one,
)
from fallline.objectives.grammar.tokens import Text, Token
from fallline.objectives.grammar.words import (
    CALLED,
    COMPARISONS,
    CONSTANTS,
    FUNCTIONS,
    INDEXED,
)

_INVERSE = ("-1", "⁻¹")
# What may follow the argument of a function that is written without brackets.
_AFTER_BARE = frozenset([*COMPARISONS, "", "+", "-", ")", "]", ",", ";", "|", "if", "else", "and", "or", "=", ".."])


def syntax(text: Text, tokens: list[Token], alone: frozenset[str]) -> Tree | None:
    """The tree of one line; None if it cannot be read.

    Arguments:
        text: the text, which remembers faults.
        tokens: the tokens of the line, brackets matching.
        alone: the names that are used as variables anywhere.
    """
    return _Parser(text, tokens, alone).line()


class _Parser(Cursor):
    # Lines and conditions --------------------------------------------------------------------------------------

    def line(self) -> Tree | None:
        """The whole line."""
        try:
            tree = self.choice()
            if self.token.kind != "end":
                raise self.misplaced()
        except UnreadableError:
            return None
        return tree

    def choice(self) -> Tree:
        """`a if condition else b`, which is where(condition, a, b)."""
        start = self.token.start
        self.deeper(start)
        tree = self.joined("or")
        if self.takes("if"):
            condition = self.joined("or")
            if not self.takes("else"):
                self.fault(start, self.previous.end, faults.WRITE_IF)
                raise UnreadableError
            tree = self.tree("call", start, condition, tree, self.choice(), text="where")
        self.depth -= 1
        return tree

    def joined(self, word: str) -> Tree:
        """Conditions joined by `or`, of conditions joined by `and`."""
        start = self.token.start
        parts = [self.joined("and") if word == "or" else self.comparison()]
        while self.takes(word):
            parts.append(self.joined("and") if word == "or" else self.comparison())
        return parts[0] if len(parts) == 1 else self.tree(word, start, *parts)

    def comparison(self) -> Tree:
        """A sum, `not` a comparison, or sums compared: 0 < x <= 1 means both."""
        start = self.token.start
        if self.takes("not"):
            self.deeper(start)
            tree = self.tree("not", start, self.comparison())
            self.depth -= 1
            return tree
        left = self.sum()
        compared = []
        while self.takes(*COMPARISONS):
            sign = self.previous.text
            right = self.sum()
            compared.append(self.tree("compare", left.start, left, right, text=sign))
            left = right
        if not compared:
            return left
        return compared[0] if len(compared) == 1 else self.tree("and", start, *compared)

    # Sums, products, powers ------------------------------------------------------------------------------------

    def sum(self) -> Tree:
        """a - b + c."""
        start = self.token.start
        parts, inverse = [self.product()], [False]
        while self.takes("+", "-"):
            inverse.append(self.previous.text == "-")
            parts.append(self.product())
        return parts[0] if len(parts) == 1 else self.tree("sum", start, *parts, inverse=tuple(inverse))

    def product(self) -> Tree:
        """a * b / c, and a b where that has one reading."""
        start = self.token.start
        parts, inverse = [self.signed()], [False]
        while True:
            if self.takes("*", "/"):
                inverse.append(self.previous.text == "/")
                parts.append(self.signed())
            elif self.token.kind == "unreadable":
                # It stands for an operator if an operand follows.
                self.take()
                if self.starts_factor() or self.token.text in ("+", "-"):
                    parts.append(self.signed())
                    inverse.append(False)
            elif self.starts_factor():
                between = self.previous, self.token
                right = self.power()
                check_product(self, start, parts[-1], inverse[-1], between, right)
                inverse.append(False)
                parts.append(right)
            else:
                break
        return parts[0] if len(parts) == 1 else self.tree("product", start, *parts, inverse=tuple(inverse))

    def signed(self) -> Tree:
        """A power with its signs."""
        start = self.token.start
        minus = 0
        while self.takes("+", "-"):
            minus += self.previous.text == "-"
        tree = self.power()
        return self.tree("negative", start, tree) if minus % 2 else tree

    def power(self) -> Tree:
        """a ** b, a ^ b or a²; powers bind to the right."""
        start = self.token.start
        tree = self.primary()
        if self.token.kind == "superscript":
            tree = self.tree("power", start, tree, self.superscript())
        if self.takes("**"):
            self.deeper(start)
            exponent = self.signed()
            tree = self.tree("power", start, tree, exponent, text="^")
            self.depth -= 1
        return tree

    def superscript(self) -> Tree:
        """The exponent of x², x⁻¹ or e²ˣ."""
        token = self.take()
        match = re.fullmatch("([+-]?)([0-9]{0,400})([a-z]?)", token.text)
        if not match or not (match[2] or match[3]):
            self.fault(token.start, token.end, faults.EXPONENT)
            raise UnreadableError
        kinds = zip(("number", "name"), match.groups()[1:], strict=True)
        parts = [self.tree(kind, token.start, text=text) for kind, text in kinds if text]
        tree = parts[0] if len(parts) == 1 else self.tree("product", token.start, *parts, inverse=(False, False))
        return self.tree("negative", token.start, tree) if match[1] == "-" else tree

    # Numbers, names, brackets, functions -----------------------------------------------------------------------

    def primary(self) -> Tree:
        """A number, a name, a bracket, a function, |a| or √a."""
        token = self.token
        if token.kind == "number":
            self.take()
            return self.tree("number", token.start, text=token.text)
        if token.kind == "unreadable":
            self.take()
            return self.tree("nothing", token.start)
        if token.kind == "name":
            self.take()
            if token.text in CALLED:
                return self.called(token)
            if self.token.text == "[":
                return self.indexed(token)
            if self.token.text == "." and self.token.kind == "mark":
                raise self.misplaced()
            if self.token.text == "(" and not may_be_factor(self, token.text):
                end = self.end_of_factor()
                self.fault(token.start, end, no_function(token.text, self.text.between(self.token.start, end)))
                while self.token.end <= end and self.token.kind != "end":
                    self.take()
                return self.tree("nothing", token.start)
            return self.tree("name", token.start, text=token.text)
        if self.takes("("):
            return self.bracketed(")")
        if self.takes("|"):
            return self.tree("call", token.start, self.bracketed("|"), text="abs")
        if self.takes("√"):
            return self.root(token)
        raise self.misplaced()

    def bracketed(self, closing: str) -> Tree:
        """What stands inside brackets or bars that are open."""
        start, bars = self.previous.start, self.bars
        self.bars = closing == "|"
        tree = self.choice()
        self.bars = bars
        if not self.takes(closing):
            if closing == "|" and self.token.kind != "unreadable":
                self.fault(start, self.token.end, faults.BAR_NEVER_CLOSED)
                raise UnreadableError
            raise self.misplaced()
        return tree._replace(start=start, end=self.previous.end)

    def root(self, sign: Token) -> Tree:
        """√ and its operand."""
        if self.token.text == "-":
            self.fault(sign.start, self.following.end, faults.WRITE.format(f"√(-{self.following.text})"))
            raise UnreadableError
        self.deeper(sign.start)
        operand = self.primary()
        self.depth -= 1
        inside = self.text.between(operand.start, operand.end)
        if self.token.kind == "superscript" or self.token.text == "**":
            exponent = f"**{self.token.text if self.token.kind == 'superscript' else self.following.text}"
            self.fault(sign.start, self.token.end, either(f"√({inside}{exponent})", f"(√{inside}){exponent}"))
        elif operand.kind == "number" and self.starts_factor():
            right = self.text.between(self.token.start, self.end_of_factor())
            self.fault(sign.start, self.end_of_factor(), either(f"√({inside}*{right})", f"√({inside})*{right}"))
        return self.tree("call", sign.start, operand, text="sqrt")

    def indexed(self, name: Token) -> Tree:
        """x[i]."""
        if name.text.lower() in CALLED:
            self.fault(name.start, self.token.end, faults.WRITE.format(f"{name.text.lower()}(x)"))
            raise UnreadableError
        self.take()
        index = self.choice()
        if not self.takes("]"):
            if self.token.text == ",":
                self.fault(name.start, self.token.end, faults.ONE_INDEX)
                raise UnreadableError
            raise self.misplaced()
        return self.tree("index", name.start, index, text=name.text)

    def called(self, name: Token) -> Tree:
        """A function with its arguments."""
        exponent = self.exponent_of_function(name)
        parts = self.arguments(name) if self.token.text == "(" else [self.bare_argument(name)]
        if [part.kind for part in parts] == ["nothing"]:
            return parts[0]
        tree = self.tree("call", name.start, *parts, text=name.text)
        return tree if exponent is None else self.tree("power", name.start, tree, exponent)

    def arguments(self, name: Token) -> list[Tree]:
        """The arguments in the brackets after a function."""
        self.take()
        parts = []
        self.bars, bars = False, self.bars
        while not self.takes(")"):
            parts.append(self.argument(name))
            if not self.takes(",") and self.token.text != ")":
                raise self.misplaced()
            if self.previous.text == "," and self.token.text == ")":
                raise self.misplaced()
        self.bars = bars
        return parts

    def argument(self, function: Token) -> Tree:
        """An argument, or i=1..3 in a sum."""
        start = self.token.start
        if not (self.token.kind == "name" and self.following.text == "="):
            return self.choice()
        index = self.take()
        self.take()
        if function.text in FUNCTIONS and function.text not in INDEXED:
            self.fault(start, self.token.end, faults.NO_NAMED_ARGUMENT.format(function.text))
            return self.choice()
        low = self.choice()
        if not (self.token.kind == "mark" and self.token.text.startswith("..")):
            self.fault(start, self.previous.end, faults.RANGE_OF.format(index.text))
            raise UnreadableError
        self.take()
        return self.tree("clause", start, low, self.choice(), text=index.text)

    def exponent_of_function(self, name: Token) -> Tree | None:
        """The 2 of sin^2(x)."""
        start = self.token.start
        if self.token.kind == "superscript":
            exponent = self.superscript()
        elif self.token.text == "**" and self.following.kind == "number":
            self.take()
            exponent = self.tree("number", self.take().start, text=self.previous.text)
        elif self.token.text == "**":
            self.take()
            exponent = self.signed()
        else:
            return None
        if exponent.kind != "number" or not exponent.text.isdecimal() or int(exponent.text) < 2:
            is_inverse = f"a{name.text}" in CALLED and self.text.between(start, exponent.end).strip("^*() ") in _INVERSE
            readings = f"a{name.text}(x)", f"1/{name.text}(x)"
            self.fault(
                name.start,
                exponent.end,
                either(*readings) if is_inverse else faults.POWER_LAST.format(name.text),
            )
        return exponent

    def bare_argument(self, name: Token) -> Tree:
        """The x of sin x, the 2 x of sin 2 x, the |x| of ln |x|."""
        start = self.token.start
        if self.token.text == "=":
            self.fault(name.start, self.token.end, faults.IS_THE_FUNCTION.format(name.text))
            raise UnreadableError
        if not takes_one(name.text):
            before = self.tokens[self.place - 2] if self.place > 1 else name
            right = self.power() if self.starts_factor() else None
            told = faults.IN_BRACKETS.format(name.text)
            if right and before.kind in ("name", "number") and before is not name:
                told = faults.WRITE.format(f"{name.text}({before.text}, {self.text.between(right.start, right.end)})")
            self.fault(name.start, self.previous.end, told)
            return self.tree("nothing", start)
        argument = self.bare_operand()
        if argument is None:
            signed = self.token.text == "-" and self.following.kind in ("name", "number")
            inside = f"-{self.following.text}" if signed else "x"
            self.fault(name.start, name.end, faults.WRITE.format(f"{name.text}({inside})"))
            return self.tree("nothing", start)
        self.check_bare(name, argument)
        return argument

    def bare_operand(self) -> Tree | None:
        """A function, a root or |x|, or a product such as 2 pi x; None if nothing of these follows."""
        start = self.token.start
        if self.token.text in CALLED or self.token.text == "√" or (self.token.text == "|" and not self.bars):
            self.deeper(start)
            operand = self.primary()
            self.depth -= 1
            return operand
        parts = []
        if self.token.kind == "number":
            parts.append(self.tree("number", self.take().start, text=self.previous.text))
        while self.token.kind == "name" and self.token.text not in CALLED:
            word = self.take()
            parts.append(
                self.indexed(word) if self.token.text == "[" else self.tree("name", word.start, text=word.text)
            )
            if word.text not in CONSTANTS:
                break
        if len(parts) < 2:
            return parts[0] if parts else None
        return self.tree("product", start, *parts, inverse=(False,) * len(parts))

    def check_bare(self, name: Token, argument: Tree) -> None:
        """Remember a fault if more follows the argument of a function without brackets, which may belong to it."""
        sign = self.token
        before_function = sign.text in ("*", "/") and self.following.text in CALLED
        if sign.text in _AFTER_BARE or sign.kind == "unreadable" or sign.text in CALLED or before_function:
            return
        inside = self.text.between(argument.start, argument.end)
        if sign.kind == "superscript":
            more = f"**{self.take().text}"
        else:
            self.takes("**", "*", "/")
            right = self.signed()
            joint = sign.text if sign.kind == "mark" and sign.text in ("**", "*", "/") else "*"
            more = joint + self.text.between(right.start, right.end)
        readings = f"{name.text}({inside}{more})", f"{name.text}({inside}){more}"
        self.fault(name.start, self.previous.end, either(*readings))


def names_alone(tokens: list[Token]) -> frozenset[str]:
    """The names that are used as variables anywhere: without a bracket, a dot or an = after them."""
    return frozenset(
        token.text
        for token, following in itertools.zip_longest(tokens, tokens[1:])
        if token.kind == "name" and not (following and following.text in ("(", ".", "[", "="))
    )
