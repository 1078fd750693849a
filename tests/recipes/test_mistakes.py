"""A recipe file that anyone may have written: refused in one line that names the place, or read as what it says."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cases import few
from tests.refusals import refusal

import fallline
from fallline import (
    Adam,
    FalllineError,
    GradientDescent,
    Optimizer,
    Recipe,
    StoppingCondition,
    compare,
    examples,
    fit,
    minimize,
)
from fallline.data.table import table_of as data_of
from fallline.models import Linear
from fallline.pictures.kinds import KINDS
from fallline.recipes import toml

GOOD = """objective = "x**2"
starts = [3.0]

[[optimizers]]
name = "momentum"

[[optimizers]]
name = "adam"
learning_rate = 0.1
"""
FIT = '[fit]\ndata = "rows.csv"\ntarget = "y"\n'
MODEL = '[objective]\nmodel = "linear"\nX = [1, 2]\ny = [1, 2]\n'


def loaded(text: str | bytes, folder: Path) -> Recipe:
    path = folder / "recipe.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Recipe.load(path)


def refused(text: str | bytes, folder: Path) -> str:
    """The line that refuses a file, without the file's name."""
    line, start = refusal(loaded, text, folder), f"{folder / 'recipe.toml'}: "
    assert line.startswith(start)
    return line.removeprefix(start)


def put(lines: str, text: str = GOOD) -> str:
    """The file with lines before its first."""
    return f"{lines}\n{text}"


# The last line of the last rule, and what is said of it.
IN_A_RULE = [
    ("learning_rat = 0.1", "learning_rat is no setting of adam; did you mean 'learning_rate'?"),
    ("lable = 'a'", "lable is no setting of adam; did you mean 'label'?"),
    ("lr = 0.1", "lr is no setting of adam; write learning_rate."),
    ("betas = [0.9, 0.99]", "betas is no setting of adam; write beta1 and beta2."),
    ("window = 3", "window is no setting of adam; Allowed: learning_rate,"),
    ("learning_rate = 0", "learning_rate is 0; it must be a number above 0"),
    ("learning_rate = nan", "learning_rate is nan; it must be a number above 0"),
    ("learning_rate = '0.1'", "learning_rate is '0.1'; it must be a number above 0"),
    ("learning_rate = true", "learning_rate is True; it must be a number above 0"),
    ("learning_rate = [0.1]", "learning_rate is [0.1]; it must be a single value"),
    ("learning_rate = 1979-05-27", "learning_rate is 1979-05-27; a recipe has no dates"),
    (f"learning_rate = 1{'0' * 400}", "learning_rate is 1000"),
    ("learning_rate = { initial = 1 }", "learning_rate.name is missing; Allowed: "),
    ("learning_rate = { name = 'cosin' }", "learning_rate.name is 'cosin'; did you mean 'cosine'?"),
    ("learning_rate = { name = 'adam' }", "learning_rate.name is 'adam'; "),
    ("learning_rate = { name = 'cosine', step = 3 }", "learning_rate.step is no setting of cosine; did you mean "),
    ("learning_rate = { name = 'warm_up', after = { name = 'cosine' } }", "learning_rate.after lacks initial"),
    ("learning_rate = { name = 'multi_step', initial = 1, milestones = ['a'] }", "learning_rate.milestones is ['a']; "),
    ("beta1 = {}", "beta1 is {}; it must be a single value"),
    ("convention = 'Keras'", "convention is 'Keras'; did you mean 'keras'?"),
    ("label = 3", "label is 3; it must be a text"),
    ("label = 'momentum, learning_rate 0.01'", "label is 'momentum, learning_rate 0.01'; give each rule"),
]
NAMES_OF_RULES = [
    ("'adm'", "is 'adm'; did you mean 'adam'?"),
    ("'sgd'", "is 'sgd'; write 'gradient_descent' or 'momentum'"),
    ("3", "is 3; "),
    ("'subprocess.Popen'", "is 'subprocess.Popen'; "),
]


