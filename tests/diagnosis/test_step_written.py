"""A step written out as text, LaTeX, MathML and data, held against one computed by hand; and where rates come from."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import fallline
from fallline import FalllineError, GradientDescent, Momentum, Optimizer, Record, Trajectory, minimize
from fallline.diagnosis import written as written_file
from fallline.diagnosis.one_step import one_step, recorded_to
from fallline.optimizers.base import SMALLEST
from fallline.optimizers.noise import standard_normal

MATH = "{http://www.w3.org/1998/Math/MathML}"


def second_step() -> Any:
    """From (3, 1): the first velocity is 0.01 · (6, 20), the second 0.01 · (5.88, 16) + 0.5 · (0.06, 0.2)."""
    return minimize("x**2 + 10*y_1**2", [3.0, 1.0], Momentum(0.01, momentum=0.5), max_steps=3).explain(2)


TEXT = """\
Step 2 of momentum, learning_rate 0.01, momentum 0.5
objective  x**2 + 10*y_1**2
value      15.0436 before, 11.045341 after
before     x = 2.94, y_1 = 0.8
after      x = 2.8512, y_1 = 0.54
with       t = 2, rate = 0.01, momentum = 0.5

x, by -0.0888:
  g        = slope at x_old
           = 5.88
  velocity = g*rate + momentum*velocity_old
           = 5.88*0.01 + 0.5*0.06
           = 0.0888
  x        = x_old - velocity
           = 2.94 - 0.0888
           = 2.8512

