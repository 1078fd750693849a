"""Texts of formulas, right and wrong: made up from a seed, and traps written by hand."""

from __future__ import annotations

import random

from fallline.objectives.grammar.words import CONSTANTS, ELSEWHERE, FUNCTIONS, OVER_PARTS, WRITTEN

_NUMBERS = ["0", "1", "2", "3", "7", "10", "100", "0.5", "1.7", ".25", "4e-3", "1e3", "½", "¾", "0.0", "1/3", "12"]
_NAMES = ["x", "y", "z", "x1", "x_2", "x₂", "x[1]", "x[2]", "α", "w_long", "theta", "t", "é", "x10"]
_EXPONENTS = ["2", "3", "-1", "0.5", "4", "12", "-2", "1.5", "1/3", "9", "-0.5", "0", "1", "-9"]
_COMPARED = ["<", "<=", ">", ">=", "==", "!=", "≤", "≥", "≠"]
# What is put into a text, or taken from it, to spoil it.
_SPOILERS = [
    "", "", "(", ")", "[", "]", "|", "*", "**", "^", " ", " x", "2", ",", ";", "=", "==", ".", "..", "π", "√", "²", "⁻¹",
    "ₐ", "'", "#", "%", "&", "!", "@", "~", "\n", "\t", "\\", "$", "{", "?", " if ", " else ", " and ", " or ", " not ",
    " sin ", "sum(", "i=1..3", "foo(", "np.", "e", "0", "00", "1e999", "𝑥", "\u200b", "\u00a0", "\u2028", "，", "−", "×",
    "÷", "≤", "for", "lambda", "max", "log", "inf", "nan", "pi", "xy", "_", "__proto__", "constructor", "∞", "∑", "→",
]  # fmt: skip