@pytest.mark.parametrize(("line", "said"), IN_A_RULE)
def test_the_place_in_a_rule_and_the_nearest_right_thing_are_named(line: str, said: str, tmp_path: Path) -> None:
    assert refused(GOOD.replace("learning_rate = 0.1", line), tmp_path).startswith(f"optimizers[1].{said}")


@pytest.mark.parametrize(("name", "said"), NAMES_OF_RULES)
def test_only_what_fallline_has_is_made(name: str, said: str, tmp_path: Path) -> None:
    assert refused(GOOD.replace('"adam"', name), tmp_path).startswith(f"optimizers[1].name {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace('name = "adam"', ""), "optimizers[1].name is missing; Allowed: "),
        (GOOD.replace("starts", "start"), "start is no key of a recipe; write starts."),
        (GOOD.replace("starts", "x0"), "x0 is no key of a recipe; write starts."),
        (GOOD.replace("optimizers", "optimizer"), "optimizer is no key of a recipe; write optimizers."),
        (GOOD.replace("objective", "objectve"), "objectve is no key of a recipe; did you mean 'objective'?"),
        (put("max_step = 5"), "max_step is no key of a recipe; did you mean 'max_steps'?"),
        (put("maxiter = 5"), "maxiter is no key of a recipe; write max_steps."),
        (put("'a b' = 5"), '"a b" is no key of a recipe; Allowed: title,'),
        (
            put('stop = [{ name = "step_size" }, { name = "gradient_nor" }]'),
            "stop[1].name is 'gradient_nor'; did you mean 'gradient_norm'?",
        ),
        (put('gradient = "autodif"'), "gradient is 'autodif'; did you mean 'autodiff'?"),
        (
            put('gradient = { name = "perturbation", steps = 0.1 }'),
            "gradient.steps is no setting of perturbation; did you mean 'step'?",
        ),
        (put('engine = "compild"'), "engine is 'compild'; did you mean 'compiled'?"),
        # Values.
        (GOOD.replace("[3.0]", "3.0"), "starts is 3.0; it must be a list"),
        (GOOD.replace("[3.0]", "[1, '2']"), "starts[1] is '2'; it must be a number, a list of numbers, or a table"),
        (GOOD.replace("[3.0]", "[[1, [2]]]"), "starts[0] is [1, [2]]; it must be a number"),
        (GOOD.replace("[3.0]", "[{ x = true }]"), "starts[0] is {'x': True}; it must be a number"),
        (GOOD.replace("[3.0]", "[]"), "starts is empty; give at least one"),
        (GOOD.replace('"x**2"', "3"), "objective is 3; it must be a text, or a table"),
        ('objective = "x"\nstarts = [1]', "optimizers is empty; give at least one"),
        ("", "objective is None; it must be a formula, a landscape, or a model"),
        (put("max_steps = 1.5"), "max_steps is 1.5; it must be a whole number at least 1"),
        (put("max_steps = 0"), "max_steps is 0; it must be a whole number at least 1"),
        (put("seed = -1"), "seed is -1; it must be a whole number at least 0"),
        (put("seeds = 3"), "seeds is 3; it must be a list"),
        (put("seeds = [0, 1.5]"), "seeds[1] is 1.5; it must be a whole number at least 0"),
        (put("title = 3"), "title is 3; it must be a text"),
        (put("text = ['a']"), "text is ['a']; it must be a text"),
        (put("stop = []"), "stop is empty; leave it out"),
        (put("stop = { name = 'seconds', limit = 1 }"), "stop is {'name': 'seconds', 'limit': 1}; it must be a list"),
        (put("stop = [{ name = 'seconds' }]"), "stop[0] lacks limit"),
        (put("stop = [{ name = 'small_epoch', tolerance = 1, every = 0 }]"), "stop[0].every is 0; it must be"),
        (put("record = 'al'"), "record is 'al'; it must be 'all', 'ends'"),
        (put("record = { every = 2, at = [3, 1] }"), "record.at is [3, 1]; it must be steps"),
        (put("record = { state = 1 }"), "record.state is 1; it must be true or false"),
        (put("record = { evry = 1 }"), "record.evry is no key of a recipe; did you mean 'every'?"),
        (
            put("gradient = { name = 'perturbation', scheme = 'centre' }"),
            "gradient.scheme is 'centre'; did you mean 'central'?",
        ),
        # Views.
        (GOOD + "[[views]]\nkind = 'contur'", "views[0].kind is 'contur'; did you mean 'contour'?"),
        (
            GOOD + "[[views]]\nkind = 'curve'\nbound = [1, 2]",
            "views[0].bound is no setting of the picture curve; did you mean 'bounds'?",
        ),
        (GOOD + "[[views]]\nbounds = [1, 2]", "views[0] lacks kind"),
        (GOOD + "[[views]]\nkind = 'curve'\npath = '/etc/x'", "views[0].path is no setting of the picture curve; "),
        # Models.
        (MODEL.replace("linear", "linea"), "objective.model is 'linea'; did you mean 'linear'?"),
        (MODEL.replace("y =", "Y ="), "objective.Y is no key of a recipe; did you mean "),
        (MODEL.replace("y = [1, 2]", "y = [1]"), "objective.y has 1 values, but X has 2 rows"),
        (MODEL.replace("X = [1, 2]", "X = 'ab'"), "objective: X is 'ab', which is not a number"),
        (MODEL + "l2 = -1", "objective.l2 is -1; it must be a number at least 0"),
        (MODEL + "batches = { size = 3 }", "objective.batches.batch_size is 3; allowed: whole numbers from 1 to 2"),
        (MODEL + "batches = { sise = 1 }", "objective.batches.sise is no key of a recipe; did you mean 'size'?"),
        (
            MODEL + "slice = { origin = [1], directions = [[1, 0]], names = ['u'], about = '' }",
            "objective.slice.x has the shape (1,)",
        ),
        (
            MODEL + "slice = { origin = [1, 1], directions = [[1, 0]], names = ['u', 'v'], about = '' }",
            "objective.slice.names is ['u', 'v']; it must be one name",
        ),
        # Fits.
        (FIT.replace("target", "targt"), "fit.targt is no key of a recipe; did you mean 'target'?"),
        (FIT.replace('target = "y"', ""), "fit lacks target"),
        (FIT.replace("rows.csv", "/rows.csv"), "fit.data is '/rows.csv'; it must be a path relative to the recipe"),
        (FIT.replace('"rows.csv"', "{ x = [1] }"), "fit.data is {'x': [1]}; it must be the path of a file"),
        (FIT + "hidden = [3]", "fit.hidden is no key of a recipe; "),
        (FIT + "checkpoint = 'a'", "fit.checkpoint is no key of a recipe; "),
        (FIT + "callback = 'a'", "fit.callback is no key of a recipe; "),
        (FIT + "max_steps = 3", "fit.max_steps is no key of a recipe; "),
        (FIT + "[[optimizers]]\nname = 'adam'\n[[optimizers]]\nname = 'yogi'", "optimizers has several; a fit has one"),
        ("seeds = [1, 2]\n" + FIT, "seeds is [1, 2], but the recipe is of a fit; give one seed"),
        (FIT + "optimizer = 'adam'\n[[optimizers]]\nname = 'adam'", "fit.optimizer is 'adam'; give it or optimizers"),
        (put('objective = "x"', FIT), "objective is 'x', but the recipe is of a fit; leave it out"),
        (put("fit = 3", ""), "fit is 3; it must be a table"),
    ],
)
def test_the_place_and_the_nearest_right_thing_are_named(text: str, said: str, tmp_path: Path) -> None:
    assert refused(text, tmp_path).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + 'name = "adam', "line 10"),
        (GOOD.replace("= [3.0]", "[3.0]"), "line 2, column"),
        (GOOD + "learning_rate = 0.2", "line 10"),
        (b"\xff", "line 1 is not in UTF-8"),
        (b"a = 1\nb = '\xff'", "line 2 is not in UTF-8"),
        ("objective = '\\ud800'\nb = \"\\ud800\"", "line 2"),
        ("a = 1\0", "line 1"),
    ],
)
def test_what_is_not_toml_is_told_with_its_line(text: str | bytes, said: str, tmp_path: Path) -> None:
    told = refused(text, tmp_path)
    assert told.startswith("this is not TOML: ")
    assert said in told


