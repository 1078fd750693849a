"""Judge the labelled suite: `python -m tests.diagnosis.suite` writes docs/diagnosis-suite.md.

With names of findings or of kinds of healthy runs, it prints what was missed and what was told wrongly in the
development half of their cases instead; "all" names all of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.diagnosis.suite.cases import all_cases
from tests.diagnosis.suite.judging import judged, misses, page

from fallline.files import whole_file

PAGE = Path(__file__).parents[3] / "docs" / "diagnosis-suite.md"


def main(names: list[str]) -> None:
    """Write the page, or print the misses of some cases."""
    if not names:
        text = page(judged(all_cases()))
        with whole_file(PAGE, "page") as file:
            file.write_text(text)
        return
    cases = [
        case
        for case in all_cases()
        if not case.held_back and (names == ["all"] or {case.label, case.name.split()[0]} & {*names})
    ]
    sys.stdout.write("".join(f"{line}\n" for line in misses(judged(cases))))


if __name__ == "__main__":
    main(sys.argv[1:])
