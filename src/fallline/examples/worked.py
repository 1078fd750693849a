"""The worked examples: each as a recipe, as a line of Python, as command lines, and with its expected figures."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, TypeAlias

import numpy as np

from fallline.arrays import FloatArray
from fallline.examples.data import recipes
from fallline.examples.lines import line_of
from fallline.optimizers.settings import with_settings
from fallline.recipes.recipe import Recipe
from fallline.results.trajectory import Trajectory

Stored: TypeAlias = Mapping[str, Any]
Runs: TypeAlias = tuple[Trajectory, ...]

# The relative tolerance of a case that does not state its own.
USUAL_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Figure:
    """An expected figure of a case, and the one computed.

    Attributes:
        name: what the figure is.
        expected: the stored number or word.
        found: the computed one.
        tolerance: the relative difference allowed.
        floor: the absolute difference allowed.
        place: the point where it was taken; figures with the same place belong together.
    """

    name: str
    expected: float | str
    found: float | str
    tolerance: float = USUAL_TOLERANCE
    floor: float = 0.0
    place: str = ""

    @property
    def label(self) -> str:
        """Name and place."""
        return f"{self.name} {self.place}".strip()

    @property
    def deviation(self) -> float:
        """The relative difference; absolute where the expected figure is 0, infinite between different words."""
        if isinstance(self.expected, str) or isinstance(self.found, str):
            return 0.0 if self.expected == self.found else math.inf
        return abs(self.found - self.expected) / (abs(self.expected) or 1.0)

    @property
    def agrees(self) -> bool:
        """Whether the two agree within the tolerance."""
        if isinstance(self.expected, str) or isinstance(self.found, str):
            return self.expected == self.found
        return abs(self.found - self.expected) <= max(self.tolerance * abs(self.expected), self.floor)


def whole(run: Trajectory) -> Trajectory:
    """The run, checked not to have been ended early by Ctrl-C.

    Raises:
        KeyboardInterrupt: when it did.
    """
    if run.stop.reason == "interrupted":
        raise KeyboardInterrupt
    return run


@dataclass(frozen=True)
class Case:
    """A worked example.

    Attributes:
        name: its key among the stored cases.
        part: the tutorial it is from: "A", "B", "C" or "D".
        files: the names of its recipes, in `fallline.examples.recipes()`.
        commands: the equivalent command lines, one per run.
        compare: computes the figures from the runs and the stored case.
        label: the only optimizer of the recipe that belongs to the case; empty: all do.
    """

    name: str
    part: str
    files: tuple[str, ...]
    commands: tuple[str, ...]
    compare: Callable[[Runs, Stored], Iterator[Figure]]
    label: str = ""

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """What it runs."""
        found = [Recipe.load(recipes()[name]) for name in self.files]
        if not self.label:
            return tuple(found)
        return tuple(dataclasses.replace(one, optimizers={self.label: one.rules[self.label]}) for one in found)

    @property
    def shows(self) -> str:
        """What the case demonstrates."""
        return " ".join(recipe.text.strip() for recipe in self.recipes)

    @property
    def stored(self) -> Stored:
        """The settings and figures of the case."""
        case: Stored = stored_cases()[self.name]
        return case

    def run(self, *, start: Sequence[float] | None = None, learning_rate: float | None = None) -> Runs:
        """The runs of the case, usually one, from its own start and with its own rate if these are not given.

        Raises:
            KeyboardInterrupt: when Ctrl-C ended one early.
        """
        runs: list[Trajectory] = []
        for recipe in self.recipes:
            rules = recipe.rules
            if learning_rate is not None:
                rules = {label: with_settings(rule, {"learning_rate": learning_rate}) for label, rule in rules.items()}
            starts = recipe.starts if start is None else [start]
            found: Any = dataclasses.replace(recipe, starts=starts, optimizers=rules).run()
            runs += [found] if isinstance(found, Trajectory) else found
        return tuple(map(whole, runs))

    def figures(self, runs: Runs) -> list[Figure]:
        """Every stored figure with the one computed from the runs."""
        return list(self.compare(runs, self.stored))

    @property
    def python(self) -> str:
        """The line of Python.

        >>> WORKED["twelve_epochs"].python
        "minimize('x**2+5*x+6', 5, GradientDescent(0.1), max_steps=12)"
        """
        return ", ".join(map(line_of, self.recipes))


@functools.cache
def stored_cases() -> dict[str, Any]:
    """The stored cases by name: settings, and figures computed with plain floats and loops."""
    text = (resources.files("fallline.examples") / "seed_cases.json").read_text(encoding="utf-8")
    cases: dict[str, Any] = json.loads(text)
    return cases


# How the runs of a case map to its stored figures ----------------------------------------------------------

# The reasons for which a run ended: the tutorials' words and ours.
REASONS = {"small step": "small step", "max iterations": "step limit"}


def _points(runs: Runs, stored: Stored) -> Iterator[Figure]:
    """Every point; the tutorials count iterations from 0, and print x after the update."""
    (run,) = runs
    tolerance = stored.get("relative_tolerance", USUAL_TOLERANCE)
    yield Figure("number of points", len(stored["x"]), len(run), 0.0)
    for i, (expected, found) in enumerate(zip(np.reshape(stored["x"], (-1, len(run.names))), run.x, strict=False)):
        yield from _coordinates(f"at step {i}", run.names, expected, found, tolerance)
    for iteration, printed in stored.get("iterations_printed", {}).items():
        expected, found = np.atleast_1d(printed), run.x[int(iteration) + 1]
        # Some are stored with four decimals, as the tutorial prints them.
        if (expected == expected.round(4)).all():
            found = found.round(4)
        yield from _coordinates(f"printed at iteration {iteration}", run.names, expected, found, tolerance)
    if "minimum" in stored:
        yield Figure("minimum", stored["minimum"], float(run.final.x[0]), tolerance)
    if "stopped" in stored:
        yield Figure("stopped", REASONS[stored["stopped"]], run.stop.reason)


def _coordinates(
    place: str, names: Sequence[str], expected: Any, found: Any, tolerance: float = USUAL_TOLERANCE
) -> Iterator[Figure]:
    for name, wanted, got in zip(names, expected, found, strict=True):
        yield Figure(name, float(wanted), float(got), tolerance, place=place)


def _history(runs: Runs, stored: Stored) -> Iterator[Figure]:
    """Weight, bias and error after some updates or epochs; the error is always the sum over the points."""
    (run,) = runs
    errors = total_error(run)
    unit = "epoch" if stored["logs"] == "one an epoch" else "update"
    tolerance = stored["relative_tolerance"]
    for index, (w, b, error) in stored["history"].items():
        row = int(index) + 1
        place = f"after {unit} {row}"
        yield from _coordinates(place, ("w", "b"), (w, b), run.x[row], tolerance)
        floor = _rounding_of_error(stored["X"], w, b, error)
        yield Figure("error", error, float(errors[row]), tolerance, floor, place)


def total_error(run: Trajectory) -> FloatArray:
    """The error at each row of a neuron's run, summed over the points whatever the loss itself does."""
    loss: Any = run.objective
    loss = getattr(loss, "loss", loss)  # the whole data of mini-batches
    return run.value * loss.rows if loss.reduction == "mean" else run.value


