"""`fallline demo`: every worked example, every picture, and one page."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.cli.outcome import Run
from tests.environments import processes_without_coverage

from fallline import views
from fallline.examples import challenger
from fallline.examples.demo import Demo, Drawing
from fallline.examples.results import Results
from fallline.examples.worked import DATA, VARIANTS, WORKED, Figure
from fallline.fitting.fit import fit
from fallline.views.animation import FRAMES


@pytest.mark.long
def test_everything_is_shown_and_agrees(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "demo" / "new"
    with processes_without_coverage():
        done = run("demo", "--out", folder)
    assert (done.code, done.err) == (0, "")
    assert "NOT AS EXPECTED" not in done.out
    for case in WORKED.values():
        assert f"\n{case.name}\n" in done.out
        for line in (case.python, *case.commands):
            assert line in done.out
    for counted in re.finditer(r"(\d+) of (\d+) figures agree", done.out):
        assert counted[1] == counted[2]
    # The chain rule at x = 2 by hand, the check of the document's 6x - 3 = 9 where 21 is right, the endless c, and
    # the published fit.
    for text in ("3 · 7 = 21", "found 9, expected 21", "no lower bound along c", "15.0429", "-0.2322"):
        assert text in done.out
    assert f"The results are in {folder}" in done.out

    page = (folder / "index.html").read_text()
    pictures = set(re.findall(r'<img src="([^"]+)"', page))
    assert pictures == {path.name for path in folder.iterdir() if path.suffix in (".png", ".gif")}
    pages = {path.name for path in folder.glob("*.html")} - {"index.html"}
    assert pages == set(re.findall(r'href="([^"]+\.html)"', page))
    assert "race.html" in pages
    wanted = {
        "a-curve-and-derivative.png",
        "a-plain-and-momentum.png",
        "a-plain-and-momentum.gif",
        "d-twelve-epochs.png",
    }
    wanted |= {
        f"b-{data}-{name}-{kind}"
        for data in DATA
        for name, *_ in VARIANTS
        for kind in ("history.png", "surface.png", "contour.png", "contour.gif", "surface.gif")
    }
    assert wanted <= pictures
    for name in pictures:
        with Image.open(folder / name) as image:
            colours = image.convert("RGB").getcolors(image.width * image.height)
            assert colours is not None
            assert len(colours) > 10  # something is drawn
            if name.startswith("b-") and name.endswith(".gif"):
                assert getattr(image, "n_frames", 1) == FRAMES


def test_a_figure_that_is_off_is_named_and_fails(tmp_path: Path) -> None:
    said: list[str] = []
    demo = Demo(Results(tmp_path / "deep" / "folder", said.append))
    demo.compare("a case", [Figure("x", 1.0, 1.0), Figure("y", 2.0, 2.1, place="at step 3")])
    assert demo.finish() is False
    assert "a case: y at step 3 is 2.1, not 2.0" in "\n".join(said)
    assert "1 of 2 figures agree" in "\n".join(said)
    assert "is 2.1, not 2.0" in (tmp_path / "deep" / "folder" / "index.html").read_text()


def test_nothing_off_is_well(tmp_path: Path) -> None:
    demo = Demo(Results(tmp_path, lambda text: None))
    demo.compare("a case", [Figure("x", 1.0, 1.0)])
    assert demo.finish() is True


def test_the_page_shows_texts_as_they_are(tmp_path: Path) -> None:
    results = Results(tmp_path, lambda text: None)
    results.text("a < b & c")
    results.table(["x<y"], [["<b>"]])
    page = results.write_page("<title>").read_text()
    assert "a &lt; b &amp; c" in page
    assert "<b>" not in page
    assert "<h1>&lt;title&gt;</h1>" in page


@pytest.mark.parametrize(
    ("out", "reason"),
    [("", "no name"), ("file", "a file"), ("file/below", "cannot be written to"), ("/proc", "cannot be written to")],
)
def test_a_folder_that_cannot_be_is_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    done = run("demo", "--out", out)
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith("fallline: ")
    assert "--out" in line
    assert out in line
    assert reason in line


def test_pictures_and_films_are_drawn_by_one_rule(tmp_path: Path) -> None:
    (run,) = WORKED["twelve_epochs"].run()
    Drawing(str(tmp_path / "a.png"), views.plot_descent, (run,)).draw()
    Drawing(str(tmp_path / "a.gif"), None, (run, "curve")).draw()
    with Image.open(tmp_path / "a.png") as picture, Image.open(tmp_path / "a.gif") as film:
        assert min(*picture.size, *film.size) > 200
        assert getattr(film, "n_frames", 1) == FRAMES


def test_the_picture_of_the_fit_shows_every_launch() -> None:
    figure = fit(challenger(), "distress").plot(bounds=(30, 85))
    launches = np.loadtxt(challenger(), delimiter=",", skiprows=1)
    drawn = np.concatenate([np.transpose(line.get_data()) for line in figure.axes[0].lines])
    assert all(np.isclose(drawn, launch).all(axis=1).any() for launch in launches)
    assert figure.axes[0].get_xlim() == (30, 85)


def test_the_folder_must_be_named(run: Run) -> None:
    done = run("demo")
    assert done.code == 2
    assert "--out" in done.err
