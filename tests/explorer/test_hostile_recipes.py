"""Ten thousand recipes with changed characters: each makes a page or is refused in one line, and none takes long."""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

import pytest
from tests.explorer.mutations import mutated

from fallline.cli.app import main

COUNT = 10_000
WHOLE = [
    """title = "Two </script><script>window.hurt=1</script> rules"
objective = "x**2 + 10*y**2 + sin(x*y)"
starts = [[4.0, 1.0], { x = -1, y = 2 }]
max_steps = 100

[[optimizers]]
name = "momentum"
label = "<!-- heavy"
momentum = 0.8

[[optimizers]]
name = "adam"
convention = "keras"
learning_rate = { name = "cosine", initial = 0.1, final = 0.001 }
""",
    """objective = "rosenbrock"
starts = [[-1.2, 1.0]]
max_steps = 300
seed = 3
gradient = { name = "perturbation", step = 0.001, scheme = "central" }
stop = [{ name = "gradient_norm", tolerance = 1e-6 }, { name = "target", value = 1e-3 }]

[[optimizers]]
name = "lbfgs"
learning_rate = { name = "strong_wolfe", initial = 1.0 }

[[optimizers]]
name = "cautious"
inner = { name = "nesterov", learning_rate = 0.001 }

[[views]]
kind = "contour"
""",
    """[objective]
model = "linear"
X = [[1, 2], [3, 4], [5, 7]]
y = [1, 2, 4]

[[optimizers]]
name = "gradient_descent"
learning_rate = 0.01
""",
]
SIGNS = "=[]{}\"'#,.\n\\x09e-*/+^<>&π\0\u202e\u2028\U0001f600"
PIECES = ["__proto__", "1e308", "-1", "nan", "**9", "</script>", "<!--", "${x}", "[[optimizers]]\n", "{ name = ", "inf",
          '"""', "9" * 30, "true", "[" * 40, "sum(x[i],i=1..99)", "learning_rate = ", "1979-05-27",
          "inner = "]  # fmt: skip


@pytest.mark.long
def test_mutated_recipes_make_a_page_or_are_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ["FALLLINE_FUZZ_SEED"])
    chance = random.Random(seed)
    recipe, page = tmp_path / "recipe.toml", tmp_path / "page.html"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["fallline", "explore", "recipe.toml", "--out", "page.html"])
    made = 0
    for _ in range(COUNT):
        text = mutated(chance.choice(WHOLE), chance, SIGNS, PIECES)
        recipe.write_text(text, encoding="utf-8", newline="")
        where = f"FALLLINE_FUZZ_SEED={seed}: {text!r}"
        began = time.process_time()
        with pytest.raises(SystemExit) as stopped:
            main()
        assert time.process_time() - began < 1, where
        told = capsys.readouterr()
        assert set(os.listdir(tmp_path)) <= {"recipe.toml", "page.html"}, where
        if page.exists():
            assert not stopped.value.code, where
            assert page.read_text(encoding="utf-8").count("</script") == 3, where
            page.unlink()
            made += 1
        else:
            assert stopped.value.code == 2, where
            assert told.err.startswith("fallline: "), where
            assert told.err.count("\n") == 1, where
    # Both happen, or the texts try nothing.
    assert COUNT / 50 < made < COUNT