DOTS = ".".join(["a"] * 200_000)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 300_000, "a = " + "{b = " * 100_000, "a = " + "[" * 100 + "]" * 100, f"{DOTS} = 1", f"[{DOTS}]",
        f"[[{DOTS}]]", f"a = {{ {DOTS} = 1 }}", '"a".' * 100_000 + "a = 1", "a . 'b' . " * 50_000 + "c = 1",
        "a = " + "9" * 5000, "a" * 1_000_000, '"' * 1_000_000, "'" * 1_000_000, "a = '" + "x" * 2**20 + "'",
        "[a]\n" * 200_000, "a.b = 1\n" * 100_000,
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_a_hostile_file_is_refused_soon(text: str, tmp_path: Path) -> None:
    began = time.perf_counter()
    refused(text, tmp_path)
    assert time.perf_counter() - began < 10  # some 0.1 s; a key with 200,000 dots would take hours


def test_data_are_no_device_or_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rows.csv")
    assert refused(FIT, tmp_path) == "fit.data is 'rows.csv'; it must be a file or a folder"


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none.toml", tmp_path, tmp_path / "pipe", "", "a\0b", 3, None):
        with pytest.raises(FalllineError, match=r"^recipe is .*; there is no such file$"):
            Recipe.load(path)  # type: ignore[arg-type]


