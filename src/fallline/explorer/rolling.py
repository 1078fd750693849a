"""Long JavaScript of repeated statements, written as loops: the code of a memory of many steps is traced unrolled."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# A statement repeats when only its whole numbers differ, each by the same amount from one time to the next.
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?![\w.])")
_VARIABLE = re.compile(r"\ba(\d+)\b")
# A comparison, which the array keeps as 1 or 0.
_COMPARISON = re.compile(r"(v\[\d+\])=([^?]*(?:[<>]|==|&&|\|\|)[^?]*)")
# So many statements at most make up what is repeated, and so often at least.
_LONGEST, _FEWEST = 5, 4


@dataclass(frozen=True)
class _Statement:
    """A statement: its text with a mark for each whole number, and these numbers; of a loop, what stands in it."""

    shape: str
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> _Statement:
        return cls(_NUMBER.sub("#", text), tuple(map(int, _NUMBER.findall(text))))


def rolled(text: str) -> str:
    """The body of a function as loops; its variables a0, a1, ... become the elements of one array.

    >>> print(rolled("let a0=0;" + "".join(f"s[{k}*n+i]=a0+a{k + 1};" for k in range(5))))
    const v=new Float64Array(6);v[0]=0;for(let k=0;k<5;k++){s[k*n+i]=v[0]+v[1+k];}
    """
    most = max(map(int, _VARIABLE.findall(text)), default=-1)
    text = re.sub(r"\bs\[i\]", "s[0*n+i]", re.sub(r"\bs\[n\+i\]", "s[1*n+i]", text))
    body = _list(_statements(text))
    return f"const v=new Float64Array({most + 1});{body}"


def _statements(text: str) -> list[str]:
    """The statements of a text, each on its own also where one `const` declares several; loops are whole."""
    found, start, depth = [], 0, 0
    declares = False
    for place, sign in enumerate(text):
        depth += (sign in "({[") - (sign in ")}]")
        if depth:
            continue
        if text.startswith(("const ", "let "), start) and not declares:
            declares = True
        if sign == ";" or (sign == "," and declares) or (sign == "}" and text.startswith("for", start)):
            statement = text[start : place + (sign == "}")].strip()
            if statement:
                found.append(statement)
            start = place + 1
            declares = declares and sign == ","
    return found


def _list(statements: Sequence[str]) -> str:
    """The statements as text, with loops where they repeat."""
    kept = [_Statement.of(_plain(statement)) for statement in statements]
    made, place = [], 0
    while place < len(kept):
        length, times = _repeats(kept, place)
        if times:
            lines = (_repeated(kept[place + k], kept[place + length + k]) for k in range(length))
            made.append(f"for(let k=0;k<{times};k++){{{''.join(lines)}}}")
            place += length * times
        else:
            made.append(_written(kept[place], kept[place].numbers))
            place += 1
    return "".join(made)


def _plain(statement: str) -> str:
    """A statement without its declaration, its variables as elements of v, what a loop holds rolled too."""
    head, block, inner = statement.partition("{")
    if block and head.startswith("for("):
        return f"{head}{{{_list(_statements(inner.removesuffix('}')))}}}"
    bare = _VARIABLE.sub(r"v[\1]", re.sub(r"^(?:const|let) (?=a\d)", "", statement))
    return _COMPARISON.sub(r"\1=+(\2)", bare) + ";"


def _repeats(kept: Sequence[_Statement], place: int) -> tuple[int, int]:
    """How many statements from a place on are repeated together, and how often; the most that are."""
    best = (0, 0)
    for length in range(1, _LONGEST + 1):
        times = 1
        while _goes_on(kept, place, length, times):
            times += 1
        if times >= _FEWEST and length * times > best[0] * best[1]:
            best = (length, times)
    return best


def _goes_on(kept: Sequence[_Statement], place: int, length: int, times: int) -> bool:
    if place + (times + 1) * length > len(kept):
        return False
    for k in range(place, place + length):
        first, second, last, this = (kept[k + time * length] for time in (0, 1, times - 1, times))
        steps = [b - a for a, b in zip(first.numbers, second.numbers, strict=False)]
        if this.shape != first.shape or [b - a for a, b in zip(last.numbers, this.numbers, strict=True)] != steps:
            return False
    return True


def _repeated(first: _Statement, second: _Statement) -> str:
    def number(start: int, step: int) -> str:
        if step == 0:
            return str(start)
        times = "k" if abs(step) == 1 else f"{abs(step)}*k"
        return f"{start}{'+' if step > 0 else '-'}{times}" if start or step < 0 else times

    numbers = [number(a, b - a) for a, b in zip(first.numbers, second.numbers, strict=True)]
    return _written(first, numbers)


def _written(statement: _Statement, numbers: Sequence[int | str]) -> str:
    parts = statement.shape.split("#")
    text = parts[0]
    for number, part in zip(numbers, parts[1:], strict=True):
        # A sum that is multiplied.
        bracketed = isinstance(number, str) and re.search(r"\d[+-]", number) and part.startswith("*")
        text += (f"({number})" if bracketed else str(number)) + part
    return text
