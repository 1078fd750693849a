"""The chain rule, factor by factor."""

from __future__ import annotations

import math
from typing import Any

import pytest
from matplotlib import pyplot as plt

from fallline.errors import FalllineError
from fallline.gradients.chain import chain_rule


def test_every_line_of_a_derivation_with_its_numbers() -> None:
    assert chain_rule("u = 3*a**2 - 2*a + b**2 + 1; y = 2*u + c", [1, 1, 1]).text.split("\n") == [
        "u = 3*a**2 - 2*a + b**2 + 1 = 3",
        "y = c + 2*u = 7",
        "∂u/∂a = 6*a - 2 = 4",
        "∂u/∂b = 2*b = 2",
        "∂y/∂c = 1",
        "∂y/∂u = 2",
        "a → u → y: ∂y/∂u · ∂u/∂a = 2 · 4 = 8",
        "dy/da = 8",
        "b → u → y: ∂y/∂u · ∂u/∂b = 2 · 2 = 4",
        "dy/db = 4",
        "c → y: ∂y/∂c = 1",
        "dy/dc = 1",
    ]


def test_a_coordinate_on_several_paths_gets_the_sum_over_them() -> None:
    chain = chain_rule("u = x*y; v = sin(u) + x; z = u*v + exp(-x)", [1.0, 0.5])
    x, y = 1.0, 0.5
    u = x * y
    v = math.sin(u) + x
    assert len(chain.paths["x"]) == 4
    assert len(chain.paths["y"]) == 2
    # Worked by hand: dz/dx = v y + u (cos(u) y + 1) - exp(-x), dz/dy = v x + u cos(u) x; sums of a few roundings.
    by_hand = {"x": v * y + u * (math.cos(u) * y + 1) - math.exp(-x), "y": v * x + u * math.cos(u) * x}
    assert chain.gradient == pytest.approx(by_hand, rel=1e-15)


def test_a_coordinate_that_reaches_the_result_nowhere_else_is_one_factor() -> None:
    assert chain_rule("x**2 + 5", 3).text.split("\n")[-2:] == ["x → f: ∂f/∂x = 6", "df/dx = 6"]


def test_products_and_sums_with_negative_numbers_read_as_they_are_meant() -> None:
    lines = chain_rule("u = -2*x; y = x - 3*u**2", 1).text.split("\n")
    # dy/du = -6 u = 12, du/dx = -2.
    assert lines[-3:] == ["x → y: ∂y/∂x = 1", "x → u → y: ∂y/∂u · ∂u/∂x = 12 · (-2) = -24", "dy/dx = 1 + (-24) = -23"]


def test_latex_has_each_factor_and_the_sum_over_the_paths() -> None:
    latex = chain_rule("u = x**2; y_1 = x*u", 2).latex
    assert r"\frac{\partial y_{1}}{\partial u} &= x = 2" in latex
    sums = r"\frac{\partial y_{1}}{\partial x} + \frac{\partial y_{1}}{\partial u} \cdot \frac{\partial u}{\partial x}"
    assert rf"\frac{{d y_{{1}}}}{{d x}} &= {sums} = 4 + 2 \cdot 4 = 4 + 8 = 12" in latex


def test_latex_writes_powers_of_ten() -> None:
    assert r"f &= x^{2} = 1 \cdot 10^{20}" in chain_rule("x**2", 1e10).latex


def test_too_many_paths_are_refused() -> None:
    doubled = "; ".join(f"a{i} = b{i - 1}*c{i - 1}; b{i} = a{i} + 1; c{i} = a{i} - 1" for i in range(1, 12))
    text = f"b0 = x + 1; c0 = x - 1; {doubled}; b11*c11"
    with pytest.raises(FalllineError, match=r"more than 1000 paths; use fewer steps$"):
        chain_rule(text, 0.5)


def test_a_point_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(FalllineError, match=r"x has 1 number; x\*y needs 2, for x, y"):
        chain_rule("x*y", 1)


def test_only_a_formula_has_one() -> None:
    with pytest.raises(FalllineError, match=r"^objective is <function .*; the chain rule is shown of a formula only$"):
        chain_rule(lambda x: x**2, 1.0)


def test_it_reads_short_and_is_drawn_into_a_file(tmp_path: Any) -> None:
    chain = chain_rule("u = x*y; v = u + x; z = u*v", [2.0, -3.0])
    # z = x²y² + x²y: dz/dx = 2xy² + 2xy, dz/dy = 2x²y + x².
    assert chain.gradient == {"x": 24.0, "y": -20.0}
    assert (chain.name, chain.values) == ("z", {"x": 2.0, "y": -3.0, "u": -6.0, "v": -4.0, "z": 24.0})
    assert repr(chain) == chain.text
    (path, *_) = chain.paths["y"]
    assert (path.names[0], path.names[-1], path.product) == ("y", "z", math.prod(f.number for f in path.factors))
    assert r"\frac{d z}{d y} &= " in chain.latex
    assert r"-4 \cdot 2 + (-6) \cdot 1 \cdot 2" in chain.latex
    figure, ax = plt.subplots()
    assert chain.plot(tmp_path / "chain.svg", ax=ax) is figure
    assert "$x = 2$" in [text.get_text() for text in ax.texts]
    plt.close(figure)
    assert (tmp_path / "chain.svg").exists()


def test_a_formula_that_reads_like_its_value_is_told_once() -> None:
    chain = chain_rule("c = 5; c*x", 2)
    assert chain.text.split("\n")[0] == "c = 5"
    assert chain.latex.split("\n")[1] == r"c &= 5 \\"