VALUES = [
    "1", "-1", "0", "1.5", "nan", "inf", "-inf", "1e308", "true", '""', '"x"', "[]", "[1]", "[[1]]", '["a"]', "{}",
    "[{}]", "{ a = 1 }", '{ name = "adam" }', '[{ name = "adam" }]', "12:00:00", "9007199254740993",
]  # fmt: skip
TEMPLATES = [
    'title = "t"\ntext = "t"\nobjective = "x**2 + y"\nstarts = [[1, 2]]\ngradient = "auto"\nmax_steps = 3\n'
    'stop = [{ name = "step_size", tolerance = 1 }]\nrecord = "all"\nseed = 0\nengine = "auto"\n[[optimizers]]\n'
    'name = "fista"\nlabel = "f"\nlearning_rate = 0.1\nconvention = "paper"\nrestart = true\npenalty = 1\n'
    '[[views]]\nkind = "contour"\nbounds = 1\nresolution = 3\n',
    'objective = "x**2"\nstarts = [1]\nmax_steps = 3\ngradient = 1\n[[optimizers]]\n'
    'name = "projected"\nrule = 1\nonto = 1\n',
    'starts = [[1, 2]]\nmax_steps = 3\n[objective]\nmodel = "network"\nX = [1, 2]\ny = [0, 1]\nreduction = "mean"\n'
    "feature_names = 1\nsample_weight = 1\nclass_weight = 1\nl2 = 0\nhidden = []\nactivation = 'relu'\n"
    "loss = 'squared'\nclasses = 1\nbatches = 1\nslice = 1\n[[optimizers]]\nname = 'adam'\n",
    'starts = [[1, 2]]\nmax_steps = 3\n[fit]\ndata = "rows.csv"\ntarget = "y"\nfeatures = 1\nsample_weight = 1\n'
    "class_weight = 1\nmodel = 'linear'\noptimizer = 1\ncategories = 1\nmissing = 1\nconstant = 1\nseparator = 1\n"
    "decimal = 1\nencoding = 1\nheader = 1\nna = 1\nstandardize = 1\nholdout = 1\nstream = 1\nreduction = 1\nl1 = 1\n"
    "batch_size = 1\nbatch_order = 1\nbatch_remainder = 1\nepochs = 1\nl2 = 1\n",
]  # fmt: skip


