"""diagnose(): all checks on a run, a comparison or a fit, and the proof of the remedies."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Finding, raised
from fallline.diagnosis.findings import all_checks
from fallline.diagnosis.outputs import Answering
from fallline.diagnosis.result import Diagnosis
from fallline.errors import FalllineError
from fallline.hyperparameters import Range
from fallline.results.comparison import Comparison
from fallline.results.shown import Diagnosed, Shown
from fallline.results.trajectory import Trajectory

# Fits are not imported for a run on a formula, which they would make slow to start.
if TYPE_CHECKING:
    from fallline.fitting.result import Fit

# The most runs of a comparison that are diagnosed.
MOST_RUNS = 20


def diagnose(result: Trajectory | Comparison | Fit, *, proof: bool = True, proof_seconds: float = 5.0) -> Diagnosis:
    """All findings about a run, a comparison or a fit, the first cause first and remarks last.

    Arguments:
        result: the run, the comparison (of which at most 20 runs, spread over all, are diagnosed), or the fit.
        proof: whether to run the remedies: each five times, from other starts or with other seeds, beside the unchanged
            run from as many others, at equal evaluations. The first that clearly wins is shown as *proved*; one that
            does not help is not shown.
        proof_seconds: the time for it; a remedy for which it does not suffice stays *likely*.

    Returns:
        The findings, with what was checked and passed, and what could not be checked and why. After Ctrl-C in the
        proof, the remedies are as likely as without it.

    Raises:
        FalllineError: when the result is something else.

    >>> import fallline
    >>> run = fallline.minimize("x**2 + c", [1.0, 1.0], fallline.GradientDescent(0.1))
    >>> [finding.title for finding in diagnose(run)]
    ['f has no lower bound along c']
    """
    if not isinstance(result, Diagnosed):
        if isinstance(result, Shown):
            problem = f"is a {type(result).__name__}, which keeps no paths"
            raise FalllineError("result", problem=problem, allowed="minimize with its settings, and diagnose that")
        raise FalllineError("result", result, "it must be a run (Trajectory), a Comparison or a Fit")
    if not isinstance(proof, bool):
        raise FalllineError("proof", proof, "allowed: True, False")
    if np.ndim(proof_seconds) or not Range(0).allows(proof_seconds):
        raise FalllineError("proof_seconds", proof_seconds, Range(0))
    with np.errstate(all="ignore"):
        seconds = proof_seconds if proof else 0.0
        if isinstance(result, Comparison):
            return _of_comparison(result, seconds)
        run = result if isinstance(result, Trajectory) else result.trajectory
        diagnosis = _checked(run, Case.of(result))
        return dataclasses.replace(diagnosis, findings=_proved(diagnosis.findings, result, seconds))


def _proved(findings: tuple[Finding, ...], result: Trajectory | Fit, seconds: float) -> tuple[Finding, ...]:
    """The findings, with the remedies tried if there is time for it."""
    if not seconds > 0:
        return findings
    from fallline.diagnosis.remedy import proved  # only for a proof

    return proved(findings, result, seconds)


def _checked(run: Trajectory, case: Case) -> Diagnosis:
    """The diagnosis of a run or a fit, without proof."""
    found: dict[str, Finding] = {}
    leads_to, passed = {}, {}
    unchecked: dict[str, str] = {}
    # What only a model with its data can show is no question for a formula or a function.
    of_data = case.known_fit is not None or run.objective is None or case.innermost.of_data
    of_data = of_data or isinstance(case.innermost, Answering)
    for check in all_checks(of_data):
        try:
            finding = check.find(case)
        except CannotCheck as reason:
            unchecked[check.name] = f"needs {reason}"
            continue
        except Exception as error:
            # A user's function may raise beside the path, and the other checks stand without it.
            unchecked[check.name] = raised(error)
            continue
        if finding is None:
            # Of what is no fault it says nothing that it was not found: "converged" is no check that was passed.
            if not check.remark:
                passed[check.name] = check.about
        else:
            told = {name: getattr(check, name) for name in ("ignore", "source", "remark", "measure")}
            found[check.name] = dataclasses.replace(finding, **told)
            leads_to[check.name] = check.leads_to
    title = f"{run.title}, {run.optimizer}"
    return Diagnosis(title, _causes(found, leads_to), passed, unchecked, dict.fromkeys(found, run))


def _causes(found: Mapping[str, Finding], leads_to: Mapping[str, tuple[str, ...]]) -> tuple[Finding, ...]:
    """The findings that are no consequences of others, the first first, each with its consequences."""

    def consequences(name: str, seen: frozenset[str] = frozenset()) -> set[str]:
        direct = {other for other in leads_to[name] if other in found and other not in seen and other != name}
        return direct.union(*(consequences(other, seen | direct | {name}) for other in direct))

    of_each = {name: consequences(name) for name in found}
    # Of two that may lead to each other, neither is hidden.
    hidden = {other for name, others in of_each.items() for other in others if name not in of_each[other]}
    causes = []
    for name, finding in sorted(found.items(), key=lambda item: (item[1].remark, item[1].since)):
        if name not in hidden:
            led_to = tuple(found[other].title for other in found if other in of_each[name] & hidden)
            causes.append(dataclasses.replace(finding, led_to=led_to))
    return tuple(causes)


def _of_comparison(runs: Comparison, seconds: float) -> Diagnosis:
    """The findings about the runs: of those that several runs have, the evidence and remedies of the first."""
    began, shown = time.monotonic(), _spread(runs)
    each = {}
    for place, run in enumerate(shown):
        others = [other.best for number, other in enumerate(shown) if number != place]
        lowest = min(others, key=lambda point: np.nan_to_num(point.value, nan=np.inf), default=None)
        each[shown.labels[place]] = _checked(run, dataclasses.replace(Case.of(run), elsewhere=lowest))
    having: dict[str, dict[str, Finding]] = {}
    for label, diagnosis in each.items():
        for finding in diagnosis:
            having.setdefault(finding.name, {})[label] = finding
    findings, of_run = [], {}
    for name, by_run in sorted(having.items(), key=lambda item: _place(next(iter(item[1].values())))):
        label, finding = next(iter(by_run.items()))
        of_run[name] = shown[label]
        (finding,) = _proved((finding,), shown[label], seconds - (time.monotonic() - began))
        findings.append(dataclasses.replace(finding, runs=tuple(by_run)))
    passed = {name: about for one in each.values() for name, about in one.passed.items() if name not in having}
    unchecked = {name: why for one in each.values() for name, why in one.unchecked.items() if name not in having}
    passed = {name: about for name, about in passed.items() if name not in unchecked}
    count = f"{len(runs)} run{'s' * (len(runs) != 1)}"
    if len(shown) < len(runs):
        count = f"{len(shown)} of {count}"
    title = f"{count} on {shown[0].title}" if len(shown) else "a comparison of no runs"
    return Diagnosis(title, tuple(findings), passed, unchecked, of_run)


def _spread(runs: Comparison) -> Comparison:
    """At most `MOST_RUNS` of the runs: the first, the last, and some evenly between, so that no rule is left out."""
    if len(runs) <= MOST_RUNS:
        return runs
    places = np.linspace(0, len(runs) - 1, MOST_RUNS).astype(int)
    return Comparison([runs.labels[place] for place in places], [runs[int(place)] for place in places])


def _place(finding: Finding) -> tuple[bool, int]:
    return finding.remark, finding.since
