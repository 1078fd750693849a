from __future__ import annotations

import json
import re
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from tests.costs import peak_bytes
from tests.models.samples import losses, points
from tests.models.test_losses import SEED

import fallline
from fallline.errors import FalllineError
from fallline.models import Linear, Loss, Network, loss_from_recipe, principal_directions, random_directions

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
NETWORK = Network(CORNERS, [0, 1, 1, 0], hidden=(3,), activation="tanh")


@given(losses(), SEED)
def test_a_frozen_loss_is_the_loss_with_some_of_its_parameters(loss: Loss, seed: int) -> None:
    x, u = points(loss, seed, 2)
    random = np.random.default_rng(seed)
    places = random.permutation(loss.dimension)[: random.integers(1, 3)]
    frozen = loss.freeze(x, but=[loss.names[place] for place in places])
    whole = x.copy()
    whole[places] = u[places]
    assert frozen.names == tuple(loss.names[place] for place in places)
    assert frozen.value(u[places]) == loss.value(whole)
    # The other slopes are multiplied by 0 and added.
    np.testing.assert_allclose(frozen.gradient(u[places]), loss.gradient(whole)[places], rtol=1e-15)
    # Many at once are the same as each alone.
    many = frozen.value_and_gradient(np.stack([u[places], x[places], u[places] / 3]))
    for i, one in enumerate((u[places], x[places], u[places] / 3)):
        assert np.array_equal(many[0][i], frozen.value(one))
        assert np.array_equal(many[1][i], frozen.gradient(one))


@given(losses(), SEED)
def test_a_slice_has_the_gradient_of_its_value(loss: Loss, seed: int) -> None:
    x, *directions = 0.3 * points(loss, seed, 3)
    if np.linalg.matrix_rank(directions) < 2:
        return
    plane = loss.slice(x, directions)
    u = np.array([0.4, -0.2])
    with np.errstate(all="ignore"):
        expected = plane.value(u + 1e-100j * np.eye(2)).imag / 1e-100
    # The complex step is exact; the products with the directions cancel among terms of the size of the gradient.
    size = np.abs(loss.gradient(plane.point(u))) @ np.abs(np.array(directions)).T
    assert (np.abs(plane.gradient(u) - expected) <= 1e-11 * (size + 1)).all()
    assert plane.value(np.zeros(2)) == loss.value(x)
    assert plane.coordinates(plane.point(u)) == pytest.approx(u, rel=1e-6, abs=1e-9)


def test_two_weights_of_a_network_descend_on_their_own_surface() -> None:
    x = NETWORK.initial(seed=2)
    surface = NETWORK.freeze(x, but=("W1[1,1]", "W2[1,1]"))
    run = fallline.minimize(surface, surface.coordinates(x), fallline.GradientDescent(0.1), max_steps=50)
    assert run.final.value < run.start.value == NETWORK.value(x)
    changed = surface.point(run.final.x) != x
    assert [name for name, moved in zip(NETWORK.names, changed, strict=True) if moved] == ["W1[1,1]", "W2[1,1]"]
    assert surface.title == f"{NETWORK.title}, all frozen but W1[1,1], W2[1,1]"


def test_frozen_batches_take_their_gradient_from_a_batch() -> None:
    x = NETWORK.initial(seed=2)
    network = Network(CORNERS, [0, 1, 1, 0], "sum", hidden=(3,), activation="tanh")
    batches = network.batches(2).freeze(x, but="b2[1]")
    assert batches.stochastic
    assert batches.steps_per_epoch == 2
    u = np.array([0.3])
    both = [batches.at_step(step, seed=0).gradient(u) for step in (1, 2)]
    assert sum(both) == pytest.approx(network.freeze(x, but="b2[1]").gradient(u), rel=1e-13)


def test_recipes_rebuild_a_slice() -> None:
    x = NETWORK.initial(seed=2)
    for original in (NETWORK.freeze(x, but="b2[1]"), NETWORK.batches(2).slice(x, random_directions(NETWORK, x), 0.5)):
        copy = loss_from_recipe(json.loads(json.dumps(original.recipe())))
        u = 0.1 * np.ones(copy.dimension)
        assert copy.value(u) == original.value(u)
        assert (copy.title, copy.names, copy.bounds) == (original.title, original.names, original.bounds)