def outcome(text: str, folder: Path) -> str:
    """Why a file is refused, or cannot run; empty if it runs."""
    try:
        with np.errstate(all="ignore"):
            loaded(text, folder).run()
    except FalllineError as error:
        return str(error)
    except Exception as error:
        raise AssertionError(text) from error
    return ""


@pytest.mark.parametrize("template", few(TEMPLATES, 1), ids=["formula", "sets", "model", "fit"])
def test_any_value_at_any_key_is_refused_in_one_line_or_runs(template: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x,y\n1,0\n2,1\n3,1\n4,0\n")
    lines = template.splitlines()
    draw = random.Random(0)
    for place, line in enumerate(lines):
        key, equals, _ = line.partition(" = ")
        for value in VALUES if equals else []:
            # All other optional keys are there or not, so that this one is reached.
            kept = [
                other
                for number, other in enumerate(lines)
                if number == place or not other.endswith(" = 1") or draw.random() < 0.1
            ]
            changed = "\n".join(f"{key} = {value}" if other == line else other for other in kept)
            assert "\n" not in outcome(changed, tmp_path), changed


# What cannot be written


@dataclass(frozen=True)
class Mine(Optimizer[None]):
    learning_rate: float = 0.1

    def init(self, x: Any) -> None:
        return None

    def update(self, gradient: Any, state: None, rate: Any, step: Any) -> tuple[Any, None]:
        return rate * gradient, None


class Never(StoppingCondition):
    reason = "never"

    def met(self, progress: Any) -> Any:
        return np.zeros(len(progress.x), bool)

    def message(self, progress: Any, run: int) -> str:
        return ""


def square(x: float) -> float:
    return x * x


def unwritable(folder: Path) -> dict[str, Any]:
    (folder / "rows.csv").write_text("x,y\n1,0\n2,1\n3,1\n4,0\n")
    first = minimize("x**2", 1.0, "adam", max_steps=3, engine="reference")
    race = compare("x**2", [[1.0], [2.0]], ["adam", "momentum"], max_steps=3)
    fitted = fit(folder / "rows.csv", "y")
    fitted.save(folder / "fit.npz")
    return {
        "objective is square: a Python function": minimize(square, 1.0, "adam", max_steps=3),
        "gradient is a Python function": minimize("x**2", 1.0, "adam", gradient=lambda x: 2 * x, max_steps=3),
        "tests.recipes.test_mistakes.Mine is none of Fallline's own": minimize("x**2", 1.0, Mine(), max_steps=3),
        "tests.recipes.test_mistakes.Never is none": minimize("x**2", 1.0, "adam", stop=Never(), max_steps=3),
        "the run went on with the state of another": minimize("x**2", 1.0, "adam", resume=first, max_steps=3),
        "these runs are not each rule from each start": race[1:],
        "the fit was loaded, or its data were in memory": fallline.Fit.load(folder / "fit.npz"),
        "objective is mean squared loss": minimize(
            Linear(np.ones((6000, 1)), np.ones(6000)), [0, 0], "adam", max_steps=3
        ),
    }


def test_what_is_not_plain_data_is_refused_in_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    for said, result in unwritable(tmp_path).items():
        with pytest.raises(FalllineError) as caught:
            result.save_recipe(tmp_path / "recipe.toml")
        assert str(caught.value).replace("importlib.", "").startswith(said)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "recipe.toml").exists()


def test_a_recipe_whose_objective_is_wrong_is_printed_too() -> None:
    recipe = Recipe(objective="", starts=[1.0], optimizers=[fallline.Adam(0.1)])
    assert str(recipe).startswith("Recipe")
    with pytest.raises(FalllineError, match=r"^objective is ''"):
        recipe.run()


