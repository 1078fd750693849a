"""The runs of a sweep with a store: results that it has are read, the missing ones are run and added."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias, TypeVar

from fallline.encoding import encode
from fallline.engines import Problem, WorkersLost
from fallline.errors import FalllineError
from fallline.experiments.design import Portion
from fallline.experiments.outcomes import Results
from fallline.experiments.store import Own, Store, own_settings
from fallline.gradients import Perturbation
from fallline.objectives import Objective

Item = TypeVar("Item")

# Runs each problem and yields the results, in any order, with the object that accompanied it.
Making: TypeAlias = Callable[[Iterable[tuple[Any, Problem]]], Iterator[tuple[Any, Results]]]


def kept(
    path: str | os.PathLike[str], portions: Iterable[Portion], make: Making, objective: Objective, gradient: Any
) -> Iterator[tuple[Portion, Results]]:
    """Results from the store; missing ones are run and added, those claimed by other processes last."""
    if objective.recipe() is None or not isinstance(gradient, str | Perturbation):
        what = objective.title if objective.recipe() is None else "the gradient"
        raise FalllineError(
            "store",
            os.fspath(path),
            problem=f"but results of {what} cannot be kept: it is a Python function, and one cannot be told from "
            "another",
        )
    with Store(path) as store:
        claims: set[str] = set()
        others: list[Portion] = []
        found: list[tuple[Portion, Results]] = []

        def lacking(portions: Iterable[Portion], free: bool) -> Iterator[tuple[Any, Problem]]:
            """The runs that the store lacks at this moment; results that it has are appended to `found`."""
            for portion in portions:
                problem, own = _identity(portion, gradient)
                claim = hashlib.sha256(problem.encode() + own.tobytes()).hexdigest()
                there, results = store.found(problem, own)
                if free and not there.all():
                    if not store.claim(claim):
                        others.append(portion)
                        continue
                    claims.add(claim)
                    # Another process may have finished it meanwhile and released its claim.
                    there, results = store.found(problem, own)
                if results is not None:
                    found.append((portion.only(there), results))
                if there.all():
                    claims.discard(claim)
                    store.release(claim)
                else:
                    left = portion.only(~there) if there.any() else portion
                    yield (left, problem, own[~there], claim), left.problem

        try:
            # Processes that claimed portions and did not finish them may have been killed.
            for some, free in ((portions, True), (others, False)):
                for (portion, problem, own, claim), results in make(lacking(some, free)):
                    store.add(problem, own, results)
                    claims.discard(claim)
                    store.release(claim)
                    yield portion, results
                    yield from _taken(found)
                yield from _taken(found)
        except WorkersLost as error:
            error.allowed = f"store {os.fspath(path)!r} keeps what is done"
            raise
        finally:
            for claim in claims:
                store.release(claim)


def _taken(items: list[Item]) -> Iterator[Item]:
    """The items, removed from the list."""
    while items:
        yield items.pop()


def _identity(portion: Portion, gradient: Any) -> tuple[str, Own]:
    """The key of a portion's runs in the store: what they have in common, as JSON, and each one's own settings."""
    problem, own = portion.problem, own_settings(portion.own)
    common = {
        "objective": problem.objective.recipe(),
        "gradient": encode(gradient),
        "optimizer": _without_arrays(encode(problem.optimizer)),
        "max_steps": problem.max_steps,
        "stop": encode(problem.conditions),
        "shared": {name: encode(value) for name, value in portion.shared.items()},
        "columns": [(name, own.dtype[name].base.str, own.dtype[name].shape) for name in portion.own],
    }
    return json.dumps(common, sort_keys=True), own


def _without_arrays(recipe: Any) -> Any:
    """The recipe of a rule without the settings that differ from run to run."""
    if isinstance(recipe, dict):
        return {name: _without_arrays(part) for name, part in recipe.items()}
    return None if isinstance(recipe, list) and recipe and isinstance(recipe[0], list) else recipe
