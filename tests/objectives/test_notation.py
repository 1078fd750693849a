"""Formulas written by hand mean what they did: their plain text and their LaTeX are read back and computed."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from matplotlib.mathtext import MathTextParser

from fallline.objectives.grammar import parse
from fallline.objectives.grammar.notation import in_latex, in_plain_text, is_name

AT = {"x": 0.7, "y": 1.3, "z": 0.4, "x1": 1.9, "beta": 0.6, "rate": 2.3, "beta2": 1.1}
KNOWN: dict[str, Any] = {
    **{
        name: getattr(math, name) for name in ("sin", "tanh", "exp", "log", "log10", "sqrt", "pi", "e", "cbrt", "atan2")
    },
    **AT,
    "β": 0.6,
    "β2": 1.1,
    "abs": abs,
    "max": max,
    "norm": lambda *parts: math.hypot(*parts),
    "where": lambda condition, one, other: one if condition else other,
    "log2": math.log2,
}


def computed(formula: str) -> float:
    """The value of a formula that is Python too."""
    return float(eval(formula, KNOWN))  # noqa: S307 - the texts are ours


def from_plain_text(text: str) -> str:
    """Our plain text as a formula: letters side by side are factors, and = compares."""
    text = re.sub("(?<![a-w])[xyzβ₀-₉]+(?![a-w])", lambda run: re.sub("(?<=.)([xyzβ])", r" \1", run[0]), text)
    return text.replace("‖(", "norm(").replace(")‖", ")").replace(" = ", " == ")


def from_latex(text: str) -> str:
    """Our LaTeX as a formula: its products are those of TeX's blanks."""
    for word in ("and", "or", "not"):
        text = text.replace(rf"\text{{ {word} }}", f"@{word}@").replace(rf"\text{{{word} }}", f"@{word}@")
    signs = {" + ": "+", " - ": "-", r" \cdot ": "*", r" \, ": "*", r" \leq ": "<=", r" \geq ": ">=", r" \neq ": "!=",
             " < ": "<", " > ": ">", " = ": "==", ", ": ","}  # fmt: skip
    for sign, plain in signs.items():
        text = text.replace(sign, plain)
    text = text.replace(r"\left\|\left(", "norm(").replace(r"\right)\right\|", ")")
    text = text.replace(r"\left|", "abs(").replace(r"\right|", ")")
    inside = r"((?:(?!\\left\\{).)*?)"
    innermost = rf"\\left\\{{{inside} \\text\{{ if \}} {inside},\\text\{{ otherwise \}} {inside}\\right\\}}"
    while r"\left\{" in text:
        text = re.sub(innermost, r"where(\2,\1,\3)", text)
    text = text.replace(r"\left", "").replace(r"\right", "").replace(" ", "*").replace("@", " ")
    text = re.sub(r"\\mathrm\{([^{}]*)\}", r"\1", text)
    while "{" in text:
        shorter = re.sub(r"_\{([^{}]*)\}", r"\1", text)
        shorter = re.sub(r"(\b(?:\\?[a-z]+[0-9]*))\^\{([^{}]*)\}(?=\()", r"\1**\2", shorter)
        shorter = re.sub(r"\^\{([^{}]*)\}", r"**(\1)", shorter)
        shorter = re.sub(r"\\sqrt\[3\]\{([^{}]*)\}", r"cbrt(\1)", shorter)
        shorter = re.sub(r"\\sqrt\{([^{}]*)\}", r"sqrt(\1)", shorter)
        shorter = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", shorter)
        assert shorter != text
        text = shorter
    return text.replace("\\", "")


# Every kind of part within every kind of operation.
PARTS = ["x", "2", "0.5", "1e-3", "2.5e-3", "-x", "-2", "x + y", "x - y", "x*y", "-x*y", "x/y", "2*x", "x**2",
         "x**y", "x**-2", "2**-x", "x**(y + 1)", "(x*y)**2", "(-x)**2", "sin(x)", "sin(x)**2", "sqrt(x)", "sqrt(x + y)",
         "abs(x - y)", "exp(x)", "exp(x)**2", "log10(x)", "log2(x)", "cbrt(x)", "max(x, y, 2)", "norm(x, y)", "x1",
         "beta", "beta2", "rate", "pi", "where(x <= y, x, 2)", "where(x > 0 and not (x > y or y != 2), x, 3)",
         "where((x == y or x < 1) and y >= 1, x, y)"]  # fmt: skip