class Writer:
    """Writes formulas, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def any(self) -> str:
        """A formula: about half of them right."""
        text = self.steps() if self.random.random() < 0.2 else self.expression(self.random.randint(1, 4))
        return self.spoilt(text) if self.random.random() < 0.5 else text

    def spoilt(self, text: str) -> str:
        """The text with a few changes."""
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            at = self.random.randint(0, len(text))
            text = text[:at] + self.random.choice(_SPOILERS) + text[at + self.random.choice([0, 0, 1, 2]) :]
        return text

    def steps(self) -> str:
        """Named steps before the last line."""
        draw = self.random
        lines = [f"u = {self.expression(2)}", f"v {draw.choice(['=', ':='])} u*({self.expression(2)}) + y"]
        last = draw.choice(["{} + u*v", "g = {} - v", "f(x, y) = v/(1 + ({})**2) + x", "{} - u"])
        lines.append(last.format(self.expression(2)))
        return draw.choice(["; ", "\n", ";", " ;\n"]).join(lines[draw.randint(0, 1) :])

    def expression(self, depth: int) -> str:
        """An expression with operations to some depth."""
        draw = self.random
        if depth <= 0 or draw.random() < 0.1:
            return draw.choice([*_NAMES, *_NAMES, *_NUMBERS, *CONSTANTS, "π"])
        part = self.expression(depth - 1)
        forms = [self.sum, self.product, self.power, self.call, self.call, self.signed, self.bare, self.chosen, self.over]
        return draw.choices(forms, [20, 20, 15, 12, 12, 6, 8, 5, 4])[0](part, depth - 1)

    def sum(self, part: str, depth: int) -> str:
        return f"{part} {self.random.choice('+-−')} {self.expression(depth)}"

    def product(self, part: str, depth: int) -> str:
        form = self.random.choice(["({})*({})", "({})/({})", "({})({})", "2({})*{}", "{} {}", "3{}/({})", "{}·({})"])
        return form.format(part, self.expression(depth))

    def power(self, part: str, depth: int) -> str:
        draw = self.random
        exponent = draw.choice([*_EXPONENTS, self.expression(min(depth, 1))])
        form = draw.choice(["({})**({})", "({})^{}", "|{}|**{}", "({})²{}", "x^{1}*({0})", "({})³"])
        return form.format(part, exponent)

    def call(self, part: str, depth: int) -> str:
        name = self.random.choice([*FUNCTIONS, *WRITTEN, *OVER_PARTS])
        count = FUNCTIONS[name].fewest if name in FUNCTIONS else sum(letter in WRITTEN.get(name, "ab") for letter in "abc")
        if name == "where":
            return f"where({self.condition(depth)}, {part}, {self.expression(depth)})"
        if name in ("pow", "power", "hypot", "atan2", "arctan2", "mod", "maximum", "minimum", "heaviside"):
            count = 2
        others = [self.expression(depth) for _ in range({"clip": 3}.get(name, count) - 1)]
        return f"{name}({', '.join([part, *others])})"

    def signed(self, part: str, depth: int) -> str:
        return self.random.choice(["-({})", "-{}**2", "+{}", "- -({})", "√({})", "|{}|"]).format(part)

    def bare(self, part: str, depth: int) -> str:
        name = self.random.choice(["sin", "cos", "ln", "exp", "sqrt", "tanh", "√", "abs"])
        inside = self.random.choice(["x", "2x", "2 pi x", "y", "|x|", "3y", "x²"])
        return self.random.choice(["{0} {1} + {2}", "{0} {1}*({2})", "({2}){0} {1}", "sin^2(x) {0}({1}) - {2}"]).format(
            name, inside, part
        )

    def chosen(self, part: str, depth: int) -> str:
        return f"({part} if {self.condition(depth)} else {self.expression(depth)})"

    def condition(self, depth: int) -> str:
        draw = self.random
        compared = f"{self.expression(depth)} {draw.choice(_COMPARED)} {self.expression(depth)}"
        form = draw.choice(["{}", "{}", "{}", "not {}", "{} and x > 0", "{} or y != 1", "-1 < x <= 1", "(not ({}))"])
        return form.format(compared)

    def over(self, part: str, depth: int) -> str:
        name = self.random.choice(["sum", "prod", "norm", "max", "min"])
        form = self.random.choice(
            ["x[i]**2 + {}", "x_i*i", "(x[i+1] - x[i])**2", "x[i]*y[j] + {}", "{}", "cos(i x[i])", "x[2*i]/i"]
        ).format(part)
        ranges = "i=1..3" + self.random.choice(["", "", "", ", j=1..2", ", j=i..3"])
        return f"{name}({form}, {ranges})"


def _words() -> list[str]:
    """Each function and each word that is none, in a few forms."""
    names = [*FUNCTIONS, *WRITTEN, *OVER_PARTS, *ELSEWHERE]
    forms = ["{}(x)", "{}(x, y)", "{}(x, y, z)", "{}()", "{} x", "{}", "{}x", "x{}", "{} = x", "{}(2)*x", "{}^2(x)",
             "{}^-1(x)", "{}[1]", "np.{}(x)", "{}(0.3, 0.2)*x", "{}(-2)*x", "x {} y"]  # fmt: skip
    return [form.format(name) for name in names for form in forms]


# Texts on which two readers of the same language may part.
TRAPS = [
    "__proto__", "constructor", "constructor(x)", "toString(x)", "hasOwnProperty + x", "__proto__(x)", "valueOf[1]",
    "prototype.x", "x.constructor", "this.x", "window", "document.cookie", "alert(1)", "eval(x)", "Function(x)()",
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "${x}", "`x`", "x;alert(1)", "\\u0061lert(1)",
    "import('x')", "globalThis", "undefined", "null + x", "NaN", "Infinity*x", "-0*x", "x*-0.0", "x/-0.0", "0x10", "1_000x",
    "1n*x", "0b1", "1e5x", "1ex", "2e", "2e^x", "1.5.2", "1..2", "x..y", "1.e3x", ".5x", "5.x", "5. x", ".x", "x.", "..",
    "𝑥² + 𝑦²", "𝑥", "x\u0301", "é", "e\u0301", "ﬁ", "K", "ℯ", "ⅈ", "Ⅷ x", "x²³", "x⁻", "x⁺²", "xⁿ", "xᵀ", "eˣ", "x²ʸ", "2²x",
    "٣x", "x٣", "x１", "１x", "（x＋y）＊2", "x，y", "x\u200by", "\ufeffx", "x\u2028+y", "x\x85+y", "x\x1c+ y", "x\u3000*y",
    "x\x00", "x\x07y", "\ud7ff", "\U0001f600", "x + \U0001f600", "'x'", '"x"', "it's \"x\"", "x'", "f'(x)", "x''", "d/dx x²",
    "dy/dx", "∂f/∂x", "x y", "xy", "xy + x + y", "x yz", "sinx", "sin2x", "xsin(x)", "sinxcosx", "pix", "xpi", "2pi", "pi2",
    "epi x", "exe", "xe + x", "theta_1 theta_2", "aa bb", "a_b", "a_", "a_(x)", "_x", "x_", "x__1", "x_10 + x_9 + x_1",
    "x99999999999999999999 + x9", "x01 + x1", "x[01]", "x[1.0]", "x[-1]", "x[1/2]", "x[1e20]", "x[x]", "x[1][2]", "x[1,2]",
    "x[]", "x[1", "x]1[", "(x]", "[x)", "x[1]+x1", "u = x; u[1]", "u1 = x; u[1] + x", "f(x) = x²", "f(x,y) = x", "f(x) = 2",
    "f(x, x) = x²", "f(2) = x", "x = x", "y = x; y", "y = x;", ";;x;;", "x;;y", "u=x; v=u; v", "u=x; u=y; u", "v=u; u=x; v+u",
    "u = ; x", "= x", "x = ", "x == y", "x < y", "(x < y)", "(x < y) + 1", "x < y < z", "x < y and z", "not x", "not x > 0",
    "x > 0 if y else 2", "1 if x > 0 else 2", "1 if x > 0", "x if else y", "if x", "x and y", "where(1>0, x, y)",
    "where(x, 1, 2)", "where(x>0, 1)", "where(1 > 2, x, 3)", "sum()", "sum(x)", "sum(x, y)", "sum(x[i])", "sum(i=1..3)",
    "sum(x[i], i=1...3)", "sum(x[i], i=3..1)", "sum(x[i], i=1..3.5)", "sum(x[i], i=1..n)", "sum(x, i=1..3)", "sum(i, i=1..3)x",
    "sum(x[i], i=1…3)", "sum(x[i], i in 1..3)", "sum(x[i], i=1..3, j=1..2)", "sum(x[i]^j, i=1..3, j=1..i)", "sum(x_i, i=1..3) + i",
    "sum(sum(x[i*j], j=1..2), i=1..2)", "sum(sum(x[i], i=1..2), i=1..3)", "sum(x[i], i=1..20001)", "sum(x[i], i=1..1e14)",
    "sum(2, 3)*x", "prod(x[i], i=1..3)", "norm(x, y)", "norm(3, 4)*x", "max(x)", "max(x[i], i=1..3)", "min(x[i], i=1..1)",
    "log(x, 2)", "log(x, 1)", "log(8, 2)*x", "log(0)*x", "log(-1)x", "sqrt(-1)*x", "asin(2)*x", "acos(-3)*x", "exp(1000)*x",
    "sinh(-1000)*x", "10**400*x", "10**-400*x", "1e999*x", "1e308*10*x", "1e308 + 1e308 + x", "1e308 + 1e308 + foo(x)",
    "(-8)**(1/3)*x", "(-1e300)**1.5*x", "(-2)**0.5*x", "0**-1*x", "0**0*x", "0.0**-1*x", "x**0", "x**1", "0**x", "1**x",
    "(-1)**x", "2**x", "pi**x", "e**x", "e^x^2", "e²", "exp 2 x", "x/0", "x/(1-1)", "u=0; x/u", "u=2; x^u", "u=2; u^3 x",
    "u = pi; sin(u)*x", "u = -1; sqrt(u)*x", "mod(5, 0)*x", "mod(-5, 3)*x", "mod(x, y)", "mod(x, -2)", "5 mod 3 x", "x mod 2",
    "tan(pi/2)*x", "atan2(0, 0)*x", "atan2(y, x)", "log1p(-1)*x", "log1p(-2)*x", "cbrt(-8)*x", "floor(-0.5)*x", "sign(0)*x",
    "min(0, -0.0)*x", "max(1, 2, 3)*x", "1/3 + 1/3 + 1/3 + x", "1/3*3*x", "2/3/4*x", "1/2x", "1/2 x", "x/2y", "x/2(y)", "1/xy",
    "2^-x", "2^-3x", "x^2y", "x^2 y", "x^y z", "-x^2", "--x", "-+-x", "x--y", "x+-y", "x*-y", "x**-y", "x^-y^-z", "x^y^z", "(x^y)^z",
    "x^2^0.5", "(x^2)^0.5", "(x^0.5)^2", "(x^(1/3))^3", "(x^3)^(1/3)", "sqrt(x)^2", "sqrt(x^2)", "sqrt(x^2+y^2)", "√x", "√x²", "√2x",
    "√(x)y", "√-x", "√√x", "∛x", "|x|", "|x||y|", "||x||", "||x|+1|", "|x|y|", "|x", "x|", "2|x|", "|x|y", "|x| |y|", "|-x|", "sin|x|",
    "sin x", "sin -x", "sin(x)^2", "sin^2 x", "sin^2(x)", "sin²x", "sin⁻¹(x)", "sin^-1(x)", "sin^x(x)", "sin^1(x)", "sin^½(x)", "sin",
    "sin()", "sin(,)", "sin(x,)", "sin(x y", "sin x y", "sin x cos y", "sin x * y", "sin x^2", "sin x/2", "sin x / cos x", "sin 2 pi x",
    "sin sin x", "ln ln x", "ln|x|", "exp -x^2", "atan2 x", "max x y", "min(x = 1)", "sin(x = 1)", "sum(x = 1)", "foo", "foo(x)",
    "foo x", "g(x)", "a(x)", "x(y)", "x(2)", "x(2) + x", "x (y+1)", "3(x)", "(x)3", "(x)(y)", "(x)y", "x(y)(z)", "f(g(x))", "si(x)",
    "sinn(x)", "Sin(x)", "SIN(x)", "cosinus(x)", "arcsinh(x)", "asinus(x)", "lg(x)", "LOG(x)", "square root(x)", "abs x", "x!", "x%",
    "x % 2", "x & y", "x && y", "x || y", "x <> y", "x => y", "x -> y", "x := y", "y := x; y^2", "x // 2", "x ** ** 2", "x * * y", "x +",
    "+", "*", "()", "(())", "(x", "x)", ")(", "x,y", "1,5*x", "x, ", "x:y", "a:b", "lambda x: x", "x for x", "x in y", "x is y", "class",
    "True", "None x", "print(x)", "return x", "[x]", "{x}", "x$", "\\frac{x}{2}", "\\sin x", "x # y", "=IF(x>0,1,2)", "Piecewise((x, 1))",
    "x ? 1 : 2", "i", "j*x", "I*x", "°x", "45°", "x∞", "oo*x", "inf", "π r²", "2πr", "Π", "Σ", "∑x", "∏ x", "∫x", "x→0", "½x", "x½", "2½x",
    "1½", "½½", "⅓x²", "x₁² + x₂²", "x₁₀", "xₙ", "xᵢ", "x₁y", "αβ", "α β", "αx", "2α", "θ₁", "ξ²", "µ + μ", "Å", "Ω", "long_name*2",
    "x" * 61, "x" + "²" * 500, "1" * 401 + "x", "1" * 400 + "*x", "9" * 300 + "x", "x" * 10_001, "x+" * 5_000 + "x", " " * 10_001,
    "(" * 61 + "x" + ")" * 61, "(" * 60 + "x" + ")" * 60, "(" * 59 + "x" + ")" * 59, "-" * 500 + "x", "sin " * 70 + "x", "sin " * 59 + "x",
    "√" * 70 + "x", "√" * 59 + "x", "x" + "^x" * 70, "x" + "^x" * 58, "not " * 70 + "x > 0", "|" * 61 + "x" + "|" * 61, "x[" * 70 + "1",
    "sin(" * 70 + "x" + ")" * 70, "\t\n\r x \r\n + 1", "x\r\r+1", "x =\n2", "(x\n+\ny)", "a" * 500 + "(x)", "é" * 80 + "@", "@" * 80,
    "x @ y @ z # w ! v", "a@b@c ∞ % & ° ∫ x", "foo(x) + bar(y) + baz(z) + qux(w) + quux(v) + corge(u)",
]  # fmt: skip


def texts(seed: int, count: int) -> list[str]:
    """So many formulas, made up."""
    writer = Writer(seed)
    return [writer.any() for _ in range(count)]


def corpus() -> list[str]:
    """The formulas that are the same each time."""
    return list(dict.fromkeys([*TRAPS, *_words(), *texts(17, 2_500)]))
