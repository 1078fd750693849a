"""Numbers, rules and outcomes as text for titles, legends and tables."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from fallline.errors import FalllineError
from fallline.letters import number as number
from fallline.objectives.grammar import parse
from fallline.objectives.grammar.notation import in_latex, in_plain_text, is_name
from fallline.objectives.landscapes import LANDSCAPES
from fallline.pictures.rule_words import label_words
from fallline.pictures.rule_words import optimizer_words as optimizer_words

if TYPE_CHECKING:
    from fallline.results.trajectory import Trajectory


def padded(low: float, high: float) -> tuple[float, float]:
    """The interval with a margin at both ends, so that markers are not cut; never empty."""
    room = 0.05 * (high - low) or 0.5 * abs(low) or 1.0
    return low - room, high + room


class Mathematics(str):
    """A formula in a title: as a text it has characters alone, and it knows its LaTeX.

    Attributes:
        latex: the formula in the LaTeX that Matplotlib's mathtext takes, without dollars.

    >>> title = objective_words("x**2/2")
    >>> title, title.latex
    ('x²/2', '\\\\frac{x^{2}}{2}')
    """

    latex: str

    def __new__(cls, text: str, latex: str) -> Mathematics:
        made = super().__new__(cls, text)
        made.latex = latex
        return made

    def __reduce__(self) -> tuple[type[Mathematics], tuple[str, str]]:
        return Mathematics, (str(self), self.latex)


@functools.lru_cache(maxsize=64)
def objective_words(title: str) -> str:
    """What is minimised, for a title: a landscape by its name, a formula as `Mathematics`, else the text itself.

    >>> objective_words("100*(y - x**2)**2 + (1 - x)**2"), objective_words("x**2 + 8*sin(x)")
    ('Rosenbrock', 'x² + 8 sin(x)')
    """
    if isinstance(title, Mathematics):
        return title
    for landscape in LANDSCAPES.values():
        if landscape.formula == title:
            return landscape.title
    try:
        formula = parse(title).text
    except FalllineError:
        return title
    # The name of a Python function is no formula.
    return title if is_name(formula) else Mathematics(in_plain_text(formula), in_latex(formula))


def outcome(run: Trajectory, symbol: str) -> str:
    """How a run ended: the reason, the number of steps, the final value."""
    steps = "1 step" if run.step_count == 1 else f"{run.step_count} steps"
    return f"{run.stop.reason} after {steps}: {symbol} = {number(run.final.value)}"


def run_title(run: Trajectory, symbol: str) -> tuple[str, str]:
    """The two lines of the title of a picture of one run: the rule with its rate, and the outcome."""
    return optimizer_words(run), outcome(run, symbol)


def labelled(label: str, rule: str) -> str:
    """A rule in the title of one of several runs, behind the run's label where that says something else.

    >>> labelled("wrong slope", "sign descent, η = 0.01"), labelled("sign descent", "sign descent, η = 0.01")
    ('wrong slope: sign descent, η = 0.01', 'sign descent, η = 0.01')
    """
    return rule if label in rule else f"{label}: {rule}"


def tick(value: float) -> str:
    """A number in three digits, with powers of ten only where it has many more."""
    return number(float(f"{value:.3g}"), 6)


def setting(name: str, value: Any) -> str:
    """A setting of a rule as text; of the optimizer its name alone.

    >>> setting("learning_rate", 0.001), setting("optimizer", "sign_descent")
    ('learning rate 0.001', 'sign descent')
    """
    text = setting_value(name, value)
    return text if name == "optimizer" else f"{name.replace('_', ' ')} {text}"


def setting_value(name: str, value: Any) -> str:
    """The value of a setting as text."""
    if name == "optimizer":
        return label_words(value)
    return number(value, 3) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def percent(share: float) -> str:
    """A share as text in percent.

    >>> percent(0.12345)
    '12.3 %'
    """
    return f"{100 * share:.3g} %"