y_1, by -0.26:
  g        = 16
  velocity = 16*0.01 + 0.5*0.2 = 0.26
  x        = 0.8 - 0.26 = 0.54"""

LATEX = r"""\begin{aligned}
&\text{x:} \\
g_{t} &= \nabla f\left(x_{t-1}\right) \\
&= 5.88 \\
\mathrm{velocity}_{t} &= \eta g_{t} + \gamma \, \mathrm{velocity}_{t-1} \\
&= 0.01 \cdot 5.88 + 0.5 \cdot 0.06 \\
&= 0.0888 \\
x_{t} &= x_{t-1} - \mathrm{velocity}_{t} \\
&= 2.94 - 0.0888 \\
&= 2.8512 \\
&\text{y\_1:} \\
g_{t} &= 16 \\
\mathrm{velocity}_{t} &= 0.01 \cdot 16 + 0.5 \cdot 0.2 \\
&= 0.26 \\
x_{t} &= 0.8 - 0.26 \\
&= 0.54
\end{aligned}"""

# Row by row: what stands to the left, and to the right of the sign.
ROWS = [
    ("", "x:"),
    ("gt", "∇f(xt-1)"),
    ("", "5.88"),
    ("velocityt", "η⁢gt+γ⁢velocityt-1"),
    ("", "0.01·5.88+0.5·0.06"),
    ("", "0.0888"),
    ("xt", "xt-1-velocityt"),
    ("", "2.94-0.0888"),
    ("", "2.8512"),
    ("", "y_1:"),
    ("gt", "16"),
    ("velocityt", "0.01·16+0.5·0.2"),
    ("", "0.26"),
    ("xt", "0.8-0.26"),
    ("", "0.54"),
]


def test_the_text_and_the_formulas() -> None:
    one = second_step()
    assert one.text == repr(one) == TEXT
    assert one.latex == LATEX
    assert one._repr_latex_() == f"$${LATEX}$$"
    rows = ElementTree.fromstring(one.mathml).iter(f"{MATH}mtr")
    told = [tuple("".join(cell.itertext()) for cell in row) for row in rows]
    assert [(left, right.removeprefix("=")) for left, right in told] == ROWS


def test_the_page_has_a_table_and_the_first_coordinate_as_formula() -> None:
    root = ElementTree.fromstring(second_step()._repr_html_())
    header, *rows = list(root.iter("table"))[1].iter("tr")
    assert [cell.text for cell in header] == [None, "x_old", "g", "velocity", "x"]
    assert [[cell.text for cell in row] for row in rows] == [
        ["x", "2.94", "5.88", "0.0888", "2.8512"],
        ["y_1", "0.8", "16", "0.26", "0.54"],
    ]
    (math,) = root.iter(f"{MATH}math")
    assert len(list(math.iter(f"{MATH}mtr"))) == 9


def test_the_data_hold_the_numbers_of_the_step() -> None:
    contents = second_step().contents()
    plain = {name: np.asarray(part).tolist() for name, part in contents.items() if name not in NESTED}
    assert plain == {
        "objective": "x**2 + 10*y_1**2",
        "optimizer": "momentum, learning_rate 0.01, momentum 0.5",
        "step": 2,
        "names": ["x", "y_1"],
        "x_old": pytest.approx([2.94, 0.8]),
        "x": pytest.approx([2.8512, 0.54]),
        "value_old": pytest.approx(2.94**2 + 6.4),
        "value": pytest.approx(2.8512**2 + 10 * 0.54**2),
        "gradient": pytest.approx([5.88, 16]),
        "rate": 0.01,
        "change": pytest.approx([0.0888, 0.26]),
    }
    assert (contents["settings"], contents["remarks"]) == ({"momentum": 0.5}, {})
    assert contents["state_old"]["velocity"] == pytest.approx([0.06, 0.2])
    assert contents["state"]["velocity"] == pytest.approx([0.0888, 0.26])
    assert contents["quantities"]["velocity"]["formula"] == "g*rate + momentum*velocity_old"
    assert contents["quantities"]["velocity"]["value"] == pytest.approx([0.0888, 0.26])
    frame = second_step().to_frame()
    assert frame.columns.tolist() == ["coordinate", "x_old", "g", "velocity", "change", "x"]
    assert frame["coordinate"].tolist() == ["x", "y_1"]
    assert frame["velocity"].tolist() == pytest.approx([0.0888, 0.26])
    assert frame["x"].tolist() == pytest.approx([2.8512, 0.54])


NESTED = ("settings", "remarks", "state_old", "state", "quantities")


def test_numbers_stand_in_brackets_where_their_sign_needs_them() -> None:
    rule = fallline.ClipNorm(fallline.Adam(0.01), limit=0.5)
    one = minimize("x**2 - 1e-6*y", [-3.0, 0.0], rule, max_steps=2, engine="reference").explain(1)
    lines = [line.strip() for line in one.text.splitlines()]
    # Of all coordinates, and in brackets where the sign needs them; no -0.
    assert "= norm([-6, -1e-06])" in lines
    assert "= (-6)/max(1, 6/0.5)" in lines
    assert "= 0.9*0 + (-0.5)*(1 - 0.9)" in lines
    assert "norm" not in one.text.split("\ny, by")[1]
    for part in (r"&= -6 \\", r"&= \frac{\left(-6\right)}{", r"&= -8.33333 \cdot 10^{-8} \\", r"10^{-8} + "):
        assert part in one.latex
    assert r"\left(\left(" not in one.latex
    assert r"\left\|\left(-6, -10^{-6}\right)\right\|" in one.latex
    assert "e-0" not in one.latex


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("-2.5", "-2.5"),
        ("1.5e-08", r"1.5 \cdot 10^{-8}"),
        ("1e+20", "10^{20}"),
        ("-1e-20", "-10^{-20}"),
        ("inf", r"\mathrm{inf}"),
        ("norm([1, 2, … 9 more])", r"\mathrm{norm([1, 2, \ldots 9 more])}"),
    ],
)
def test_a_number_in_latex_has_a_power_of_ten(text: str, latex: str) -> None:
    assert written_file._power_of_ten(text) == latex
    # Inside a formula a sign or a product stands in brackets.
    inside = written_file._in_latex(text)
    if "norm" in text:
        assert inside == r"\left\|\left(1, 2, \ldots\right)\right\|"
    else:
        assert inside == (rf"\left({latex}\right)" if "cdot" in latex or latex.startswith("-") else latex)


def test_one_coordinate_alone_is_not_named() -> None:
    assert r"\text{x:}" not in minimize("x**2", 1.0, fallline.Adam(0.1), max_steps=1).explain(1).latex
    assert r"\text{x:}" in minimize("x**2 + y**2", [1.0, 1.0], fallline.Adam(0.1), max_steps=1).explain(1).latex


def test_of_many_coordinates_a_norm_shows_the_first() -> None:
    run = minimize(lambda x: (x**2).sum(), np.ones(50), fallline.ClipNorm(fallline.GradientDescent(0.1)), max_steps=1)
    assert re.search(r"\\left\\\|\\left\(2, 2, [2, ]*, \\ldots\\right\)\\right\\\|", run.explain(1).latex)


def test_a_long_memory_shows_its_newest_part_and_what_is_too_long_is_said_to_be_computed() -> None:
    run = minimize("x**2 + 10*y**4", [3.0, 1.0], fallline.LBFGS(), max_steps=9)
    one = run.explain(8)
    assert len(re.findall(r"^  steps", one.text, re.MULTILINE)) == 2
    assert re.search(r"^  newton +\S* *= computed by the rule's code$", one.text, re.MULTILINE)
    assert r"\ldots" in one.latex
    assert "<mo>…</mo>" in one.mathml
    assert r"\mathrm{True}" in one.latex


@pytest.mark.parametrize(("most", "more"), [(1, 2), (2, 1), (3, 0), (9, 0)])
def test_the_coordinates_that_move_farthest(most: int, more: int) -> None:
    run = minimize("x1**2 + 9*x2**2 + 4*x3**2", [1.0, 1.0, 1.0], GradientDescent(0.01), max_steps=2)
    one = run.explain(1, most=most)
    order = (0, 1, 2) if most >= 3 else (1, 2)[:most]
    assert one.shown == order
    assert re.findall(r"^(\w+), by", one.text, re.MULTILINE) == [f"x{place + 1}" for place in order]
    assert one.text.endswith(f"… {more} more") == (more > 0)
    assert one.latex.count(r"&\text{") == min(most, 3)
    before = ", ".join(f"x{place + 1} = 1" for place in order)
    assert f"before     {before}\n" in one.text


def test_a_coordinate_that_is_no_number_moves_farthest() -> None:
    run = minimize("x + y**2", [1.0, 1.0], GradientDescent(0.01), max_steps=1)
    broken = dataclasses.replace(run, gradient=np.where(np.arange(2) == 1, np.nan, run.gradient))
    assert broken.explain(1, most=1).shown == (1,)


@pytest.mark.parametrize("most", [0, -1, 1.5, True])
def test_how_many_are_shown_is_a_whole_number(most: Any) -> None:
    run = minimize("x**2", 1.0, GradientDescent(0.01), max_steps=1)
    with pytest.raises(FalllineError, match=r"^most is "):
        run.explain(1, most=most)
    with pytest.raises(FalllineError, match=r"^run is 5; it must be what minimize returns"):
        fallline.explain(5, 1)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Branching(Optimizer[Any]):
    """A user's rule, with a branch that no formula has."""

    learning_rate: float = 0.1
    part: float = 0.25

    def init(self, x: Any) -> Any:
        return (0 * x,)

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        mean = gradient if step == 1 else (1 - self.part) * state[0] + self.part * gradient
        total = abs(mean).sum()
        name = "no number"
        assert name
        return rate * mean, (mean * (total > 0),)


