"""What runs can be written as a recipe file, and the file repeats them to the last bit."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.cases import few

from fallline import (
    FISTA,
    L1,
    L2,
    Adam,
    Ball,
    Box,
    Cautious,
    Comparison,
    Constant,
    Diverging,
    ElasticNet,
    Evaluations,
    FalllineError,
    Fit,
    GradientDescent,
    GradientNorm,
    Momentum,
    NotFinite,
    Perturbation,
    Projected,
    ProjectedLBFGS,
    ProximalDescent,
    Recipe,
    Record,
    Seconds,
    Simplex,
    StepDecay,
    StepSize,
    Target,
    Trajectory,
    ValueChange,
    compare,
    examples,
    fit,
    minimize,
)
from fallline.hyperparameters import hyperparameters
from fallline.line_search import LINE_SEARCHES
from fallline.models import MODELS, Huber, Linear, Network
from fallline.objectives.landscapes import LANDSCAPES
from fallline.optimizers import BOUNDED, OPTIMIZERS, WRAPPERS, Optimizer
from fallline.recipes import toml
from fallline.recipes.settings import RATES, RULES, read, table_of
from fallline.schedules import SCHEDULES
from fallline.stopping import SmallEpoch

Result = Trajectory | Comparison | Fit


def repeated(result: Result, folder: Path) -> Result:
    """What the recipe file of a result runs."""
    result.save_recipe(folder / "recipe.toml")
    return Recipe.load(folder / "recipe.toml").run()


def rules() -> Iterator[Optimizer[Any]]:
    """Every rule under every convention."""
    kind: Any
    for kind in OPTIMIZERS.values():
        yield from (kind(convention=convention) for convention in kind.conventions)
    for kind in WRAPPERS.values():
        yield from (kind(Momentum(0.01), convention=convention) for convention in kind.conventions)
    for kind in BOUNDED.values():
        yield kind()


@pytest.mark.parametrize("rule", [*rules()], ids=lambda rule: rule.label.partition(",")[0])
def test_every_rule_under_every_convention(rule: Optimizer[Any], tmp_path: Path) -> None:
    run = minimize("x**2 + 3*y**2 + x*y", [1.0, 2.0], rule, max_steps=20)
    assert repeated(run, tmp_path) == run


def schedules() -> Iterator[Any]:
    kind: Any
    for kind in SCHEDULES.values():
        for convention in kind.conventions:
            named = {"convention": convention} if "convention" in kind.__dataclass_fields__ else {}
            yield kind(0.05, **named)


@pytest.mark.parametrize("rate", [*schedules(), *(kind() for kind in LINE_SEARCHES.values())], ids=str)
def test_every_schedule_and_line_search(rate: Any, tmp_path: Path) -> None:
    run = minimize("x**2 + 3*y**2", [1.0, 2.0], GradientDescent(rate), max_steps=20)
    assert repeated(run, tmp_path) == run


@pytest.mark.parametrize(
    "stop",
    [
        None, StepSize(), StepSize(1e-3), GradientNorm(1e-2), ValueChange(1e-4), Target(0.5), Evaluations(9),
        Seconds(1e6), NotFinite(), Diverging(2.0), SmallEpoch(0.1, 3), Target(-1) | StepSize(0.01) | Evaluations(100),
    ],
    ids=str,
)  # fmt: skip
def test_every_stopping_condition_in_order(stop: Any, tmp_path: Path) -> None:
    for rule in (GradientDescent(0.1), GradientDescent(1.1)):
        run = minimize("x**2", 3.0, rule, max_steps=60, stop=stop)
        assert repeated(run, tmp_path) == run


@pytest.mark.parametrize(
    "gradient",
    [
        "auto", "symbolic", Perturbation(), Perturbation(0.01), Perturbation("noise"),
        *(Perturbation(1e-3, scheme) for scheme in Perturbation.SCHEMES),
    ],
    ids=str,
)  # fmt: skip
def test_every_kind_of_gradient(gradient: Any, tmp_path: Path) -> None:
    run = minimize("exp(x) + y**2 - x", [1.0, 2.0], Adam(0.1), max_steps=20, gradient=gradient)
    assert repeated(run, tmp_path) == run


@pytest.mark.parametrize("record", ["all", "ends", 7, Record(3, state=True), Record(None, at=(2, 5)), Record(at=(1,))])
def test_every_record(record: Any, tmp_path: Path) -> None:
    run = minimize("x**2", 3.0, Momentum(0.1), max_steps=20, record=record)
    assert repeated(run, tmp_path) == run


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_the_engine(engine: str, tmp_path: Path) -> None:
    run = minimize("x**2 + sin(x)", 3.0, Momentum(0.1), max_steps=20, engine=engine)
    again = repeated(run, tmp_path)
    assert again == run
    assert isinstance(again, Trajectory)
    assert again.engine == engine


@pytest.mark.parametrize("name", LANDSCAPES)
def test_every_landscape_under_its_name(name: str, tmp_path: Path) -> None:
    run = minimize(name, {"x": 0.5, "y": -1.5}, GradientDescent(1e-3), max_steps=20)
    assert repeated(run, tmp_path) == run
    assert f'objective = "{name}"' in (tmp_path / "recipe.toml").read_text()


@pytest.mark.parametrize("formula", ["u = 3*a**2 - b; y = 2*u + a*b", "|α - 1| + 2α²", "sum(x[i]^2, i=1..2)"])
def test_formulas_as_people_write_them(formula: str, tmp_path: Path) -> None:
    count = 1 if "α" in formula else 2
    run = minimize(formula, [0.1] * count, GradientDescent(0.01), max_steps=20)
    assert repeated(run, tmp_path) == run


@pytest.mark.parametrize(
    "structure",
    [
        ProximalDescent(0.1, L1(0.1)), FISTA(0.1, ElasticNet(0.1, 0.2, free=(1,)), restart=False),
        ProximalDescent(0.1, L2(0.3)), Projected(Adam(0.1), Box((0.0, -np.inf), (1.0, np.inf))),
        Projected(Cautious(Adam(StepDecay(0.1))), Simplex(2.0)), ProjectedLBFGS(onto=Ball(3.0)),
        ProjectedLBFGS(onto=Box(0.5, 2.0)),
    ],
    ids=lambda rule: rule.label[:60],
)  # fmt: skip
def test_sets_penalties_and_rules_within_rules(structure: Optimizer[Any], tmp_path: Path) -> None:
    run = minimize("(x - 3)**2 + y**2", [1.0, 1.0], structure, max_steps=20)
    assert repeated(run, tmp_path) == run


X, TWO, THREE = [[0.5, 1.0], [1.5, -1.0], [2.5, 0.25], [-1.0, 2.0]], [0, 1, 1, 0], [0, 1, 2, 1]
TARGETS: dict[str, list[Any]] = {"softmax": THREE, "network": THREE, "poisson": THREE}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("settings", [{}, {"l2": 0.1, "reduction": "sum", "sample_weight": [1, 2, 0.5, 1]}])
def test_every_model_with_its_data(model: str, settings: dict[str, Any], tmp_path: Path) -> None:
    inputs = [row[0] for row in X] if model == "sigmoid" else X
    loss = MODELS[model](inputs, TARGETS.get(model, TWO), **settings)
    start = np.linspace(-0.5, 0.5, loss.dimension)
    for objective in (loss, loss.batches(2), loss.batches(3, order="sequential", remainder="drop")):
        run = minimize(objective, start, Adam(0.1), max_steps=10, seed=3)
        assert repeated(run, tmp_path) == run


def test_models_with_settings_names_and_classes(tmp_path: Path) -> None:
    network = Network(X, ["no", "yes", "yes", "no"], hidden=(3, 2), activation="tanh", feature_names=["a b", "c"])
    for objective in (network, Huber(X, TWO, delta=0.5), Linear(X, TWO, feature_names=["µ", "v"])):
        run = minimize(objective, np.linspace(-1, 1, objective.dimension), Adam(0.1), max_steps=10)
        assert repeated(run, tmp_path) == run


def test_slices_of_a_model(tmp_path: Path) -> None:
    loss = Linear(X, TWO)
    for part in (loss.freeze([0.1, 0.2, 0.3], but=["w1", "b"]), loss.batches(2).slice([0, 1, 2], [[1, 0, 1]], 2.0)):
        run = minimize(part, np.ones(part.dimension), GradientDescent(0.1), max_steps=10)
        assert repeated(run, tmp_path) == run


@pytest.mark.parametrize("starts", [2.0, [2.0], {"x": 2.0}, [[2.0], [-3.0], [0.5]], [{"x": 1.0}, {"x": 2.0}]])
@pytest.mark.parametrize(
    "optimizers",
    [["adam", "momentum"], {"plain": GradientDescent(0.1), "also (plain) from (1)": GradientDescent(0.1)}],
)
def test_comparisons(starts: Any, optimizers: Any, tmp_path: Path) -> None:
    runs = compare("x**2 + sin(x)", starts, optimizers, max_steps=10, record=3, seed=4)
    again = repeated(runs, tmp_path)
    assert again == runs
    runs.save(tmp_path / "runs.npz")
    assert repeated(Comparison.load(tmp_path / "runs.npz"), tmp_path) == runs


def test_one_rule_from_several_starts_and_many_of_which_only_the_ends_are_kept(tmp_path: Path) -> None:
    few = compare("x**2", [[1.0], [2.0]], Momentum(0.1), max_steps=5)
    assert repeated(few, tmp_path) == few
    many = compare("x**2", np.linspace(-1, 1, 300)[:, None], Momentum(0.1), max_steps=5, record="ends")
    assert repeated(many, tmp_path) == many


def test_a_loaded_run(tmp_path: Path) -> None:
    run = minimize(Linear(X, TWO).batches(2), [0, 0, 0], Adam(0.1), max_steps=10, stop=Target(0.01))
    run.save(tmp_path / "run.npz")
    assert repeated(Trajectory.load(tmp_path / "run.npz"), tmp_path) == run


CALLS: dict[str, dict[str, Any]] = {
    "usual": {},
    "a rule with its rate": {"optimizer": Adam(0.1), "max_steps": 20, "x0": [0.0, 1.0]},
    "a rule by its name": {"optimizer": "momentum", "stop": GradientNorm(1e-3)},
    "batches": {"batch_size": 5, "epochs": 3, "seed": 2, "record": "all"},
    "a penalty": {"model": "lasso", "l1": 0.1},
    "a network": {"model": "network", "hidden": (3,), "activation": "tanh", "batch_size": 8, "epochs": 2},
    "rows and classes": {"holdout": 0.2, "class_weight": {0: 1, 1: 2.5}, "features": ["temperature_F"]},
    "files": {"separator": ",", "na": ["-"], "missing": "mean", "constant": "drop", "standardize": False},
}


@pytest.mark.parametrize("call", few(CALLS.values(), 3), ids=CALLS)
def test_fits_to_a_file(call: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    data = tmp_path / "data" / "launches.csv"
    data.write_bytes(examples.challenger().read_bytes())
    fitted = fit(data, "distress", **call)
    assert repeated(fitted, tmp_path) == fitted
    # The data are found beside the recipe, wherever both are moved to.
    (moved := tmp_path / "elsewhere").mkdir()
    (tmp_path / "data").rename(moved / "data")
    (tmp_path / "recipe.toml").rename(moved / "recipe.toml")
    assert Recipe.load(moved / "recipe.toml").run() == fitted


# Settings that nobody chose: any that the fields of the classes allow.


def numbers(kind: Any, name: str) -> st.SearchStrategy[Any]:
    allowed = hyperparameters(kind)[name].range
    low, high = (None if np.isinf(end) else end for end in (allowed.low, allowed.high))
    if allowed.whole:
        first = 0 if low is None else int(low) + allowed.low_open
        return st.integers(first, min(10**15, 10**15 if high is None else int(high) - allowed.high_open))
    return st.floats(
        low,
        high,
        exclude_min=low is not None and allowed.low_open,
        exclude_max=high is not None and allowed.high_open,
        allow_nan=False,
        allow_infinity=False,
    )


@st.composite
def made(draw: st.DrawFn, kinds: list[Callable[..., Any]]) -> Any:
    kind: Any = draw(st.sampled_from(kinds))
    settings: dict[str, Any] = {}
    known = hyperparameters(kind)
    for field in dataclasses.fields(kind):
        if not field.init:
            continue
        if field.name in ("learning_rate", "after"):
            inner: list[Any] = [*SCHEDULES.values(), *([] if field.name == "after" else LINE_SEARCHES.values())]
            rate = st.floats(0, exclude_min=True, allow_nan=False, allow_infinity=False)
            settings[field.name] = draw(st.one_of(rate, made(inner)))
        elif field.name == "rule":
            settings[field.name] = draw(made([*OPTIMIZERS.values(), *WRAPPERS.values()]))
        elif field.name == "convention":
            settings[field.name] = draw(st.sampled_from([*kind.conventions]))
        elif isinstance(field.default, bool):
            settings[field.name] = draw(st.booleans())
        elif field.name in known and not isinstance(known[field.name].default, tuple):
            settings[field.name] = draw(numbers(kind, field.name))
    try:
        return kind(**settings)
    except FalllineError:  # settings that do not go together
        assume(False)


@given(made([*OPTIMIZERS.values(), *BOUNDED.values(), *WRAPPERS.values()]))
def test_any_rule_comes_back_from_its_text_the_same(rule: Optimizer[Any]) -> None:
    text = toml.text_of({"optimizers": [table_of(rule)]}, blocks=["optimizers"])
    assert read(toml.parsed(text.encode())["optimizers"][0], RULES, "optimizers[0]") == rule


@given(made([*SCHEDULES.values(), *LINE_SEARCHES.values()]))
def test_any_schedule_comes_back_from_its_text_the_same(rate: Any) -> None:
    assert read(toml.parsed(toml.text_of({"rate": table_of(rate)}).encode())["rate"], RATES, "rate") == rate


def test_a_rate_that_is_a_number_stays_one() -> None:
    assert table_of(Adam(0.1))["learning_rate"] == 0.1
    assert table_of(Adam(Constant(0.1)))["learning_rate"] == {"name": "constant", "initial": 0.1}


TREES = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**63) + 1, 2**63 - 1), st.floats(), st.text(st.characters(codec="utf-8"))),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(st.characters(codec="utf-8")), inner)),
    max_leaves=20,
)


def same(one: Any, other: Any) -> bool:
    """Whether two trees are equal, bit for bit: NaN, and −0 apart from 0."""
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(itertools.starmap(same, zip(one, other, strict=True)))
    return type(one) is type(other) and repr(one) == repr(other)


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1), TREES))
@pytest.mark.long
def test_any_tree_comes_back_from_its_text_the_same(tree: dict[str, Any]) -> None:
    assert same(toml.parsed(toml.text_of(tree).encode()), tree)


@pytest.mark.parametrize("text", ["", "a\nb", '"""', "\\", "\\n\n", 'a"\n""""b\n', "\r\n", "\x7f\x01\t\n", "é𝛼\n"])
def test_texts_of_several_lines(text: str) -> None:
    assert toml.parsed(toml.text_of({"text": text}).encode()) == {"text": text}
