"""The finding that the gradient grows from layer to layer on its way to the first layers of a network."""

from __future__ import annotations

import numpy as np

from fallline.diagnosis.case import Case
from fallline.diagnosis.changes import started_anew
from fallline.diagnosis.finding import Finding, check
from fallline.diagnosis.remedies import by
from fallline.optimizers.wrappers import ClipNorm

# How many times larger than the last layer's the first layer's gradient is where it explodes.
TIMES = 70
SHORT = 0.1


@check(
    "the gradient explodes on its way to the first layers",
    leads_to=("dead_units", "constant_predictor", "plateau", "loss_spike", "not_finite", "rate_too_large"),
    ignore="the run fits well all the same",
    source="Bengio, Simard and Frasconi (1994); He and others (2015), Delving deep into rectifiers",
    example="""
        x = np.linspace(-2, 2, 60)
        network = Network(x, np.sin(2 * x), hidden=(8, 8, 8, 8), activation="relu", loss="squared")
        run = minimize(network, 12 * network.initial(1), GradientDescent(1e-9), max_steps=100)
    """,
)
def exploding_gradients(case: Case) -> Finding | None:
    """Compare the gradient of the first layer with that of the last, each for its input's size, at the first steps."""
    network, run = case.network, case.run
    if not network.hidden:
        return None
    start = case.layers[0]
    with np.errstate(all="ignore"):
        ratio = start.signals[0] / start.signals[-1]
    harmed = case.shortfall > SHORT or not np.isfinite(run.final.value)
    if not (ratio > TIMES and harmed):
        return None
    clipped = () if run.rule is None else (by(ClipNorm(run.rule, limit=1.0)),)
    return Finding(
        name="exploding_gradients",
        title=f"The gradient explodes on its way to the first of {len(network.hidden) + 1} layers",
        evidence=f"At the start the gradient of the first layer's weights has the norm {start.gradients[0]:.3g}, that "
        f"of the last layer's {start.gradients[-1]:.3g}; for inputs of the same size the first is {ratio:.3g} times "
        "the last.",
        cause="Each layer multiplies the gradient by its weights, which are too large at the start.",
        remedies=(started_anew(case), *clipped),
        numbers={"first_layer": float(start.gradients[0]), "last_layer": float(start.gradients[-1]), "ratio": ratio},
    )
