"""Slips of a user's hand: calls that do not fit, and what is called otherwise elsewhere, in one line that helps."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import fallline
from fallline import Adam, FalllineError, minimize
from fallline.line_search import LINE_SEARCHES
from fallline.optimizers import OPTIMIZERS, WRAPPERS, optimizer_from_name
from fallline.penalties import STRUCTURES
from fallline.schedules import SCHEDULES
from fallline.stopping import CONDITIONS

EVERY_CLASS = [
    kind
    for registry in (OPTIMIZERS, WRAPPERS, SCHEDULES, CONDITIONS, LINE_SEARCHES, STRUCTURES)
    for kind in registry.values()
]
# Not for type checkers, which see these slips too.
SOME: Any = fallline
A_RUN: Any = minimize("x**2", 1.0, Adam(), max_steps=2)
SLIPS: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: SOME.Adam(lr=0.1),
        "lr is not a hyperparameter of Adam; write learning_rate. Allowed: learning_rate, beta1,",
    ),
    (lambda: SOME.Adam(betas=(0.9, 0.99)), "betas is not a hyperparameter of Adam; write beta1 and beta2. "),
    (lambda: SOME.Adan(betas=1), "write beta1, beta2 and beta3. "),
    (lambda: SOME.Adam(eps=1e-8), "write epsilon. "),
    (lambda: SOME.Adam(weight_decay=0.1), "take AdamW, or put WeightDecay(rule, decay) around the rule. "),
    (lambda: SOME.AdamW(wd=0.1), "write weight_decay. "),
    (lambda: SOME.Adam(amsgrad=True), "take the rule AMSGrad. "),
    (lambda: SOME.Momentum(nesterov=True), "take the rule Nesterov. "),
    (lambda: SOME.GradientDescent(momentum=0.9), "take the rule Momentum. "),
    (lambda: SOME.RMSProp(alpha=0.99), "write learning_rate or beta. "),
    (lambda: SOME.Adam(beta_1=0.9), "write beta1. "),
    (lambda: SOME.Adam(epsilom=1e-8), "did you mean 'epsilon'? Allowed: "),
    (lambda: SOME.Adam(name="x"), "name is not a hyperparameter of Adam; "),
    (
        lambda: SOME.Adam(0.1, 0.9, 0.999, 1e-8, "torch"),
        "Adam was given 5 arguments without a name; it takes at most 4: ",
    ),
    (
        lambda: SOME.Adam(0.1, learning_rate=0.1),
        "Adam was given learning_rate twice, by place and by name; give it once",
    ),
    (lambda: SOME.ClipNorm(), "ClipNorm lacks rule; write ClipNorm(rule)"),
    (lambda: SOME.ClipNorm(SOME.Adam(), max_norm=1), "write limit. "),
    (lambda: SOME.StepDecay(0.1, gamma=0.5), "gamma is not a hyperparameter of StepDecay; write factor. "),
    (lambda: SOME.StepDecay(), "StepDecay lacks initial; "),
    (lambda: SOME.Cosine(0.1, T_max=50), "write steps. "),
    (lambda: SOME.StepSize(tol=1e-6), "tol is not a hyperparameter of StepSize; write tolerance. "),
    (lambda: SOME.Evaluations(maxiter=5), "write limit. "),
    (
        lambda: SOME.minimize("x**2", 1.0, SOME.Adam(), tol=1e-6),
        "tol is not an argument of minimize; a tolerance is a stopping ",
    ),
    (
        lambda: SOME.minimize("x**2", 1.0, method="adam"),
        "method is not an argument of minimize; write optimizer. Allowed: ",
    ),
    (lambda: SOME.minimize("x**2", 1.0, SOME.Adam(), maxiter=9), "write max_steps. "),
    (lambda: SOME.minimize("x**2", 1.0, SOME.Adam(), jac=None), "write gradient. "),
    (lambda: SOME.minimize("x**2", 1.0, "adam", lr=0.1), "a rate belongs to the rule, as in Adam(learning_rate=0.1). "),
    (lambda: SOME.minimize("x**2", 1.0), "minimize lacks optimizer; write minimize(objective, x0, optimizer)"),
    (
        lambda: SOME.minimize("x**2", 1.0, "adam", 100),
        "minimize was given 4 arguments without a name; it takes at most 3: ",
    ),
    (
        lambda: SOME.compare("x**2", 1.0, ["adam"], lr=0.1),
        "lr is not an argument of compare; a rate belongs to the rule",
    ),
    (lambda: SOME.compare("x**2", 1.0, optimizer="adam"), "write optimizers. "),
    (
        lambda: SOME.minimize("x**2", 1.0, SOME.PolyakStep(lowest=0)),
        "a rate belongs to a rule, as in GradientDescent(PolyakStep(...))",
    ),
    (lambda: SOME.minimize("x**2", 1.0, SOME.Cosine(0.1, steps=9)), "as in GradientDescent(Cosine(...))"),
    (lambda: A_RUN.explain(1, moost=1), "moost is not an argument of explain; did you mean 'most'? "),
    (lambda: SOME.check_gradient("x**2", 1.0, gradiant="auto"), "did you mean 'gradient'? "),
    (lambda: A_RUN.animate(framse=9), "framse is no option of this picture; did you mean 'frames'? "),
    (lambda: A_RUN.plot(kind="curve", pionts=9), "did you mean 'points'? "),
]


@pytest.mark.parametrize(("slip", "said"), SLIPS)
def test_a_call_that_does_not_fit_names_what_does(slip: Callable[[], Any], said: str) -> None:
    with pytest.raises(FalllineError) as caught:
        slip()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", EVERY_CLASS, ids=lambda kind: kind.__name__)
def test_every_rule_schedule_condition_and_part_of_one_refuses_an_unknown_keyword(kind: Any) -> None:
    with pytest.raises(FalllineError, match=rf"^no_such is not a hyperparameter of {kind.__name__}; "):
        kind(no_such=1)


def test_a_rule_of_the_users_own_is_called_in_our_words_too() -> None:
    @dataclass(frozen=True)
    class Halving(fallline.Optimizer[None]):
        learning_rate: float = 0.1
        power: float = 1.0

        def init(self, x: Any) -> None:
            return None

        def update(self, gradient: Any, state: None, rate: Any, step: Any) -> tuple[Any, None]:
            return rate * gradient / step**self.power, state

    assert Halving(0.5, power=2).power == 2
    with pytest.raises(FalllineError, match=r"^lr is not a hyperparameter of Halving; write learning_rate\. "):
        Halving(lr=0.1)  # type: ignore[call-arg]


def test_the_signature_shown_is_the_constructors() -> None:
    assert list(inspect.signature(Adam).parameters) == ["learning_rate", "beta1", "beta2", "epsilon", "convention"]
    assert list(inspect.signature(minimize).parameters)[:3] == ["objective", "x0", "optimizer"]


def test_rules_are_copied_and_pickled_as_before() -> None:
    rule = fallline.ClipNorm(Adam(fallline.StepDecay(0.1)), 0.5)
    assert copy.deepcopy(rule) == rule == pickle.loads(pickle.dumps(rule))


def test_an_error_inside_the_users_function_stays_the_users() -> None:
    def loss(_: Any) -> Any:
        return len(3)  # type: ignore[arg-type]

    with pytest.raises(TypeError, match="object of type 'int' has no len"):
        minimize(loss, [1.0], Adam(), gradient=lambda x: x)


# Names of rules ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sgd", fallline.GradientDescent),
        ("SGD", fallline.GradientDescent),
        ("gd", fallline.GradientDescent),
        ("Gradient Descent", fallline.GradientDescent),
        ("heavy_ball", fallline.Momentum),
        ("heavy-ball", fallline.Momentum),
        ("NAG", fallline.Nesterov),
        ("Adam", fallline.Adam),
        ("RMSprop", fallline.RMSProp),
        ("adam_w", fallline.AdamW),
        ("L-BFGS", fallline.LBFGS),
        ("QuasiHyperbolicMomentum", fallline.QuasiHyperbolicMomentum),
        ("ClipNorm:Adam", fallline.ClipNorm),
    ],
)
def test_a_rule_is_found_by_the_name_that_people_use(name: str, kind: type[Any]) -> None:
    assert type(optimizer_from_name(name)) is kind
    assert len(minimize("x**2", 1.0, name, max_steps=1)) == 2


def test_a_convention_may_follow_any_name_of_a_rule() -> None:
    assert optimizer_from_name("Heavy_Ball@torch", momentum=0.5) == fallline.Momentum(momentum=0.5, convention="torch")


@pytest.mark.parametrize("kind", [*OPTIMIZERS.values(), *WRAPPERS.values()])
def test_every_class_name_is_a_name_of_its_rule(kind: Any) -> None:
    inner = ":adam" if kind in WRAPPERS.values() else ""
    assert type(optimizer_from_name(kind.__name__ + inner)) is kind


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("SGD", "write GradientDescent or Momentum"),
        ("sgd", "write GradientDescent or Momentum"),
        ("NAG", "write Nesterov"),
        ("adam", "write Adam"),
        ("RMSprop", "write RMSProp"),
        ("minimise", "did you mean 'minimize'?"),
    ],
)
def test_the_package_says_what_it_has_instead(name: str, said: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(fallline, name)
    assert str(caught.value) == f"module 'fallline' has no attribute {name!r}; {said}"
    assert not hasattr(fallline, "__no_such__")


# Optimizers of other libraries -------------------------------------------------------------------------------


def test_a_class_for_a_rule_is_told_to_be_called() -> None:
    with pytest.raises(FalllineError, match=r"^optimizer is <class '.*Adam'>; .* or a name; write Adam\(\)$"):
        minimize("x**2", 1.0, Adam)  # type: ignore[arg-type]


def test_nothing_is_imported_to_look_at_what_was_given() -> None:
    program = """
import sys, fallline
for given in (3, len, fallline.Adam, object()):
    try: fallline.minimize("x**2", 1.0, given)
    except fallline.FalllineError: pass
assert not {"torch", "optax", "keras", "jax"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
