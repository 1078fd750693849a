from __future__ import annotations

import numpy as np
import pytest
from tests.views.runs import halving, on_bowl, two_on_bowl

import fallline
from fallline import FalllineError, GradientDescent, minimize
from fallline.models import SigmoidNeuron
from fallline.views import epochs_data, plot_epochs


def twelve() -> fallline.Trajectory:
    return minimize("x**2 + 5*x + 6", 5, GradientDescent(0.1), max_steps=12)


def test_each_plot_has_one_point_more() -> None:
    data = epochs_data(twelve())
    assert data.epochs == tuple(range(1, 13))
    # The start, and one point an epoch.
    assert data.counts == tuple(range(2, 14))


def test_the_grid_is_as_asked() -> None:
    figure = plot_epochs(twelve())
    assert len(figure.axes) == 12
    assert figure.axes[0].get_title() == "epoch 1: x = 3.5"
    shown = [len(ax.collections[0].get_offsets()) for ax in figure.axes]  # type: ignore[arg-type]
    assert shown == list(range(2, 14))
    assert len(plot_epochs(twelve(), rows=2, columns=2).axes) == 4


def test_only_the_epochs_shown_need_room() -> None:
    # After two halvings of 8 the run is at 2; the later points would need the curve down to 0.
    data = epochs_data(halving(20), rows=1, columns=2)
    assert data.counts == (2, 3)
    assert data.descent.curve.x[0] > 0


def test_short_runs_leave_the_rest_empty() -> None:
    figure = plot_epochs(halving(5))
    assert [ax.axison for ax in figure.axes] == [True] * 5 + [False]
    assert figure.axes[2].get_xlabel() == "x"
    assert figure.axes[1].get_xlabel() == ""


def test_a_run_recorded_at_its_ends_shows_the_start() -> None:
    run = minimize("x**2", 5, GradientDescent(0.1), max_steps=100, record="ends")
    assert epochs_data(run).counts == (1,)


def test_epochs_of_batches() -> None:
    class Weight(SigmoidNeuron):
        """A neuron's batches along its weight alone."""

    loss = Weight([0.5, 1.0, 1.5, 2.5], [0.2, 0.4, 0.6, 0.9]).batches(2)
    run = minimize(loss, (-1, -1), GradientDescent(1.0), max_steps=6, stop=fallline.NotFinite())
    with pytest.raises(FalllineError, match="has the coordinates w, b; points on a curve need one"):
        epochs_data(run)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"rows": 0}, "rows is 0"), ({"columns": 1.5}, "columns is 1.5"), ({"bounds": (1, 0)}, "bounds is")],
)
def test_wrong_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(FalllineError, match=message):
        plot_epochs(twelve(), **options)  # type: ignore[arg-type]


def test_one_run_only() -> None:
    with pytest.raises(FalllineError, match="run is a Comparison; the grid of epochs shows one trajectory"):
        plot_epochs(two_on_bowl())  # type: ignore[arg-type]
    with pytest.raises(FalllineError, match="points on a curve need one"):
        plot_epochs(on_bowl())


def test_titles_tell_where_the_run_is() -> None:
    figure = plot_epochs(twelve())
    x = 5.0
    for ax in figure.axes:
        x -= 0.1 * (2 * x + 5)
        assert float(ax.get_title().split("= ")[1].replace("−", "-")) == pytest.approx(x, rel=1e-3)
    assert np.isclose(x, twelve().final.x[0])
