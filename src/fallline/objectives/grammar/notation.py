"""A formula as it is written by hand: from its syntax tree, in plain characters or in LaTeX."""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from fallline.letters import greek, greek_latex, lowered, raised
from fallline.objectives.grammar.cursor import Tree
from fallline.objectives.grammar.definitions import definitions
from fallline.objectives.grammar.tokens import Text

# How strongly each kind binds its parts; what is not listed stands as one word.
_BINDS = {"or": 1, "and": 2, "not": 3, "compare": 4, "sum": 5, "product": 6, "negative": 6, "power": 8}
_WORD = 9
_FRACTIONS = {unicodedata.normalize("NFKC", sign).replace("⁄", "/"): sign for sign in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"}
# Functions whose names papers write with a backslash; other names are upright all the same.
_UPRIGHT = frozenset(["sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "ln", "min", "max"])
# Functions whose names are not written, or take no exponent.
_NO_EXPONENT = frozenset(["sqrt", "cbrt", "abs", "norm", "exp", "where", "sum", "prod"])
_LOGARITHMS = frozenset(["log10", "log2"])


def in_plain_text(formula: str) -> str:
    """A formula in characters alone, as a page or a file's name of a film can hold it.

    >>> in_plain_text("100*(y - x**2)**2 + (1 - x)**2"), in_plain_text("x**2/2 + 8*sin(x)**2")
    ('100 (y − x²)² + (1 − x)²', 'x²/2 + 8 sin²(x)')
    """
    return _written(formula, _Plain())


def in_latex(formula: str) -> str:
    """A formula in the LaTeX that Matplotlib's mathtext takes too.

    >>> print(in_latex("100*(y - x**2)**2 + sqrt(beta1*x/2)"))
    100 \\left(y - x^{2}\\right)^{2} + \\sqrt{\\frac{\\beta_{1} x}{2}}
    """
    return _written(formula, _Latex())


def is_name(formula: str) -> bool:
    """Whether a formula is one name alone, as that of a Python function would be."""
    trees = [tree for _, tree in _lines(formula)]
    return [tree.kind for tree in trees] == ["name"]


def _lines(formula: str) -> list[tuple[str, Tree]]:
    text = Text(formula)
    return [(line.name or "", line.tree) for line in definitions(text, text.tokens()) if line.tree is not None]


def _written(formula: str, notation: _Notation) -> str:
    lines = [(f"{notation.name(name)} = " if name else "") + notation.of(tree) for name, tree in _lines(formula)]
    return notation.between_lines.join(lines)


def _split(name: str) -> tuple[str, str]:
    """A name's letters and its index: x1 and x_1 are x with the index 1."""
    letters, line, index = name.rpartition("_")
    if line and letters and (len(letters) == 1 or greek(letters)) and index:
        return letters, index
    letters = name.rstrip("0123456789")
    return (letters, name[len(letters) :]) if len(letters) == 1 or greek(letters) else (name, "")


class _Notation(ABC):
    """Writes a syntax tree out; the two notations differ in how they write each kind of part."""

    between_lines: str
    minus: str

    def of(self, tree: Tree) -> str:
        """The text of a tree."""
        match tree.kind:
            case "sum":
                made = self.within(tree.parts[0], _BINDS["sum"])
                for minus, part in tree.signed[1:]:
                    made += f" {self.minus if minus else '+'} {self.unsigned(self.within(part, _BINDS['sum'] + 1))}"
                return made
            case "product":
                return self.product(tree)
            case "negative":
                return self.minus + self.unsigned(self.within(tree.parts[0], _BINDS["product"]))
            case "power":
                return self.power(*tree.parts)
            case "compare":
                one, other = (self.within(part, _BINDS["sum"]) for part in tree.parts)
                return f"{one} {self.signs.get(tree.text, tree.text)} {other}"
            case "and" | "or":
                parts = [self.within(part, _BINDS[tree.kind] + 1) for part in tree.parts]
                return self.word(f" {tree.kind} ").join(parts)
            case "not":
                return self.word("not ") + self.within(tree.parts[0], _BINDS["not"])
            case "call":
                return self.call(tree.text, tree.parts)
            case "index":
                return self.indexed(tree.text, self.of(tree.parts[0]))
            case "name":
                return self.name(tree.text)
            case "number":
                return self.number(tree.text)
        return tree.text

    def within(self, tree: Tree, least: int) -> str:
        """A part of an operation, in brackets unless it binds at least this strongly."""
        return self.of(tree) if self.binds(tree) >= least else self.bracketed(self.of(tree))

    def unsigned(self, text: str) -> str:
        """What stands behind a sign: in brackets if it begins with one."""
        return self.bracketed(text) if text.startswith(self.minus) else text

    def binds(self, tree: Tree) -> int:
        """How strongly a tree binds its parts; a number such as 2e-5 is written as a product, 1e-5 as a power."""
        if tree.kind == "number" and "e" in tree.text.lower():
            return _BINDS["power"] if tree.text.lower().startswith("1e") else _BINDS["product"] + 1
        return _BINDS.get(tree.kind, _WORD)

    def factors(self, trees: Sequence[Tree]) -> str:
        """Factors side by side."""
        made = ""
        for place, tree in enumerate(trees):
            is_part = place > 0 or (len(trees) > 1 and (_is_quotient(tree) or tree.kind == "call"))
            text = self.within(tree, _BINDS["product"] + is_part)
            if place:
                words = any(_is_word(one) for one in trees[place - 1 : place + 1])
                short = all(_is_short(one) for one in trees[place - 1 : place + 1]) and text[0].isalpha()
                called = "call" in (tree.kind, *(part.kind for part in tree.parts[:1] if tree.kind == "power"))
                apart = self.before_call if called else self.beside if short else " "
                made += (
                    self.times
                    if text[0].isdigit() or words or (self.on_one_line and _runs_on(trees[place - 1]))
                    else apart
                )
            made += text
        return made or "1"

    def name(self, name: str) -> str:
        """A name, with its index."""
        letters, index = _split(name)
        return self.indexed(letters, index) if index else self.letters(letters)

    def number(self, text: str) -> str:
        """A number; with a power of ten where it was written with one."""
        mantissa, e, power = text.lower().partition("e")
        if not e:
            return mantissa
        times = "" if mantissa == "1" else f"{mantissa}{self.times}"
        return f"{times}{self.raised('10', str(int(power)))}"

    times: str
    # Between a number and a letter, or letters; and between a factor and a function after it.
    beside: str
    before_call: str
    signs: Mapping[str, str]
    on_one_line: bool

    @abstractmethod
    def product(self, tree: Tree) -> str:
        """A product and quotient."""

    @abstractmethod
    def power(self, base: Tree, exponent: Tree) -> str:
        """A power; that of a function's value stands at its name."""

    @abstractmethod
    def call(self, name: str, parts: Sequence[Tree], above: str = "") -> str:
        """A function of its arguments, with an exponent at its name."""

    @abstractmethod
    def raised(self, base: str, exponent: str) -> str:
        """A power of what is written already."""

    @abstractmethod
    def indexed(self, letters: str, index: str) -> str:
        """A name with its index."""

    @abstractmethod
    def letters(self, name: str) -> str:
        """A name without an index."""

    @abstractmethod
    def bracketed(self, text: str) -> str:
        """In round brackets."""

    @abstractmethod
    def word(self, text: str) -> str:
        """A word between formulas, with its spaces."""


def _is_quotient(tree: Tree) -> bool:
    """Whether a factor after it would be read as part of its divisor."""
    return any(tree.inverse) if tree.kind == "product" else tree.kind == "negative" and _is_quotient(tree.parts[0])


def _runs_on(tree: Tree) -> bool:
    """Whether its end is not seen on one line: a factor after x^y could be read as part of the exponent."""
    if tree.kind in ("negative", "product"):
        return _runs_on(tree.parts[-1])
    if tree.kind == "call":
        return tree.text in ("abs", "sqrt")
    return tree.kind == "power" and not tree.parts[1].text.isdecimal()


def _is_over_index(tree: Tree) -> bool:
    """Whether it is a sum or product over an index."""
    return tree.text in ("sum", "prod") and tree.parts[-1].kind == "clause"


def _is_short(tree: Tree) -> bool:
    """Whether a factor is a number, or a letter, with its index or exponent."""
    base = tree.parts[0] if tree.kind == "power" else tree
    return base.kind in ("number", "index") or (base.kind == "name" and not _is_word(base))


def _is_word(tree: Tree) -> bool:
    """Whether a factor is a name of several letters."""
    letters = _split(tree.text)[0]
    return tree.kind == "name" and len(letters) > 1 and not greek(letters)


def _stands_at_name(base: Tree, exponent: Tree) -> bool:
    """Whether an exponent is written at the function's name, as in sin²(x)."""
    is_count = exponent.kind == "number" and exponent.text.isdecimal()
    return base.kind == "call" and base.text.isalpha() and base.text not in _NO_EXPONENT and is_count


class _Plain(_Notation):
    between_lines, minus, times, beside, before_call = "; ", "−", " · ", "", " "
    signs = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}
    on_one_line = True

    def product(self, tree: Tree) -> str:
        # Side by side up to the first quotient; what follows it would be read as its divisor.
        count = tree.inverse.index(True) if any(tree.inverse) else len(tree.parts)
        made = self.factors(tree.parts[:count])
        for divides, part in tree.signed[count:]:
            sign, least = ("/", _BINDS["power"]) if divides else (self.times, _BINDS["product"] + 1)
            made += sign + self.within(part, least)
        return made

    def power(self, base: Tree, exponent: Tree) -> str:
        above = self.of(exponent)
        if _stands_at_name(base, exponent):
            return self.call(base.text, base.parts, raised(above))
        is_word = exponent.kind in ("number", "name") and self.binds(exponent) == _WORD
        return self.raised(self.base(base), above if is_word else f"({above})")

    def base(self, tree: Tree) -> str:
        """What is raised to a power; a root in brackets, since its own sign has no end."""
        return self.bracketed(self.of(tree)) if tree.text == "sqrt" else self.within(tree, _WORD)

    def call(self, name: str, parts: Sequence[Tree], above: str = "") -> str:
        inside = ", ".join(map(self.of, parts))
        if name == "abs":
            return f"|{inside}|"
        if name == "norm":
            return f"‖({inside})‖"
        if name == "sqrt":
            return f"√{inside}" if parts[0].kind in ("name", "number") else f"√({inside})"
        if name in _LOGARITHMS:
            name = name[:3] + lowered(name[3:])
        return f"{({'sum': '∑', 'prod': '∏'}).get(name, name)}{above}({inside})"

    def of(self, tree: Tree) -> str:
        if tree.kind == "number" and "/" in tree.text:
            return _FRACTIONS[tree.text]
        if tree.kind == "clause":
            low, high = map(super().of, tree.parts)
            return f"{tree.text} = {low} … {high}"
        if tree.kind == "power" and tree.parts[1].kind == "negative" and tree.parts[1].parts[0].text.isdecimal():
            return self.raised(self.base(tree.parts[0]), f"-{tree.parts[1].parts[0].text}")
        return super().of(tree)

    def raised(self, base: str, exponent: str) -> str:
        is_whole = exponent.removeprefix("-").isdecimal()
        return base + (raised(exponent) if is_whole else f"^{exponent}")

    def indexed(self, letters: str, index: str) -> str:
        return self.letters(letters) + (lowered(index) if index.isalnum() else f"[{index}]")

    def letters(self, name: str) -> str:
        return greek(name) or name

    def bracketed(self, text: str) -> str:
        return f"({text})"

    def word(self, text: str) -> str:
        return text


class _Latex(_Notation):
    between_lines, minus, times, beside, before_call = r",\quad ", "-", r" \cdot ", " ", r" \, "
    signs = {"<=": r"\leq", ">=": r"\geq", "==": "=", "!=": r"\neq"}
    on_one_line = False

    def product(self, tree: Tree) -> str:
        above, below = ([part for divides, part in tree.signed if divides == is_below] for is_below in (False, True))
        if not below:
            return self.factors(above)
        # One factor alone above or below the bar needs no brackets.
        top, bottom = (self.of(some[0]) if len(some) == 1 else self.factors(some) for some in (above, below))
        return rf"\frac{{{top}}}{{{bottom}}}"

    def power(self, base: Tree, exponent: Tree) -> str:
        if _stands_at_name(base, exponent):
            return self.call(base.text, base.parts, f"^{{{exponent.text}}}")
        return self.raised(self.within(base, _WORD), self.of(exponent))

    def call(self, name: str, parts: Sequence[Tree], above: str = "") -> str:
        inside = list(map(self.of, parts))
        match name:
            case "abs":
                return rf"\left|{inside[0]}\right|"
            case "norm":
                return rf"\left\|\left({', '.join(inside)}\right)\right\|"
            case "sqrt":
                return rf"\sqrt{{{inside[0]}}}"
            case "cbrt":
                return rf"\sqrt[3]{{{inside[0]}}}"
            case "where":
                return rf"\left\{{{inside[1]} \text{{ if }} {inside[0]}, \text{{ otherwise }} {inside[2]}\right\}}"
            case "sum" | "prod" if parts[-1].kind == "clause":
                low, high = map(self.of, parts[-1].parts)
                each = self.bracketed(inside[0]) if parts[0].kind == "sum" else inside[0]
                return rf"\{name}_{{{parts[-1].text}={low}}}^{{{high}}} {each}"
        letters, base = (name[:3], name[3:]) if name in _LOGARITHMS else (name, "")
        shown = rf"\{letters}" if letters in _UPRIGHT else rf"\mathrm{{{letters}}}"
        shown += f"_{{{base}}}" if base else ""
        return rf"{shown}{above}\left({', '.join(inside)}\right)"

    def binds(self, tree: Tree) -> int:
        # What follows a sum over an index would be read as part of it.
        return _BINDS["product"] if _is_over_index(tree) else super().binds(tree)

    def of(self, tree: Tree) -> str:
        if tree.kind == "number" and "/" in tree.text:
            above, below = tree.text.split("/")
            return rf"\frac{{{above}}}{{{below}}}"
        return super().of(tree)

    def raised(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"

    def indexed(self, letters: str, index: str) -> str:
        return f"{self.letters(letters)}_{{{index}}}"

    def letters(self, name: str) -> str:
        if len(name) == 1 or greek(name):
            return greek_latex(name) or name
        return rf"\mathrm{{{name}}}".replace("_", r"\_")

    def bracketed(self, text: str) -> str:
        return rf"\left({text}\right)"

    def word(self, text: str) -> str:
        return rf"\text{{{text}}}"
