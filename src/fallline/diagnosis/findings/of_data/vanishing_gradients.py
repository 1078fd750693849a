"""The finding that the gradient vanishes on its way to the first layers of a network."""

from __future__ import annotations

import numpy as np

from fallline.diagnosis.case import Case
from fallline.diagnosis.changes import started_anew, with_settings
from fallline.diagnosis.finding import Finding, check
from fallline.diagnosis.layers import OF_UNITS
from fallline.models.activations import ACTIVATIONS

# At the start the first layer's gradient is below this part of the last one's, for inputs of the same size; and it
# stays below this part of what the last one's was.
AT_START, STAYS = 1e-2, 1e-2
# The network has learnt less than this part of what the features tell.
LEARNT = 0.5


@check(
    "the gradient vanishes on its way to the first layers",
    leads_to=("dead_units", "constant_predictor", "plateau", "too_slow", "update_size"),
    ignore="the run has converged, or the first layers are frozen",
    source="Hochreiter (1991); Glorot and Bengio (2010), Understanding the difficulty of training deep networks",
    example="""
        x = np.linspace(-2, 2, 60)
        network = Network(x, np.sin(2 * x), hidden=(4,) * 8, activation="sigmoid", loss="squared")
        run = minimize(network, network.initial(1), GradientDescent(0.1), max_steps=200)
    """,
)
def vanishing_gradients(case: Case) -> Finding | None:
    """Compare the gradient of the first layer with that of the last, each for its input's size, along the run."""
    network, run = case.network, case.run
    if not network.hidden:
        return None
    smooth = not ACTIVATIONS[network.activation].rectifies
    # At the very first step nothing passes through a last layer that starts at zero.
    start = next((layers for layers in case.layers if layers.signals[0] > 0), None)
    if start is None or (smooth and max(start.dead) > OF_UNITS):
        return None  # the units are dead, or saturated
    stays = float(np.median([layers.signals[0] for layers in case.layers]))
    with np.errstate(all="ignore"):
        ratio = float(start.signals[0] / start.signals[-1])
    explained, told = case.sample.explained(run.x[case.rows[-1]]), case.sample.told
    if not (ratio < AT_START and stays < STAYS * start.signals[-1] and told and explained < LEARNT * told):
        return None
    remedies = (with_settings(case, activation="relu"),) if smooth else ()
    return Finding(
        name="vanishing_gradients",
        title=f"The gradient vanishes before it reaches the first of {len(network.hidden) + 1} layers",
        evidence=f"At the start the gradient of the first layer's weights has the norm {start.gradients[0]:.2g}, that "
        f"of the last layer's {start.gradients[-1]:.2g}: for inputs of the same size the first is {ratio:.2g} of the "
        f"last, and over the run it stays at {stays / start.signals[-1]:.2g} of it. The network explains "
        f"{max(0, explained):.0%} of the variance of the targets, of which the features tell {told:.0%}.",
        cause="Each layer multiplies the gradient by its weights and the slopes of its units, which are too small"
        + (f": a {network.activation} unit has a slope of at most 1/4." if network.activation == "sigmoid" else "."),
        remedies=(*remedies, started_anew(case)),
        numbers={"first_layer": float(start.gradients[0]), "last_layer": float(start.gradients[-1]), "ratio": ratio},
    )
