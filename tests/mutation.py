"""How many small changes of a room's code its tests notice: `python -m tests.mutation ROOM [COUNT [SEED]]`.

Mutmut makes the changes, one operator, number or name each, in a copy of the repository below build/mutation, and
`tests.change_runner` runs the tests that reach the changed function. With a COUNT, so many changes are drawn by chance;
the seed is printed. Changes that no test can notice, or need not, stand with their reasons in tests/survivors.toml.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
# A change that makes a loop endless is noticed as well as one that makes a test fail.
NOTICED = ("killed", "timeout")
# The tests of a change, the quick ones first, may take so long: as long as all those that reach tracing.
SECONDS = 300


@dataclass(frozen=True)
class Room:
    """The files that are changed, and the tests that should notice."""

    changed: tuple[str, ...]
    tests: tuple[str, ...]


ROOMS = {
    "schedules": Room(("schedules/*.py",), ("tests/test_schedules.py",)),
    "stopping": Room(("stopping.py",), ("tests/test_stopping.py",)),
    "optimizers": Room(("optimizers/*.py",), ("tests/optimizers", "-m=")),
    "gradients": Room(
        ("gradients/*.py",),
        # With the whole corpus of functions, and without what takes seconds.
        (
            "tests/gradients",
            "-m=",
            *(
                f"--deselect=tests/gradients/test_{name}"
                for name in (
                    "subgradients.py::test_nothing_else_changes",
                    "spectrum.py::test_a_million_coordinates",
                    "autodiff.py::test_the_process_keeps_its_own_precision",
                )
            ),
        ),
    ),
    "grammar": Room(
        ("objectives/grammar/*.py",),
        tuple(f"tests/objectives/test_{name}.py" for name in ("grammar", "formula_corpus", "notation"))
        # Texts by chance and texts that are long take their time, and others notice what they notice.
        + tuple(
            f"--deselect=tests/objectives/test_grammar.py::test_{name}" for name in ("hostile", "any", "many", "a_mut")
        ),
    ),
    "diagnosis": Room(
        ("diagnosis/*.py", "diagnosis/findings/*.py"),
        # Without the slow ones: the suite of cases, healthy runs, whole proofs, and every rule in every form.
        (
            "tests/diagnosis",
            *(f"--ignore=tests/diagnosis/test_{name}.py" for name in ("suite", "porting_page", "more_healthy")),
            *(
                f"--deselect=tests/diagnosis/test_{name}"
                for name in (
                    "healthy.py::test_a_million",
                    "any_run.py::test_a_million",
                    "proof.py::test_what_is_proved",
                    "explanation.py::test_every_rule",
                    "explanation.py::test_runs_of_other",
                )
            ),
        ),
    ),
}


def prepared(name: str) -> Path:
    """A copy of the repository's files with all changes of this room in it, none of them in force."""
    folder = ROOT / "build/mutation" / name
    shutil.rmtree(folder, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for path in filter(None, listed.split("\0")):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    options = {
        "source_paths": ["src"],
        "only_mutate": [f"src/fallline/{path}" for path in ROOMS[name].changed],
        "also_copy": sorted({path.name for path in folder.iterdir()} - {"src", "tests"}),
        # Mutmut only makes the changes here; with no test to run, it stops after that.
        "pytest_add_cli_args_test_selection": ["--collect-only", "--deselect=tests"],
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in options.items()]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "pyproject.toml").write_text("\n".join([project, "[tool.mutmut]", *lines]), encoding="utf-8")
    mutmut(folder, "run", "none of them")
    return folder


def mutmut(folder: Path, *arguments: str) -> str:
    """What mutmut prints."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(command, cwd=folder, check=False, stdout=subprocess.PIPE, text=True).stdout


def changes_of(folder: Path) -> list[str]:
    """The names of all changes."""
    lines = mutmut(folder, "results", "--all", "true").splitlines()
    return sorted(line.strip().rpartition(": ")[0] for line in lines if ": " in line)


def tried(folder: Path, name: str, changes: list[str], in_force: str = "stats") -> dict[str, str]:
    """The outcome of each change: "killed", "timeout", "survived", "no tests", "not all tests", "not run"
    or "at import".

    Arguments:
        folder: the copy.
        name: the room.
        changes: their names.
        in_force: the one that is in force while the tests are collected; "stats" for none.
    """
    wrapped, outcomes = folder / "mutants", folder / "outcomes.txt"
    (folder / "changes.json").write_text(json.dumps({"changes": changes, "seconds": SECONDS}), encoding="utf-8")
    outcomes.unlink(missing_ok=True)
    told = {"CHANGES": str(folder / "changes.json"), "MUTANT_UNDER_TEST": in_force}
    # To show where a test failed, pytest would parse the file with all changes in it, for seconds.
    quietly = ("-q", "--tb=no", "-p", "tests.change_runner", "-m=not long")
    command = [sys.executable, "-m", "pytest", *quietly, *ROOMS[name].tests]
    environment = {**os.environ, "PYTHONPATH": str(wrapped / "src"), **told}
    subprocess.run(command, cwd=wrapped, check=False, stdout=sys.stderr, env=environment)
    lines = outcomes.read_text(encoding="utf-8").splitlines() if outcomes.exists() else []
    # A change that is in force while the tests are collected, and keeps them from that, is noticed.
    untold = "not run" if in_force == "stats" else "killed"
    return dict.fromkeys(changes, untold) | dict(line.split(": ") for line in lines)


def explained(name: str) -> Iterator[tuple[str, str]]:
    """The lines of this room that need no test when one of them is changed to the other."""
    with (ROOT / "tests/survivors.toml").open("rb") as file:
        for survivor in tomllib.load(file).get(name, ()):
            yield survivor["line"], survivor["changed"]


def main() -> None:
    """Change the room, and print the share of changes that were noticed, and the others, each as a difference."""
    name, *drawing = sys.argv[1:] or [""]
    if name not in ROOMS:
        sys.exit(f"the room is {name!r}; it must be one of {', '.join(ROOMS)}")
    folder = prepared(name)
    chosen = changes_of(folder)
    if drawing:
        count, seed = (*map(int, drawing), secrets.randbits(32))[:2]
        print(f"seed {seed}")
        chosen = random.Random(seed).sample(chosen, count)
    found = tried(folder, name, chosen)
    if not (folder / "outcomes.txt").exists():
        sys.exit("the tests could not be run")
    for change, outcome in found.items():
        if outcome == "at import":
            found |= tried(folder, name, [change], in_force=change)
    known, told = set(explained(name)), 0
    for change, outcome in found.items():
        if outcome in NOTICED:
            continue
        difference = mutmut(folder, "show", change).splitlines()[3:]
        line, changed = (next((row[1:].strip() for row in difference if row[:1] == sign), "") for sign in "-+")
        if (line, changed) in known:
            told += 1
        else:
            print(f"\n{change}: {outcome}", *difference, sep="\n")
    noticed = sum(outcome in NOTICED for outcome in found.values())
    print(f"\n{name}: {noticed} of {len(found)} noticed, {noticed / len(found):.1%}; {told} of the others explained")


if __name__ == "__main__":
    main()
