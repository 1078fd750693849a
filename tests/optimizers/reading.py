"""Reads formulas in LaTeX and in MathML back as Python expressions of NumPy's functions, and computes these."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from typing import Any

import numpy as np

# The functions by the names that formulas have for them; of one argument, `max` and `sum` are over the coordinates.
FUNCTIONS: dict[str, Any] = {
    **{name: getattr(np, name) for name in ("sqrt", "cbrt", "abs", "sign", "exp", "log", "tanh", "where")},
    "Mod": np.mod,
    "mod": np.mod,
    "max": lambda *parts: np.maximum.reduce(np.broadcast_arrays(*parts)) if len(parts) > 1 else np.max(parts[0]),
    "min": lambda *parts: np.minimum.reduce(np.broadcast_arrays(*parts)),
    "norm": np.linalg.norm,
    "dot": np.dot,
}


def computed(text: str, known: Mapping[str, Any]) -> Any:
    """The value of a formula in plain text."""
    with np.errstate(all="ignore"):
        return eval(text, {}, {**FUNCTIONS, **known})  # noqa: S307 - a formula that the library wrote


SIGNS = {
    "\u2062": "*",
    "·": "*",
    "=": "==",
    "≠": "!=",
    "∑": "sum",
    "≥": ">=",
    "≤": "<=",
    "{": "",
    "⟨": "dot(",
    "⟩": ")",
}


def of_mathml(text: str, names: Mapping[str, str]) -> str:
    """A formula in presentation MathML as Python, with names for the elements of its symbols."""
    for symbol in sorted(names, key=len, reverse=True):
        text = text.replace(symbol, f"<mi>{names[symbol]}</mi>")
    return _of_element(ElementTree.fromstring(text))


def _of_element(element: ElementTree.Element) -> str:
    parts = [_of_element(part) for part in element]
    match element.tag, parts:
        case "mfrac", (upper, lower):
            return f"(({upper})/({lower}))"
        case "msup", (base, exponent):
            return f"(({base})**({exponent}))"
        case "mroot", (inside, "3"):
            return f"cbrt({inside})"
        case "msqrt", _:
            return f"sqrt({''.join(parts)})"
        case "mtable", _:
            (yes, condition), (no, _) = (map(_of_element, row) for row in element)
            return f"where({condition}, {yes}, {no})"
        case "mrow", ("‖", *inside, "‖"):
            return f"norm({''.join(inside)})"
        case "mrow", ("|", *inside, "|"):
            return f"abs({''.join(inside)})"
        case "mo", _:
            return SIGNS.get(element.text or "", element.text or "")
        case "mtext", _:
            return ""
        case _:
            return "".join(parts) or element.text or ""


# What is no symbol: commands, words in a formula, and single signs.
COMMANDS = r"\\text\{[^}]*\}|\\operatorname\{\w+\}|\\mathrm\{mod\}|\\[a-zA-Z]+|\\."
SPELLINGS = (
    (r"\\left\\\|", "norm("), (r"\\left\\langle", "dot("), (r"\\left\|", "abs("),
    (r"\\right(\\\||\\rangle|\||\))", ")"),
    (r"\\sum\\left", "sum"), (r"\\(max|min)\\left", r"\1"), (r"\\left", ""), (r"\\operatorname\{(\w+)\}", r"\1"),
    (r"\\(log|exp|tanh)", r"\1"), (r"\\text\{if \}", ""), (r"\\cdot|\\,", "*"), (r"\\;\\mathrm\{mod\} ?\\;", "%"),
    (r"=", "=="), (r"\\neq", "!="), (r"\\geq", ">="), (r"\\leq", "<="),
)  # fmt: skip
INSIDE = (
    (r"\\begin\{cases\}([^&]*)&([^&]*?)\\\\([^&]*)&[^&]*?\\end\{cases\}", r"where(\2, \1, \3)"),
    (r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))"),
    (r"\\sqrt\[3\]\{([^{}]*)\}", r"cbrt(\1)"),
    (r"\\sqrt\{([^{}]*)\}", r"sqrt(\1)"),
    (r"\^\{([^{}]*)\}", r"**(\1)"),
    (r"(?<![\w}])\{([^{}]*)\}", r"(\1)"),
    (r"\b(sign|log|exp|tanh)\{([^{}]*)\}", r"\1(\2)"),
)


def of_latex(text: str, names: Mapping[str, str]) -> str:
    """A formula in LaTeX as Python, with names for its symbols."""
    symbols = "|".join(re.escape(symbol) for symbol in sorted(names, key=len, reverse=True))
    text = re.sub(f"({symbols or '(?!)'})|{COMMANDS}", lambda found: f" {names[found[1]]} " if found[1] else found[0], text)
    for spelling, instead in SPELLINGS:
        text = re.sub(spelling, instead, text)
    before = ""
    while text != before:
        before = text
        for spelling, instead in INSIDE:
            text = re.sub(spelling, instead, text)
    # What stands side by side is multiplied.
    return re.sub(r"(?<=[\w)])\s+(?=[\w(])", " * ", text.strip())