def test_a_recipe_made_in_python_is_checked_as_one_from_a_file() -> None:
    rule = GradientDescent(0.1)
    settings: Any
    for said, settings in {
        "objective is <function": {"objective": square, "starts": [1], "optimizers": [rule]},
        "starts is empty": {"objective": "x", "optimizers": [rule]},
        "optimizers is empty": {"objective": "x", "starts": [1]},
        "optimizer is 3": {"objective": "x", "starts": [1], "optimizers": [3]},
    }.items():
        with pytest.raises(FalllineError, match=f"^{said}"):
            Recipe(**settings)


def test_what_would_be_too_large_to_load_is_not_written(tmp_path: Path) -> None:
    recipe = Recipe(text="x" * toml.LARGEST, objective="x", starts=[1], optimizers=[Adam()])
    with pytest.raises(FalllineError, match=r"^recipe would be larger than 1048576 bytes; "):
        recipe.save(tmp_path / "recipe.toml")
    assert not list(tmp_path.iterdir())


def test_errors_of_a_run_name_the_keys_of_the_file() -> None:
    settings: Any
    for said, settings in {
        "starts has 2 numbers": {"objective": "x", "starts": [[1, 2]]},
        "objective is 'frobnicate": {"objective": "frobnicate(x)", "starts": [1]},
        "gradient is 'autodiff'": {"objective": "x", "starts": [1], "gradient": "autodiff"},
    }.items():
        with pytest.raises(FalllineError, match=f"^{said}"):
            Recipe(optimizers=[GradientDescent(0.1)], **settings).run()


# What a file may say


def test_a_file_written_by_hand_runs(tmp_path: Path) -> None:
    recipe = loaded(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode(), tmp_path)
    assert recipe.run() == compare("x**2", 3.0, [fallline.Momentum(), Adam(0.1)])


def test_starts_are_numbers_lists_or_named(tmp_path: Path) -> None:
    one = loaded(GOOD.replace("[3.0]", "[-1, 2]"), tmp_path).run()
    assert isinstance(one, fallline.Comparison)
    assert [float(run.start.x[0]) for run in one] == [-1, 2, -1, 2]
    two = loaded(GOOD.replace("x**2", "x**2 + y").replace("[3.0]", "[{ y = 1, x = 2 }, [3, 4]]"), tmp_path).run()
    assert isinstance(two, fallline.Comparison)
    assert [run.start.x.tolist() for run in two][:2] == [[2, 1], [3, 4]]


def test_the_options_of_a_view_are_those_of_the_picture_but_for_its_look() -> None:
    import inspect

    from fallline import views

    for kind in KINDS.values():
        drawn = set(list(inspect.signature(getattr(views, kind.draw[1])).parameters)[1:]) - {
            "options",
            "together",
            "levels",
            "norm",
            "xscale",
        }
        # The limits of an axis are part of the look, but decide what is computed of a curve; levels, colours and
        # the scale of steps are only drawn.
        assert set(kind.options) - {"ylim"} == drawn


def test_the_challenger_beside_its_recipe(tmp_path: Path) -> None:
    (tmp_path / "challenger.csv").write_bytes(examples.challenger().read_bytes())
    fitted = loaded('[fit]\ndata = "challenger.csv"\ntarget = "distress"', tmp_path).run()
    assert fitted == fit(tmp_path / "challenger.csv", "distress")
    with pytest.raises(FalllineError, match=r"^data is .*gone.csv"):
        loaded('[fit]\ndata = "gone.csv"\ntarget = "distress"', tmp_path).run()


def test_data_in_memory_are_not_kept() -> None:
    table = data_of({"x": [1, 2, 3, 4], "y": [0, 1, 1, 0]}, "data")
    assert fit(table, "y").arguments == {}


@pytest.mark.parametrize("model", ["network", "logistic"])
def test_the_explorer_says_that_it_reads_no_recipe_of_a_fit(model: str) -> None:
    recipe = fallline.Recipe(fit={"data": str(examples.four_blobs()), "target": "blob", "model": model})
    with pytest.raises(
        FalllineError, match=r"^objective is a recipe that fits a model to a file; the page reads formulas$"
    ):
        fallline.explore(recipe)
