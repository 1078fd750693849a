"""A diagnosis as text: whole, in at most 30 lines, and as a verdict in two or three."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fallline.diagnosis.finding import Finding, Remedy
from fallline.tables import LONGEST, MOST_LINES, Summary, one_line

if TYPE_CHECKING:
    from fallline.diagnosis.result import Diagnosis

INDENT = "   "
# The most runs of a comparison that are named.
MOST_NAMED = 3
# The longest line of a verdict, and the longest sentence of a text: formulas and names of columns may be very long.
VERDICT, SENTENCE = 2 * LONGEST, 6 * LONGEST


@dataclass(frozen=True)
class Told(Summary):
    """The summary of a diagnosis: its text, with less of the later findings where it would be long.

    Attributes:
        whole, brief: the whole text, and the shorter one.
    """

    whole: str = ""
    brief: str = ""

    @classmethod
    def of(cls, diagnosis: Diagnosis) -> Told:
        """The summary."""
        return cls(head(diagnosis), whole=text(diagnosis), brief=text(diagnosis, brief=True))

    @property
    def text(self) -> str:
        return self.whole if len(self.whole.splitlines()) <= MOST_LINES else self.brief


def head(diagnosis: Diagnosis) -> str:
    """The first line: what was diagnosed."""
    return f"Diagnosis of {one_line(diagnosis.title)}"


def title(diagnosis: Diagnosis) -> str:
    """What was diagnosed, in two lines of the text at most."""
    return one_line(f"Diagnosis of {diagnosis.title}", VERDICT)


def bounded(sentence: str) -> str:
    """A sentence or several, cut off where a name in them is very long."""
    return one_line(sentence, SENTENCE)


def text(diagnosis: Diagnosis, *, brief: bool = False) -> str:
    """The findings, what was checked and passed, and what could not be checked.

    Arguments:
        brief: whether only the first finding is told whole.
    """
    lines = [*_wrapped(title(diagnosis)), ""]
    if not diagnosis.alarms:
        lines += [nothing_wrong(diagnosis), ""]
    for number, finding in enumerate(diagnosis.alarms, start=1):
        lines += [*_finding(f"{number}.", finding, brief=brief and number > 1)]
        lines += [] if brief and number > 1 else [""]
    for finding in diagnosis.remarks:
        lines += _finding("•", finding, brief=brief)
    if lines[-1]:
        lines.append("")
    passed = [_spoken(name) for name in diagnosis.passed]
    if passed:
        lines += _wrapped(f"Checked and passed: {', '.join(passed)}.")
    if diagnosis.unchecked:
        lines += _wrapped(f"Could not check: {'; '.join(by_reason(diagnosis.unchecked))}.")
    return "\n".join(lines).rstrip()


def nothing_wrong(diagnosis: Diagnosis) -> str:
    """The sentence for no alarm."""
    checks = len(diagnosis.passed)
    left = f"; {len(diagnosis.unchecked)} could not be made" if diagnosis.unchecked else ""
    return f"Nothing wrong was found by {checks} {'check' if checks == 1 else 'checks'}{left}."


def verdict(diagnosis: Diagnosis) -> str:
    """Two or three lines: the first cause with its remedy, and the titles of the others."""
    alarms = diagnosis.alarms
    if not alarms:
        lines = [f"diagnosis: {nothing_wrong(diagnosis)}"]
    else:
        first = alarms[0]
        sentences = (titled(first), whose(first), first.evidence)
        lines = [_cut(f"diagnosis: {' '.join(filter(None, sentences))}")]
        if first.remedies:
            lines.append(f"→ {spoken_remedy(first.remedies[0])}")
    others = [
        finding.title.rstrip(".") + (f" ({names_of_runs(finding)})" if finding.runs else "")
        for finding in (*alarms[1:], *diagnosis.remarks)
    ]
    if others:
        lines.append(_cut(f"also: {'; '.join(others)}."))
    return "\n".join(lines)


def _cut(line: str) -> str:
    """A line of a verdict, cut before a word: half a number would be another one."""
    return textwrap.shorten(line, VERDICT, placeholder=" …")


def spoken_remedy(remedy: Remedy) -> str:
    """A remedy with how it is written on the command line."""
    return f"{remedy.text}  ({remedy.command})" if remedy.command else remedy.text


def by_reason(unchecked: Mapping[str, str]) -> Iterator[str]:
    """The checks that could not be made, those with the same reason together.

    >>> list(by_reason({"too_slow": "needs a step", "plateau": "needs a step", "overfitting": "needs a fit"}))
    ['too slow, plateau (needs a step)', 'overfitting (needs a fit)']
    """
    names: dict[str, list[str]] = {}
    for name, reason in unchecked.items():
        names.setdefault(reason, []).append(_spoken(name))
    for reason, those in names.items():
        yield f"{', '.join(those)} ({reason})"


def _finding(mark: str, finding: Finding, *, brief: bool) -> Iterator[str]:
    yield from _wrapped(f"{mark:2} {titled(finding)}", INDENT)
    if not brief:
        for sentence in (whose(finding), finding.evidence, finding.cause):
            yield from _indented(sentence)
    for place, remedy in enumerate(finding.remedies[:1] if brief else finding.remedies):
        yield from _wrapped(f"{INDENT}→ {'or ' if place else ''}{spoken_remedy(remedy)}", INDENT + "  ")
    yield from _indented(finding.proof)
    if not brief:
        yield from _indented(consequences(finding))
        yield from _indented(when_to_ignore(finding))


def consequences(finding: Finding) -> str:
    """The sentence on what it led to; empty for nothing."""
    return f"It led to: {'; '.join(title.rstrip('.') for title in finding.led_to)}." if finding.led_to else ""


def when_to_ignore(finding: Finding) -> str:
    """The sentence on when it may be ignored; empty for never."""
    return f"When to ignore it: {finding.ignore.rstrip('.')}." if finding.ignore else ""


def titled(finding: Finding) -> str:
    """The title as a sentence."""
    title = finding.title.rstrip(".")
    # A single letter is the name of a quantity, such as f.
    return f"{title if title[1:2] == ' ' else title[:1].upper() + title[1:]}."


def whose(finding: Finding) -> str:
    """The runs of a comparison that have it, as a sentence; empty for a single run."""
    return f"In {names_of_runs(finding)}." if finding.runs else ""


def names_of_runs(finding: Finding) -> str:
    """The names of the runs of a comparison that have it, of many the first."""
    more = [f"{len(finding.runs) - MOST_NAMED} more"] if len(finding.runs) > MOST_NAMED else []
    return "; ".join([*finding.runs[:MOST_NAMED], *more])


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _indented(sentence: str) -> Iterable[str]:
    return _wrapped(INDENT + bounded(sentence), INDENT)


def _wrapped(line: str, indent: str = "") -> list[str]:
    return textwrap.wrap(line, LONGEST, subsequent_indent=indent, break_on_hyphens=False)
