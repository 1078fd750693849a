"""optax: every rule as a transformation, and any optax optimizer as a rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import optax
import pytest
from jax import numpy as jnp
from jax.flatten_util import ravel_pytree
from tests.parity.networks import CHAOTIC, INPUTS, RULES, STEPS, TARGETS, assert_equal

import fallline
from fallline.arrays import FloatArray
from fallline.bridges.jax import from_jax
from fallline.bridges.optax import as_optax, eval_params, from_optax
from fallline.errors import FalllineError
from fallline.hyperparameters import hyperparameters

PARAMETERS = {
    "hidden": {"weight": jnp.array([[0.6, -0.1, 0.2], [0.3, 0.6, 0.4]]), "bias": jnp.array([-0.5, -0.2, 0.1])},
    "out": {"weight": jnp.array([[-0.2], [-0.1], [-0.4]]), "bias": jnp.array([-0.2])},
}
BOWL = "x**2 + 10*y**2"


def loss(parameters: Any) -> Any:
    hidden = jnp.tanh(INPUTS @ parameters["hidden"]["weight"] + parameters["hidden"]["bias"])
    return jnp.mean((hidden @ parameters["out"]["weight"] + parameters["out"]["bias"] - TARGETS) ** 2)


OBJECTIVE = from_jax(loss, PARAMETERS)


def reference(rule: Any) -> fallline.Trajectory:
    return fallline.minimize(OBJECTIVE, OBJECTIVE.start, rule, max_steps=STEPS, stop=fallline.NotFinite())


def taken(tx: Any, parameters: Any, gradients: list[Any]) -> tuple[Any, Any]:
    """The parameters and the state after steps with these gradients."""
    state = tx.init(parameters)
    for gradient in gradients:
        updates, state = tx.update(gradient, state, parameters)
        parameters = optax.apply_updates(parameters, updates)
    return parameters, state


@pytest.mark.parametrize("name", [name for name in RULES if name not in CHAOTIC])
def test_a_compiled_rule_in_optax_equals_its_reference_run(name: str) -> None:
    tx = as_optax(RULES[name])

    def step(_: Any, reached: Any) -> Any:
        parameters, state = reached
        updates, state = tx.update(jax.grad(loss)(parameters), state, parameters)
        return optax.apply_updates(parameters, updates), state

    parameters, state = jax.lax.fori_loop(0, STEPS, step, (PARAMETERS, tx.init(PARAMETERS)))
    assert jax.tree.structure(parameters) == jax.tree.structure(PARAMETERS)
    assert_equal(np.asarray(ravel_pytree(eval_params(state, parameters))[0]), reference(RULES[name]).final.x)


@pytest.mark.parametrize("name", CHAOTIC)
def test_a_chaotic_rule_in_optax_equals_its_reference_run_on_the_same_gradients(name: str) -> None:
    tx, run = as_optax(RULES[name]), reference(RULES[name])

    def step(reached: Any, gradient: Any) -> Any:
        x, state = reached
        updates, state = tx.update(gradient, state, x)
        return (optax.apply_updates(x, updates), state), None

    start = jnp.asarray(run.start.x)
    (x, _), _ = jax.lax.scan(step, (start, tx.init(start)), jnp.asarray(run.gradient[:-1]))
    assert_equal(np.asarray(x), run.final.x)


def test_a_rule_stands_in_a_chain_under_masks_and_other_steps() -> None:
    # The norm 5 clipped to 1, and half of the rate taken off behind.
    tx = optax.chain(optax.clip_by_global_norm(1.0), as_optax(fallline.GradientDescent(0.5)), optax.scale(0.5))
    x, _ = taken(tx, jnp.zeros(2), [jnp.array([3.0, 4.0])])
    assert x == pytest.approx([-0.15, -0.2], rel=1e-15)
    masked = optax.masked(as_optax(fallline.GradientDescent(0.5)), {"a": True, "b": False})
    updates, _ = masked.update({"a": 1.0, "b": 1.0}, masked.init({"a": 0.0, "b": 0.0}))
    assert updates == {"a": -0.5, "b": 1.0}


def test_a_rule_hears_where_the_chain_behind_it_has_led() -> None:
    tx = optax.chain(as_optax(fallline.WeightDecay(fallline.GradientDescent(0.5), decay=0.5)), optax.scale(0.5))
    x, _ = taken(tx, jnp.array(4.0), [jnp.array(1.0)] * 2)
    # Half of 0.5 + 4 / 2, then half of 0.5 + 2.75 / 2.
    assert x == 4 - 1.25 - 0.9375


def test_types_stay_in_a_compiled_loop() -> None:
    parameters = {"single": jnp.ones(2, jnp.float32), "half": jnp.ones(3, jnp.bfloat16)}
    tx = as_optax(fallline.AdamW(0.1))

    def step(_: Any, reached: Any) -> Any:
        x, state = reached
        updates, state = tx.update(x, state, x)
        return optax.apply_updates(x, updates), state

    # The loop itself refuses a state whose types change.
    x, _ = jax.lax.fori_loop(0, 3, step, (parameters, tx.init(parameters)))
    assert {name: leaf.dtype for name, leaf in x.items()} == {"single": jnp.float32, "half": jnp.bfloat16}


def test_a_rule_that_looks_ahead_keeps_the_parameters_there() -> None:
    tx = as_optax(fallline.Nesterov(0.125, momentum=0.5))
    x, state = taken(tx, {"x": jnp.array(1.0)}, [{"x": jnp.array(1.0)}])
    # By hand: velocity 0.125, x = 0.875, and the next gradient is wanted half a velocity on.
    assert (x["x"], eval_params(state, x)["x"]) == (0.8125, 0.875)
    joint, state = taken(as_optax(fallline.FISTA(0.5)), {"x": jnp.ones(2)}, [{"x": jnp.ones(2)}])
    assert jax.tree.structure(eval_params((None, state), joint)) == jax.tree.structure(joint)
    with pytest.raises(FalllineError, match="params is None; Nesterov looks ahead of them"):
        tx.update({"x": 1.0}, tx.init({"x": 1.0}))


def test_the_parameters_of_other_rules_are_those_to_evaluate() -> None:
    x, state = taken(as_optax(fallline.Adam()), jnp.ones(2), [jnp.ones(2)])
    assert eval_params(state, x) is x


def test_a_schedule_runs_compiled() -> None:
    schedule = fallline.WarmUp(fallline.Cosine(0.1, steps=20), 5)
    tx = as_optax(fallline.GradientDescent(schedule))
    update, state = jax.jit(tx.update), tx.init(jnp.zeros(1))
    for step in range(1, 25):
        updates, state = update(jnp.ones(1), state)
        # Another library's cosine may differ in its last digit, relative to a rate of up to 0.1.
        assert -updates[0] == pytest.approx(schedule.rate(step), abs=1e-16)


@pytest.mark.parametrize("rate", [fallline.StrongWolfe(), fallline.ReduceOnPlateau(fallline.Constant(0.1))])
def test_a_rule_that_needs_the_value_is_refused_with_the_reason(rate: Any) -> None:
    with pytest.raises(FalllineError, match=f"learning_rate is {rate.name}, which needs the value of the objective"):
        as_optax(fallline.GradientDescent(rate))


# optax optimizers as rules ------------------------------------------------------------------------

OPTAX: dict[str, Callable[[], Any]] = {
    "sgd": lambda: optax.sgd(0.01, momentum=0.9, nesterov=True),
    "adamw": lambda: optax.adamw(0.1),
    "lamb": lambda: optax.lamb(0.05),
    "chain": lambda: optax.chain(optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(0.1, 100))),
    "noisy_sgd": lambda: optax.noisy_sgd(0.01, key=jax.random.key(3)),
    "adafactor": lambda: optax.adafactor(0.1),
    "inject": lambda: optax.inject_hyperparams(optax.rmsprop)(learning_rate=0.01),
}


@pytest.mark.parametrize("name", OPTAX)
def test_an_optax_optimizer_takes_its_own_steps(name: str) -> None:
    tx = OPTAX[name]()
    runs = fallline.compare(BOWL, [[3.0, 1.0], [1.0, -2.0]], from_optax(tx, name=name), max_steps=30)
    gradient = jax.grad(lambda p: p[0] ** 2 + 10 * p[1] ** 2)
    x = jnp.array([1.0, -2.0])
    state = tx.init(x)
    for step in range(1, 31):
        updates, state = tx.update(gradient(x), state, x)
        x = optax.apply_updates(x, updates)
        # Compiled code may round otherwise than single operations do.
        assert runs[1].x[step] == pytest.approx(np.asarray(x), rel=1e-12, abs=1e-15)
    assert runs.labels[1] == f"{name} from (1, -2)"
    # No run depends on the other: alone it has the same bits.
    alone = fallline.minimize(BOWL, [1.0, -2.0], from_optax(tx), max_steps=30)
    assert np.array_equal(alone.x, runs[1].x)


def test_it_is_a_rule_like_any_other() -> None:
    rule = fallline.Lookahead(from_optax(optax.adam(0.1), name="adam of optax"), period=3)
    run = fallline.minimize(BOWL, [3.0, 1.0], rule, max_steps=9, record=fallline.Record(state=True))
    assert run.optimizer == "lookahead, period 3, of adam of optax"
    assert run.states["inner.leaves.1"].shape == (10, 2)
    halved = fallline.minimize("x", 0.0, fallline.bridges.optax.OptaxRule(0.5, tx=optax.sgd(0.5)), max_steps=1)
    assert halved.final.x.tolist() == [-0.25]


def test_what_cannot_be_a_rule_is_refused_with_the_reason() -> None:
    with pytest.raises(FalllineError, match=r"tx cannot be run .* 'value'"):
        from_optax(optax.polyak_sgd())
    with pytest.raises(FalllineError, match=r"tx is 0\.1; it must be an optax optimizer"):
        from_optax(0.1)
    with pytest.raises(FalllineError, match="rule is 'adam'; it must be an update rule"):
        as_optax("adam")  # type: ignore[arg-type]


def after_steps(tx: Any, steps: int = 5) -> FloatArray:
    """The parameters after compiled steps."""
    step = jax.jit(lambda p, state: tx.update(jax.grad(loss)(p), state, p))
    parameters, state = PARAMETERS, tx.init(PARAMETERS)
    for _ in range(steps):
        updates, state = step(parameters, state)
        parameters = optax.apply_updates(parameters, updates)
    return np.asarray(ravel_pytree(parameters)[0])


def injected(make: Callable[[Any], Any], value: Any) -> Any:
    """The rule that `make` makes of a number, as optax makes it anew at every step of a number that JAX traces."""
    return optax.inject_hyperparams(lambda number: as_optax(make(number)))(number=value)


@pytest.mark.parametrize("name", [name for name in RULES if name not in CHAOTIC])
def test_every_number_of_a_rule_may_be_traced(name: str) -> None:
    rule, gradient = RULES[name], PARAMETERS
    numbers = {
        setting: getattr(rule, setting)
        for setting, known in hyperparameters(rule).items()
        # The others select a variant, or are a schedule.
        if known.symbol
        and not known.range.whole
        and isinstance(getattr(rule, setting), float)
        and setting != "dampening"
    }

    two_steps = jax.jit(
        lambda numbers: taken(as_optax(dataclasses.replace(rule, **numbers)), PARAMETERS, [gradient] * 2)[0]
    )
    found, expected = two_steps(numbers), taken(as_optax(rule), PARAMETERS, [gradient] * 2)[0]
    # Parameters that a step leads to 0 are differences of equal numbers.
    np.testing.assert_allclose(ravel_pytree(found)[0], ravel_pytree(expected)[0], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "make",
    [
        lambda rate: fallline.ClipNorm(fallline.Adam(rate)),
        lambda rate: fallline.Adam(fallline.Cosine(rate, steps=4)),
        lambda rate: fallline.Momentum(fallline.WarmUp(fallline.Constant(rate), steps=3)),
        lambda rate: fallline.Adam(0.1, beta1=1 - rate, epsilon=rate),
    ],
)
def test_they_may_stand_in_wrappers_schedules_and_expressions(make: Any) -> None:
    np.testing.assert_allclose(after_steps(injected(make, 0.05)), after_steps(as_optax(make(0.05))), rtol=1e-12)


def test_a_schedule_of_optax_sets_the_rate() -> None:
    falling = optax.linear_schedule(0.2, 0.0, 5)
    found = after_steps(injected(fallline.GradientDescent, falling))
    np.testing.assert_allclose(found, after_steps(optax.sgd(falling)), rtol=1e-12)


def test_rates_are_compared_side_by_side_under_vmap() -> None:
    found = jax.vmap(
        lambda rate: ravel_pytree(taken(as_optax(fallline.Adam(rate)), PARAMETERS, [PARAMETERS] * 3)[0])[0]
    )(jnp.array([0.1, 0.2]))
    for row, rate in zip(found, (0.1, 0.2), strict=True):
        alone = ravel_pytree(taken(as_optax(fallline.Adam(rate)), PARAMETERS, [PARAMETERS] * 3)[0])[0]
        # Parameters that a step leads to 0 are differences of equal numbers.
        np.testing.assert_allclose(row, alone, rtol=1e-12, atol=1e-15)


def test_what_jax_traces_must_be_a_number_of_the_formula() -> None:
    with pytest.raises(FalllineError, match=r"LBFGS: memory is .*; it must be a whole number at least 1"):
        jax.jit(lambda memory: as_optax(fallline.LBFGS(0.1, memory=memory)).init(PARAMETERS))(3)
    with pytest.raises(FalllineError, match=r"Adam: learning_rate is .*; it must be a number above 0"):
        jax.jit(lambda rates: as_optax(fallline.Adam(rates)).init(PARAMETERS))(jnp.ones(2))


def test_optax_rules_with_injected_numbers_are_rules() -> None:
    plain = fallline.minimize(BOWL, [1.0, 1.0], from_optax(optax.adam(0.1)), max_steps=5)
    for tx in (
        optax.inject_hyperparams(optax.adam)(0.1),
        injected(lambda rate: fallline.Adam(rate, convention="optax"), 0.1),
    ):
        run = fallline.minimize(BOWL, [1.0, 1.0], from_optax(tx), max_steps=5)
        np.testing.assert_allclose(run.x, plain.x, rtol=1e-12)
