"""The characters of mathematics: Greek letters by their names, small indices and exponents, numbers with a minus."""

from __future__ import annotations

import unicodedata

_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_LOWERED = str.maketrans("0123456789+-aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
# Those capitals that LaTeX has: no Latin letter looks like them.
_CAPITALS = frozenset(["Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega"])


def greek(name: str) -> str:
    """The Greek letter of a name; empty if it is none.

    >>> greek("lambda"), greek("Delta"), greek("x")
    ('λ', 'Δ', '')
    """
    case = "CAPITAL" if name[:1].isupper() else "SMALL"
    spelt = {"lambda": "lamda"}.get(name.lower(), name.lower())
    try:
        return unicodedata.lookup(f"GREEK {case} LETTER {spelt.upper()}") if name.isascii() and name.isalpha() else ""
    except KeyError:
        return ""


def greek_latex(name: str) -> str:
    r"""The Greek letter of a name in LaTeX; empty if it is none.

    >>> greek_latex("rho"), greek_latex("Alpha")
    ('\\rho', 'Α')
    """
    has_command = name in _CAPITALS or (name.islower() and name != "omicron")
    return greek(name) and (f"\\{name}" if has_command else greek(name))


def number(value: float, digits: int = 4) -> str:
    """A number as text for titles, with a true minus sign.

    >>> number(-0.000123456)
    '−0.0001235'
    """
    return f"{value:.{digits}g}".replace("-", "−")


def raised(exponent: str) -> str:
    """A whole number in small characters above the line.

    >>> raised("-12")
    '⁻¹²'
    """
    return exponent.translate(_RAISED)


def lowered(index: str) -> str:
    """An index in small characters below the line; behind an underscore where there are none for it.

    >>> lowered("12"), lowered("max"), lowered("b")
    ('₁₂', 'ₘₐₓ', '_b')
    """
    small = index.translate(_LOWERED)
    return f"_{index}" if set(index) & set(small) else small
