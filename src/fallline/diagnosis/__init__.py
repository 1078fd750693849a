"""Diagnosis of a run: why it went as it did. Each file of `findings` looks for one finding."""

from __future__ import annotations

import dataclasses

from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck, Check, Finding, Remedy
from fallline.diagnosis.findings import all_checks
from fallline.diagnosis.result import Diagnosis
from fallline.errors import FalllineError
from fallline.fitting.result import Fit
from fallline.results.trajectory import Trajectory

__all__ = ["Diagnosis", "Finding", "Remedy", "diagnose"]


def diagnose(result: Trajectory | Fit) -> Diagnosis:
    """All findings about a run or a fit, the first cause first and remarks last.

    >>> import fallline
    >>> run = fallline.minimize("x**2 + c", [1.0, 1.0], fallline.GradientDescent(0.1))
    >>> [finding.title for finding in diagnose(run)]
    ['f has no lower bound along c']
    """
    if not isinstance(result, Trajectory | Fit):
        raise FalllineError("result", result, "it must be a run or a fit")
    case = Case.of(result)
    found: dict[Check, Finding] = {}
    passed, unchecked = {}, {}
    for check in all_checks():
        try:
            finding = check.find(case)
        except CannotCheck as reason:
            unchecked[check.name] = f"needs {reason}"
            continue
        if finding is None:
            passed[check.name] = check.about
        else:
            found[check] = dataclasses.replace(finding, ignore=check.ignore, source=check.source, remark=check.remark)
    consequences = {name for check in found for name in check.leads_to}
    findings = []
    for check, finding in sorted(found.items(), key=lambda item: (item[1].remark, item[1].since)):
        if check.name not in consequences:
            led_to = tuple(other.title for other in found.values() if other.name in check.leads_to)
            findings.append(dataclasses.replace(finding, led_to=led_to))
    run = result.trajectory if isinstance(result, Fit) else result
    return Diagnosis(f"{run.title}, {run.optimizer}", tuple(findings), passed, unchecked)
