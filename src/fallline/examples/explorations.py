"""The tutorials' problems as pages of the explorer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fallline.examples.data import recipes
from fallline.explorer.page import Explorer, explore
from fallline.recipes.recipe import Recipe

# The recipes of formulas that are shown, in order.
FORMULAS = (
    "local_minimum",
    "unknown_derivative_momentum",
    "known_derivative",
    "sign_descent",
    "chain_rule",
    "twelve_epochs",
)
# The recipes of neurons, which are told to the page as formulas, and the words for them.
NEURONS = {"neuron_two_points_variants": "A neuron, two points", "neuron_six_points_variants": "A neuron, six points"}
NEURON_STEPS = 300


class Exploration(NamedTuple):
    """A problem that the explorer shows.

    Attributes:
        name: the name of its recipe.
        title: what it is, in a few words.
        formula: what is minimised, as it is typed.
        page: the page.
    """

    name: str
    title: str
    formula: str
    page: Explorer


def explorations() -> Iterator[Exploration]:
    """The problems, one after the other."""
    for name, title in NEURONS.items():
        recipe = Recipe.load(recipes()[name])
        formula = neuron_formula(recipe.objective.X[:, 0], recipe.objective.y)
        starts = [dict(zip(("w", "b"), start, strict=True)) for start in recipe.starts]
        page = explore(formula, starts, recipe.rules, max_steps=NEURON_STEPS)
        yield Exploration(name, title, "sum of (σ(w x + b) − y)²/2", page)
    for name in FORMULAS:
        recipe = Recipe.load(recipes()[name])
        yield Exploration(name, recipe.title, recipe.objective, explore(recipe))


def neuron_formula(X: Sequence[float], y: Sequence[float]) -> str:
    """Half the squared error of a sigmoid neuron with the weight w and the bias b, as a formula.

    Arguments:
        X: the inputs.
        y: the wanted outputs.

    >>> neuron_formula([0.5], [0.2])
    '((1/(1+exp(-(0.5*w+b)))-0.2)**2)/2'
    """
    errors = (f"(1/(1+exp(-({float(x):g}*w+b)))-{float(wanted):g})**2" for x, wanted in zip(X, y, strict=True))
    return f"({' + '.join(errors)})/2"
