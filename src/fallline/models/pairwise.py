"""Sums over the parts of some rows, added in pairs, pairs of pairs, and so on, wherever each of them is computed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from fallline.arrays import FloatArray

# Σ ℓ at each point, shape (k,), and its gradient, (k, dimension).
Sums = tuple[FloatArray, FloatArray]


class Node(NamedTuple):
    """The sums over 2^level adjacent parts of the rows: those from number · 2^level on."""

    level: int
    number: int
    sums: Sums


def in_pairs(nodes: Iterable[Node]) -> list[Node]:
    """The nodes, given in the order of their parts, with each pair that makes a node of the next level added.

    The level and the number say which two are a pair, so every grouping of the parts ends in the same bits.

    >>> import numpy as np
    >>> parts = [Node(0, number, (np.array([1.0]), np.array([[float(number)]]))) for number in range(5)]
    >>> [(node.level, node.number, float(node.sums[1][0, 0])) for node in in_pairs(parts)]
    [(2, 0, 6.0), (0, 4, 4.0)]
    >>> in_pairs([*in_pairs(parts[:3]), *in_pairs(parts[3:])]) == in_pairs(parts)
    True
    """
    made: list[Node] = []
    for node in nodes:
        made.append(node)
        while len(made) > 1 and _are_pair(*made[-2:]):
            (level, number, (values, gradients)), (_, _, (others, their_gradients)) = made[-2:]
            made[-2:] = [Node(level + 1, number // 2, (values + others, gradients + their_gradients))]
    return made


def _are_pair(left: Node, right: Node) -> bool:
    return left.level == right.level and left.number % 2 == 0 and right.number == left.number + 1
