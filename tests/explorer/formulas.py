"""Texts of formulas, right and wrong: made up from a seed, and traps written by hand."""

from __future__ import annotations

import random
from pathlib import Path

from fallline.objectives.grammar.words import CONSTANTS, ELSEWHERE, FUNCTIONS, OVER_PARTS, WRITTEN

_NUMBERS = ["0", "1", "2", "3", "7", "10", "100", "0.5", "1.7", ".25", "4e-3", "1e3", "½", "¾", "0.0", "1/3", "12"]
_NAMES = ["x", "y", "z", "x1", "x_2", "x₂", "x[1]", "x[2]", "α", "w_long", "theta", "t", "é", "x10"]
_EXPONENTS = ["2", "3", "-1", "0.5", "4", "12", "-2", "1.5", "1/3", "9", "-0.5", "0", "1", "-9"]
_COMPARED = ["<", "<=", ">", ">=", "==", "!=", "≤", "≥", "≠"]
# What is put into a text, or taken from it, to spoil it.
_SPOILERS = (
    "( ) [ ] | * ** ^ 2 , ; = == . .. π √ ² ⁻¹ ₐ ' # % & ! @ ~ \\ $ { ? sum( i=1..3 foo( np. e 0 00 1e999 𝑥 ， − × ÷ ≤ "
    "for lambda max log inf nan pi xy _ __proto__ constructor ∞ ∑ →"
)
_SPACED = [
    "",
    "",
    " ",
    " x",
    " if ",
    " else ",
    " and ",
    " or ",
    " not ",
    " sin ",
    "\n",
    "\t",
    "\u200b",
    "\u00a0",
    "\u2028",
]


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
            text = (
                text[:at]
                + self.random.choice([*_SPACED, *_SPOILERS.split()])
                + text[at + self.random.choice([0, 0, 1, 2]) :]
            )
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
        forms = [
            self.sum,
            self.product,
            self.power,
            self.call,
            self.call,
            self.signed,
            self.bare,
            self.chosen,
            self.over,
        ]
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
        count = (
            FUNCTIONS[name].fewest if name in FUNCTIONS else sum(letter in WRITTEN.get(name, "ab") for letter in "abc")
        )
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


# Texts on which two readers of the same language may part: those of traps.txt, and some that are long or no line.
TRAPS = [
    *Path(__file__).with_name("traps.txt").read_text(encoding="utf-8").split("\n")[1:-1],
    "x\u200by", "\ufeffx", "x\u2028+y", "x\x85+y", "x\x1c+ y", "x\u3000*y", "x\x00", "x\x07y", "x\ue000",
    "x = ", "x, ", "", " ", "\n;\n",
    "x" * 61, "x" + "²" * 500, "1" * 401 + "x", "1" * 400 + "*x", "9" * 300 + "x", "x" * 10_001, "x+" * 5_000 + "x",
    " " * 10_001, "(" * 61 + "x" + ")" * 61, "(" * 60 + "x" + ")" * 60, "(" * 59 + "x" + ")" * 59, "-" * 500 + "x",
    "sin " * 70 + "x", "sin " * 59 + "x", "√" * 70 + "x", "√" * 59 + "x", "x" + "^x" * 70, "x" + "^x" * 58,
    "not " * 70 + "x > 0", "|" * 61 + "x" + "|" * 61, "x[" * 70 + "1", "sin(" * 70 + "x" + ")" * 70, "x =\n2",
    "\t\n\r x \r\n + 1", "x\r\r+1", "(x\n+\ny)", "a" * 500 + "(x)", "é" * 80 + "@", "@" * 80,
    "foo(x) + bar(y) + baz(z) + qux(w) + quux(v) + corge(u)",
    # At the limits on what advice may quote, and on what is kept as a fraction or computed as products.
    *(f"ysin({'x' * count})" for count in range(35, 42)),
    *(f"{'a' * count} {'b' * (count + odd)}" for count in range(38, 44) for odd in (0, 1)),
    *("b" * 5 + "@" + "a" * count for count in range(35, 45)),
    *(f"({base})**{exponent}*x" for base in ("2", "1/3", "-3", "0.1") for exponent in (63, 64, 65, -64, -65)),
    *(f"{form}^{power}" for form in ("x", "sqrt(x)*x", "sqrt(x^2)", "sin(x)") for power in (8, 9, -8, -9)),
    "(2**63 + 1)/2**63*x", "(2**64 + 1)/2**64*x", "(2**65 + 1)/2**65*x", "1/3 + 1/2**64 + x",
]  # fmt: skip


def texts(seed: int, count: int) -> list[str]:
    """So many formulas, made up."""
    writer = Writer(seed)
    return [writer.any() for _ in range(count)]


def corpus() -> list[str]:
    """The formulas that are the same each time."""
    return list(dict.fromkeys([*TRAPS, *_words(), *texts(17, 2_500)]))


def _filled(unit: str) -> str:
    """A text of the greatest length."""
    return unit * (10_000 // len(unit))


# Texts that take long to read, or to compute, where a reader is careless.
_REPEATED = "' x' = d d/ é xy ( ) [ | |x √ 1 ² x² foo(x) a_ x=1; ; x; y=x; sin sinx np. ½ @ @x 😀 \u0301 x\u0301 ﷺ"
_WITH_SPACES = ["in ", "d ", "x y ", "x ", "\n", "not ", "if ", "x if x else ", "x and ", "sin ", "@ "]
_JOINED = (
    "x+ - sin(x)* sqrt(x)* sqrt(x*y)* x< 1e999* 2^64* 1/3+ ½x+ foo(x)+ mod(x,y)* atan2(x,y)* cbrt(x)* x**0.3* erf(x)*"
)
_NESTED = [("asinh", ")"), ("log", ")"), ("hypot", ",y)"), ("sum", ",i=1..2)")]
HOSTILE = [
    *(_filled(unit) for unit in [*_WITH_SPACES, *_REPEATED.split()]),
    *(_filled(unit)[: -len(unit)] + "x" for unit in _JOINED.split()),
    *(f"{name}(" * 59 + "x" + close * 59 for name, close in _NESTED),
    *["x'" + " " * 9_990, "in " + "1" * 9_900, " " * 9_990 + "=", "x" + "²" * 9_999, "foo" * 3_333 + "(x)"],
    *["where(x>0," * 59 + "x" + ",y)" * 59, "x^" * 58 + "x", "9**9**9*x", "(2**64)**64*x", "64**64**0.5x"],
    *["sum(sqrt(x[i]+y),i=1..3000)", "sum(sqrt(x+y)*x[i],i=1..3000)", "norm(x[i],i=1..5000)", "max(x[i],i=1..9000)"],
    *["prod(x[i],i=1..9000)", "sum(softplus(x[i]),i=1..1500)", "sum(asinh(x[i]*y),i=1..800)", "sum(1,i=1..1e14)"],
    *["sum(x[i]^j,i=1..100,j=1..100)", "sum(sum(x[i]*y[j],i=1..80),j=1..80)"],
    f"max({','.join(f'x{i}' for i in range(1, 1_600))})",
    *["prod(atan2(x,j),j=1..3000)", "prod(acos(x/j),j=1..3000)"],
    "u=x;" + "".join(f"u{i + 1}=sin(u{i or ''})*u{i or ''};" for i in range(300)) + "u300",
    "".join(f"v{i}=x;" for i in range(1_200)) + "x",
]
