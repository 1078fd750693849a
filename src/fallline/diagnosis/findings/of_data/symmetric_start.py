"""The finding that units of a layer started alike, so that they stay alike."""

from __future__ import annotations

from fallline.diagnosis.case import Case
from fallline.diagnosis.changes import started_anew
from fallline.diagnosis.finding import Finding, check
from fallline.diagnosis.layers import repeated

# How far the weights of units may differ that count as alike, as a part of the layer's largest: rounding at the start,
# and what it has grown to at the end.
AT_START, AT_END = 1e-12, 1e-6
# The part of a layer's units that repeat others.
PART = 0.5


@check(
    "the units of a layer started alike and stay alike",
    leads_to=("dead_units", "vanishing_gradients", "constant_predictor", "plateau", "saddle", "too_slow"),
    ignore="only the last layer starts at zero: its units get different gradients",
    source="Rumelhart, Hinton and Williams (1986), Learning representations by back-propagating errors",
    example="""
        x = np.linspace(-2, 2, 60)
        network = Network(x, np.sin(2 * x), hidden=(8,), activation="tanh", loss="squared")
        run = minimize(network, np.full(network.dimension, 0.1), Adam(0.02), max_steps=300)
    """,
)
def symmetric_start(case: Case) -> Finding | None:
    """Look for units of a hidden layer with the weights and the bias of another, at the start and still at the end."""
    network, run = case.network, case.run
    start, end = run.x[case.rows[0]], run.x[case.rows[-1]]
    counts = zip(repeated(network, start, AT_START), repeated(network, end, AT_END), strict=True)
    for number, (before, after) in enumerate(counts, start=1):
        units = network.hidden[number - 1]
        alike = min(before, after)
        if units < 2 or alike < PART * units:
            continue
        distinct = units - alike
        return Finding(
            name="symmetric_start",
            title=f"The {units} units of hidden layer {number} started alike and stay alike",
            evidence=f"Of the {units} units of hidden layer {number}, {distinct} differ{'s' * (distinct == 1)} at the "
            f"start; the others repeat their weights and biases, and still do at step {run.steps[case.rows[-1]]}.",
            cause=f"Units with equal weights get equal gradients, so the whole layer acts as {distinct} "
            f"unit{'s' * (distinct > 1)}. Random weights make them differ.",
            remedies=(started_anew(case),),
            numbers={"units": units, "distinct": distinct},
        )
    return None
