from __future__ import annotations

import numpy as np

from fallline.views import plot_learning_curve


def test_both_curves_are_drawn_and_named() -> None:
    steps = np.array([0, 5, 10])
    figure = plot_learning_curve(steps, np.array([9.0, 0.3, 0.01]), np.array([9.0, 0.5, 0.4]), title="digits")
    (ax,) = figure.axes
    assert [line.get_ydata().tolist() for line in ax.lines] == [[9, 0.3, 0.01], [9, 0.5, 0.4]]  # type: ignore[union-attr]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("step", "loss", "digits")
    assert ax.get_yscale() == "log"


def test_one_curve_needs_no_legend_and_what_is_not_positive_no_log_axis() -> None:
    figure = plot_learning_curve(np.array([0, 1]), np.array([9.0, -2.0]))
    (ax,) = figure.axes
    assert (len(ax.lines), ax.get_legend(), ax.get_yscale()) == (1, None, "linear")
    diverged = plot_learning_curve(np.array([0, 1, 2]), np.array([1.0, np.inf, np.nan]))
    assert diverged.axes[0].get_yscale() == "linear"
