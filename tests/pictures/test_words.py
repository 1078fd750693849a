from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser

from fallline import Adam, FalllineError, as_objective, compare, minimize
from fallline.objectives.landscapes import LANDSCAPES
from fallline.pictures.landscape import landscape_data
from fallline.pictures.words import Mathematics, objective_words


@pytest.mark.parametrize(
    ("formula", "text", "latex"),
    [
        # From the rules of writing: a product has no sign, a quotient a bar, a function's power stands at its name.
        ("3*x**2 - 0.5*x*y", "3x² − 0.5xy", r"3 x^{2} - 0.5 x y"),
        ("(x - 1)**2/2 + y", "(x − 1)²/2 + y", r"\frac{\left(x - 1\right)^{2}}{2} + y"),
        ("sin(x)**2 + sqrt(x + 1)", "sin²(x) + √(x + 1)", r"\sin^{2}\left(x\right) + \sqrt{x + 1}"),
        ("100*(y - x**2)**2", "100 (y − x²)²", r"100 \left(y - x^{2}\right)^{2}"),
        ("x**-2 + 2**x", "x⁻² + 2^x", r"x^{-2} + 2^{x}"),
        ("2x + |y|", "2x + |y|", r"2 x + \left|y\right|"),
        ("beta_1*x + w2*my_rate", "β₁x + w₂ · my_rate", r"\beta_{1} x + w_{2} \cdot \mathrm{my\_rate}"),
        ("1e-5*x + x*2", "10⁻⁵x + x · 2", r"10^{-5} x + x \cdot 2"),
        ("u = x/2 - 1; u**2", "u = x/2 − 1; u²", r"u = \frac{x}{2} - 1,\quad u^{2}"),
        ("x - (y - 1) - -x", "x − (y − 1) − (−x)", r"x - \left(y - 1\right) - \left(-x\right)"),
        ("x/(2*y)*3", "x/(2y) · 3", r"\frac{x \cdot 3}{2 y}"),
        ("½x² + exp(-x)", "½x² + exp(−x)", r"\frac{1}{2} x^{2} + \exp\left(-x\right)"),
        ("sum(x[i]**2, i=1..3)", "∑(xᵢ², i = 1 … 3)", r"\sum_{i=1}^{3} x_{i}^{2}"),
    ],
)
def test_a_formula_is_written_as_by_hand(formula: str, text: str, latex: str) -> None:
    title = objective_words(formula)
    assert isinstance(title, Mathematics)
    assert (str(title), title.latex) == (text, latex)
    # What is words already stays.
    assert objective_words(title) == title
    assert pickle.loads(pickle.dumps(title)).latex == latex


@pytest.mark.parametrize(
    "formula",
    [
        *(landscape.formula for landscape in LANDSCAPES.values()),
        "where(x > 0 and y <= 1, x, -x) + norm(x, y) + cbrt(x) + log10(x) + relu(x)",
        "not (x < 1 or y != 2) if x > 0 else prod(x[i], i=1..3)",
        "Gamma*x + omicron + Alpha*größe",
    ],
)
def test_matplotlib_draws_every_formula(formula: str) -> None:
    title = objective_words(f"{formula} + 0*x")
    assert isinstance(title, Mathematics)
    assert MathTextParser("path").parse(f"${title.latex}$").width > 0


def test_a_landscape_has_its_name_and_what_is_no_formula_stays() -> None:
    names = {name: objective_words(landscape.formula) for name, landscape in LANDSCAPES.items()}
    assert (names["rosenbrock"], names["goldstein_price"], names["mccormick"]) == (
        "Rosenbrock",
        "Goldstein–Price",
        "McCormick",
    )
    for title in ("bowl", "a function", "mean cross-entropy of a logistic model, 6 rows", "cost in $"):
        assert objective_words(title) == title
        assert not isinstance(objective_words(title), Mathematics)


def test_the_title_of_several_runs_says_the_rule_that_their_labels_do_not() -> None:
    starts = compare("x**2 + y**2/2", [[1.0, 2.0], [-1.0, 2.0]], Adam(0.1), max_steps=3)
    assert landscape_data(starts, resolution=8).heading == ("x² + y²/2", "Adam, η = 0.1")
    rules = compare("x**2 + y**2/2", [1.0, 2.0], [Adam(0.1), "momentum"], max_steps=3)
    assert landscape_data(rules, resolution=8).heading == ("x² + y²/2", "")
    run = minimize("x**2 + y**2/2", [1.0, 2.0], Adam(0.1), max_steps=3)
    assert landscape_data({"a": run, "b": run}, resolution=8).heading == ("x² + y²/2", "Adam, η = 0.1")


NAMES = st.sampled_from(["x1", "x2", "2", "0.5", "3", "pi"])


def combined(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inside, inside)
    return st.one_of(
        *(two.map(lambda pair, sign=sign: f"({pair[0]}){sign}({pair[1]})") for sign in "+-*/"),  # type: ignore[misc]
        inside.map(lambda one: f"-({one})"),
        st.tuples(inside, st.sampled_from(["2", "3", "(-1)", "0.5", "x1"])).map(lambda pair: f"({pair[0]})**{pair[1]}"),
        st.tuples(st.sampled_from(["sin", "sqrt", "abs", "exp"]), inside).map(lambda call: f"{call[0]}({call[1]})"),
        inside.map(lambda one: f"cos({one})**2"),
    )


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(st.recursive(NAMES, combined, max_leaves=8))
def test_what_is_written_by_hand_is_read_as_the_same_formula(formula: str) -> None:
    # The sum has each name alone, so that one before a bracket is known to be no function.
    formula = f"x1 + x2 + {formula}"
    try:
        meant = as_objective(formula)
    except FalllineError:  # a constant such as 1/0
        reject()
    points = np.array([[0.7, 1.3], [-0.4, 2.1], [3.0, -0.6]])
    one, other = (objective.value(points) for objective in (meant, as_objective(str(objective_words(formula)))))
    # Another order of the same products and quotients rounds otherwise.
    np.testing.assert_allclose(one, other, rtol=1e-9)