def test_a_rule_without_a_formula_shows_its_numbers() -> None:
    # From (3, 1): the means are (6, 2), then 0.75 · (6, 2) + 0.25 · (4.8, 1.6) = (5.7, 1.9).
    one = minimize("x**2 + y**2", [3.0, 1.0], Branching(), max_steps=2).explain(2)
    assert one.text.split("\n\n", 1)[1] == (
        "x, by -0.57:\n"
        "  g         = 4.8\n"
        "  mean      = 5.7\n"
        "  total     = 7.6\n"
        "  state[0]  = 5.7\n"
        "  x         = 2.4 - 0.57 = 1.83\n"
        "\n"
        "y, by -0.19:\n"
        "  g         = 1.6\n"
        "  mean      = 1.9\n"
        "  state[0]  = 1.9\n"
        "  x         = 0.8 - 0.19 = 0.61"
    )
    assert one.remarks["formula"].startswith("none, since the rule's code does not run on symbols: ")
    assert one.settings == {"part": 0.25}
    assert one._repr_latex_() is None
    uphill = minimize("-x", 0.0, Branching(), max_steps=1).explain(1)
    assert uphill.text.endswith("= 0 - (-0.1) = 0.1")


def test_noise_is_shown_as_the_number_that_it_is() -> None:
    rule = fallline.GradientNoise(GradientDescent(0.1), variance=0.25, seed=3)
    one = minimize("x**2 + y**2", [3.0, 1.0], rule, max_steps=1).explain(1)
    # The deviation is 1/2 in the first step, and each coordinate has its own noise.
    for place, slope in enumerate((6.0, 2.0)):
        noise = float(standard_normal(3, 1, np.array([place + 1.0]))[0])
        shown = f"{noise:.6g}" if noise > 0 else f"({noise:.6g})"
        assert f" = 0.5*{shown} + {slope:g}" in one.text
        assert one.change[place] == pytest.approx(0.1 * (slope + noise / 2))


