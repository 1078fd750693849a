"""How many small changes of a room's code its tests notice: `python -m tests.mutation ROOM [COUNT]`.

Mutmut makes the changes, one operator, number or name each, and runs the tests that reach the changed function. It
works on a copy below build/mutation. With a COUNT so many changes are drawn by chance; the seed is printed.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Room:
    """The files that are changed, and the tests that should notice."""

    changed: tuple[str, ...]
    tests: tuple[str, ...]


PARITY = "tests/parity"
ROOMS = {
    "schedules": Room(("schedules/*.py",), ("tests/test_schedules.py", f"{PARITY}/test_schedules.py")),
    "stopping": Room(
        ("stopping.py",), ("tests/test_stopping.py", "tests/engines/test_conditions.py", "tests/engines/test_rest.py")
    ),
    "optimizers": Room(
        ("optimizers/*.py",), ("tests/optimizers", f"{PARITY}/test_parity.py", "tests/test_registry.py")
    ),
    "gradients": Room(("gradients/*.py",), ("tests/gradients",)),
    "grammar": Room(("objectives/grammar/*.py",), ("tests/objectives",)),
    "diagnosis": Room(("diagnosis/*.py", "diagnosis/findings/*.py"), ("tests/diagnosis",)),
}
CONFIGURATION = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = {changed}
also_copy = {copied}
pytest_add_cli_args_test_selection = {tests}
"""


def prepared(name: str) -> Path:
    """A copy of the repository that is set up to change this room."""
    folder = ROOT / "build/mutation" / name
    shutil.rmtree(folder, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split(
        "\n"
    )
    for path in filter(None, listed):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    room = ROOMS[name]
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        changed = json.dumps([f"src/fallline/{path}" for path in room.changed])
        copied = json.dumps(sorted({path.split("/")[0] for path in listed if path} - {"src"}))
        file.write(CONFIGURATION.format(changed=changed, copied=copied, tests=json.dumps(room.tests)))
    return folder


def mutmut(folder: Path, *arguments: str) -> str:
    """What mutmut prints; its own progress is left out."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, env=os.environ).stdout


def outcomes(folder: Path) -> dict[str, str]:
    """By the change's name: "killed", "survived", "no tests", "timeout", ..."""
    lines = mutmut(folder, "results", "--all", "true").splitlines()
    return dict(line.strip().split(": ") for line in lines if ": " in line)


def main() -> None:
    """Change the room, and print the share of changes that were noticed, and the others, each as a difference."""
    name, *count = sys.argv[1:]
    folder = prepared(name)
    if count:
        mutmut(folder, "run", "no such change")  # makes the changes, and runs none
        seed = secrets.randbits(32)
        print(f"seed {seed}")
        drawn = random.Random(seed).sample(sorted(outcomes(folder)), int(count[0]))
        mutmut(folder, "run", *drawn)
    else:
        mutmut(folder, "run")
    found = {change: what for change, what in outcomes(folder).items() if what != "not checked"}
    noticed = sum(what in ("killed", "timeout") for what in found.values())
    for change, what in found.items():
        if what not in ("killed", "timeout"):
            print(f"\n{change}: {what}")
            print("\n".join(mutmut(folder, "show", change).splitlines()[3:]))
    print(f"\n{name}: {noticed} of {len(found)} changes noticed, {noticed / len(found):.1%}")


if __name__ == "__main__":
    main()
