"""How the findings told of the labelled cases are judged, and the page that says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.diagnosis.suite.case import HEALTHY, Labelled
from tests.diagnosis.suite.cases import LABELS

from fallline.diagnosis import diagnose
from fallline.diagnosis.findings import all_checks


@dataclass(frozen=True)
class Verdict:
    """What was told of a case.

    Attributes:
        case: the case.
        told: the names of the findings, the first cause first, without remarks.
        remarked: the names of the remarks.
        consequences: the names of those found that were told as the consequence of another.
    """

    case: Labelled
    told: tuple[str, ...]
    remarked: tuple[str, ...]
    consequences: frozenset[str]

    @property
    def right(self) -> frozenset[str]:
        """What is right to tell."""
        return self.case.also | {self.case.label}

    @property
    def named(self) -> bool:
        """Whether the fault was told: as a finding, a remark, or the consequence of a right finding."""
        label = self.case.label
        followed = label in self.consequences and any(name in self.case.also for name in self.told)
        return label in self.told or label in self.remarked or followed

    @property
    def wrong(self) -> tuple[str, ...]:
        """What was told and is not right; remarks are no alarms."""
        return tuple(name for name in self.told if name not in self.right)


def judged(cases: Iterable[Labelled]) -> list[Verdict]:
    """What `diagnose` tells of each case."""
    verdicts = []
    known = {check.name for check in all_checks()}
    for case in cases:
        diagnosis = diagnose(case.make(), proof=False)
        told = tuple(dict.fromkeys(finding.name for finding in diagnosis.alarms))
        remarked = tuple(dict.fromkeys(finding.name for finding in diagnosis.remarks))
        consequences = frozenset(known - {*told, *remarked, *diagnosis.passed, *diagnosis.unchecked})
        verdicts.append(Verdict(case, told, remarked, consequences))
    return verdicts


@dataclass(frozen=True)
class Score:
    """How well one finding is told.

    Attributes:
        name: the finding.
        cases: how many cases have it as their label.
        named: in how many of them it was told.
        first: in how many of them it was told first.
        told: how often it was told, in all cases, and how often that was right.
    """

    name: str
    cases: int
    named: int
    first: int
    told: int
    right: int

    @property
    def recall(self) -> float:
        """The part of its cases in which it was told."""
        return self.named / self.cases if self.cases else 1.0

    @property
    def precision(self) -> float:
        """The part of what was told that is right."""
        return self.right / self.told if self.told else 1.0


def scores(verdicts: Sequence[Verdict]) -> list[Score]:
    """The score of each finding."""
    found = []
    for name in LABELS:
        own = [verdict for verdict in verdicts if verdict.case.label == name]
        told = [verdict for verdict in verdicts if name in verdict.told]
        found.append(
            Score(
                name,
                len(own),
                sum(verdict.named for verdict in own),
                sum((*verdict.told, *verdict.remarked)[:1] == (name,) for verdict in own),
                len(told),
                sum(name in verdict.right for verdict in told),
            )
        )
    return found


def false_alarms(verdicts: Sequence[Verdict]) -> tuple[list[Verdict], int]:
    """The healthy runs with any alarm, and the number of all healthy runs; the label "converged" is healthy too."""
    healthy = [verdict for verdict in verdicts if verdict.case.label == HEALTHY]
    return [verdict for verdict in healthy if verdict.told], len(healthy)


INTRODUCTION = """\
# How well the diagnosis tells faults

The labelled suite in `tests/diagnosis/suite` holds {cases} runs: {faulty} with a fault that was caused on purpose, such
as a rate of 1.1 to 3 times the limit that is known in closed form, and {healthy} healthy ones of {kinds} kinds at which
a diagnosis may cry wolf. The label of a case is what was done to it; where further findings follow from it by
construction, they are right too. The cases were made before any threshold was tuned, thresholds were tuned on the
cases of even seeds only ("development"), and those of odd seeds were held back. Remarks, such as how well a run
converged, are no alarms. This page is written by `python -m tests.diagnosis.suite`.
"""


def page(verdicts: Sequence[Verdict]) -> str:
    """The page of the documentation."""
    healthy = [verdict for verdict in verdicts if verdict.case.label == HEALTHY]
    halves = {
        "development": [verdict for verdict in verdicts if not verdict.case.held_back],
        "held back": [verdict for verdict in verdicts if verdict.case.held_back],
    }
    lines = [
        INTRODUCTION.format(
            cases=len(verdicts),
            faulty=len(verdicts) - len(healthy),
            healthy=len(healthy),
            kinds=len({verdict.case.name.split()[0] for verdict in healthy}),
        )
    ]
    lines += ["## False alarms on healthy runs", "", "| Half | Runs | With any alarm | Part |", "|---|---|---|---|"]
    for half, some in {**halves, "both": verdicts}.items():
        alarms, runs = false_alarms(some)
        lines.append(f"| {half} | {runs} | {len(alarms)} | {len(alarms) / max(runs, 1):.1%} |")
    lines += [
        "",
        "## Precision and recall",
        "",
        "Recall is the part of a finding's cases in which it is told, as a finding or as the consequence of a right",
        "one; first, in which it is told before all others. Precision is the part of the times it is told, in any",
        "case, in which it is right.",
        "",
        "| Finding | Cases | Recall | held back | First | Told | Precision | held back |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for score, held in zip(scores(verdicts), scores(halves["held back"]), strict=True):
        lines.append(
            f"| {score.name} | {score.cases} | {score.recall:.2f} | {held.recall:.2f} | "
            f"{score.first / max(score.cases, 1):.2f} | {score.told} | {score.precision:.2f} | {held.precision:.2f} |"
        )
    lines += [
        "",
        "## Confusion",
        "",
        "What was told first in the cases of each label; *nothing* where no alarm was raised.",
        "",
        "| Label | Told first | Wrong in any place |",
        "|---|---|---|",
    ]
    for label in (*LABELS, HEALTHY):
        own = [verdict for verdict in verdicts if verdict.case.label == label]
        first = Counter(((*verdict.told, *verdict.remarked) or ("*nothing*",))[0] for verdict in own)
        wrong = Counter(name for verdict in own for name in verdict.wrong)
        lines.append(f"| {label} | {_counted(first)} | {_counted(wrong)} |")
    return "\n".join(lines) + "\n"


def _counted(names: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in names.most_common()) or "–"


def misses(verdicts: Sequence[Verdict]) -> list[str]:
    """A line for each case whose fault was not told, or of which something wrong was told."""
    lines = []
    for verdict in verdicts:
        told = ", ".join((*verdict.told, *(f"({name})" for name in verdict.remarked))) or "nothing"
        if verdict.case.label != HEALTHY and not verdict.named:
            lines.append(f"MISSED  {verdict.case.label}: {verdict.case.name} -> {told}")
        if verdict.wrong:
            lines.append(f"WRONG   {', '.join(verdict.wrong)}: {verdict.case.name} [{verdict.case.label}] -> {told}")
    return lines