@dataclass(frozen=True)
class Averaged(Branching):
    """A user's rule that asks how many coordinates there are, and guards a quotient."""

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        sign = gradient / np.maximum(abs(gradient), SMALLEST)
        return rate * sign / gradient.shape[-1], state


def test_a_guarded_rule_that_asks_for_its_coordinates_is_written() -> None:
    one = minimize("x**2 + y**2", [0.0, 1.0], Averaged(), max_steps=1).explain(1)
    assert "max(" in one.text
    assert one.change.tolist() == [0, 0.05]
    assert "formula" not in one.remarks
    assert next(quantity.name for quantity in one.quantities) == "sign"


def test_a_point_that_a_rule_without_a_formula_keeps_is_not_told_again() -> None:
    rule = fallline.CoupledWeightDecay(fallline.CoupledWeightDecay(Branching()))
    one = minimize("x**2 + y**2", [3.0, 1.0], rule, max_steps=2).explain(2)
    assert [quantity.name for quantity in one.quantities] == ["penalised", "change", "inner.inner.0"]


@dataclass(frozen=True)
class Crossed(Branching):
    """A user's rule that computes a matrix on its way."""

    def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
        products = gradient.T * gradient if step else gradient
        return rate * gradient + 0 * products[:1], state


def test_of_a_matrix_the_first_row_is_told() -> None:
    one = minimize("x**2 + y**2", [3.0, 1.0], Crossed(), max_steps=1).explain(1)
    assert {quantity.name: quantity.value.tolist() for quantity in one.quantities}["products"] == [36.0, 12.0]


# Where the numbers come from


def path(**settings: Any) -> Trajectory:
    return minimize("x**2 + y**2", [3.0, 1.0], Momentum(0.1), **{"max_steps": 9} | settings)


