"""Node, in which the explorer's TypeScript is tried without a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

JS = Path(__file__).parents[2] / "js"


def is_ready() -> bool:
    """Whether Node and the packages of js/ are installed: `make js` installs the packages."""
    return shutil.which("node") is not None and (JS / "node_modules" / "puppeteer-core").is_dir()


def built(folder: Path) -> Path:
    """The folder, with the programs of js/test built into it."""
    subprocess.run(["node", "build.mjs", "tests", str(folder)], cwd=JS, check=True)
    return folder


def outcomes(programs: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What js/test/formulas.ts makes of formulas and points."""
    given, found = programs / "given.json", programs / "found.json"
    given.write_text(json.dumps(rows), encoding="utf-8")
    subprocess.run(["node", str(programs / "formulas.mjs"), str(given), str(found)], check=True, timeout=300)
    made: list[dict[str, Any]] = json.loads(found.read_text(encoding="utf-8"))
    return made
