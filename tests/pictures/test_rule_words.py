from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fallline
from fallline import compare, minimize
from fallline.arguments import Rule
from fallline.optimizers import BOUNDED, OPTIMIZERS, WRAPPERS
from fallline.pictures.paths import labelled
from fallline.pictures.rule_words import label_words, optimizer_words, symbol_text

BOWL, START = "x**2 + 3*y**2", [1.0, 2.0]


def told(rule: Any, max_steps: int = 20) -> str:
    return optimizer_words(minimize(BOWL, START, rule, max_steps=max_steps))


def labels(runs: Any) -> list[str]:
    return [pair.label for pair in labelled(runs)]


def test_rules_have_the_names_of_their_papers() -> None:
    spelt = {name: kind.called or kind.__name__ for name, kind in (*OPTIMIZERS.items(), *BOUNDED.items())}
    expected = {
        "gradient_descent": "gradient descent",
        "nesterov": "Nesterov",
        "rmsprop": "RMSProp",
        "adagrad": "AdaGrad",
        "adam": "Adam",
        "adamw": "AdamW",
        "amsgrad": "AMSGrad",
        "barzilai_borwein": "Barzilai–Borwein",
        "lbfgs": "L-BFGS",
        "projected_lbfgs": "projected L-BFGS",
    }
    assert {name: spelt[name] for name in expected} == expected
    assert not any("_" in name for name in spelt.values())
    assert all(kind.called for kind in WRAPPERS.values())


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (fallline.RMSProp(1.0, convention="tutorial"), "RMSProp (tutorial), η = 1"),
        (fallline.Adam(0.1, beta1=0.5, epsilon=1e-3), "Adam, η = 0.1, β₁ = 0.5, ε = 0.001"),
        # The convention's own default is not told, another is.
        (fallline.RMSProp(0.1, convention="torch"), "RMSProp (torch), η = 0.1"),
        (fallline.LBFGS(), "L-BFGS"),
        (fallline.LBFGS(fallline.Backtracking(), memory=5), "L-BFGS, η: backtracking, memory = 5"),
        (fallline.GradientDescent(fallline.StrongWolfe()), "gradient descent, η: strong Wolfe search"),
        (fallline.ConjugateGradient(formula="hager_zhang"), "conjugate gradient, formula = hager zhang"),
        (fallline.BarzilaiBorwein(0.1, short=True), "Barzilai–Borwein, η = 0.1, short"),
        (
            fallline.FISTA(0.1, penalty=fallline.L1(0.5), restart=False),
            "FISTA, η = 0.1, penalty L1(λ = 0.5), no restart",
        ),
        (fallline.Rprop(0.1, largest=3.0), "Rprop, η = 0.1, Δₘₐₓ = 3"),
        (fallline.ClipNorm(fallline.Adam(0.1)), "Adam, η = 0.1, norm clipping (c = 1)"),
        (
            fallline.WeightDecay(fallline.ClipValue(fallline.Adam(0.1), 5.0), decay=0.1, convention="torch"),
            "Adam, η = 0.1, slope clipping (c = 5), weight decay (torch, λ = 0.1)",
        ),
        (fallline.Cautious(fallline.Momentum(0.1)), "momentum, η = 0.1, cautious"),
        (
            fallline.Projected(fallline.GradientDescent(0.1), fallline.Box(0.0, np.inf)),
            "gradient descent, η = 0.1, projected (onto Box(low = 0, high = ∞))",
        ),
    ],
)
def test_a_rule_is_told_with_every_setting_that_is_not_obvious(rule: Any, words: str) -> None:
    assert told(rule) == words


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        # After 20 steps; the cosine of 20 steps is 0 at the 21st, as is the line.
        (fallline.Cosine(0.1, 20), "cosine 0.1 → 0"),
        (fallline.Polynomial(0.1, 20), "polynomial 0.1 → 0"),
        (fallline.StepDecay(0.4, factor=0.5, every=10), "step decay 0.4 → 0.2"),
        (fallline.Constant(0.1), "constant 0.1"),
        (
            fallline.WarmUp(fallline.StepDecay(0.1, factor=0.5, every=10), 5, 0.5),
            "warm-up and step decay 0.05 → 0.1 → 0.05",
        ),
        (fallline.WarmUp(0.1, 5, 0.5), "warm-up 0.05 → 0.1"),
        (fallline.ReduceOnPlateau(0.1), "on plateau 0.1"),
    ],
)
def test_a_schedule_is_told_by_its_name_and_the_rates_it_gave(schedule: Any, words: str) -> None:
    assert told(fallline.Adam(schedule)) == f"Adam, η: {words}"
    assert told(fallline.ClipNorm(fallline.Adam(schedule))) == f"Adam, η: {words}, norm clipping (c = 1)"


