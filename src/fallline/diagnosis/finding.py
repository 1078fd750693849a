"""A finding of the diagnosis: its evidence, cause and remedies; and the check that looks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, Literal

from fallline.tables import LONGEST, Printed, Summary, one_line, summary_of, wrapped_fact

if TYPE_CHECKING:
    from fallline.diagnosis.case import Case

# "proved": the run with the remedy won; "likely": the check found it, which is all that a log can have.
Grade = Literal["proved", "likely"]


@dataclass(frozen=True, repr=False)
class Remedy(Printed):
    """A changed setting that mends what was found.

    Attributes:
        text: the change as Python, such as `GradientDescent(0.4)` or `standardize=True`, or a sentence where no
            setting can mend it.
        settings: the arguments of `minimize` or `fit` that change, by name; empty where no setting can mend it.
        command: the same on the command line, such as `--learning-rate 0.4`; empty if there is none.
    """

    text: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""


@dataclass(frozen=True, repr=False)
class Finding(Printed):
    """Something worth knowing about a run.

    Attributes:
        name: the name of its check.
        title: the finding in one line.
        evidence: the numbers that support it, as sentences.
        cause: why it happened.
        remedies: what to do about it, the most promising first.
        since: the step at which it began; 0 for the data, the objective and the start.
        numbers: the evidence as numbers, by name.
        steps: the steps that show it, for pictures.
        grade: how certain it is.
        proof: what the proof measured; empty without one.
        led_to: the titles of the findings that are its consequences.
        ignore: when it may be ignored.
        source: where the check comes from: a paper and its year.
        remark: whether it is no fault but worth knowing, such as how well a run converged.
        measure: the series whose end tells whether a remedy helps.
        runs: the labels of the runs of a comparison that have it, the one of the evidence first.
    """

    name: str
    title: str
    evidence: str
    cause: str
    remedies: tuple[Remedy, ...] = ()
    since: int = 0
    numbers: Mapping[str, float] = field(default_factory=dict)
    steps: tuple[int, ...] = ()
    grade: Grade = "likely"
    proof: str = ""
    led_to: tuple[str, ...] = ()
    ignore: str = ""
    source: str = ""
    remark: bool = False
    measure: str = "value"
    runs: tuple[str, ...] = ()

    @property
    def link(self) -> str:
        """Where the documentation describes it."""
        return f"docs/findings.md#{self.name}"


@summary_of.register
def _of_finding(finding: Finding) -> Summary:
    parts = {
        "evidence": finding.evidence,
        "cause": finding.cause,
        "remedy": "; or ".join(remedy.text for remedy in finding.remedies),
        "proof": finding.proof,
    }
    facts = [line for name, text in parts.items() if text for line in wrapped_fact(name, text)]
    return Summary(f"Finding: {finding.title}", facts)


def raised(error: Exception) -> str:
    """What a user's function raised, in one line.

    >>> raised(RuntimeError("no more\\nfiles"))
    'raised RuntimeError: no more files'
    """
    return one_line(f"raised {type(error).__name__}: {error}".rstrip(": "), 2 * LONGEST)


class CannotCheck(Exception):
    """Raised, by a check or by what it asks of a `Case`, with what is missing, such as "a held-out loss"."""


@dataclass(frozen=True)
class Check:
    """A check for one finding, made by the decorator `check` in the finding's own file.

    Attributes:
        name: the name of the finding and of its file.
        about: what is checked, as a sentence without a full stop: "the learning rate is above the stability limit".
        find: the test itself.
        leads_to: the names of the findings that are consequences of this one where both are found.
        ignore: when the finding may be ignored.
        source: where the test comes from.
        remark: whether its finding is no fault but worth knowing: it is listed after all faults.
        measure: the series whose end tells whether a remedy helps: "value", or "held_out".
        example: Python that makes a `run` with the finding, from Fallline's public names and `np`.
    """

    name: str
    about: str
    find: Callable[[Case], Finding | None]
    leads_to: tuple[str, ...] = ()
    ignore: str = ""
    source: str = ""
    remark: bool = False
    measure: str = "value"
    example: str = ""


def check(
    about: str,
    *,
    leads_to: tuple[str, ...] = (),
    ignore: str = "",
    source: str = "",
    remark: bool = False,
    measure: str = "value",
    example: str = "",
) -> Callable[[Callable[[Case], Finding | None]], Check]:
    """Make a check of a function of the same name as its file."""

    def made(find: Callable[[Case], Finding | None]) -> Check:
        return Check(find.__name__, about, find, leads_to, ignore, source, remark, measure, cleandoc(example))

    return made
