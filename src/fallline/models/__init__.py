"""Models with data as objectives, and the registry of their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fallline.errors import FalllineError, nearest
from fallline.models.base import Loss
from fallline.models.batches import Batches
from fallline.models.hinge import Hinge, SquaredHinge
from fallline.models.huber import Huber
from fallline.models.linear import Linear
from fallline.models.linear_family import LinearFamily
from fallline.models.logistic import Logistic
from fallline.models.network import Network
from fallline.models.poisson import Poisson
from fallline.models.sigmoid_neuron import SigmoidNeuron
from fallline.models.slices import Slice, principal_directions, random_directions
from fallline.models.softmax import Softmax

Built = TypeVar("Built")

MODELS: dict[str, type[Loss]] = {
    "linear": Linear,
    "huber": Huber,
    "poisson": Poisson,
    "logistic": Logistic,
    "hinge": Hinge,
    "squared_hinge": SquaredHinge,
    "softmax": Softmax,
    "network": Network,
    "sigmoid": SigmoidNeuron,
}

__all__ = [
    "MODELS",
    "Batches",
    "Hinge",
    "Huber",
    "Linear",
    "LinearFamily",
    "Logistic",
    "Loss",
    "Network",
    "Poisson",
    "SigmoidNeuron",
    "Slice",
    "Softmax",
    "SquaredHinge",
    "loss_from_recipe",
    "principal_directions",
    "random_directions",
]


def loss_from_recipe(recipe: Mapping[str, Any]) -> Loss | Batches | Slice:
    """Rebuild the loss, the batches of one, or a slice of either, from its `recipe()`.

    Raises:
        FalllineError: when the recipe names no model known here, or settings it does not have.

    >>> loss = SigmoidNeuron([0.5, 2.5], [0.2, 0.9])
    >>> loss_from_recipe(loss.batches(1, order="sequential").recipe()).title
    'mean squared loss of a sigmoid neuron, 2 rows, sequential batches of 1'
    """
    if recipe.get("type") == "Slice":
        return _build(Slice, recipe, objective=loss_from_recipe(recipe.get("objective", {})))
    if recipe.get("type") == "Batches":
        return _build(Batches, recipe, loss=_loss(recipe.get("loss", {})))
    return _loss(recipe)


def _loss(recipe: Mapping[str, Any]) -> Loss:
    types = {model.__name__: model for model in MODELS.values()}
    name = recipe.get("type")
    if name not in types:
        raise FalllineError(
            "recipe", problem=f"has the type {name!r}", allowed=nearest(str(name), [*types, "Batches", "Slice"])
        )
    return _build(types[name], recipe)


def _build(kind: Callable[..., Built], recipe: Mapping[str, Any], **parts: Any) -> Built:
    settings = {name: value for name, value in recipe.items() if name != "type"} | parts
    try:
        return kind(**settings)
    except TypeError:
        raise FalllineError(
            "recipe", problem=f"gives {recipe['type']} the settings {sorted(settings)}, which do not fit it"
        ) from None
