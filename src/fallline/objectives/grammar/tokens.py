"""From characters to tokens: numbers, names and marks, each with its position in the text."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from fallline.errors import FalllineError, shortened
from fallline.objectives.grammar import faults
from fallline.objectives.grammar.faults import ALLOWED
from fallline.objectives.grammar.words import CALLED, CONSTANTS, MODULES

# Signs that are written in other ways, one character each.
SAME = str.maketrans(
    {
        **dict.fromkeys("×·⋅∙∗＊", "*"),
        **dict.fromkeys("−–—‐‑－", "-"),
        **dict.fromkeys("÷∕⁄／", "/"),
        **dict.fromkeys("\u200b\ufeff", " "),
        **dict(zip("＋（），；＝＾＜＞", "+(),;=^<>", strict=True)),
    }
)
RAISED_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_RAISED_LETTERS = "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁᵂᵝᵞᵟᶿᵠᵡªº"
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻" + _RAISED_LETTERS
LOWERED_LETTERS = "ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ"
_FRACTIONS = "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"
MARKS = {"^": "**", "≤": "<=", "≥": ">=", "≠": "!=", "π": "pi", ":=": "=", "…": ".."}
# Characters without a meaning, and what to write.
CHARACTERS = {
    "∞": faults.FINITE_ONLY,
    "'": "a formula has no quotes",
    '"': "a formula has no quotes",
    "“": "a formula has no quotes",
    "”": "a formula has no quotes",
    "#": "a formula has no comments",
    "!": "a formula has no factorials; for a condition write not",
    ":": "a formula has no lambda and no slices",
    "%": "write mod(a, b) for a remainder, a/100 for a percentage",
    "∑": "write sum(x[i]**2, i=1..3)",
    "Σ": "write sum(x[i]**2, i=1..3)",
    "Π": "write prod(x[i], i=1..3)",
    "∏": "write prod(x[i], i=1..3)",
    "∛": "write cbrt(x)",
    "‖": "write norm(x, y)",
    "°": "angles are in radians; write x*pi/180",
    "∫": "a formula has no integrals",
    "&": "write and",
    "&&": "write and",
    "<>": "write !=",
    "=>": "write >=",
    "=<": "write <=",
    "->": "write f(x) = x**2",
    "↦": "write f(x) = x**2",
    "→": "write f(x) = x**2",
}
# Words of conditions, which are tokens of their own.
WORDS = ("if", "else", "and", "or", "not")
_PYTHON = "|".join(word for word in keyword.kwlist if word not in WORDS)
# Other languages: nothing else of such a text is worth a fault.
LANGUAGES = (
    (r"\\|\$", "a formula is not LaTeX; write, for example, sqrt(x)/2"),
    (r"[{}]", "use round brackets, and x_1 or x[1] for an index"),
    (r"\?|\bPiecewise\(|^\s*=\s*IF\(", "write where(condition, a, b)"),
    (r"\bin\s+[0-9]+\s*\.\.", "write the range as i=1..3"),
    (r"\bfor\b", "write a sum with its range: sum(x[i]**2, i=1..3)"),
    (rf"\b(?:{_PYTHON})\b", f"it is a word of Python, not of a formula. {ALLOWED}"),
    (
        r"\bd(?:\^?[0-9²³])?[a-z]?\s*/\s*d[a-z]|∂|(?<=[A-Za-z)])['′]+(?=\s*[(+\-*/^=])|(?<=\w)''",
        "write the function itself, not its derivative",
    ),
)
_LETTER = rf"(?![π{_RAISED}{_FRACTIONS}{LOWERED_LETTERS}₀-₉])"
TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
    rf"|[{_FRACTIONS}])"
    rf"|(?P<superscript>[{_RAISED}]+)"
    rf"|(?P<name>π|{_LETTER}[^\W\d](?:{_LETTER}\w)*(?:[₀-₉]+|[{LOWERED_LETTERS}])?)"
    r"|(?P<mark>\*\*|//|\.\.+|[<>=!:]=|=[<>]|<>|->|&&|[-+*/^(),;=.\n\[\]|<>√≤≥≠…])|(?P<space>[^\S\n]+)"
)
MOST_FAULTS = 5


def problem_with(name: str) -> str | None:
    """Why a name cannot be a variable or a step; None where it can.

    >>> problem_with("sin"), problem_with("x1")
    ('sin is the function; use another name', None)
    """
    if name in CALLED or name in CONSTANTS:
        return (faults.IS_THE_CONSTANT if name in CONSTANTS else faults.IS_THE_FUNCTION).format(name)
    if not name.isidentifier() or keyword.iskeyword(name):
        return faults.NO_NAME
    if name.lower() in ("pi", "inf", "nan", "oo", "infinity"):
        return faults.WRITE_PI if name.lower() == "pi" else faults.FINITE_ONLY
    return None


class Token(NamedTuple):
    """A number, a name or a mark: a piece of the text."""

    kind: str  # "number", "name", "word", "mark", "superscript", "unreadable", "end"
    text: str
    start: int
    end: int


class Text:
    """The text of a formula, and what cannot be read in it."""

    def __init__(self, written: str) -> None:
        self.written = re.sub(r"\r\n?", "\n", written)
        self.faults: dict[str, str] = {}

    def fault(self, part: str, problem: str) -> None:
        """Remember a part of the text that cannot be read; the same problem only once."""
        self.faults.setdefault(problem, part)

    def check(self) -> None:
        """Raise the error that names everything that cannot be read.

        Raises:
            FalllineError: when there is anything.
        """
        if not self.faults:
            return
        told = [faults.AT.format(shortened(part), problem) for problem, part in self.faults.items()]
        more = faults.MORE_FAULTS.format(len(told) - MOST_FAULTS) if len(told) > MOST_FAULTS else ""
        places = "; ".join(told[:MOST_FAULTS]) + more
        if ALLOWED in places:
            # The list of all that is allowed is told once.
            places = places.replace(f". {ALLOWED}", "").replace(f" {ALLOWED}", "")
            places += f" {ALLOWED}" if places.endswith("?") else f". {ALLOWED}"
        raise FalllineError("objective", problem=faults.CANNOT_BE_READ.format(shortened(self.written.strip()), places))

    def of(self, tokens: list[Token]) -> str:
        """The text from the first token to the last, on one line."""
        return self.between(tokens[0].start, tokens[-1].end)

    def between(self, start: int, end: int) -> str:
        """A part of the text, on one line."""
        return " ".join(self.written[start:end].split())

    def tokens(self) -> list[Token]:
        """The tokens, in order; the end of a line is a token, other white space is not.

        Raises:
            FalllineError: when the text is of another language.
        """
        for pattern, told in LANGUAGES:
            if found := re.search(pattern, self.written):
                self.fault(self._around(found.start()), told)
                self.check()
        tokens: list[Token] = []
        for token in self._pieces():
            if token.kind == "unreadable" and tokens and tokens[-1].kind == "unreadable":
                continue
            if token.text in CALLED or token.text in CONSTANTS:
                # np.sin is sin.
                while len(tokens) > 1 and tokens[-1].text == "." and tokens[-2].text in MODULES:
                    del tokens[-2:]
            tokens.append(token)
        return tokens

    def _pieces(self) -> Iterator[Token]:
        plain = self.written.translate(SAME)
        position = 0
        while position < len(plain):
            match = TOKEN.match(plain, position)
            end = match.end() if match else position + 1
            kind, found = (str(match.lastgroup), match.group()) if match else ("unreadable", plain[position])
            if found in CHARACTERS or kind == "unreadable":
                kind = "unreadable"
                told = faults.NO_MEANING.format(repr(found))
                self.fault(self._around(position), CHARACTERS.get(found, told))
            elif kind == "name":
                kind, found = self._word(found)
            elif kind == "number":
                kind, found = self._number(found)
            elif kind == "superscript":
                found = unicodedata.normalize("NFKC", found.translate(RAISED_DIGITS))
            if kind != "space":
                yield Token(kind, MARKS.get(found, found), position, end)
            position = end

    def _around(self, position: int) -> str:
        """What stands around a position, in whole words."""
        left, right = max(0, position - 10), min(len(self.written), position + 10)
        while left and self.written[left - 1].isalnum():
            left -= 1
        while right < len(self.written) and self.written[right].isalnum() and right < position + 40:
            right += 1
        return self.written[left:right].strip() or " "

    def _number(self, found: str) -> tuple[str, str]:
        """The kind of a number, and its digits: 1/2 for ½."""
        problem = faults.NUMBER_TOO_LONG if len(found) > 400 else None
        if re.match("0[0-9]", found):
            problem = faults.BEGINS_WITH_0
        if problem:
            self.fault(found, problem)
        return "unreadable" if problem else "number", unicodedata.normalize("NFKC", found).replace("⁄", "/")

    def _word(self, found: str) -> tuple[str, str]:
        """The kind of a name, and the name; ones that cannot be used are remembered as faults."""
        if found in WORDS:
            return "word", found
        name = unicodedata.normalize("NFKC", found)
        if found[-1] in LOWERED_LETTERS:
            name = f"{name[:-1]}_{name[-1]}"
        known = name in CALLED or name in CONSTANTS or name in MARKS
        problem = None if known else problem_with(name) if name.isidentifier() else faults.WRITE.format(name)
        if problem:
            self.fault(found, problem)
        return "unreadable" if problem else "name", name
