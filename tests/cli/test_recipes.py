"""`fallline run` of recipes: shown like what they are, changed by options, and written by --save."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.outcome import Run

import fallline
from fallline import Adam, GradientDescent, Perturbation, Recipe, StepSize, Target, examples

BOTH: dict[str, Any] = {"plain": GradientDescent(0.1), "adam": Adam(0.1)}


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "both.toml"
    Recipe(
        title="Two rules",
        text="Told with *it*.",
        objective="x**2 + y**2",
        starts=[[1.0, 2.0]],
        optimizers=BOTH,
        max_steps=30,
        views=[{"kind": "histories", "quantities": ["value"]}, {"kind": "contour", "resolution": 32}],
    ).save(path)
    return path


def saved(run: Run, recipe: Path, *options: object) -> fallline.Comparison:
    """The runs of a recipe with options."""
    kept = recipe.parent / "runs.npz"
    done = run("run", recipe, *options, "--save", kept)
    assert (done.code, done.err) == (0, "")
    return fallline.Comparison.load(kept)


def test_a_comparison_is_shown_with_title_and_text_as_compare_shows_it(run: Run, recipe: Path) -> None:
    done = run("run", recipe)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Two rules\n\nTold with *it*.\n\nx**2 + y**2\n")
    compared = run("compare", "x**2 + y**2", "--start", "1,2", "--optimizers", "gradient_descent(learning_rate=0.1)")
    header = next(line for line in compared.out.splitlines() if "steps" in line)
    assert header.split() == next(line for line in done.out.splitlines() if "steps" in line).split()
    told = json.loads(run("run", recipe, "--json").out)
    assert [one["name"] for one in told["runs"]] == ["plain", "adam"]


def test_a_single_run_is_shown_as_run_shows_it(run: Run) -> None:
    by_name = run("run", "twelve_epochs")
    by_options = run("run", "x**2+5*x+6", "--start", 5, "--learning-rate", 0.1, "--max-steps", 12)
    assert by_name.out.endswith(by_options.out)
    assert run("run", "twelve_epochs", "--every", 6).out != by_name.out
    assert json.loads(run("run", "twelve_epochs", "--json").out)["steps"] == 12


def test_a_fit_is_shown_as_fit_shows_it(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "launches.csv").write_bytes(examples.challenger().read_bytes())
    fitted = run("fit", "launches.csv", "--target", "distress", "--max-steps", 50, "--save", "fit.toml")
    assert (fitted.code, fitted.err) == (0, "")
    again = run("run", "fit.toml")
    assert fitted.out.replace("\nwritten: fit.toml\n", "") == again.out
    assert json.loads(run("run", "fit.toml", "--json").out)["rows"] == 23
    assert run("run", "fit.toml", "--plot", "fit.png", "--animate", "fit.gif", "--frames", 2).code == 0
    assert {"fit.png", "fit.gif"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        ([], {}),
        (["--max-steps", 1000], {"max_steps": 1000}),  # also where it is what the option stands for without a recipe
        (["--start", "y=1,x=3"], {"x0": {"x": 3, "y": 1}}),
        (["--learning-rate", 0.2], {"optimizers": {"plain": GradientDescent(0.2), "adam": Adam(0.2)}}),
        (["--stop-step", 1e-3], {"stop": StepSize(1e-3)}),
        (["--target", 0.5], {"stop": Target(0.5) | StepSize()}),
        (["--gradient", "perturbation:0.01"], {"gradient": Perturbation(0.01)}),
        (["--seed", 3], {"seed": 3}),
        (["--engine", "reference"], {"engine": "reference"}),
    ],
    ids=str,
)
def test_options_take_the_place_of_what_the_recipe_says(
    run: Run, recipe: Path, options: list[object], changes: dict[str, object]
) -> None:
    usual: dict[str, object] = {"x0": [1, 2], "optimizers": BOTH, "max_steps": 30}
    compared = fallline.compare("x**2 + y**2", **(usual | changes))  # type: ignore[arg-type]
    found = saved(run, recipe, *options)
    assert found.labels == compared.labels
    assert [one.x.tolist() for one in found] == [one.x.tolist() for one in compared]
    assert [one.stop.reason for one in found] == [one.stop.reason for one in compared]
    assert [one.seed for one in found] == [one.seed for one in compared]


def test_a_rule_takes_the_place_of_the_recipes(run: Run, recipe: Path) -> None:
    path = recipe.parent / "one.npz"
    done = run("run", recipe, "--optimizer", "momentum", "--momentum", 0.5, "--save", path)
    assert (done.code, done.err) == (0, "")
    alone = fallline.Trajectory.load(path)
    assert alone.optimizer == fallline.Momentum(momentum=0.5).label


def test_settings_are_given_to_the_rules_of_the_recipe(run: Run, tmp_path: Path) -> None:
    Recipe(objective="x**2", starts=[1], optimizers=[Adam(0.1)], max_steps=3).save(tmp_path / "adam.toml")
    told = json.loads(run("run", tmp_path / "adam.toml", "--set", "beta1=0.5", "--json").out)
    assert told["optimizer"] == "adam, learning_rate 0.1, beta1 0.5"


def test_pictures_and_films_are_those_of_the_views(run: Run, recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[str, dict[str, object]]] = []

    def shown(name: str) -> object:
        return lambda runs, path, kind="auto", **options: drawn.append((name, {"kind": kind, **options}))

    monkeypatch.setattr(fallline.Comparison, "plot", shown("plot"))
    monkeypatch.setattr(fallline.Comparison, "animate", shown("animate"))
    folder = recipe.parent
    for options in (["--plot", folder / "a.png"], ["--plot", folder / "a.png", "--picture", "contour"]):
        assert run("run", recipe, *options).code == 0
    assert run("run", recipe, "--plot", folder / "a.png", "--picture", "surface", "--style", "dark").code == 0
    assert run("run", recipe, "--animate", folder / "a.gif", "--frames", 3).code == 0
    assert drawn == [
        ("plot", {"kind": "histories", "quantities": ["value"]}),
        ("plot", {"kind": "contour", "resolution": 32, "style": "light"}),
        ("plot", {"kind": "surface", "style": "dark"}),
        ("animate", {"kind": "contour", "resolution": 32, "frames": 3}),
    ]


def test_views_are_drawn(run: Run, tmp_path: Path) -> None:
    for name in ("twelve_epochs", "local_minimum", "unknown_derivative"):
        done = run("run", name, "--plot", tmp_path / f"{name}.png", "--max-steps", 5)
        assert (done.code, done.err) == (0, "")
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    assert run("run", "local_minimum", "--plot", tmp_path / "a.png", "--picture", "arrows").code == 2
    assert run("run", "unknown_derivative", "--plot", tmp_path / "a.png", "--picture", "arrows").code == 0


def test_what_is_saved_as_a_recipe_runs_the_same(run: Run, recipe: Path) -> None:
    again = recipe.parent / "again.toml"
    assert run("run", recipe, "--max-steps", 7, "--save", again).code == 0
    loaded = Recipe.load(again)
    assert (loaded.title, loaded.text, loaded.max_steps, len(loaded.views)) == ("Two rules", "Told with *it*.", 7, 2)
    for command in (
        ["run", "x**2 + y**2", "--start", "1,2", "--optimizer", "adam"],
        ["compare", "x**2 + y**2", "--start", "1,2", "--start", "2,1", "--optimizers", "adam,momentum"],
    ):
        first = run(*command, "--json", "--save", again)
        assert first.code == 0
        assert run("run", again, "--json").out == first.out


def test_a_checkpoint_continues_a_recipe(run: Run, recipe: Path) -> None:
    whole = saved(run, recipe)
    for _ in range(2):
        assert saved(run, recipe, "--checkpoint", recipe.parent / "run.ckpt") == whole


def test_the_help_lists_the_recipes(run: Run) -> None:
    told = run("run", "--help").out
    assert f"Recipes: {', '.join(examples.recipes())}" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["twelve_epoch"],
            "--start is missing; say where to start, such as --start 10; or did you mean the recipe 'twelve_epochs'?",
        ),
        (["x**2"], "--start is missing; say where to start"),
        (["none.toml"], "recipe is 'none.toml'; there is no such file"),
        (["both.toml", "--max-steps", "0"], "--max-steps is 0; it must be"),
        (["both.toml", "--learning-rate", "0"], "learning_rate is 0.0; it must be a number above 0"),
        (["both.toml", "--schedule", "cosine"], "--schedule is 'cosine'; give --optimizer, too"),
        (["both.toml", "--set", "beta1"], "--set is 'beta1'; write NAME=VALUE"),
        (["both.toml", "--set", "beta1=0.5"], "beta1 is no hyperparameter of gradient_descent"),
        (["both.toml", "--start", "1,2,3"], "starts has 3 numbers"),
        (["both.toml", "--engine", "fast"], "--engine is 'fast'"),
        (["both.toml", "--picture", "curve", "--plot", "a.png"], "--picture is 'curve', but there are 2 coordinates"),
        (["both.toml", "--save", "a.json"], "--save is 'a.json'; its name must end in .npz"),
        (
            ["loss.py:f", "--start", "1", "--save", "a.toml"],
            "--save is 'a.toml'; a recipe is plain data, and cannot hold loss.py:f",
        ),
        (["wrong.toml"], "wrong.toml: optimizers[0].learning_rat is no setting of adam; did you mean 'learning_rate'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line(
    run: Run, recipe: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(recipe.parent)
    Path("wrong.toml").write_text("[[optimizers]]\nname = 'adam'\nlearning_rat = 1\n")
    before = sorted(recipe.parent.iterdir())
    done = run("run", *arguments)
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert said in done.err
    assert sorted(recipe.parent.iterdir()) == before


def test_a_recipe_imports_nothing_that_it_does_not_need(recipe: Path) -> None:
    from tests.cli.test_process import imported

    packages = imported(["run", str(recipe), "--max-steps", "2"])
    assert "tomllib" in packages
    assert not packages & {"sympy", "matplotlib", "rich", "pydantic", "multiprocessing", "distributed", "llvmlite"}
    assert "tomllib" not in imported(["run", "x**2", "--start", "1", "--max-steps", "2"])