WITHIN = ["({0})", "-({0})", "-(-({0}))", "z + ({0})", "z - ({0})", "({0}) - z", "z - (z + ({0}))", "2*({0})",
          "({0})*2", "z*({0})", "({0})*z", "sin(z)*({0})", "({0})*sin(z)", "rate*({0})", "({0})*rate", "beta*({0})*x",
          "({0})*3*({0})", "z*(-({0}))", "({0})/z", "z/({0})", "z/(({0})/x)", "(z/({0}))/x", "z*(({0})/x)",
          "(({0})/x)*z", "x/y*({0})", "z/(({0})*x)", "({0})**2", "({0})**z", "2**({0})", "z**(({0})/3)",
          "(({0})**2)**2", "tanh(({0})/2)", "tanh({0})**2*z", "abs({0})*z", "sqrt(abs({0}))*z", "z*x**(2*({0}))*y",
          "x**z*({0})", "where(z < ({0}), z, ({0}))"]  # fmt: skip


@pytest.mark.parametrize("around", WITHIN)
def test_what_is_written_by_hand_is_read_as_what_it_was(around: str) -> None:
    for part in PARTS:
        formula = around.format(part)
        try:
            value = computed(formula)
        except (OverflowError, TypeError):  # too large, or complex
            continue
        for back in (
            parse(f"{formula} + 0*x").reading,
            from_plain_text(in_plain_text(formula)),
            from_latex(in_latex(formula)),
        ):
            assert "__" not in back
            told = f"{formula} became {back}"
            try:
                found = computed(parse(f"0*x + 0*y + 0*z + 0*β + {back}").reading)
            except Exception as error:
                raise AssertionError(told) from error
            assert found == pytest.approx(value, rel=1e-13), told


