"""The data of a search for hyperparameters: the score of each trial, and the best so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fallline.arrays import BoolArray, FloatArray
from fallline.pictures import words
from fallline.pictures.histories import DECADES
from fallline.pictures.rule_words import label_words
from fallline.results.tuning import Tuning
from fallline.stopping import EPSILON
from fallline.tables import Printed, number_text


@dataclass(frozen=True, eq=False, repr=False)
class TuningCurve(Printed):
    """The data of the picture of a tuning.

    Attributes:
        title: the lines of the title.
        name: the name of the score.
        score: the score of each trial, shape (trials,); infinite where it was given up as diverging.
        lowest: the lowest score up to each trial, shape (trials,); infinite before the first finite one.
        reached: whether all runs of each trial reached the target, shape (trials,); true where there is none.
        best: the number of the best trial, from 1; None if all were given up.
        log: whether the scores need a log axis.
        floor: below it, on a log axis, a score is no more than the rounding of the highest one; None where all scores
            are above it. The picture ends there.
    """

    title: tuple[str, str]
    name: str
    score: FloatArray
    lowest: FloatArray
    reached: BoolArray
    best: int | None
    log: bool
    floor: float | None


def tuning_data(found: Tuning) -> TuningCurve:
    """The data of the picture of a tuning.

    Arguments:
        found: what `tune` returned.
    """
    score = np.array([trial.score for trial in found.trials])
    finite = score[np.isfinite(score)]
    settings = [f"{name} {number_text(value)}" for name, value in found.best.settings.items()]
    positive = finite[finite > 0]
    floor = EPSILON * float(finite.max(initial=0.0))
    log = bool(positive.size and finite.min() >= -floor and positive.max() > DECADES * positive.min())
    return TuningCurve(
        title=(
            words.objective_words(found.title),
            label_words(", ".join([found.optimizer.partition(",")[0], *settings])),
        ),
        name="value at the end" if found.target is None else "steps to the target",
        score=score,
        lowest=np.minimum.accumulate(score),
        reached=np.array([found.target is None or trial.converged == 1 for trial in found.trials]),
        best=int(score.argmin()) + 1 if finite.size else None,
        log=log,
        floor=floor if log and finite.min() < floor else None,
    )