def test_random_directions_are_as_long_as_each_filter_and_spare_the_biases() -> None:
    x = NETWORK.initial(seed=2)
    x[6:9] = 5.0
    directions = random_directions(NETWORK, x, count=3, seed=4)
    for direction in directions:
        for (W, _), (D, d) in zip(NETWORK.layers(x), NETWORK.layers(direction), strict=True):
            assert np.linalg.norm(D, axis=1) == pytest.approx(np.linalg.norm(W, axis=1), rel=1e-14)
            assert not d.any()
    assert not np.array_equal(directions, random_directions(NETWORK, x, count=3, seed=5))
    assert NETWORK.slice(x, directions[:2], reach=2.0).bounds == ((-2.0, 2.0), (-2.0, 2.0))


def test_principal_directions_hold_a_flat_path() -> None:
    random = np.random.default_rng(0)
    basis = np.linalg.qr(random.normal(size=(7, 2)))[0].T
    path = random.normal(size=7) + (random.normal(size=(30, 2)) * [5.0, 1.0]) @ basis
    found = principal_directions(path)
    assert found @ found.T == pytest.approx(np.eye(2), abs=1e-12)
    # The plane is that of the path: the projection onto it changes nothing.
    away = path - path[-1]
    np.testing.assert_allclose(away @ found.T @ found, away, atol=1e-12)
    spread = np.abs(away @ found.T).max(axis=0)
    assert spread[0] > spread[1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: NETWORK.freeze(x, but=["W1[1,4]"]), "but is 'W1[1,4]'; did you mean 'W1[1,"),
        (lambda x: NETWORK.freeze(x, but=[]), "but is []; it needs the names of parameters, each once"),
        (lambda x: NETWORK.freeze(x, but=cast(Any, 3)), "but is 3; it needs the names of parameters, each once"),
        (lambda x: random_directions(NETWORK, x, count=-1), "count is -1; it must be a whole number at least 1"),
        (
            lambda x: random_directions(NETWORK, x, seed=cast(Any, 0.5)),
            "seed is 0.5; it must be a whole number at least 0",
        ),
        (
            lambda x: principal_directions([x, x], count=cast(Any, 1.5)),
            "count is 1.5; it must be a whole number at least 1",
        ),
        (lambda x: NETWORK.freeze(x, but=["b1[1]", "b1[1]"]), "it needs the names of parameters, each once"),
        (lambda x: NETWORK.freeze(x[:4], but="b1[1]"), "x has the shape (4,); it needs 17 numbers"),
        (lambda x: NETWORK.slice(x, np.ones((2, 17))), "directions has the shape (2, 17); it needs independent"),
        (lambda x: NETWORK.slice(x, np.ones((1, 3))), "directions has the shape (1, 3)"),
        (lambda x: NETWORK.slice(x, x[None] + 1, reach=0), "reach is 0; it must be a number above 0"),
        (lambda x: principal_directions([x, x]), "count is 2, but the points spread in 0 directions only"),
        (lambda x: principal_directions(x), "points has the shape (17,); it needs at least 2 points"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, message: str) -> None:
    with pytest.raises(FalllineError, match=re.escape(message)) as caught:
        call(NETWORK.initial())
    assert "\n" not in str(caught.value)


def test_a_linear_model_is_a_parabola_along_any_line() -> None:
    loss = Linear([[1.0, 2.0], [0.0, 1.0]], [3.0, -1.0], reduction="sum")
    line = loss.slice([0.0, 0.0, 0.0], [[1.0, 0.0, 2.0]])
    # Residuals -3 + 3 u and 1 + 2 u.
    assert line.value(np.array([[0.0], [1.0]])).tolist() == [5.0, 4.5]


def test_a_surface_over_many_parameters_stays_in_little_memory() -> None:
    network = Network(CORNERS, [0, 1, 1, 0], hidden=(500, 20))
    x = network.initial()
    surface = network.freeze(x, but=("W1[1,1]", "b3[2]"))
    grid = np.stack(np.meshgrid(np.linspace(-1, 1, 40), np.linspace(-1, 1, 40)), axis=-1)
    # All points whole would be 1,600 × 11,562 numbers, 148 MB, and their gradients as much; a block holds 8 MiB, and
    # a pass over it a few times that.
    assert peak_bytes(lambda: surface.value_and_gradient(grid)) < 80e6
    value, gradient = surface.value_and_gradient(grid)
    assert value.shape == (40, 40)
    for place in ((0, 0), (39, 7)):
        assert value[place] == surface.value(grid[place])
        assert np.array_equal(gradient[place], surface.gradient(grid[place]))
    assert surface.value(np.empty((0, 2))).shape == (0,)