def test_runs_side_by_side_tell_what_differs() -> None:
    rules: list[Rule] = [fallline.Adam(0.1), fallline.Adam(0.1, beta1=0.8), fallline.AdaGrad(0.1)]
    assert labels(compare(BOWL, START, rules, max_steps=3)) == [
        "Adam, η = 0.1, β₁ = 0.9",
        "Adam, η = 0.1, β₁ = 0.8",
        "AdaGrad, η = 0.1",
    ]
    wrapped: list[Rule] = [fallline.Cautious(fallline.Adam(0.1, beta2=beta)) for beta in (0.9, 0.999)]
    assert labels(compare(BOWL, START, wrapped, max_steps=3)) == [
        "Adam, η = 0.1, β₂ = 0.9, cautious",
        "Adam, η = 0.1, β₂ = 0.999, cautious",
    ]


def test_runs_of_one_rule_are_told_by_their_starts_or_their_seeds() -> None:
    starts = [[-1.2, 1.0], [2.0, 3.0]]
    assert labels(compare(BOWL, starts, "adam", max_steps=3)) == ["from (−1.2, 1)", "from (2, 3)"]
    assert labels(compare(BOWL, starts, ["adam", "momentum"], max_steps=3))[1:3] == [
        "Adam, η = 0.001, from (2, 3)",
        "momentum, η = 0.01, from (−1.2, 1)",
    ]
    noisy = fallline.GradientNoise(fallline.Momentum(0.1))
    seeds = [minimize(BOWL, START, noisy, max_steps=3, seed=seed) for seed in (0, 7)]
    assert labels(seeds) == ["seed 0", "seed 7"]
    both = [minimize(BOWL, start, noisy, max_steps=3, seed=seed) for start, seed in zip(starts, (0, 7), strict=True)]
    assert labels(both) == ["from (−1.2, 1), seed 0", "from (2, 3), seed 7"]
    assert labels(minimize(BOWL, START, "adam", max_steps=3)) == ["Adam, η = 0.001"]
    assert labels(
        [minimize("sum((x[i] - 1)**2, i=1..6)", np.arange(6.0) + k, "adam", max_steps=2) for k in (0, 1)]
    ) == [
        "from (0, 1, 2, 3, …)",
        "from (1, 2, 3, 4, …)",
    ]


def test_a_users_labels_stay() -> None:
    rules = {"mine": fallline.Adam(0.1), "adam": fallline.Adam(0.2)}
    assert labels(compare(BOWL, START, rules, max_steps=3)) == ["mine", "adam"]


def test_a_legend_does_not_give_the_ending_away() -> None:
    race = compare(BOWL, START, ["adam", "momentum"], max_steps=3)
    for kind in ("histories", "contour"):
        figure = race.plot(kind=kind)
        legend = [*figure.legends, *filter(None, (ax.get_legend() for ax in figure.axes))][0]
        texts = [text.get_text() for text in legend.get_texts()]
        assert texts[:2] == ["Adam, η = 0.001", "momentum, η = 0.01"]
        assert not any("step limit" in text for text in texts)


@dataclass(frozen=True)
class Fading(fallline.Optimizer[None]):
    """A rule of a user's own."""

    learning_rate: Any = 0.1
    push_back: float = 0.25
    strength: float = field(default=1.0, metadata={"symbol": r"\alpha"})

    def init(self, x: Any) -> None:
        return None

    def update(self, gradient: Any, state: None, rate: Any, step: Any) -> tuple[Any, None]:
        return self.strength * rate * gradient, state


def test_a_rule_of_a_users_own_is_told_too_and_what_is_left_of_it_in_a_file(tmp_path: Path) -> None:
    run = minimize(BOWL, START, Fading(0.1, push_back=0.5, strength=0.5), max_steps=3)
    assert optimizer_words(run) == "Fading, η = 0.1, push back = 0.5, α = 0.5"
    run.save(tmp_path / "run.npz")
    loaded = fallline.Trajectory.load(tmp_path / "run.npz")
    assert optimizer_words(loaded) == "Fading, η = 0.1, push back = 0.5, strength = 0.5"
    minimize(BOWL, START, Fading(fallline.Exponential(0.1, 0.5)), max_steps=3).save(tmp_path / "run.npz")
    assert optimizer_words(fallline.Trajectory.load(tmp_path / "run.npz")) == "Fading, η: 0.1 → 0.025"


@pytest.mark.parametrize(
    "rule",
    [
        fallline.RMSProp(1.0, convention="tutorial", beta=0.95),
        fallline.LBFGS(),
        fallline.GradientDescent(fallline.ExactQuadratic()),
        fallline.WeightDecay(fallline.ClipNorm(fallline.Adam(0.1), 5.0), decay=0.1, convention="torch"),
    ],
)
def test_a_label_says_the_same_in_the_same_words(rule: Any) -> None:
    assert label_words(rule.label) == told(rule)


def test_every_symbol_of_a_setting_has_plain_characters() -> None:
    for kind in (*OPTIMIZERS.values(), *BOUNDED.values(), *WRAPPERS.values()):
        for known in fallline.hyperparameters.hyperparameters(kind).values():
            text = symbol_text(known.symbol or "x")
            assert "\\" not in text
            assert "{" not in text
