"""The small picture beside a finding, and what else stands on a notebook's page and in a frame."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from fallline import GradientDescent, minimize
from fallline.diagnosis import Diagnosis
from fallline.diagnosis.finding import Finding, Remedy
from fallline.diagnosis.page import svg
from fallline.pictures.evidence import Evidence

SVG = "{http://www.w3.org/2000/svg}"


def evidence(**settings: Any) -> Evidence:
    known: dict[str, Any] = {"name": "f & g", "unit": "step", "log": False, "limits": (1.0, 9.0), "since": None}
    known |= {"times": np.array([20.0, 30.0, 60.0]), "values": np.array([9.0, 1.0, 5.0])}
    return Evidence(**known | {"marked_times": np.empty(0), "marked_values": np.empty(0)} | settings)


class Picture:
    """What is drawn, and where."""

    def __init__(self, shown: Evidence) -> None:
        self.root = ElementTree.fromstring(svg(shown))
        self.axes, *dashed = [path.attrib["d"] for path in self.root.iter(f"{SVG}path")]
        left, top, bottom, right = map(float, re.fullmatch(r"M(\d+) (\d+)V(\d+)H(\d+)", self.axes).groups())  # type: ignore[union-attr]
        self.frame = left, right, bottom, top
        self.since = [float(path[1:].split()[0]) for path in dashed]
        (line,) = self.root.iter(f"{SVG}polyline")
        self.points = [self.shares(*map(float, pair.split(","))) for pair in line.attrib["points"].split()]
        circles = self.root.iter(f"{SVG}circle")
        self.marks = [self.shares(float(mark.attrib["cx"]), float(mark.attrib["cy"])) for mark in circles]
        self.labels = {text.text: text.attrib for text in self.root.iter(f"{SVG}text")}

    def shares(self, x: float, y: float) -> tuple[float, float]:
        """How far from the lower left corner of the axes to the upper right one."""
        left, right, bottom, top = self.frame
        return (x - left) / (right - left), (y - bottom) / (top - bottom)


# A coordinate is written with one decimal, a thousandth of the height.
NEAR = 1e-3


def test_the_curve_fills_the_axes() -> None:
    picture = Picture(evidence())
    assert np.ravel(picture.points) == pytest.approx([0, 1, 0.25, 0, 1, 0.5], abs=NEAR)
    assert not picture.marks
    assert not picture.since


def test_on_a_logarithmic_axis_equal_ratios_are_equally_far() -> None:
    picture = Picture(evidence(log=True, values=np.array([9.0, 1.0, 3.0])))
    assert np.ravel(picture.points) == pytest.approx([0, 1, 0.25, 0, 1, 0.5], abs=NEAR)


def test_what_is_marked_lies_on_the_curve_and_inside() -> None:
    marks: dict[str, Any] = {"marked_times": np.array([20.0, 30.0, 60.0]), "marked_values": np.array([9.0, -5.0, 50.0])}
    picture = Picture(evidence(since=30.0, **marks))
    # Beyond the limits they stand at these.
    assert np.ravel(picture.marks) == pytest.approx([0, 1, 0.25, 0, 1, 1], abs=NEAR)
    left, right, *_ = picture.frame
    assert picture.since == pytest.approx([left + 0.25 * (right - left)], abs=0.1)
    assert picture.labels["since 30"]["text-anchor"] == "middle"
    assert float(picture.labels["since 30"]["x"]) == pytest.approx((left + right) / 2, abs=5)
    marked = svg(evidence(since=30.0))
    assert 'stroke-dasharray="3 3"' in marked
    assert not re.search(r"None|nan", marked)


def test_labels_stand_beside_their_ends() -> None:
    picture = Picture(evidence())
    left, right, bottom, top = picture.frame
    width, height = (int(picture.root.attrib[name]) for name in ("width", "height"))
    assert picture.root.attrib["viewBox"] == f"0 0 {width} {height}"
    assert picture.root.attrib["aria-label"] == "f & g against steps"
    assert picture.labels.keys() == {"9", "1", "f & g", "step 60"}
    for label, anchor, x, y in [
        ("9", "end", left, top),
        ("1", "end", left, bottom),
        ("f & g", "start", left, height),
        ("step 60", "end", right, height),
    ]:
        found = picture.labels[label]
        assert found["text-anchor"] == anchor
        # Within the height of a letter of the place, and inside the picture.
        assert abs(float(found["x"]) - x) < 10
        assert abs(float(found["y"]) - y) < 10
        assert 0 < float(found["x"]) <= width
        assert 0 < float(found["y"]) <= height


def test_a_single_value_is_at_the_lower_left_and_of_none_the_axes_are_left() -> None:
    picture = Picture(evidence(times=np.array([3.0]), values=np.array([2.0]), limits=(2.0, 2.0)))
    assert picture.points == [(0, 0)]
    assert "step 3" in picture.labels
    empty = Picture(evidence(times=np.empty(0), values=np.empty(0)))
    assert empty.points == []
    assert "step 1" in empty.labels


def finding(name: str, **settings: Any) -> Finding:
    return Finding(name, f"{name} was found", f"Evidence of {name}.", f"Cause of {name}.", **settings)


FOUND = finding(
    "first",
    remedies=(Remedy("one"), Remedy("two", command="--two")),
    proof="Proved.",
    led_to=("this.", "that"),
    ignore="it is meant.",
    runs=("a", "b"),
)


def test_a_page_has_everything_in_its_order() -> None:
    run = minimize("x**2", 1.0, GradientDescent(0.1), max_steps=3)
    unchecked = {"no_this": "needs rows", "no_that": "needs rows", "other": "needs time"}
    page = Diagnosis("a run", (FOUND,), {"x": "it is so", "y": "it is not"}, unchecked, {"first": run})._repr_html_()
    words = re.sub(r"<svg.*?</svg>", "PICTURE ", page)
    assert re.sub(r"<br>", " | ", re.sub(r"</?(?!br)[^>]*>", "", words)) == (
        "Diagnosis of a run"
        "PICTURE First was found. | In a; b. | Evidence of first. | Cause of first. | → one | → two  (--two) | "
        "Proved. | It led to: this; that. | When to ignore it: it is meant."
        "Looked for and not found: it is so; it is not."
        "Could not check: no this, no that (needs rows); other (needs time)."
    )
    ElementTree.fromstring(page.replace("<br>", "<br/>"))
    assert "<em>Proved.</em>" in page
    assert "<code>one</code>" in page


def test_a_page_without_findings_says_so() -> None:
    page = Diagnosis("a run", (), {"x": "it is so"})._repr_html_()
    assert "<p>Nothing wrong was found by 1 check.</p>" in page
    assert "Could not check" not in page
    assert "Looked for" not in Diagnosis("a run", (FOUND,))._repr_html_()
    assert "Nothing wrong" not in Diagnosis("a run", (FOUND,))._repr_html_()


@pytest.mark.parametrize("rows", [1, 2])
def test_a_run_of_one_row_has_no_picture(rows: int) -> None:
    run = minimize("x**2", 1.0, GradientDescent(0.1), max_steps=3)[:rows]
    assert ("<svg" in Diagnosis("a run", (FOUND,), runs={"first": run})._repr_html_()) == (rows > 1)


def test_a_frame_and_contents_name_runs_and_remedies() -> None:
    found = Diagnosis("a run", (FOUND, finding("second", remark=True)))
    frame = found.to_frame()
    assert frame["runs"].tolist() == ["a, b", ""]
    assert frame["remedy"].tolist() == ["one; or two", ""]
    assert frame["remark"].tolist() == [False, True]
    contents = found.contents()
    assert contents["title"] == "a run"
    assert [one["name"] for one in contents["findings"]] == ["first", "second"]
    assert contents["findings"][0]["led_to"] == ("this.", "that")
    assert contents["findings"][0]["runs"] == ("a", "b")
    assert contents["findings"][0]["link"] == "docs/findings.md#first"
    assert repr(FOUND).splitlines() == [
        "Finding: first was found",
        "evidence  Evidence of first.",
        "cause     Cause of first.",
        "remedy    one; or two",
        "proof     Proved.",
    ]
