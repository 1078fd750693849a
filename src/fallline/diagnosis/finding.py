"""What a diagnosis says: evidence, cause, remedy."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from fallline.tables import LONGEST, Printed, Summary, summary_of


@dataclass(frozen=True, repr=False)
class Finding(Printed):
    """Something worth knowing about a run.

    Attributes:
        title: the finding in one line.
        evidence: the figures it rests on.
        cause: why it happened.
        remedy: what to do about it.
    """

    title: str
    evidence: str
    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.title}. {self.evidence} {self.cause} {self.remedy}"


@summary_of.register
def _of_finding(finding: Finding) -> Summary:
    facts = []
    for name in ("evidence", "cause", "remedy"):
        lines = textwrap.wrap(getattr(finding, name), LONGEST)
        facts += list(zip([name, *[""] * len(lines)], lines, strict=False))
    return Summary(f"Finding: {finding.title}", facts)