@pytest.mark.parametrize("record", ["all", "ends", 4, Record(every=None, at=(4, 5)), Record(every=4, state=True)])
@pytest.mark.parametrize("step", [1, 5, 9])
def test_the_numbers_of_a_step_are_those_of_the_whole_run(record: Any, step: int) -> None:
    whole, one = path(), one_step(path(record=record), step)
    assert (one.number, one.rate) == (step, 0.1)
    assert np.array_equal([one.x, one.x_after], whole.x[step - 1 : step + 1])
    assert [one.value, one.value_after] == whole.value[step - 1 : step + 1].tolist()
    assert np.array_equal(one.gradient, whole.gradient[step - 1])
    # The velocity is the step before, or nothing.
    before = whole.x[step - 2] - whole.x[step - 1] if step > 1 else np.zeros(2)
    assert one.state.velocity[0] == pytest.approx(before)
    change, _ = one.rule.update(*one.arguments)
    assert change[0] == pytest.approx(whole.x[step - 1] - whole.x[step], rel=1e-12)
    # What the rule is given may be changed by it.
    one.arguments[0][:] = 0
    assert np.array_equal(one.gradient, whole.gradient[step - 1])


@pytest.mark.parametrize("gradient", [lambda x: 2.5 * x, fallline.Perturbation(0.5, "forward")])
def test_a_repeated_run_has_the_gradient_that_it_had(gradient: Any) -> None:
    def bowl(x: Any) -> float:
        return float(x @ x)

    run = minimize(bowl, [3.0, 1.0], GradientDescent(0.1), max_steps=5, gradient=gradient, record="ends")
    # From 2.25 of 3: a wrong slope of 2.5 x; or the difference quotient 2 x + 1/2.
    x, slopes = np.array([3.0, 1.0]), []
    for _ in range(2):
        slopes.append(2.5 * x if run.gradient_kind == "given" else 2 * x + 0.5)
        x = x - 0.1 * slopes[-1]
    assert run.explain(2).step.gradient == pytest.approx(slopes[1])


def test_rows_that_were_not_recorded_are_computed_up_to_a_step() -> None:
    whole = path()
    assert recorded_to(whole, 5) is whole
    for record in ("ends", 4):
        again = recorded_to(path(record=record), 5)
        assert np.array_equal(again.x[:6], whole.x[:6])
    sparse = path(record=4)
    with pytest.raises(FalllineError, match=r"^optimizer momentum, .* is of a user's class, and not every step was"):
        recorded_to(dataclasses.replace(sparse, rule=None), 5)
    with pytest.raises(FalllineError, match=r"^objective is None, and step 5 was not recorded; give objective="):
        one_step(dataclasses.replace(sparse, objective=None), 5)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (10, "step is 10; the steps of this run are 1 to 9"),
        *((step, f"step is {step}; ") for step in (0, -1, 1.5, True)),
    ],
)
def test_steps_that_the_run_does_not_have_are_refused(step: Any, said: str) -> None:
    with pytest.raises(FalllineError, match=f"^{re.escape(said)}"):
        path().explain(step)


def test_a_run_that_went_on_counts_from_where_it_began() -> None:
    first = path(max_steps=4)
    on = minimize("x**2 + y**2", first.final.x, Momentum(0.1), max_steps=5, resume=first, record="ends")
    with pytest.raises(FalllineError, match=r"^step is 4; the steps of this run are 5 to 9$"):
        one_step(on, 4)
    with pytest.raises(FalllineError, match=r"^step is 7, of a run that went on from another; record='all' or"):
        one_step(on, 7)


def test_a_run_that_now_ends_earlier_does_not_reach_its_step() -> None:
    sparse = path(record="ends")
    shifted = dataclasses.replace(sparse, recipe={**sparse.recipe, "x0": [0.0, 0.0]})
    with pytest.raises(FalllineError, match=r"^step is 7, was not reached when the run was repeated: the gradient is"):
        one_step(shifted, 7)


def test_what_the_run_did_not_do_is_told() -> None:
    whole = path()
    x = whole.x.copy()
    x[5] += [0.001, 0.0]
    told = dataclasses.replace(whole, x=x).explain(5).remarks["but"]
    assert told == f"the run went to x = {x[5, 0]:.6g}, y = {x[5, 1]:.6g}, 0.001 from here"
    x[5] = whole.x[5] * (1 + 1e-11)
    assert "but" not in dataclasses.replace(whole, x=x).explain(5).remarks
    # By a thousandth of a millionth of x, however large that is.
    for size in (1e-4, 1e4):
        for part, told in ((0.9e-9, False), (1.1e-9, True)):
            far = minimize("x**2", size, GradientDescent(0.1), max_steps=5)
            far = dataclasses.replace(far, x=np.where(np.arange(6)[:, None] == 5, far.x * (1 + part), far.x))
            assert ("but" in far.explain(5).remarks) == told


