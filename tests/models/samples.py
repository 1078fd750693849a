"""Losses of every model on random data, for the tests of what all of them promise."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from fallline.models import MODELS, Loss
from fallline.models.activations import ACTIVATIONS
from fallline.models.base import Reduction

NAMES = sorted(MODELS)
REDUCTIONS: st.SearchStrategy[Reduction] = st.sampled_from(["sum", "mean"])
CLASSES = ("a", "b", "c")


def targets(model: str, rows: int, random: np.random.Generator) -> npt.NDArray[Any]:
    """Targets that the model can mean."""
    if model in ("logistic", "hinge", "squared_hinge"):
        return random.integers(0, 2, rows)
    if model in ("softmax", "network"):
        return random.integers(0, len(CLASSES), rows)
    if model == "poisson":
        return random.integers(0, 9, rows)
    return random.random(rows) if model == "sigmoid" else 3 * random.normal(size=rows)


def sample(model: str, rows: int, features: int, random: np.random.Generator, **settings: Any) -> Loss:
    """A loss on random data."""
    if model in ("softmax", "network"):
        settings = {"classes": CLASSES, **settings}
    X = random.normal(size=(rows, features)) * settings.pop("scale", 1.0)
    return MODELS[model](X, targets(model, rows, random), **settings)


@st.composite
def losses(draw: st.DrawFn, names: list[str] = NAMES) -> Loss:
    """A loss on random data of random shape, with random settings."""
    model = draw(st.sampled_from(names))
    settings: dict[str, Any] = {
        "reduction": draw(REDUCTIONS),
        "l2": draw(st.sampled_from([0.0, 0.3])),
        "scale": draw(st.sampled_from([0.1, 1.0, 10.0])),
    }
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows, features = draw(st.integers(1, 20)), draw(st.integers(1, 5))
    if model == "huber":
        settings["delta"] = draw(st.floats(0.1, 5))
    if model == "network":
        settings["hidden"] = draw(st.lists(st.integers(1, 5), max_size=3))
        settings["activation"] = draw(st.sampled_from(sorted(ACTIVATIONS)))
        if draw(st.booleans()):
            X = random.normal(size=(rows, features)) * settings.pop("scale")
            return MODELS[model](X, random.normal(size=rows), loss="squared", **settings)
    return sample(model, rows, features, random, **settings)


def points(loss: Loss, seed: int, count: int) -> Any:
    """Random points of the loss's parameters."""
    return np.random.default_rng(seed).normal(size=(count, loss.dimension))
