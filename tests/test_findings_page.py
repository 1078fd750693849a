"""The committed page of findings says what the checks do now."""

from __future__ import annotations

from website.findings import PAGE, page

import fallline
from fallline.diagnosis.findings import all_checks


def test_the_committed_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "docs/findings.md is old; python -m website.findings"


def test_every_finding_links_to_its_place_on_the_page() -> None:
    (finding,) = fallline.minimize("x**3", 1.0, fallline.GradientDescent(0.1)).diagnose(proof=False).alarms[:1]
    file, _, anchor = finding.link.partition("#")
    assert PAGE.as_posix().endswith(file)
    assert f"\n## {anchor}\n" in PAGE.read_text(encoding="utf-8")
    for check in all_checks():
        assert f"\n## {check.name}\n" in PAGE.read_text(encoding="utf-8")
        assert check.find.__doc__
