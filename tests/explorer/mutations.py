"""Texts with some of their characters changed, as a careless copy leaves them, or one who means harm."""

from __future__ import annotations

import random
from collections.abc import Sequence


def mutated(text: str, chance: random.Random, signs: str, pieces: Sequence[str]) -> str:
    """The text with some characters changed, doubled, cut or moved, most often digits.

    Arguments:
        chance: what draws.
        signs: characters that stand in for others.
        pieces: what is put in.
    """
    letters = list(text)
    for _ in range(chance.choice([1, 1, 1, 2, 3, 12])):
        at = chance.randrange(len(letters)) if letters else 0
        match chance.randrange(8):
            case 0:
                letters[at : at + 1] = chance.choice(signs)
            case 1:
                letters[at:at] = letters[at : at + chance.randint(1, 30)]
            case 2:
                del letters[at : at + chance.randint(1, 10)]
            case 3:
                letters[at:at] = chance.choice(pieces)
            case 4:
                end = at + chance.randint(1, 20)
                moved, letters[at:end] = letters[at:end], []
                to = chance.randint(0, len(letters))
                letters[to:to] = moved
            case _:
                # Mostly still right.
                digits = [place for place, letter in enumerate(letters) if letter.isdigit()]
                if digits:
                    letters[chance.choice(digits)] = chance.choice("0123456789")
    return "".join(letters)
