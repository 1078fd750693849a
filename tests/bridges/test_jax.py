"""JAX: a function of any tree of arrays as an objective."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from jax import numpy as jnp

import fallline
from fallline.arrays import FloatArray
from fallline.bridges.jax import TreeObjective, from_jax
from fallline.errors import FalllineError

INPUTS = np.linspace(-1, 1, 14).reshape(7, 2)
TARGETS = np.sin(3 * INPUTS[:, 0])
TREE = {
    "hidden": [np.array([[0.3, -0.2, 0.5], [0.1, 0.4, -0.6]]), np.array([0.1, -0.1, 0.0])],
    "out": np.array([1, -1, 1], np.float32),
}


def network(tree: Any) -> Any:
    weight, bias = tree["hidden"]
    return jnp.mean((jnp.tanh(INPUTS @ weight + bias) @ tree["out"] - TARGETS) ** 2)


@pytest.fixture(scope="module")
def objective() -> TreeObjective:
    return from_jax(network, TREE)


def test_names_say_the_way_through_the_tree(objective: TreeObjective) -> None:
    assert objective.names[:2] == ("hidden.0[0,0]", "hidden.0[0,1]")
    assert objective.names[-4:] == ("hidden.1[2]", "out[0]", "out[1]", "out[2]")
    assert objective.title == "network"


def test_value_and_gradient_in_float64_beside_numpy(objective: TreeObjective) -> None:
    points = objective.start + np.linspace(-0.5, 0.5, 3)[:, None]

    def by_numpy(x: FloatArray) -> float:
        hidden = np.tanh(INPUTS @ x[:6].reshape(2, 3) + x[6:9])
        return float(np.mean((hidden @ x[9:] - TARGETS) ** 2))

    # Sums of seven terms: a few roundings.
    assert objective.value(points) == pytest.approx([by_numpy(x) for x in points], rel=1e-14)
    assert fallline.check_gradient(objective, list(points[0]))


def test_a_point_has_the_same_bits_in_every_batch(objective: TreeObjective) -> None:
    points = objective.start + np.random.default_rng(0).normal(size=(2, 5, 12))
    values, gradients = objective.value_and_gradient(points)
    assert (values.shape, gradients.shape) == ((2, 5), (2, 5, 12))
    alone = objective.value_and_gradient(points[1, 3][None, :])
    assert values[1, 3] == alone[0][0]
    assert values[1, 3] == objective.value(points)[1, 3]
    assert np.array_equal(gradients[1, 3], alone[1][0])


def test_a_run_ends_in_a_tree_of_the_same_shape(objective: TreeObjective) -> None:
    run = fallline.minimize(objective, objective.start, fallline.LBFGS(), max_steps=20)
    tree = objective.tree(run.final.x)
    assert jax.tree.structure(tree) == jax.tree.structure(TREE)
    assert float(network(tree)) == pytest.approx(run.final.value, rel=1e-12)  # a few roundings
    assert run.final.value < 0.1 * run.start.value
    assert run.gradient_kind == "exact"


def test_float64_whatever_the_process_has_chosen_and_keeps() -> None:
    with jax.enable_x64(False):
        objective = from_jax(lambda x: (x - 1) ** 2, 0.0)
        # 1e-20, which float32 would lose beside 1.
        assert objective.value(np.array([[1 + 1e-10]])) == pytest.approx([1e-20], rel=1e-5)
        assert jnp.ones(1).dtype == jnp.float32


def test_a_lone_number_is_a_tree_too() -> None:
    objective = from_jax(lambda x: (x - 3) ** 2, 1.0)
    assert objective.names == ("x",)
    assert fallline.minimize(objective, 1.0, fallline.GradientDescent(0.5)).final.x.tolist() == [3.0]


def test_mistakes_are_named() -> None:
    with pytest.raises(FalllineError, match="function is 3; it must be a function of a tree"):
        from_jax(3, 1.0)  # type: ignore[arg-type]
    with pytest.raises(FalllineError, match=r"tree is \{\}; it must hold real numbers"):
        from_jax(network, {})
    with pytest.raises(FalllineError, match=r"tree is \{'a': 'text'\}"):
        from_jax(network, {"a": "text"})
    with pytest.raises(FalllineError, match="must return one real number"):
        from_jax(lambda x: x * np.ones(2), 1.0).value(np.ones((1, 1)))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: jnp.sum(jnp.where(x > 0, jnp.sqrt(x), x**2)),
        lambda x: jnp.where(x[0] > 0, jnp.log(jnp.maximum(x[0], 0)), 0.0) + jnp.sum(x**2),
        lambda x: jnp.sum(jnp.where(jnp.abs(x) < 0.5, jnp.arccos(2 * x), x)),
    ],
)
def test_a_branch_that_where_leaves_out_is_named(function: Any) -> None:
    objective = from_jax(function, np.array([-1.0, 2.0]))
    value, gradient = objective.value_and_gradient(objective.start)
    assert np.isfinite(value)
    assert np.isnan(gradient[0])
    with pytest.raises(
        FalllineError, match=r"gradient of .* is NaN in x\[0\], though the value is finite: .*jnp\.where"
    ):
        fallline.minimize(objective, objective.start, "adam")


def test_a_root_at_0_is_flat_where_the_gradient_would_be_nan() -> None:
    objective = from_jax(
        lambda p: jnp.hypot(p["a"], 0.0) + jnp.linalg.norm(p["b"]) ** 2 + p["c"], {"a": 0.0, "b": np.zeros(2), "c": 1.0}
    )
    assert objective.gradient(objective.start).tolist() == [0, 0, 0, 1]


def test_nothing_returned_is_named() -> None:
    with pytest.raises(FalllineError, match="returned None, as a function without a return"):
        from_jax(lambda _: None, 1.0).value(np.ones((1, 1)))
