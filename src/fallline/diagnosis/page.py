"""A diagnosis as HTML for notebooks, with a small picture of the evidence of each finding, as SVG."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from fallline.arrays import FloatArray
from fallline.diagnosis import told
from fallline.diagnosis.finding import Finding
from fallline.pictures.evidence import Evidence, evidence_data
from fallline.results.trajectory import Trajectory

if TYPE_CHECKING:
    from fallline.diagnosis.result import Diagnosis

# The size of a picture, and the room for its labels to the left and below, in pixels.
WIDTH, HEIGHT, LEFT, BELOW, AROUND = 270, 120, 62, 18, 6


def html(diagnosis: Diagnosis) -> str:
    """The findings, each beside its picture; no colours, so that it is readable on light and dark pages."""
    parts = [f"<strong>{escape(told.title(diagnosis))}</strong>"]
    if not diagnosis.alarms:
        parts.append(f"<p>{escape(told.nothing_wrong(diagnosis))}</p>")
    parts += [_finding(finding, diagnosis.runs.get(finding.name)) for finding in diagnosis]
    if diagnosis.passed:
        # Each is told as the fault that it looks for, so it must not be read as passed.
        parts.append(_small(f"Looked for and not found: {'; '.join(diagnosis.passed.values())}."))
    if diagnosis.unchecked:
        parts.append(_small(f"Could not check: {'; '.join(told.by_reason(diagnosis.unchecked))}."))
    return f'<div style="overflow-wrap: anywhere">{"".join(parts)}</div>'


def _finding(finding: Finding, run: Trajectory | None) -> str:
    lines = [f"<strong>{escape(told.titled(finding))}</strong>"]
    lines += [escape(told.bounded(sentence)) for sentence in (told.whose(finding), finding.evidence, finding.cause)]
    lines += [f"→ <code>{escape(told.spoken_remedy(remedy))}</code>" for remedy in finding.remedies]
    lines += [f"<em>{escape(finding.proof)}</em>"] if finding.proof else []
    lines.append(escape(told.consequences(finding)))
    lines += [f"<small>{escape(told.when_to_ignore(finding))}</small>" if finding.ignore else ""]
    text = "<br>".join(line for line in lines if line)
    picture = svg(evidence_data(run, finding.since, finding.steps)) if run is not None and len(run) > 1 else ""
    style = "display: flex; flex-wrap: wrap; gap: 1em; margin: 1em 0"
    return f'<div style="{style}"><div>{picture}</div><div style="flex: 1; min-width: 20em">{text}</div></div>'


def _small(text: str) -> str:
    return f"<p><small>{escape(text)}</small></p>"


def svg(evidence: Evidence) -> str:
    """The picture: the curve, a dashed line at the moment since which, and a circle at each step that shows it.

    >>> import fallline
    >>> run = fallline.minimize("x**2", 1.0, fallline.GradientDescent(1.1), max_steps=50)
    >>> svg(evidence_data(run, 5, [1, 2])).count("<circle")
    2
    """
    low, high = evidence.limits
    last = float(evidence.times[-1]) if len(evidence.times) else 1.0
    first = float(evidence.times[0]) if len(evidence.times) else 0.0

    def across(times: FloatArray) -> list[float]:
        part = (times - first) / max(last - first, 1e-300)
        places: FloatArray = LEFT + part * (WIDTH - LEFT - AROUND)
        return list(places)

    def up(values: FloatArray) -> list[float]:
        bottom, top, numbers = (np.log(part) if evidence.log else part for part in (low, high, values))
        part = np.clip((numbers - bottom) / max(top - bottom, 1e-300), 0, 1)
        places: FloatArray = HEIGHT - BELOW - part * (HEIGHT - BELOW - AROUND)
        return list(places)

    points = zip(across(evidence.times), up(evidence.values), strict=True)
    floor = HEIGHT - BELOW
    shapes = [
        f'<path d="M{LEFT} {AROUND}V{floor}H{WIDTH - AROUND}" stroke-opacity=".4"/>',
        f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" stroke-width="1.5"/>',
    ]
    if evidence.since is not None:
        (place,) = across(np.array([evidence.since]))
        shapes.append(f'<path d="M{place:.1f} {AROUND}V{floor}" stroke-dasharray="3 3"/>')
    marks = zip(across(evidence.marked_times), up(evidence.marked_values), strict=True)
    shapes += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in marks]
    labels = [
        _label(LEFT - 4, AROUND + 8, "end", f"{high:.3g}"),
        _label(LEFT - 4, floor, "end", f"{low:.3g}"),
        _label(LEFT, HEIGHT - 4, "start", evidence.name),
        _label(WIDTH - AROUND, HEIGHT - 4, "end", f"{evidence.unit} {last:.6g}"),
    ]
    if evidence.since is not None:
        labels.append(_label((LEFT + WIDTH) // 2, HEIGHT - 4, "middle", f"since {evidence.since:.4g}"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" aria-label="{escape(evidence.name)} against {evidence.unit}s">'
        f'<g fill="none" stroke="currentColor">{"".join(shapes)}</g>'
        f'<g fill="currentColor" font-size="10" font-family="sans-serif">{"".join(labels)}</g></svg>'
    )


def _label(x: int, y: int, anchor: str, text: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
