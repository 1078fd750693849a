"""The finding that the gradient is clipped in most steps, so that the steps have one length whatever the slope."""

from __future__ import annotations

from typing import Any

import numpy as np

from fallline import optimizers
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding, Remedy, check
from fallline.diagnosis.quantiles import median
from fallline.diagnosis.remedies import by, rounded
from fallline.norms import norm
from fallline.optimizers import Optimizer
from fallline.optimizers.base import layers
from fallline.optimizers.settings import with_settings

# The share of the steps, and of those of the second half, in which the gradient is clipped.
MOST = 0.5
# The part of the fall that is left, from which on the clipping matters.
LEFT = 0.05


@check(
    "the gradient is clipped in most steps",
    leads_to=("too_slow", "update_size", "plateau", "constant_predictor"),
    ignore="with large language models, which are often clipped on purpose",
    source="Pascanu, Mikolov and Bengio (2013), On the difficulty of training recurrent neural networks",
    example="""
        rule = ClipNorm(GradientDescent(0.1), limit=0.05)
        run = minimize("x**2 + 3*y**2", (4, 2), rule, max_steps=200)
    """,
)
def clipping_always(case: Case) -> Finding | None:
    """More than half of the recorded gradients are above the limit of the rule's clipping, and much is left to fall."""
    clip = _clip(case.rule)
    if clip is None:
        return None
    run = case.run
    if len(run) < 3:
        raise CannotCheck("more steps recorded")
    with np.errstate(all="ignore"):
        sizes = (
            norm(run.gradient[:-1]) if isinstance(clip, optimizers.ClipNorm) else np.abs(run.gradient[:-1]).max(axis=1)
        )
    clipped = sizes > clip.limit
    share, late = float(clipped.mean()), float(clipped[len(clipped) // 2 :].mean())
    if min(share, late) < MOST or case.left < LEFT:
        return None
    typical = float(median(sizes))
    what = "norm" if isinstance(clip, optimizers.ClipNorm) else "largest slope"
    return Finding(
        name="clipping_always",
        title="The gradient is clipped in most steps",
        evidence=f"{share:.0%} of {len(sizes)} gradients are clipped, {late:.0%} in the second half: their {what} is "
        f"{typical:.3g} in the median, and the limit {clip.limit:.3g}. A short descent from the end falls from "
        f"{case.from_end.start:.4g} to {case.from_end.end:.4g}.",
        cause="The limit is below the usual size of the gradient, so that it sets the length of each step, and not the "
        "slope.",
        remedies=_remedies(case.rule, typical),
        since=int(run.steps[np.argmax(clipped)]),
        numbers={"clipped": share, "limit": clip.limit, "typical": typical},
        steps=tuple(int(step) for step in run.steps[:-1][clipped][:100]),
    )


def _clip(rule: Optimizer[Any]) -> optimizers.ClipNorm | optimizers.ClipValue | None:
    """The outermost clipping of a rule."""
    return next((one for one in layers(rule) if isinstance(one, optimizers.ClipNorm | optimizers.ClipValue)), None)


def _remedies(rule: Optimizer[Any], typical: float) -> tuple[Remedy, ...]:
    """A limit that only unusual gradients reach; and none."""
    wider = by(with_settings(rule, {"limit": rounded(3 * typical)}))
    return (wider, by(rule.rule)) if isinstance(rule, optimizers.ClipNorm | optimizers.ClipValue) else (wider,)
