"""What is told of the findings: docs/findings.md, which `python -m website.findings` writes, and a page of each."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import fallline
from fallline.diagnosis.finding import Check
from fallline.diagnosis.findings import all_checks

PAGE = Path(__file__).parent.parent / "docs" / "findings.md"

INTRODUCTION = """\
# Findings

<!-- Made by `make docs` from the files in src/fallline/diagnosis/findings. Do not edit. -->

`run.diagnose()`, `comparison.diagnose()`, `fit.diagnose()` and `fallline diagnose FILE` look for what is listed here.
They also say what was checked and passed, and what could not be checked and why. The first cause comes first; what it
led to is told with it.

A remedy is *likely* when its check found it, and *proved* when it was run: five times from other starts or with other
seeds, beside the unchanged run from as many others, at equal evaluations, judged by where the run's own objective ends
over all data (for overfitting, on the rows held out; where the remedy changes the loss, by the accuracy or R²). It is
proved if all five reach a level that at most one of the unchanged runs reaches, clearly. A remedy that was run and did
not help is not shown. `proof=False` runs none, `proof_seconds=` limits their time.

A *remark* is worth knowing, and no fault.
"""


def page() -> str:
    """The text of docs/findings.md."""
    sections = (f"## {check.name}\n\n{_told(check, '#{}')}\n{code_of(check)}" for check in all_checks())
    return "\n".join([INTRODUCTION, *sections])


def pages() -> dict[str, str]:
    """The text of each page of the site, by its name: one of each finding, and the list of them."""
    checks = all_checks()
    listed = [f"- [{_words(check.name)}]({check.name}.md): {check.about.rstrip('.')}." for check in checks]
    told = {
        # The site fills in what the code prints.
        check.name: f"# {_words(check.name)}\n\n{_told(check, '{}.md')}\n{code_of(check)}\n```text\n```\n"
        for check in checks
    }
    return {"index": "\n".join([INTRODUCTION, *listed, ""]), **told}


def code_of(check: Check) -> str:
    """Its example as a block of code, with what it imports."""
    names = {node.id for node in ast.walk(ast.parse(check.example)) if isinstance(node, ast.Name)}
    numpy = "import numpy as np\n\n" if "np" in names else ""
    public = ", ".join(sorted(names & {*fallline.__all__}))
    return (
        "**A run that shows it:**\n\n"
        f"```python\n{numpy}from fallline import {public}\n\n{check.example}\nprint(run.diagnose())\n```\n"
    )


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _told(check: Check, link: str) -> str:
    """What is told of a finding; `link` leads to another one by its name."""
    about = check.about[:1].upper() + check.about[1:]
    lines = [f"{about}.{' A remark.' if check.remark else ''}", ""]
    lines += [f"**Test.** {inspect.cleandoc(check.find.__doc__ or '')}", ""]
    known = {other.name for other in all_checks()}
    led_to = [f"[{_words(name).lower()}]({link.format(name)})" for name in check.leads_to if name in known]
    if led_to:
        lines += [f"**It leads to** {', '.join(led_to)}.", ""]
    if check.ignore:
        lines += [f"**When to ignore it:** {check.ignore.rstrip('.')}.", ""]
    if check.source:
        lines += [f"**Source:** {check.source.rstrip('.')}.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