@pytest.mark.parametrize(
    ("formula", "text", "latex"),
    [
        # A sign after another stands in brackets.
        ("x - (-y) + -2", "x − (−y) + (−2)", r"x - \left(-y\right) + \left(-2\right)"),
        ("-(-x) - y", "−(−x) − y", r"-\left(-x\right) - y"),
        ("-(x*y) - (z - 1)", "−xy − (z − 1)", r"-x y - \left(z - 1\right)"),
        ("(x + y) - (z + 1)", "x + y − (z + 1)", r"x + y - \left(z + 1\right)"),
        # Factors stand side by side, but for a number behind another factor, and for words; letters closely.
        ("2x*y + x*2 + 2*3x", "2xy + x · 2 + 2 · 3x", r"2 x y + x \cdot 2 + 2 \cdot 3 x"),
        ("x*rate + beta*x1", "x · rate + βx₁", r"x \cdot \mathrm{rate} + \beta x_{1}"),
        ("3*(x + 1)*y", "3 (x + 1) y", r"3 \left(x + 1\right) y"),
        ("(x + y)*(x - y)", "(x + y) (x − y)", r"\left(x + y\right) \left(x - y\right)"),
        ("2*sin(x)**2*cos(x)", "2 sin²(x) cos(x)", r"2 \, \sin^{2}\left(x\right) \, \cos\left(x\right)"),
        ("x**2*y + 2*x**3", "x²y + 2x³", r"x^{2} y + 2 x^{3}"),
        # On one line, neither an exponent nor a root has an end that is seen.
        ("x**y*z - -x**y*z", "x^y · z − (−x^y · z)", r"x^{y} z - \left(-x^{y} z\right)"),
        ("(-sqrt(x))*y + (2*x**y)*z", "−√x · y + 2x^y · z", r"-\sqrt{x} y + 2 x^{y} z"),
        ("sqrt(x)*y + abs(x)*y", "√x · y + |x| · y", r"\sqrt{x} y + \left|x\right| y"),
        ("sqrt(x)**3 + sqrt(2*x) + sqrt(2)", "(√x)³ + √(2x) + √2", r"\sqrt{x}^{3} + \sqrt{2 x} + \sqrt{2}"),
        ("x**-y + x**(y + 1) + 2**-3", "x^(−y) + x^(y + 1) + 2⁻³", r"x^{-y} + x^{y + 1} + 2^{-3}"),
        ("(x + 1)**2 + (2x)**2 + (-x)**2", "(x + 1)² + (2x)² + (−x)²",
         r"\left(x + 1\right)^{2} + \left(2 x\right)^{2} + \left(-x\right)^{2}"),
        # A quotient has one divisor, its bar needs no brackets.
        ("x/y/z + 1/(x*y) + x*y/z", "x/y/z + 1/(xy) + xy/z", r"\frac{x}{y z} + \frac{1}{x y} + \frac{x y}{z}"),
        ("(x + 1)/(y - 1)", "(x + 1)/(y − 1)", r"\frac{x + 1}{y - 1}"),
        ("x*(y/z) + (x/y)*z", "x (y/z) + (x/y) z", r"x \left(\frac{y}{z}\right) + \left(\frac{x}{y}\right) z"),
        # Numbers with a power of ten.
        ("1e5*x + 2.5E-3*x + 1e-5", "10⁵x + 2.5 · 10⁻³x + 10⁻⁵", r"10^{5} x + 2.5 \cdot 10^{-3} x + 10^{-5}"),
        ("where(x > 0 and (y <= 1 or x != y), x, y)", "where(x > 0 and (y ≤ 1 or x ≠ y), x, y)",
         r"\left\{x \text{ if } x > 0\text{ and }\left(y \leq 1\text{ or }x \neq y\right), "
         r"\text{ otherwise } y\right\}"),
        ("where(not x >= y or x == 1, x, y)", "where(not x ≥ y or x = 1, x, y)",
         r"\left\{x \text{ if } \text{not }x \geq y\text{ or }x = 1, \text{ otherwise } y\right\}"),
        # What follows a sum sign belongs to the sum, up to a plus or a minus.
        ("sum(x[i], i=1..3)**2", "∑(xᵢ, i = 1 … 3)²", r"\left(\sum_{i=1}^{3} x_{i}\right)^{2}"),
        ("sum(x[i], i=1..n)*y", "∑(xᵢ, i = 1 … n) y", r"\left(\sum_{i=1}^{n} x_{i}\right) y"),
        ("y + sum(x[i], i=1..3) - 1", "y + ∑(xᵢ, i = 1 … 3) − 1", r"y + \sum_{i=1}^{3} x_{i} - 1"),
        ("-prod(x[i] + 1, i=0..9)", "−∏(xᵢ + 1, i = 0 … 9)", r"-\prod_{i=0}^{9} \left(x_{i} + 1\right)"),
        ("2*sum(x, y)", "2 ∑(x, y)", r"2 \, \mathrm{sum}\left(x, y\right)"),
        ("(1e-3)**2 + x/2.5e-3", "(10⁻³)² + x/(2.5 · 10⁻³)", r"\left(10^{-3}\right)^{2} + \frac{x}{2.5 \cdot 10^{-3}}"),
        ("x/1e-3 + x/1E5", "x/10⁻³ + x/10⁵", r"\frac{x}{10^{-3}} + \frac{x}{10^{5}}"),
        ("cbrt(x)**2", "cbrt(x)²", r"\sqrt[3]{x}^{2}"),
        ("x[i+1] - x[12]", "x[i + 1] − x₁₂", r"x_{i + 1} - x_{12}"),
        ("x_max + x_b2*größe", "xₘₐₓ + x_b2 · größe", r"x_{max} + x_{b2} \cdot \mathrm{größe}"),
        ("rate_max + x_ - _a", "rate_max + x_ − _a", r"\mathrm{rate\_max} + \mathrm{x\_} - \mathrm{\_a}"),
        ("lambda_1*Gamma - omega", "λ₁Γ − ω", r"\lambda_{1} \Gamma - \omega"),
        ("½x - ¾", "½x − ¾", r"\frac{1}{2} x - \frac{3}{4}"),
        ("a = 2x; b = a²; a*b", "a = 2x; b = a²; ab", r"a = 2 x,\quad b = a^{2},\quad a b"),
        ("norm(x, y - 1)**2", "‖(x, y − 1)‖²", r"\left\|\left(x, y - 1\right)\right\|^{2}"),
        ("log10(x)**2 + log2(x) + ln(x)", "log₁₀(x)² + log₂(x) + ln(x)",
         r"\log_{10}\left(x\right)^{2} + \log_{2}\left(x\right) + \ln\left(x\right)"),
        ("relu(x)**2 + tg x", "relu²(x) + tg(x)", r"\mathrm{relu}^{2}\left(x\right) + \mathrm{tg}\left(x\right)"),
    ],
)  # fmt: skip
def test_formulas_are_written_as_in_a_book(formula: str, text: str, latex: str) -> None:
    assert in_plain_text(formula) == text
    assert in_latex(formula) == latex
    assert MathTextParser("path").parse(f"${latex}$").width > 0


def test_one_name_alone_is_a_name() -> None:
    formulas = ("x", " rate ", "(x)", "2", "x + 1", "sin(x)", "u = x; u", "x y")
    assert [formula for formula in formulas if is_name(formula)] == ["x", " rate ", "(x)"]