# Where the rate comes from


@pytest.mark.parametrize(
    ("rate", "told"),
    [
        (0.1, None),
        (fallline.Cosine(0.1, 50), "0.0996057 at t = 3"),
        (fallline.Constant(0.1), " = 0.1 at t = 3"),
    ],
)
def test_a_schedule_tells_its_formula_and_its_rate(rate: Any, told: str | None) -> None:
    remarks = minimize("x**2", 3.0, GradientDescent(rate), max_steps=5).explain(3).remarks
    if told is None:
        assert "schedule" not in remarks
    else:
        assert remarks["schedule"].endswith(told)


def test_a_schedule_that_watches_the_values_says_so() -> None:
    rule = GradientDescent(fallline.ReduceOnPlateau(0.1, patience=1))
    told = minimize("x**2", 3.0, rule, max_steps=5).explain(3).remarks["schedule"]
    assert told == "0.1 at t = 3, as the values so far have it"


def test_a_line_search_tells_its_trials() -> None:
    run = minimize("x**2 + 9*y**2", [1.0, 1.0], GradientDescent(fallline.Backtracking()), max_steps=3)
    told = run.explain(1).remarks["line search"]
    # From 1 by halves, until the value has fallen enough.
    rates = [1.0]
    while True:
        x = np.array([1.0, 1.0]) - rates[-1] * np.array([2.0, 18.0])
        if x[0] ** 2 + 9 * x[1] ** 2 <= 10 - 1e-4 * rates[-1] * (4 + 324):
            break
        rates.append(rates[-1] / 2)
    shown = ", ".join(f"{rate:.6g}" for rate in rates)
    assert told == f"backtracking found {rates[-1]:.6g} at trial {len(rates)} of {len(rates)}: [{shown}]"
    # Without the objective, only what was found.
    bare = dataclasses.replace(run, objective=None).explain(1).remarks["line search"]
    assert bare == f"backtracking found {rates[-1]:.6g}"
    other = dataclasses.replace(run, rate=np.append(0.3, run.rate[1:]))
    assert other.explain(1).remarks["line search"] == "backtracking found 0.3"
    # On batches, on that of the step.
    loss = fallline.Linear(np.arange(6.0), np.arange(6.0) ** 2).batches(2)
    run = minimize(loss, [0.0, 0.0], GradientDescent(fallline.Backtracking()), max_steps=3, seed=5)
    assert " at trial " in run.explain(2).remarks["line search"]
    run = minimize("x**2 + 4*y**2", [4.0, 1.0], GradientDescent(fallline.ExactQuadratic()), max_steps=1)
    assert run.explain(1).remarks["line search"] == "exact_quadratic found 0.2 from trials [1]"


@pytest.mark.parametrize("step", [1, 4, 5])
def test_a_batch_is_named_with_its_epoch(step: int) -> None:
    loss = fallline.Linear(np.arange(6.0), np.arange(6.0)).batches(2, order="sequential")
    run = minimize(loss, [0.0, 0.0], GradientDescent(0.01), max_steps=6)
    epoch, number = divmod(step - 1, 3)
    told = f"{number + 1} of 3 in epoch {epoch + 1}: rows [{2 * number}, {2 * number + 1}]"
    assert run.explain(step).remarks["batch"] == told
    if step > 2:
        assert run[2:].explain(step).remarks["batch"] == told
        # A run that goes on from another begins a new epoch.
        on = minimize(loss, run.final.x, GradientDescent(0.01), max_steps=6, resume=run)
        assert on.explain(6 + step).remarks["batch"] == told
