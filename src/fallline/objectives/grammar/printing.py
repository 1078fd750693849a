"""The reading of a formula: its syntax tree as text, with every sign and bracket written."""

from __future__ import annotations

from fallline.objectives.grammar.cursor import Tree

# How strongly each kind binds its parts; what is not listed stands as one word.
_BINDS = {"or": 1, "and": 2, "not": 3, "compare": 4, "sum": 5, "product": 6, "negative": 7, "power": 8}
_WORD = 9


def printed(tree: Tree) -> str:
    """A tree as text, which is read as the same tree.

    >>> from fallline.objectives.grammar.syntax import syntax
    >>> from fallline.objectives.grammar.tokens import Text
    >>> text = Text("2sin²x + 3(x - 1)/|x|")
    >>> printed(syntax(text, text.tokens(), frozenset()))
    '2*sin(x)**2 + 3*(x - 1)/abs(x)'
    """
    parts = tree.parts
    match tree.kind:
        case "sum":
            return _chain(tree, " + ", " - ")
        case "product":
            return _chain(tree, "*", "/")
        case "negative":
            return f"-{_within(parts[0], _BINDS['product'])}"
        case "power":
            return f"{_within(parts[0], _WORD)}**{_within(parts[1], _BINDS['negative'])}"
        case "compare":
            return f"{_within(parts[0], _BINDS['sum'])} {tree.text} {_within(parts[1], _BINDS['sum'])}"
        case "and" | "or":
            return f" {tree.kind} ".join(_within(part, _BINDS[tree.kind] + 1) for part in parts)
        case "not":
            return f"not {_within(parts[0], _BINDS['not'])}"
        case "call":
            return f"{tree.text}({', '.join(map(printed, parts))})"
        case "index":
            return f"{tree.text}[{printed(parts[0])}]"
        case "clause":
            return f"{tree.text}={printed(parts[0])}..{printed(parts[1])}"
    return f"({tree.text})" if "/" in tree.text else tree.text


def _chain(tree: Tree, forward: str, inverse: str) -> str:
    first, binds = tree.parts[0], _BINDS[tree.kind]
    words = [_within(first, binds + (first.kind == tree.kind))]
    for inverted, part in tree.signed[1:]:
        words += [inverse if inverted else forward, _within(part, binds + 1)]
    return "".join(words)


def _within(tree: Tree, least: int) -> str:
    """A part of an operation, in brackets unless it binds at least this strongly."""
    text = printed(tree)
    return text if _binds(tree) >= least else f"({text})"


def _binds(tree: Tree) -> int:
    """How strongly a tree binds its parts; the sign before a product, as the product does."""
    is_signed_product = tree.kind == "negative" and _binds(tree.parts[0]) == _BINDS["product"]
    return _BINDS["product"] if is_signed_product else _BINDS.get(tree.kind, _WORD)
