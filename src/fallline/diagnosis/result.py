"""The result of `diagnose`: the findings, and what was checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fallline.diagnosis.finding import Finding
from fallline.tables import Printed


@dataclass(frozen=True, repr=False)
class Diagnosis(Printed, Sequence[Finding]):
    """The findings about a run, the first cause first and remarks last.

    Attributes:
        title: what was diagnosed, in one line.
        findings: what was found.
        passed: what was checked and not found: the description of each check by its name.
        unchecked: what could not be checked, and why, by the name of the check.
    """

    title: str
    findings: tuple[Finding, ...]
    passed: Mapping[str, str] = field(default_factory=dict)
    unchecked: Mapping[str, str] = field(default_factory=dict)

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """The findings that are no remarks."""
        return tuple(finding for finding in self.findings if not finding.remark)

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, place: Any) -> Any:
        return self.findings[place]
