"""What a diagnosis says: evidence, cause, remedy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
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
