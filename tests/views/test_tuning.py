from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

import fallline
from fallline import Tuning
from fallline.results.tuning import Trial
from fallline.views import plot_tuning, tuning_data
from fallline.views.look import Context


def found(scores: list[float], target: float | None = None, converged: float = 1.0) -> Tuning:
    """A tuning with these scores, of trials whose runs converged in this share."""
    made = fallline.tune("x**2/2", 1.0, "gradient_descent", ["learning_rate"], trials=2)
    trials = tuple(Trial({"learning_rate": 0.1}, converged, 5.0, score, score) for score in scores)
    return dataclasses.replace(made, trials=trials, target=target)


def legend_of(figure: Figure) -> list[str]:
    legend = figure.axes[0].get_legend()
    assert legend is not None
    return [" ".join(text.get_text().split()) for text in legend.get_texts()]


def test_the_lowest_so_far_and_the_best() -> None:
    data = tuning_data(found([3.0, 5.0, 2.0, np.inf, 4.0]))
    np.testing.assert_array_equal(data.lowest, np.minimum.accumulate([3, 5, 2, np.inf, 4]))
    assert data.best == 3
    assert not data.log
    figure = plot_tuning(found([3.0, 5.0, 2.0, np.inf, 4.0]))
    (star,) = [line for line in figure.axes[0].lines if line.get_marker() == "*"]
    np.testing.assert_array_equal(star.get_xydata(), [[3, 2]])
    assert legend_of(figure) == ["best so far", "trial", "given up as diverging", "best: trial 3"]


def test_a_trial_at_rounding_does_not_crush_the_others() -> None:
    for scores in ([3.0, 1e-30, 0.02], [3.0, 0.0, 0.02], [3.0, -1e-17, 0.02]):
        (ax,) = plot_tuning(found(scores)).axes
        assert ax.get_yscale() == "log"
        assert ax.get_ylim()[0] > 1e-17
    assert tuning_data(found([3.0, 1e-30, 0.02])).floor == pytest.approx(3 * np.finfo(float).eps)
    assert "less than the rounding of the highest score" in legend_of(plot_tuning(found([3.0, 1e-30, 0.02])))
    assert not tuning_data(found([3.0, -1.0, 0.02])).log


def test_trials_that_missed_the_target_are_hollow() -> None:
    figure = plot_tuning(found([3.0, 5.0], target=1e-3, converged=0.5))
    assert "trial that missed the target" in legend_of(figure)
    assert "trial that missed the target" not in legend_of(plot_tuning(found([3.0, 5.0], target=1e-3)))
    assert "trial that missed the target" not in legend_of(plot_tuning(found([3.0, 5.0], converged=0.0)))


def test_a_search_that_found_nothing_is_drawn() -> None:
    assert legend_of(plot_tuning(found([np.inf, np.inf])))[-1] == "given up as diverging"


@pytest.mark.parametrize("context", ["notebook", "paper", "slide"])
def test_the_legend_is_on_the_page(context: Context) -> None:
    figure = plot_tuning(found([3.0, np.inf, 5.0], target=1e-3, converged=0.5), context=context)
    figure.draw_without_rendering()
    legend = figure.axes[0].get_legend()
    assert legend is not None
    box = legend.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert box.y0 >= 0
