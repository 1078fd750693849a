"""DoG and Prodigy compared with optax's and the authors'."""

from __future__ import annotations

from typing import Any

import dog
import optax
import prodigyopt
from tests.parity.row import Row

from fallline import DoG, Prodigy


def authors_prodigy(rule: Any) -> dict[str, Any]:
    return {
        "lr": rule.learning_rate,
        "betas": (rule.beta1, rule.beta2),
        "eps": rule.epsilon,
        "d0": rule.initial,
        "d_coef": rule.coefficient,
        "weight_decay": rule.weight_decay,
        "safeguard_warmup": rule.safeguard_warmup,
    }


def optax_prodigy(rule: Any) -> dict[str, Any]:
    return {
        "learning_rate": rule.learning_rate,
        "betas": (rule.beta1, rule.beta2),
        "eps": rule.epsilon,
        "estim_lr0": rule.initial,
        "estim_lr_coef": rule.coefficient,
        "weight_decay": rule.weight_decay,
        "safeguard_warmup": rule.safeguard_warmup,
    }


# From a first distance d that roundings of x do not reach.
PRODIGY_GRID: tuple[dict[str, Any], ...] = tuple(
    {"initial": 0.01, **settings}
    for settings in (
        {},
        {"beta1": 0.8},
        {"beta2": 0.9995},
        {"epsilon": 1e-3},
        {"initial": 0.1},
        {"coefficient": 0.5},
        {"weight_decay": 0.1},
        {"learning_rate": 0.3},
        {"safeguard_warmup": True},
    )
)
WHY_PRODIGY = (
    "d comes from the first steps, which are 1e-6 long: where one side rounds x once more, by 1e-16 of it, that is "
    "1e-10 of the step, and d keeps it"
)

ROWS = (
    *(
        Row(
            rule=DoG,
            convention=convention,
            library="optax",
            peer=optax.contrib.dog,
            arguments=lambda rule: {
                "learning_rate": rule.learning_rate,
                "init_step": ("heuristic", rule.initial),
                "eps": rule.epsilon,
            },
            rate=1.0,
            grid=({}, {"initial": 1e-3}, {"epsilon": 0.1}, {"learning_rate": 0.5}),
            # With their epsilons made equal the two agree.
            defaults=convention == "optax",
        )
        for convention in ("optax", "paper")
    ),
    Row(
        rule=DoG,
        convention="optax",
        library="dog-optimizer",
        peer=dog.DoG,
        arguments=lambda rule: {"lr": rule.learning_rate, "reps_rel": rule.initial, "eps": rule.epsilon},
        rate=1.0,
        grid=({}, {"initial": 1e-3}, {"epsilon": 0.1}, {"learning_rate": 0.5}),
    ),
    Row(
        rule=Prodigy,
        convention="authors",
        library="prodigyopt",
        peer=prodigyopt.Prodigy,
        arguments=authors_prodigy,
        rate=0.1,
        grid=PRODIGY_GRID,
        defaults=False,
    ),
    Row(
        rule=Prodigy,
        convention="authors",
        library="prodigyopt",
        peer=prodigyopt.Prodigy,
        arguments=authors_prodigy,
        rate=0.1,
        grid=({},),
        bound=1e-9,
        why=WHY_PRODIGY,
    ),
    Row(
        rule=Prodigy,
        convention="optax",
        library="prodigyopt",
        peer=prodigyopt.Prodigy,
        arguments=authors_prodigy,
        rate=0.1,
        grid=PRODIGY_GRID,
        fixed={"use_bias_correction": True},
        defaults=False,
    ),
    Row(
        rule=Prodigy,
        convention="optax",
        library="optax",
        peer=optax.contrib.prodigy,
        arguments=optax_prodigy,
        rate=0.1,
        grid=({}, *PRODIGY_GRID),
    ),
)
