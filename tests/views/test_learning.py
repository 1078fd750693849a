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


def test_the_lowest_loss_on_rows_held_out_is_marked() -> None:
    steps = np.arange(0, 40, 10)
    figure = plot_learning_curve(steps, np.array([3.0, 2.0, 1.0, 0.5]), np.array([3.0, 2.5, 2.0, 2.25]), xscale="log")
    (ax,) = figure.axes
    assert ax.get_xscale() == "log"
    (ring,) = ax.collections
    assert np.asarray(ring.get_offsets()).tolist() == [[20, 2]]
    legend = ax.get_legend()
    assert legend is not None
    labels = [" ".join(text.get_text().split()) for text in legend.get_texts()]
    assert labels == ["rows fitted to", "rows held out", "best 2 at step 20 on rows held out"]


def test_a_loss_of_rounding_does_not_crush_the_other() -> None:
    steps = np.arange(4)
    (ax,) = plot_learning_curve(steps, np.array([1, 1e-10, 1e-20, 1e-30]), np.array([1, 0.5, 0.4, 0.3])).axes
    assert ax.get_yscale() == "log"
    assert 1e-18 < ax.get_ylim()[0] < np.finfo(float).eps


def test_what_is_not_positive_has_no_log_axis() -> None:
    figure = plot_learning_curve(np.array([0, 1]), np.array([9.0, -2.0]))
    (ax,) = figure.axes
    assert (len(ax.lines), ax.get_yscale()) == (1, "linear")
    diverged = plot_learning_curve(np.array([0, 1, 2]), np.array([1.0, np.inf, np.nan]))
    assert diverged.axes[0].get_yscale() == "linear"
