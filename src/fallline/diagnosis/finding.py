"""A finding of the diagnosis: its evidence, cause and remedy."""

from __future__ import annotations

from dataclasses import dataclass

from fallline.tables import Printed, Summary, summary_of, wrapped_fact


@dataclass(frozen=True, repr=False)
class Finding(Printed):
    """Something worth knowing about a run.

    Attributes:
        title: the finding in one line.
        evidence: the numbers that support it.
        cause: why it happened.
        remedy: what to do about it.
    """

    title: str
    evidence: str
    cause: str
    remedy: str


@summary_of.register
def _of_finding(finding: Finding) -> Summary:
    facts = [wrapped_fact(name, getattr(finding, name)) for name in ("evidence", "cause", "remedy")]
    return Summary(f"Finding: {finding.title}", [line for fact in facts for line in fact])