def _rounding_of_error(X: Sequence[float], w: float, b: float, error: float) -> float:
    """How much ½ Σ (p - y)² changes when w, b and each p = 1 / (1 + exp(-(w x + b))) change in the last digit.

    Near a perfect fit p - y is hardly larger than that, and no relative tolerance can be met: math.exp and np.exp
    already differ there. By the Cauchy-Schwarz inequality, changing each p by r changes the error by at most
    r √(2 n error) + ½ n r². The slope of p is at most 1/4.
    """
    n = len(X)
    r = (max(map(abs, X)) * math.ulp(w) + math.ulp(b)) / 4 + math.ulp(0.5)
    return r * math.sqrt(2 * n * error) + n * r**2 / 2


def _slopes(runs: Runs, stored: Stored) -> Iterator[Figure]:
    for run, (place, slope) in zip(runs, stored["at"].items(), strict=True):
        yield Figure(f"slope at {place}", slope, float(run.start.gradient[0]))


def _end(runs: Runs, stored: Stored) -> Iterator[Figure]:
    (run,) = runs
    expected = stored["final"] if "final" in stored else [stored["x_final"]]
    yield from _coordinates(f"at step {stored['iterations']}", run.names, expected, run.final.x)


def _two_ends(runs: Runs, stored: Stored) -> Iterator[Figure]:
    right, documents = runs
    yield Figure("x, right derivative", stored["x_final_with_right_derivative"], float(right.final.x[0]))
    yield Figure("x, the document's", stored["x_final_with_document_derivative"], float(documents.final.x[0]))


def _epochs(runs: Runs, stored: Stored) -> Iterator[Figure]:
    (run,) = runs
    for epoch, (expected, found) in enumerate(zip(stored["x"], run.x[1:, 0], strict=True), start=1):
        yield Figure(f"x after epoch {epoch}", expected, float(found))


# B. Seven variants on a sigmoid neuron ---------------------------------------------------------------------
# Batch descent and mini-batches take the mean of the gradients, the remaining variants their sum.
# Name, the end of the recipe's name, the optimizer in it, and the equivalent options of `fallline fit`.
VARIANTS: tuple[tuple[str, str, str, str], ...] = (
    ("GD", "descent", "", "gradient_descent --reduction mean --max-steps {epochs}"),
    ("Momentum", "variants", "momentum", "momentum --momentum {gamma} --reduction sum --max-steps {epochs}"),
    ("NAG", "variants", "nesterov", "nesterov --momentum {gamma} --reduction sum --max-steps {epochs}"),
    (
        "MiniBatch",
        "mini_batch",
        "",
        "gradient_descent --reduction mean --batch-size {batch_size} --batch-order sequential --batch-remainder drop "
        "--max-steps {count}",
    ),
    ("AdaGrad", "variants", "adagrad", "adagrad@tutorial --reduction sum --max-steps {epochs}"),
    ("RMSProp", "variants", "rmsprop", "rmsprop@tutorial --set beta={beta} --reduction sum --max-steps {epochs}"),
    (
        "Adam",
        "adam",
        "",
        "adam@tutorial --reduction sum --batch-size 1 --batch-order sequential --max-steps {updates}",
    ),
)
DATA = ("two_points", "six_points")


