"""The result of `diagnose`: the findings, and what was checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fallline.diagnosis import told
from fallline.diagnosis.finding import Finding
from fallline.json_text import written
from fallline.results.trajectory import Trajectory
from fallline.tables import Printed, Summary, data_frame

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Diagnosis(Printed, Sequence[Finding]):
    """The findings about a run, the first cause first and remarks last.

    Attributes:
        title: what was diagnosed, in one line.
        findings: what was found.
        passed: what was checked and not found: the description of each check by its name.
        unchecked: what could not be checked, and why, by the name of the check.
        runs: the run that each finding was found in, by the finding's name.

    >>> import fallline
    >>> fallline.minimize("x**2 + c", [1.0, 1.0], fallline.GradientDescent(0.1)).diagnose().alarms[0].name
    'unbounded'
    """

    title: str
    findings: tuple[Finding, ...]
    passed: Mapping[str, str] = field(default_factory=dict)
    unchecked: Mapping[str, str] = field(default_factory=dict)
    runs: Mapping[str, Trajectory] = field(default_factory=dict)

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """The findings that are no remarks."""
        return tuple(finding for finding in self.findings if not finding.remark)

    @property
    def remarks(self) -> tuple[Finding, ...]:
        """The findings that are no fault but worth knowing."""
        return tuple(finding for finding in self.findings if finding.remark)

    @property
    def text(self) -> str:
        """The whole diagnosis as text; printing it shows at most 30 lines."""
        return told.text(self)

    def verdict(self) -> str:
        """The diagnosis in two or three lines."""
        return told.verdict(self)

    def contents(self) -> dict[str, Any]:
        """The diagnosis as JSON types and mappings of such."""
        findings = [
            {
                **{name: getattr(finding, name) for name in COLUMNS},
                "numbers": dict(finding.numbers),
                "steps": finding.steps,
                "remedies": [{"text": one.text, "command": one.command} for one in finding.remedies],
                "led_to": finding.led_to,
                "runs": finding.runs,
                "link": finding.link,
            }
            for finding in self.findings
        ]
        passed, unchecked = dict(self.passed), dict(self.unchecked)
        return {"title": self.title, "findings": findings, "passed": passed, "unchecked": unchecked}

    def to_json(self) -> str:
        """The diagnosis as one JSON object; a number that is not finite is null."""
        return written(self.contents())

    def to_frame(self) -> pd.DataFrame:
        """A pandas data frame with one finding per row.

        Raises:
            FalllineError: when pandas is not installed.
        """
        columns = {name: [getattr(finding, name) for finding in self] for name in COLUMNS}
        remedies = ["; or ".join(one.text for one in finding.remedies) for finding in self]
        return data_frame(columns | {"remedy": remedies, "runs": [", ".join(finding.runs) for finding in self]})

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, place: Any) -> Any:
        return self.findings[place]

    def _summary(self) -> Summary:
        return told.Told.of(self)

    def _repr_html_(self) -> str:
        """The HTML for a notebook: the same, with a small picture of each run that shows a finding."""
        from fallline.diagnosis.page import html  # only notebooks need it

        return html(self)


# What of a finding is a column of the frame.
COLUMNS = ("name", "title", "remark", "since", "grade", "evidence", "cause", "proof", "ignore", "source")
