"""`fallline diagnose`, and the verdict after the commands that run something."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.outcome import Run

import fallline
from fallline import GradientDescent, compare, fit, minimize

ENDLESS = "x**2 + c"
ROWS = {"hours": [1, 2, 3, 4, 5, 6], "passed": ["no", "no", "yes", "no", "yes", "yes"]}


def test_a_saved_run_is_diagnosed(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    saved = minimize(ENDLESS, [1.0, 1.0], GradientDescent(0.1), max_steps=20)
    saved.save(path)
    done = run("diagnose", path)
    assert done.code == 0
    assert done.out.rstrip("\n") == saved.diagnose().text
    told = json.loads(run("diagnose", path, "--json", "--no-proof").out)
    assert told["findings"][0]["name"] == "unbounded"


@pytest.mark.parametrize(
    "result",
    [
        lambda: compare(ENDLESS, [1.0, 1.0], ["adam", "momentum"], max_steps=20),
        lambda: fit(ROWS, "passed", max_steps=20),
    ],
)
def test_comparisons_and_fits_are_too(result: object, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "saved.npz"
    made = result()  # type: ignore[operator]
    made.save(path)
    assert run("diagnose", path, "--proof-seconds", 1).out.startswith(f"Diagnosis of {made.diagnose().title}"[:40])


def test_what_a_file_cannot_hold_is_named(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    minimize(lambda x: (x**2).sum(), [1.0, 1.0], GradientDescent(0.1), max_steps=20).save(path)
    assert "needs the objective, which a file cannot hold" in " ".join(run("diagnose", path).out.split())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["none.npz"], "FILE is 'none.npz'; there is no such file"),
        (["rows.csv"], "FILE is 'rows.csv'; it is damaged, or not a trajectory, a comparison or a fit saved by"),
        (["sweep.npz"], "FILE is 'sweep.npz'; it is damaged, or not a trajectory, a comparison or a fit saved by"),
        (["run.npz", "--proof-seconds", "-1"], "--proof-seconds is -1.0; it must be a number at least 0"),
        (["run.npz", "--proof-seconds", "soon"], "'soon' is not a number"),
        ([], "Missing argument 'FILE'"),
    ],
)
def test_mistakes_are_told_in_one_line(
    arguments: list[str], told: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("a,b\n1,2\n")
    fallline.sweep("x**2", 1.0, ["adam"], {"learning_rate": [0.1]}, max_steps=5).save("sweep.npz")
    minimize("x**2", 1.0, GradientDescent(0.1), max_steps=5).save("run.npz")
    done = run("diagnose", *arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert len(done.err.splitlines()) == 1


def test_each_command_that_runs_something_ends_with_a_verdict(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "rows.csv"
    data.write_text("hours,passed\n" + "\n".join(f"{h},{p}" for h, p in zip(*ROWS.values(), strict=True)))
    one = run("run", ENDLESS, "--start", "1,1", "--max-steps", 30).out
    several = run("compare", ENDLESS, "--start", "1,1", "--optimizers", "adam,momentum", "--max-steps", 30).out
    fitted = run("fit", data, "--target", "passed", "--max-steps", 30).out
    for out in (one, several):
        assert "diagnosis: f has no lower bound along c." in out
        assert "→ check the sign of the objective" in out
    assert "In adam; momentum." in several
    assert "\ndiagnosis: " in fitted
    for command in (
        ("run", ENDLESS, "--start", "1,1", "--max-steps", 30, "--json"),
        ("compare", ENDLESS, "--start", "1,1", "--optimizers", "adam,momentum", "--max-steps", 30, "--json"),
    ):
        (first, *_) = json.loads(run(*command).out)["findings"]
        assert (first["name"], first["title"]) == ("unbounded", "f has no lower bound along c")
    assert isinstance(
        json.loads(run("fit", data, "--target", "passed", "--max-steps", 30, "--json").out)["findings"], list
    )