def _neuron_cases() -> Iterator[Case]:
    for data in DATA:
        for name, recipe, label, rule in VARIANTS:
            key = f"sigmoid_neuron/{data}/{name}"
            stored = stored_cases()[key]
            start = ",".join(f"{number:g}" for number in stored["start"])
            command = (
                f"fallline fit {data}.csv --target y --model sigmoid --no-standardize --start {start} "
                f"--learning-rate {stored['eta']:g} --stop-step 0 --optimizer {rule}"
            )
            updates = stored["epochs"] * len(stored["X"])
            commands = (command.format(updates=updates, **stored),)
            yield Case(key, "B", (f"neuron_{data}_{recipe}",), commands, _history, label)


# The documents' loops count from 0 and test their limit after the step: a limit of N allows N + 2 updates.
WORKED: dict[str, Case] = {
    case.name: case
    for case in (
        Case(
            "known_derivative_1d",
            "A",
            ("known_derivative",),
            ('fallline run "(x-10)**2" --start 30 --learning-rate 0.05 --max-steps 302 --stop-step 1e-5',),
            _points,
        ),
        Case(
            "local_minimum_1d_plain",
            "A",
            ("local_minimum",),
            (
                'fallline run "x**2+8*sin(x)" --start 10 --learning-rate 0.05 '
                "--schedule step:0.9:40:tutorial --max-steps 102 --stop-step 1e-5",
            ),
            _points,
            "plain",
        ),
        Case(
            "local_minimum_1d_windowed_momentum",
            "A",
            ("local_minimum",),
            (
                'fallline run "x**2+8*sin(x)" --start 10 --optimizer windowed_momentum --set momentum=0.8 '
                "--set window=10 --learning-rate 0.05 --schedule step:0.9:40:tutorial --max-steps 102 "
                "--stop-step 1e-5",
            ),
            _points,
            "momentum",
        ),
        Case(
            "perturbation_2d",
            "A",
            ("unknown_derivative",),
            (
                'fallline run "sin(x**2+y**2)" --start 0,-1 --gradient perturbation:0.01 --learning-rate 0.1 '
                "--schedule step:0.7:20:tutorial --max-steps 302 --stop-step 1e-5",
            ),
            _points,
        ),
        Case(
            "perturbation_2d_windowed_momentum",
            "A",
            ("unknown_derivative_momentum",),
            (
                'fallline run "sin(x**2+y**2)" --start 0,-1.2 --optimizer windowed_momentum@tutorial '
                "--set momentum=0.99 --set window=10 --gradient perturbation:0.01 --learning-rate 0.1 "
                "--schedule step:0.7:70:tutorial --max-steps 302 --stop-step 1e-4",
            ),
            _points,
        ),
        *_neuron_cases(),
        Case(
            "numerical_slope",
            "C",
            ("slope",),
            tuple(
                f'fallline run "2*x**2-3*x+4" --start {x} --gradient perturbation:1e-4 --max-steps 1' for x in (-1, 2)
            ),
            _slopes,
        ),
        Case(
            "sign_descent_1d",
            "C",
            ("sign_descent",),
            (
                'fallline run "2*x**2-3*x+4" --start 2 --optimizer sign_descent --learning-rate 0.01 '
                "--max-steps 250 --stop-step 0",
            ),
            _end,
        ),
        Case(
            "sign_descent_chain_rule",
            "C",
            ("chain_rule", "wrong_chain_rule"),
            tuple(
                f'fallline run "{formula}" --start 2 --optimizer sign_descent --learning-rate 0.01 '
                "--max-steps 250 --stop-step 0"
                # The second formula's derivative is the document's wrong one, so it follows the document's path.
                for formula in ("u = 2*x**2-x-2; y = 3*u+1", "3*x**2-3*x")
            ),
            _two_ends,
        ),
        Case(
            "sign_descent_three_variables",
            "C",
            ("three_variables",),
            (
                'fallline run "u = 3*a**2-2*a+b**2+1; y = 2*u+c" --start 1,1,1 --optimizer sign_descent '
                "--learning-rate 0.05 --max-steps 250 --stop-step 0",
            ),
            _end,
        ),
        Case(
            "twelve_epochs",
            "D",
            ("twelve_epochs",),
            ('fallline run "x**2+5*x+6" --start 5 --learning-rate 0.1 --max-steps 12',),
            _epochs,
        ),
    )
}
