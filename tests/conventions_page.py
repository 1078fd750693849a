"""The generated page docs/conventions.md: what the libraries make of each rule, and how exactly ours equal them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fallline.optimizers import OPTIMIZERS, WRAPPERS
from fallline.optimizers.conventions import Convention, conventions, differences
from fallline.tables import number_text

PAGE = Path(__file__).parent.parent / "docs" / "conventions.md"
# Behind this heading stand the measured figures, which `python -m tests.parity` takes anew.
MEASURED = "## Measured against the libraries"
# A longer line tells a reader nothing.
LONGEST = 300

INTRODUCTION = """\
# Conventions

<!-- Made by `make docs` from the rules' own sources. Do not edit. -->

Libraries disagree on what one name means. Each rule of Fallline follows its paper, and takes
`convention="torch"`, `"keras"`, `"optax"`, ... to follow that library instead, in its formula and in its defaults:

```python
import fallline

fallline.Adam(convention="keras")  # as keras.optimizers.Adam()
```

On the command line that is `adam@keras`; `fallline conventions adam` shows one rule's part of this page, and how far
the conventions lead apart on a worked run.

In a formula, `g` is the gradient, `t` the step counted from 1, `rate` the learning rate, and `_old` marks what a
quantity was before the step. What differs between the conventions stands in a table; where all have the same formula,
they differ in their defaults at most.
"""


def conventions_part() -> str:
    """The page up to the measured figures."""
    rules = {name: kind for name, kind in {**OPTIMIZERS, **WRAPPERS}.items() if len(kind.conventions) > 1}
    return "\n".join([INTRODUCTION, *(_section(kind.__name__, conventions(name)) for name, kind in rules.items())])


def _section(title: str, known: tuple[Convention, ...]) -> str:
    lines = [f"## {title}", ""]
    lines += _table(("Convention", "What it does"), [(c.name, c.about) for c in known])
    differing = differences(known)
    if differing:
        rows = [
            (quantity, ", ".join(names), "none" if text == "-" else _code(text))
            for quantity, texts in differing.items()
            for text, names in texts.items()
        ]
        lines += ["", *_table(("Quantity", "Conventions", "What it becomes in a step"), rows)]
    alike = [f"{name} = {text}" for name, text in known[0].formula.items() if name not in differing]
    if alike:
        lines += ["", "In common: " + "; ".join(map(_code, alike)) + "."]
    defaults = [
        (f"`{setting}`", *(number_text(convention.defaults[setting]) for convention in known))
        for setting in known[0].defaults
    ]
    if defaults:
        lines += ["", *_table(("Default", *(convention.name for convention in known)), defaults)]
    return "\n".join([*lines, ""])


def _code(text: str) -> str:
    return f"`{text}`" if len(text) <= LONGEST else f"`{text[: LONGEST - 2]} …`"


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    rule = tuple("---" for _ in header)
    return [f"| {' | '.join(cells)} |" for cells in (header, rule, *rows)]
