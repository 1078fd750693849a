"""--help, --version and completion: the answers of the commands themselves, given without importing them."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
import typer.main
from tests.environments import without_coverage
from typer._click.shell_completion import get_completion_class
from typer._completion_classes import completion_init

import fallline
from fallline.cli.app import COMMANDS, app_of
from fallline.cli.outline import candidates
from fallline.cli.outlining import outline

COMPLETE = "_FALLLINE_COMPLETE"


def process(*arguments: str, after: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    program = (
        f"import sys\nfrom fallline_command import main\ntry:\n    main()\nfinally:\n    pass\n    {after or 'pass'}"
    )
    environment = {name: value for name, value in without_coverage().items() if name != "COLUMNS"} | variables
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)


def test_the_files_are_those_that_the_commands_give() -> None:
    for path, text in outline().items():
        assert path.read_text(encoding="utf-8") == text, "run: python -m fallline.cli.outlining"


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"], ["--version"]])
def test_the_answer_is_typers_and_imports_neither_numpy_nor_typer(arguments: list[str]) -> None:
    done = process(*arguments, after="print(*sys.modules, file=sys.stderr)")
    assert not {"numpy", "typer", "json", "re"} & set(done.stderr.split())
    slow = subprocess.run(
        [sys.executable, "-c", "from fallline.cli.app import main; main()", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"COLUMNS": "80"},
    )
    assert done.stdout == slow.stdout != ""


def test_help_fits_a_narrow_terminal() -> None:
    assert max(map(len, process("--help", COLUMNS="60").stdout.splitlines()[:8])) < 60


def typers(shell: str, words: str, place: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """What Typer's own completion answers."""
    completion_init()
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(place))
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", words)
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    kind = get_completion_class(shell)
    assert kind is not None
    return str(kind(typer.main.get_command(app_of(COMMANDS)), {}, "fallline", COMPLETE).complete())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    "words",
    [
        "fallline ",
        "fallline r",
        "fallline -",
        "fallline zz",
        "fallline run x --st",
        "fallline run 'x**2 + y' --start 0,1 --s",
        "fallline fit data.csv --",
        "fallline sweep x --grid a=1 --gr",
        "fallline predict ",
    ],
)
def test_completion_is_typers(shell: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = len(words.replace("'x**2 + y'", "x").split(" ")) - 1
    done = process(
        **{COMPLETE: f"complete_{shell}", "COMP_WORDS": words, "COMP_CWORD": str(place), "_TYPER_COMPLETE_ARGS": words},
        _TYPER_COMPLETE_FISH_ACTION="get-args",
        after="print(*sys.modules, file=sys.stderr)",
    )
    assert "numpy" not in done.stderr.split()
    # Typer breaks the lines of help where the terminal ends, takes brackets in them for colours, and has the flags of
    # help in the order of a set.
    said = re.sub(r"\[default[^]]*\]", "", done.stdout)
    assert sorted(said.split()) == sorted(typers(shell, words, place, monkeypatch).split())


@pytest.mark.parametrize(
    ("given", "word", "found"),
    [
        ("run booth --optimizer", "rms", {"rmsprop"}),
        ("compare booth --optimizers", "adam,nest", {"adam,nesterov"}),
        ("optimizers", "qh", {"qhm"}),
        ("run", "ros", {"rosenbrock"}),
        ("run", "twelve", {"twelve_epochs"}),
        ("compare", "twelve", set()),  # a recipe is run by run alone
        ("run booth --start", "r", set()),
        ("run booth --device", "", {"cpu", "gpu", "gpu:1"}),
        ("run booth --style", "l", {"light"}),
        ("fit data.csv --decimal", "", set()),
        ("run booth --json", "--see", {"--seed"}),
        ("run", "--see", {"--seed"}),
    ],
)
def test_the_names_that_a_value_may_have_complete(given: str, word: str, found: set[str]) -> None:
    assert {name for name, about in candidates(given.split(), word)} == found


@pytest.mark.parametrize("asked", ["source_bash", "bash_source", "nope"])
def test_what_is_no_question_of_a_shells_is_left_to_typer(asked: str) -> None:
    done = process(**{COMPLETE: asked})
    assert "Usage" not in done.stdout
    assert ("complete -o" in done.stdout) == (asked == "source_bash")


def test_a_line_with_an_open_quote_completes() -> None:
    done = process(**{COMPLETE: "complete_bash", "COMP_WORDS": "fallline run 'x**2 --st", "COMP_CWORD": "2"})
    assert (done.returncode, done.stderr) == (0, "")


def test_the_version_is_the_packages() -> None:
    assert process("--version").stdout == f"fallline {fallline.__version__}\n"
