"""Links and names that mean harm: nothing of them runs, nothing hangs, and the page says what it did not take."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest
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


@pytest.mark.parametrize("link", BAD, ids=range(len(BAD)))
def test_what_is_not_taken_is_told_and_nothing_runs(browser: Any, plain: Path, link: str) -> None:
    with Opened(browser, plain, link) as opened:
        opened.settled()
        assert opened.page.evaluate("window.hurt") is None
        assert opened.page.locator("#fallline img, #fallline script").count() == 0
        assert len(opened.runs()) >= 1
        if "sin(" not in link:
            assert opened.page.inner_text(".notice") != ""


def mutated(link: str, chance: random.Random) -> str:
    """The link with some of its characters changed, doubled, cut or moved."""
    letters = list(link)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(letters)) if letters else 0
        match chance.randrange(4):
            case 0:
                letters[at : at + 1] = chance.choice("&=,@;%<>'\"()x09e.-*/+^π√\\\0")
            case 1:
                letters[at:at] = letters[at : at + chance.randint(1, 30)]
            case 2:
                del letters[at : at + chance.randint(1, 10)]
            case 3:
                letters[at:at] = chance.choice(
                    ["__proto__", "1e308", "-1", "NaN", "**9", "</script>", "${x}", "learning_rate="]
                )
    return "".join(letters)


def test_mutated_links_neither_run_nor_hang(browser: Any, plain: Path) -> None:
    seed = int(os.environ.get("FALLLINE_SEED", random.randrange(2**32)))
    chance = random.Random(seed)
    rules = [fallline.Adam(0.1), fallline.Momentum(fallline.Cosine(0.01)), fallline.LBFGS()]
    seeds = [
        fallline.explore("x**2 + 10*y**2 + sin(x*y)", [4.0, 1.0], rules, max_steps=100).link,
        fallline.explore("x**4 - x", 2.0, "rmsprop@keras").link + "&at=3&noise=0.5,7&target=0.1&view=surface",
        fallline.explore("rosenbrock", [[0.0, 1.0], [1.0, -1.0]], ["nesterov", "lion"]).link + "&panel=histories",
    ]
    links = [mutated(chance.choice(seeds), chance) for _ in range(600)]
    with Opened(browser, plain) as opened:
        slowest, hurt = opened.page.evaluate(
            """links => {
              let slowest = [0, ""];
              for (const link of links) {
                const begun = performance.now();
                fallline.open(link);
                fallline.draw();
                const took = performance.now() - begun;
                if (took > slowest[0]) slowest = [took, link];
              }
              return [slowest, window.hurt ?? null];
            }""",
            links,
        )
    assert hurt is None, f"FALLLINE_SEED={seed}"
    assert slowest[0] < 1000, (slowest, f"FALLLINE_SEED={seed}")


def test_names_and_titles_cannot_break_out(browser: Any, tmp_path: Path) -> None:
    page = fallline.explore("x**2 + y**2")
    hostile = fallline.Explorer("</title><script>window.hurt=1</script>", "f=x**2&rule=</script><!--<script>")
    text = hostile.html
    assert text.count("</script") == page.html.count("</script") == 3
    hostile.save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html") as opened:
        assert opened.page.evaluate("window.hurt") is None
        assert opened.page.title() == "</title><script>window.hurt=1</script>"


def test_a_slow_formula_does_not_hang_the_page(browser: Any, plain: Path) -> None:
    slow = "+".join(f"sin(x*{k})*exp(cos(y*{k}))**1.1" for k in range(1, 250))
    with Opened(browser, plain) as opened:
        took = opened.page.evaluate(
            """formula => {
              const begun = performance.now();
              fallline.open(new URLSearchParams({f: formula, start: "1,1", steps: "10000"}).toString());
              fallline.draw();
              return performance.now() - begun;
            }""",
            slow,
        )
    assert took < 1000
