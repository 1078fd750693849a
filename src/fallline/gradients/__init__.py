"""How the gradient is found: symbolic, exact, by automatic differentiation, given, or by perturbation."""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline.arrays import FloatArray
from fallline.errors import FalllineError, Setting, nearest
from fallline.gradients.given import GivenGradientObjective
from fallline.gradients.perturbation import Perturbation, PerturbedObjective
from fallline.gradients.trial import tried
from fallline.libraries import jax_library
from fallline.objectives.base import Objective
from fallline.objectives.function import FunctionObjective

__all__ = ["Perturbation", "parse_gradient", "with_gradient"]

KINDS = ("auto", "symbolic", "exact", "autodiff")


def with_gradient(objective: Objective, gradient: Any, at: FloatArray) -> Objective:
    """The objective with its gradient found in the way that `gradient=` asks for.

    Arguments:
        objective: what is minimised.
        gradient: "auto" (the objective's own gradient if it has one; else, where JAX is installed and can follow
            the function, "autodiff"; else central differences), "symbolic", "exact", "autodiff" (a Python function
            in plain NumPy, differentiated by JAX), a Perturbation, or a function of the point that returns the
            gradient.
        at: a point, shape (n,), such as a start: "auto" tries there whether JAX can follow the function.

    Raises:
        FalllineError: when the objective has no gradient of that kind.
    """
    if isinstance(gradient, Perturbation):
        return _perturbed(objective, gradient, at)
    if isinstance(gradient, str):
        if gradient == "auto":
            return objective if objective.gradient_kind else _best(objective, at)
        if gradient not in KINDS:
            raise FalllineError("gradient", gradient, f"{nearest(gradient, KINDS)}, a Perturbation, or a function")
        if gradient == "autodiff" and isinstance(objective, FunctionObjective):
            return _differentiated(objective, at, in_jax=tried(objective, at))
        if gradient != objective.gradient_kind:
            own = f"has a gradient that is {objective.gradient_kind}" if objective.gradient_kind else "has none"
            raise FalllineError(
                "gradient",
                gradient,
                ("use ", Setting("gradient", "auto"), " or a Perturbation"),
                problem=f"but {objective.title} {own}",
            )
        return objective
    if callable(gradient):
        return GivenGradientObjective(objective, gradient)
    raise FalllineError(
        "gradient", gradient, f"it must be {', '.join(map(repr, KINDS))}, a Perturbation, or a function"
    )


def _best(objective: Objective, at: FloatArray) -> Objective:
    """An objective that has no gradient of its own, with the best one available."""
    in_jax = isinstance(objective, FunctionObjective) and tried(objective, at)
    central = PerturbedObjective(objective, Perturbation(scheme="central"))
    if not isinstance(objective, FunctionObjective):
        return central
    try:
        jax_library()
    except FalllineError:
        return central
    from fallline.gradients.traced import NotCarried

    try:
        return _differentiated(objective, at, in_jax=in_jax, fallback=central)
    except NotCarried as error:
        if in_jax:
            from fallline.gradients.jax_function import in_double

            central = PerturbedObjective(in_double(objective, at), central.perturbation)
        central.gradient_kind = f"{central.gradient_kind} ({error.call} cannot be carried to JAX)"
        return central


def _differentiated(
    objective: FunctionObjective, at: FloatArray, *, in_jax: bool, fallback: Objective | None = None
) -> Objective:
    """A function differentiated by JAX: as it is if it is written in JAX, else carried to it."""
    if in_jax:
        from fallline.gradients.jax_function import as_it_is

        return as_it_is(objective, at)
    from fallline.gradients.autodiff import AutodiffObjective

    return AutodiffObjective(objective, at, fallback)


def _perturbed(objective: Objective, perturbation: Perturbation, at: FloatArray) -> Objective:
    """The objective with its gradient found by perturbation, with steps fitted to noise if that is asked for."""
    if perturbation.step != "noise":
        if perturbation.step is None and isinstance(objective, FunctionObjective):
            tried(objective, at)
        return PerturbedObjective(objective, perturbation)
    from fallline.gradients.noise import fitted_steps

    with np.errstate(all="ignore"):
        noise, steps = fitted_steps(objective, at)
    perturbed = PerturbedObjective(objective, perturbation, steps)
    perturbed.gradient_kind = f"{perturbed.gradient_kind}, with steps fitted to noise of {noise:.2g}"
    return perturbed


def parse_gradient(text: str) -> str | Perturbation:
    """Parse the gradient as the command line writes it: `auto`, `symbolic`, `perturbation:0.01:forward`.

    The step and the scheme of a perturbation may be omitted; the step "noise" is fitted to noise in the values.

    Raises:
        FalllineError: naming what is wrong.

    >>> parse_gradient("perturbation:0.01")
    Perturbation(step=0.01, scheme='forward')
    """
    kind, *words = text.split(":")
    if text in KINDS:
        return text
    if kind != "perturbation" or len(words) > 2:
        raise FalllineError("gradient", text, f"{nearest(text, KINDS)}, perturbation:STEP:SCHEME, or FILE.py:NAME")
    if not words:
        return Perturbation()
    try:
        return Perturbation("noise" if words[0] == "noise" else float(words[0]), *words[1:])
    except ValueError as error:
        if isinstance(error, FalllineError):
            raise
        raise FalllineError("gradient", text, f"its step {words[0]!r} is not a number") from None
