"""The finding that the objective draws random numbers, so that its value at one point changes from call to call."""

from __future__ import annotations

import numpy as np

from fallline.arrays import FloatArray
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import Finding, Remedy, check
from fallline.gradients import Perturbation
from fallline.gradients.perturbation import PerturbedObjective
from fallline.objectives import FunctionObjective, Objective
from fallline.objectives.formula import FormulaObjective

# How often the value is computed at each point.
CALLS = 3


@check(
    "the value at one point changes from call to call",
    leads_to=("wrong_gradient", "noise_floor", "rate_too_large", "plateau", "too_slow", "two_cycle", "zigzag"),
    ignore="The noise is meant, and the gradient is found in a way that allows for it.",
    source="Moré and Wild (2011), Estimating computational noise",
    example="""
        random = np.random.default_rng(0)


        def loss(x, y):
            return x**2 + y**2 + random.normal()


        def gradient(x, y):
            return 2 * x, 2 * y


        run = minimize(loss, (4, 2), GradientDescent(0.1), gradient=gradient, max_steps=50)
    """,
)
def random_loss(case: Case) -> Finding | None:
    """Compute the value at the start and at the end several times: nothing else may change it."""
    objective, run = case.innermost, case.run
    if isinstance(objective, FormulaObjective) or objective.of_data:
        return None
    # Noise that is a factor of x, as that of drop-out, vanishes at 0.
    places = {"start": run.start.x, "end": run.final.x, "lowest point": run.best.x}
    changing = ((place, values) for place, x in places.items() if _differ(values := _values(objective, x)))
    place, values = next(changing, ("", np.empty(0)))
    if not place:
        return None
    spread = float(np.ptp(values))
    drawn = isinstance(objective, FunctionObjective)
    remedies = [Remedy("draw the random numbers once, before the run, and let the function read them")]
    if isinstance(case.objective, PerturbedObjective):
        noise = Perturbation("noise", "central")
        remedies.insert(
            0, Remedy('gradient=Perturbation("noise", "central")', {"objective": objective, "gradient": noise})
        )
    return Finding(
        name="random_loss",
        title="The objective gives another value each time",
        evidence=f"At the {place} it was {', then '.join(f'{value:.10g}' for value in values)}.",
        cause=(
            f"The {'function' if drawn else 'objective'} draws random numbers, or depends on what earlier calls left "
            "behind, so that no slope can be told from the noise."
        ),
        remedies=tuple(remedies),
        numbers={"spread": spread},
    )


def _differ(values: FloatArray) -> bool:
    return bool(np.isfinite(values).all() and (values != values[0]).any())


def _values(objective: Objective, x: FloatArray) -> FloatArray:
    """The values of several calls at one point."""
    with np.errstate(all="ignore"):
        return np.array([float(objective.value(x)) for _ in range(CALLS)])
