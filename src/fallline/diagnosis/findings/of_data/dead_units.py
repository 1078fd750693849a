"""The finding that most units of a layer are dead or saturated, so that no gradient passes through them."""

from __future__ import annotations

import numpy as np

from fallline.diagnosis.case import Case
from fallline.diagnosis.changes import at_rates, standardised, started_anew, with_settings
from fallline.diagnosis.finding import Finding, check
from fallline.diagnosis.layers import OF_UNITS, layers_at
from fallline.models.activations import ACTIVATIONS

# Dead units do harm if the network explains less of the targets than the features tell, by this part of their variance.
SHORT = 0.1
# Features of more than this size, the root of their mean square, are not scaled.
FAR = 3.0


@check(
    "more than half of the units of a layer are dead or saturated",
    leads_to=("constant_predictor", "plateau", "saddle"),
    ignore="the sparsity is intended, or the network fits well without these units",
    source="Lu, Shin, Su and Karniadakis (2020), Dying ReLU and initialization",
    example="""
        x = np.linspace(-2, 2, 60)
        network = Network(x, np.sin(2 * x), hidden=(12,), activation="relu", loss="squared")
        start = network.layers(network.initial(1))
        start[0].b[:8] = -20
        run = minimize(network, network.flat(start), Adam(0.01), max_steps=200)
    """,
)
def dead_units(case: Case) -> Finding | None:
    """Count the units of each hidden layer that are inactive on nearly all rows, at the start, the end and between."""
    network, run = case.network, case.run
    if not network.hidden:
        return None
    shares = [layers.dead for layers in case.layers]
    worst = max(range(len(shares[-1])), key=shares[-1].__getitem__)
    dead, units = shares[-1][worst], network.hidden[worst]
    silent = network.activation == "relu" and dead == 1
    if not dead > OF_UNITS or not (silent or case.shortfall > SHORT):
        return None
    step = int(run.steps[_since(case, worst, [layer[worst] > OF_UNITS for layer in shares])])
    flat = "put out 0" if network.activation == "relu" else "are saturated"
    explained, told = case.sample.explained(run.x[case.rows[-1]]), case.sample.told
    other = with_settings(case, activation="leaky_relu" if ACTIVATIONS[network.activation].rectifies else "relu")
    anew = started_anew(case)
    if step:
        cause, remedies = "Steps that were too long moved them there.", (*at_rates(case, 0.1), other, anew)
    elif np.sqrt(np.mean(case.sample.rows.X**2)) > FAR:
        cause, remedies = "Features far from 0 put them there from the start.", (*standardised(case), other, anew)
    else:
        cause, remedies = "The start put them there: weights or biases that are too large.", (anew, other)
    return Finding(
        name="dead_units",
        title=f"{dead * units:.0f} of {units} units of hidden layer {worst + 1} are "
        f"{'dead' if network.activation == 'relu' else 'saturated'}",
        evidence=f"From step {step} on, more than half of the {units} units of hidden layer {worst + 1} {flat} on at "
        f"least {case.layers[-1].of_rows:.0%} of {len(case.sample.rows)} rows of the data: "
        f"{shares[0][worst] * units:.0f} of them at the start, {dead * units:.0f} at the end. The network explains "
        f"{max(explained, 0):.0%} of the variance of the targets, of which the features tell {told:.0%}.",
        cause=f"No gradient passes through an inactive unit, so its weights stay as they are. {cause}",
        remedies=remedies,
        since=step,
        numbers={"dead": dead * units, "units": units, "dead_at_start": shares[0][worst] * units},
        steps=(step,),
    )


def _since(case: Case, layer: int, dead: list[bool]) -> int:
    """The row from which more than half of a layer is dead, by bisection between the places that were measured."""
    place = dead.index(True)
    if not place:
        return int(case.rows[0])
    alive, found = case.rows[place - 1 : place + 1]
    while found - alive > 1:
        middle = (alive + found) // 2
        if layers_at(case.network, case.sample.rows, case.run.x[middle]).dead[layer] > OF_UNITS:
            found = middle
        else:
            alive = middle
    return int(found)
