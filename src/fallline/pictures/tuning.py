"""The data of a search for hyperparameters: the score of each trial, and the best so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fallline.arrays import FloatArray
from fallline.pictures import words
from fallline.pictures.rule_words import label_words
from fallline.results.tuning import Tuning
from fallline.tables import Printed, number_text


@dataclass(frozen=True, eq=False, repr=False)
class TuningCurve(Printed):
    """The data of the picture of a tuning.

    Attributes:
        title: the lines of the title.
        name: the name of the score.
        score: the score of each trial, shape (trials,); infinite where it was given up as diverging.
        lowest: the lowest score up to each trial, shape (trials,); infinite before the first finite one.
        log: whether the scores need a log axis.
    """

    title: tuple[str, str]
    name: str
    score: FloatArray
    lowest: FloatArray
    log: bool


def tuning_data(found: Tuning) -> TuningCurve:
    """The data of the picture of a tuning.

    Arguments:
        found: what `tune` returned.
    """
    score = np.array([trial.score for trial in found.trials])
    finite = score[np.isfinite(score)]
    settings = [f"{name} {number_text(value)}" for name, value in found.best.settings.items()]
    return TuningCurve(
        title=(
            words.objective_words(found.title),
            label_words(", ".join([found.optimizer.partition(",")[0], *settings])),
        ),
        name="value at the end" if found.target is None else "steps to the target",
        score=score,
        lowest=np.minimum.accumulate(score),
        log=bool(finite.size and finite.min() > 0 and finite.max() > 100 * finite.min()),
    )
