"""Links and names that mean harm: nothing of them runs, nothing hangs, and the page says what it did not take."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.cases import few
from tests.explorer.links import mutated_links
from tests.explorer.opened import Opened

import fallline

BAD = [
    "f=</script><script>window.hurt=1</script>",
    "f=x**2&rule=<img src=x onerror=window.hurt=1>",
    "f=constructor.constructor('window.hurt=1')()",
    "f=x**2&start=__proto__,1&axes=0,0",
    "rule=adam@__proto__,rate=constructor,learning_rate=1e999",
    "rule=__proto__@constructor,toString=1",
    "rule=momentum@paper,momentum=1.5,rate=search:toString",
    "box=1,1,2,2&steps=1e9&at=-1&active=99,99",
    "noise=-1,0.5&target=NaN&view=x&basins=maybe&panel=y&gradient=central,0",
    "f=%E0%A4%A&start=%00",
    "f=" + "(" * 500 + "x" + ")" * 500,
    "f=" + "+".join(f"x{k}" for k in range(1, 60)),
    "f=x**2" + "&start=1" * 50 + "&rule=adam" * 50,
    "f=" + "sin(" * 50 + "x" + ")" * 50,
    "f=x" + "y" * 40_000,
]


@pytest.mark.parametrize("link", few(BAD, 4), ids=range(len(BAD)))
def test_what_is_not_taken_is_told_and_nothing_runs(browser: Any, plain: Path, link: str) -> None:
    with Opened(browser, plain, link) as opened:
        opened.settled()
        assert opened.page.evaluate("window.hurt") is None
        assert opened.page.locator("#fallline img, #fallline script").count() == 0
        assert len(opened.runs()) >= 1
        if "sin(" not in link:
            assert opened.page.inner_text(".notice") != ""


def hang(opened: Opened) -> float:
    """The most seconds of its own time that a page may be busy: about one, by how fast this machine finds sines."""
    before = opened.spent()
    opened.page.evaluate("{ let sum = 0; for (let i = 0; i < 3e7; i++) sum += Math.sin(i); sum }")
    return 4 * (opened.spent() - before)


@pytest.mark.long
def test_the_whole_page_takes_mutated_links(browser: Any, plain: Path) -> None:
    seed = int(os.environ["FALLLINE_FUZZ_SEED"])
    with Opened(browser, plain) as opened:
        longest = hang(opened)
        for link in mutated_links(seed, 200):
            before = opened.spent()
            opened.page.evaluate("link => { fallline.open(link); fallline.draw(); }", link)
            took = opened.spent() - before
            assert took < longest, (took, link, f"FALLLINE_FUZZ_SEED={seed}")
        assert opened.page.evaluate("window.hurt ?? null") is None
        assert opened.page.locator("#fallline img, #fallline script, #fallline iframe").count() == 0


@pytest.mark.long
def test_names_and_titles_cannot_break_out(browser: Any, tmp_path: Path) -> None:
    page = fallline.explore("x**2 + y**2")
    hostile = fallline.Explorer("</title><script>window.hurt=1</script>", "f=x**2&rule=</script><!--<script>")
    text = hostile.html
    assert text.count("</script") == page.html.count("</script") == 3
    hostile.save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html") as opened:
        assert opened.page.evaluate("window.hurt") is None
        assert opened.page.title() == "</title><script>window.hurt=1</script>"


# Formulas that take long to read, to differentiate or to compute, as far as the page takes them.
SLOW = [
    *("*".join(f"{name}(x+{k})" for k in range(1, count)) for name, count in (("cbrt", 460), ("exp", 550))),
    "prod(atan2(x,j),j=1..3000)",
    "prod(acos(x/j),j=1..3000)",
    "sum(sqrt(sum(x[i]**2,i=1..20)+j),j=1..600)",
    "sum(x[i]**(y*j),i=1..19,j=1..60)",
    "u0=x;" + "".join(f"u{i + 1}=u{i}**u{i}+y;" for i in range(250)) + "u250",
    "x" + "^x" * 58,
    "*".join(["sqrt(x*y)"] * 250),
    "+".join(f"sin(x*{k})*exp(cos(y*{k}))**1.1" for k in range(1, 250)),
    "+".join(f"erf(x*{k}+0.1)" for k in range(1, 600)),
    "sum(" * 59 + "x" + ",i=1..2)" * 59,
    "".join(f"v{i}=x;" for i in range(1_200)) + "x",
]


@pytest.mark.long
def test_no_formula_keeps_the_page_busy(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        longest = hang(opened)
        for formula in SLOW:
            for start in ("1", "1,1", ",".join(["1"] * 20)):
                link = urlencode({"f": formula, "start": start, "steps": 10_000, "at": 9_999}) + "&start=2,2" * 7
                before = opened.spent()
                opened.page.evaluate("link => { fallline.open(link); fallline.draw(); }", link)
                took = opened.spent() - before
                assert took < longest, (took, formula[:60], start[:9])


def test_a_formula_too_long_to_compute_is_refused_under_the_field(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        before = opened.state
        opened.page.fill("input.formula", "prod(atan2(x,j),j=1..3000)")
        opened.settled()
        assert "more than 5000 operations" in opened.page.inner_text("#formula-problem")
        assert opened.state == before
