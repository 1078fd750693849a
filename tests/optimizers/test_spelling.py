"""Other names of rules, and what to write instead of what another library calls an optimizer or a schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fallline.optimizers import OPTIMIZERS, WRAPPERS
from fallline.optimizers.spelling import (
    LIBRARIES,
    OTHER_NAMES,
    SCHEDULES_ELSEWHERE,
    instead_of,
    rules_meant,
    schedule_instead_of,
    spelt,
)
from fallline.schedules import SCHEDULES


def defined_in(module: str, name: str, *bases: type) -> type:
    """A class that says it is another library's."""
    return type(name, bases, {"__module__": module})


def made_in(module: str, name: str) -> Callable[..., Any]:
    """A function that says it is another library's."""

    def function(*_: Any) -> Any:
        def schedule(_step: Any) -> float:
            return 0.1

        schedule.__module__, schedule.__qualname__ = module, f"{name}.<locals>.schedule"
        return schedule

    function.__module__, function.__qualname__, function.__name__ = module, name, name
    return function


@pytest.mark.parametrize("name", [*OPTIMIZERS, *WRAPPERS])
@pytest.mark.parametrize("spell", [str, str.upper, str.title, lambda name: name.replace("_", "-")])
def test_a_registered_name_is_found_in_any_spelling(name: str, spell: Callable[[str], str]) -> None:
    assert spelt(spell(name), OPTIMIZERS, WRAPPERS) == name
    assert rules_meant(spell(name), [*OPTIMIZERS, *WRAPPERS]) == (name,)


def test_other_names_stand_for_registered_rules_only() -> None:
    for other, meant in OTHER_NAMES.items():
        assert rules_meant(other.upper(), OPTIMIZERS) == meant
        assert spelt(other, OPTIMIZERS, WRAPPERS) == meant[0]
        assert rules_meant(other, ["adam"]) == ()
    assert rules_meant("sgd", ["momentum"]) == ("momentum",)
    assert spelt("adm", OPTIMIZERS) == "adm"
    # What is registered under the name itself is meant, also where the name stands for another.
    assert spelt("nag", {"nag": None}) == "nag"


ADAM = defined_in("torch.optim.adam", "Adam", defined_in("torch.optim.optimizer", "Optimizer"))


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (ADAM, "it is PyTorch's: write 'adam@torch'"),
        (ADAM(), "it is PyTorch's: write 'adam@torch'"),
        # A user's own class, made from one of the library's.
        (defined_in("mine", "SGD", ADAM), "it is PyTorch's: write 'gradient_descent@torch' or 'momentum@torch'"),
        (defined_in("keras.src.optimizers.lion", "Lion"), "it is Keras's: write 'lion@keras'"),
        (defined_in("torch.optim", "Yogi"), "it is PyTorch's: did you mean 'yogi'?"),
        (defined_in("optax._src.base", "Thing")(), "it is optax's: give fallline.bridges.optax.from_optax of it"),
        (
            made_in("optax._src.alias", "adam"),
            "it is optax's: give fallline.bridges.optax.from_optax of it and call it, as in adam(0.1)",
        ),
        (defined_in("mine", "Mine"), "write Mine()"),
        (defined_in("mine", "Mine")(), None),
        (3, None),
        (made_in("mine", "rule"), None),
    ],
)
def test_an_optimizer_of_another_library_is_told_what_it_is_here(thing: Any, said: str | None) -> None:
    # After a guess come all that there are.
    expected = f"{said} Allowed: {', '.join(OPTIMIZERS)}" if said and said.endswith("?") else said
    assert instead_of(thing, OPTIMIZERS) == expected


@pytest.mark.parametrize(
    ("rate", "library", "ours"),
    [
        (defined_in("torch.optim.lr_scheduler", "StepLR"), "PyTorch", "StepDecay(initial, factor, every)"),
        (defined_in("torch.optim.lr_scheduler", "ExponentialLR")(), "PyTorch", "Exponential(initial, decay)"),
        (defined_in("keras.src.optimizers.schedules", "CosineDecay")(), "Keras", "Cosine(initial, steps, final)"),
        (defined_in("mine", "Own", defined_in("torch.optim.lr_scheduler", "LRScheduler"))(), "PyTorch", "one of "),
        (made_in("optax.schedules", "cosine_decay_schedule"), "optax", "Cosine(initial, steps, final)"),
        (made_in("optax.schedules", "polynomial_schedule")(), "optax", "Polynomial(initial, "),
        (made_in("optax.schedules", "zzz"), "optax", "one of Constant, "),
        *(
            (defined_in("keras.src.optimizers.schedules", name), "Keras", f"{ours}(")
            for name, ours in SCHEDULES_ELSEWHERE.items()
        ),
    ],
)
def test_a_schedule_of_another_library_is_told_what_it_is_here(rate: Any, library: str, ours: str) -> None:
    assert str(schedule_instead_of(rate, SCHEDULES)).startswith(f"it is {library}'s: write {ours}")


def test_every_schedule_that_is_told_of_is_one() -> None:
    assert set(SCHEDULES_ELSEWHERE.values()) <= {kind.__name__ for kind in SCHEDULES.values()}
    assert set(LIBRARIES) == {"torch", "keras", "optax"}


def test_what_is_no_schedule_of_another_library() -> None:
    # A function of the user's own changes with the step; a number or a tensor of a library's does not.
    assert "Schedule, such as Cosine(" in str(schedule_instead_of(made_in("mine", "rate"), SCHEDULES))
    assert schedule_instead_of(0.1, SCHEDULES) is None
    assert schedule_instead_of(defined_in("torch", "Tensor")(), SCHEDULES) is None
    # Without any, there is none to be written.
    assert schedule_instead_of(defined_in("torch.optim.lr_scheduler", "StepLR"), {}) == "it is PyTorch's: write one of "
