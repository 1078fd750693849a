"""The demonstration: every worked example with its expected figures, and a fit to real data."""

from __future__ import annotations

import csv
import dataclasses
import functools
import itertools
import multiprocessing
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fallline import views
from fallline.diagnosis import diagnose
from fallline.examples.data import challenger
from fallline.examples.explorations import explorations
from fallline.examples.results import Results
from fallline.examples.worked import DATA, VARIANTS, WORKED, Case, Figure, Runs, stored_cases, total_error, whole
from fallline.experiments.compare import compare
from fallline.files import whole_file
from fallline.fitting.fit import fit
from fallline.gradients.chain import chain_rule
from fallline.gradients.check import check_gradient
from fallline.minimizing import minimize
from fallline.models import SigmoidNeuron
from fallline.objectives import Objective
from fallline.optimizers import Adam, GradientDescent, Momentum, RMSProp, SignDescent
from fallline.progress import progress_bar
from fallline.results.trajectory import Trajectory

# The rules of the first picture, with rates at which each gets along the valley.
RACERS = (Adam(0.05), Momentum(0.0005), RMSProp(0.01), GradientDescent(0.002))
# A rate just above the limit of stability, 2 / 60, in the steepest direction of this bowl.
BOWL, BOWL_START, TOO_LARGE = "x**2 + 30*y**2", (4.0, 1.0), GradientDescent(0.034)
# The most figures of a case that are printed.
MOST_FIGURES = 12

# The maximum-likelihood fit in Dalal, Fowlkes and Hoadley (1989), Risk analysis of the space shuttle.
PUBLISHED = {"intercept": 15.0429, "temperature_F": -0.2322}


class Demo:
    """The parts of the demonstration, in order.

    Attributes:
        off: the figures that did not agree, one line each.
    """

    def __init__(self, results: Results) -> None:
        self.results = results
        self.runs: dict[str, Runs] = {}
        self.off: list[str] = []
        self._drawings: list[Drawing] = []
        self._captions: list[tuple[str, str]] = []

    def work_through(self) -> None:
        """Show every part, and draw all pictures."""
        self.opening()
        self.diagnosis()
        self.race()
        self.descent()
        self.neuron()
        self.chain_rule()
        self.twelve_epochs()
        self.real_data()
        self._draw()

    def finish(self) -> bool:
        """Write the page, and report where it is and which figures are off; True if none are."""
        for line in self.off:
            self.results.text(f"NOT AS EXPECTED: {line}")
        page = self.results.write_page("Fallline")
        self.results.say(f"\nThe results are in {self.results.folder}; open {page}")
        return not self.off

    def opening(self) -> None:
        """The explorer with the tutorials' problems."""
        self.results.text(
            "Gradient descent to play with: choose a tutorial's problem, drag its start, move a slider, press play. "
            "The page computes by itself, with the library's own rules."
        )
        links = []
        for shown in explorations():
            file = f"explore-{shown.name.replace('_', '-')}.html"
            shown.page.save(self.results.path(file))
            links.append((file, shown.title, shown.formula))
        self.results.frame("The explorer", links)

    def diagnosis(self) -> None:
        """A run that fails, what the diagnosis finds, and the run with the remedy that it proved."""
        self.results.heading("A run that fails, and the remedy that is proved")
        steps = 60
        run = minimize(BOWL, BOWL_START, TOO_LARGE, max_steps=steps)
        finding = diagnose(run)[0]
        (remedy, *_) = finding.remedies
        mended = minimize(BOWL, BOWL_START, **remedy.settings, max_steps=steps)
        self.results.text(f"{finding.title}: {finding.evidence}")
        self.results.facts({"cause": finding.cause, "remedy": remedy.text, "proof": finding.proof})
        self.results.block(
            f"run = minimize({BOWL!r}, {BOWL_START}, GradientDescent({TOO_LARGE.learning_rate}), max_steps={steps})\n"
            f"diagnose(run)\nminimize({BOWL!r}, {BOWL_START}, {remedy.text}, max_steps={steps})"
        )
        # The curvatures of the bowl are 2 and 60, and descent is stable below 2 / 60.
        limit = Figure("limit of the rate", 2 / 60, finding.numbers["limit"], 1e-4)
        self.compare("diagnosis", [Figure("grade", "proved", finding.grade), limit])
        self._picture("diagnosis-before.png", "before: every step climbs the other side", views.plot_contour, run)
        self._picture("diagnosis-after.png", "after: the run with the remedy", views.plot_contour, mended)
        self._show_pictures()

    def race(self) -> None:
        """A race down a landscape that is steep across and flat along."""
        self.results.heading("Four rules down one valley")
        race = compare("rosenbrock", (-1.2, 1.0), RACERS, max_steps=400)
        self._film("race.gif", "Rosenbrock's valley from above", race, "contour")
        self._film("race-surface.gif", "the same from the side", race, "surface")
        self._drawings.append(Drawing(str(self.results.path("race.html")), None, (race, "surface")))
        self._show_pictures()
        self.results.links([("race.html", "Play it step by step", "a page with the surface to turn, and every number")])
        self.results.heading("The worked examples")
        self.results.text(
            "Those of four tutorials, and a fit to real data. The figures of each, beside those that are "
            "expected, and the lines that make them are folded away below it. Every line of Python stands after: "
            "from fallline import *; from fallline.models import *"
        )

    def descent(self) -> None:
        """Part A."""
        self.results.heading("A. Descent, with a known derivative and with an unknown one")
        surroundings = functools.partial(views.plot_contour_3d, bounds=((-2.5, 2.5), (-2.5, 2.5)))
        for case in self._cases("A"):
            self._show(case)
            run = self.runs[case.name][0]
            if case.name == "known_derivative_1d":
                self._picture("a-curve-and-derivative.png", "f and df/dx", views.plot_curve, "(x-10)**2", (-10, 30))
                self._picture("a-known-derivative.png", "the descent, red to yellow", views.plot_descent, run)
            elif case.name == "local_minimum_1d_windowed_momentum":
                both = {"plain": self.runs["local_minimum_1d_plain"][0], "momentum": run}
                caption = "plain descent stays, momentum gets over"
                self._picture("a-plain-and-momentum.png", caption, views.plot_descent, both)
                self._film("a-plain-and-momentum.gif", "the two side by side", both, "curve")
            elif case.name.startswith("perturbation_2d"):
                self._picture(f"a-{case.name}.png", "the path on the contours", surroundings, run)
            self._show_pictures()

    def neuron(self) -> None:
        """Part B: seven variants on two sets of data, and the exercise."""
        self.results.heading("B. Seven variants on a sigmoid neuron")
        for data in DATA:
            stored = stored_cases()[f"sigmoid_neuron/{data}/GD"]
            self._write_points(f"{data}.csv", stored["X"], stored["Y"])
            self.results.text(f"The points are in {data}.csv, for the command lines.")
            for name, *_ in VARIANTS:
                case = WORKED[f"sigmoid_neuron/{data}/{name}"]
                self._show(case)
                run = _summed(self.runs[case.name][0])
                start = f"b-{data}-{name}"
                self._picture(
                    f"{start}-history.png",
                    f"{name}: error, weight, bias",
                    views.plot_histories,
                    run,
                    ("value", "w", "b"),
                )
                self._picture(f"{start}-surface.png", f"{name}: the error surface", views.plot_surface, run)
                self._picture(f"{start}-contour.png", f"{name}: from above", views.plot_contour, run)
                self._film(f"{start}-contour.gif", f"{name}: from above", run, "contour")
                self._film(f"{start}-surface.gif", f"{name}: the error surface", run, "surface")
                self._show_pictures()
            variants = {name: _summed(self.runs[f"sigmoid_neuron/{data}/{name}"][0]) for name, *_ in VARIANTS}
            self.results.heading(f"All seven on {data}", 3)
            rows = [[name, _short(run.final.value), *map(_short, run.final.x)] for name, run in variants.items()]
            self.results.table(["variant", "final error", "w", "b"], rows)
            self._picture(f"b-{data}-all-contour.png", "all variants from the same start", views.plot_contour, variants)
            self._picture(f"b-{data}-all-error.png", "their errors", views.plot_histories, variants, ("value",))
            self._show_pictures()
            self._exercise(data, stored["start"], stored["eta"])

    def chain_rule(self) -> None:
        """Part C: slope, sign steps, the chain rule, several variables."""
        self.results.heading("C. The chain rule, from a slope to several variables")
        for case in self._cases("C"):
            self._show(case)
            if case.name == "sign_descent_1d":
                at_rest = whole(minimize("2*x**2-3*x+4", 0.75, SignDescent(0.01)))
                self.results.text(f"Where the slope is zero, the run says so. From 0.75: {at_rest.stop.message}.")
                steps = self.runs[case.name][0]
                self._picture("c-sign-descent.png", "steps of one length", views.plot_descent, steps)
            if case.name == "sign_descent_chain_rule":
                formula = self.runs[case.name][0].title
                self.results.text("The chain rule, factor by factor, at x = 2:")
                self.results.block(chain_rule(formula, 2.0).text)
                self.results.text("The gradient check, given the document's derivative, 6*x - 3:")
                check = check_gradient(formula, 2.0, gradient=lambda x: 6 * x - 3)
                self.results.block(str(check.slopes[0]))
                self.compare("gradient check", [Figure("verdict", "wrong", check.slopes[0].verdict)])
            if case.name == "sign_descent_three_variables":
                run = self.runs[case.name][0]
                self.results.text("The chain rule at (1, 1, 1):")
                self.results.block(chain_rule(run.title, [1, 1, 1]).text)
                findings = diagnose(run)
                self.results.text("What the run says:")
                self.results.block("\n".join(str(finding) for finding in findings))
                title = findings[0].title if findings else "none"
                self.compare("finding", [Figure("finding", "y has no lower bound along c", title)])
                self._picture("c-three-variables.png", "c runs off", views.plot_histories, run)
            self._show_pictures()

    def twelve_epochs(self) -> None:
        """Part D."""
        self.results.heading("D. Twelve epochs")
        (case,) = self._cases("D")
        self._show(case)
        self._picture("d-twelve-epochs.png", "one plot an epoch", views.plot_epochs, self.runs[case.name][0])
        self._show_pictures()

    def real_data(self) -> None:
        """The fit to the Challenger launches, compared with the published one."""
        self.results.heading("Real data: 23 Space Shuttle launches before Challenger")
        self.results.text(
            "O-ring distress against joint temperature, fitted from a zero start, beside the maximum-"
            "likelihood fit that Dalal, Fowlkes and Hoadley published in 1989."
        )
        self.results.block("fit(challenger(), 'distress')\nfallline fit challenger.csv --target distress")
        self.results.path("challenger.csv").write_bytes(challenger().read_bytes())
        fitted = fit(challenger(), "distress")
        whole(fitted.trajectory)
        # The published figures have four decimals.
        figures = [Figure(name, number, fitted.parameters[name], 0.0, 0.5e-4) for name, number in PUBLISHED.items()]
        self.compare("challenger", figures)
        self.results.block("\n".join(fitted.notes))
        # As far down as the temperature on the morning of the launch.
        model = functools.partial(views.plot, bounds=(30.0, 85.0))
        self._picture("e-challenger.png", "the fitted probability of distress", model, fitted)
        self._picture("e-challenger-history.png", "the descent", views.plot_histories, fitted.trajectory)
        self._show_pictures()

    def _cases(self, part: str) -> list[Case]:
        return [case for case in WORKED.values() if case.part == part]

    def _show(self, case: Case) -> None:
        """Show a case: its lines, its runs, its figures and the stored ones."""
        self.results.heading(case.name, 3)
        self.results.text(case.shows)
        self.results.block("\n".join([case.python, *case.commands]))
        self.runs[case.name] = case.run()
        self.compare(case.name, case.figures(self.runs[case.name]))
        if case.stored.get("reliable", np.inf) < case.stored.get("count", 0):
            self.results.text(
                "This run is chaotic: one rounding error more, and it goes another way. "
                f"Figures are stored up to {case.stored['reliable']} only."
            )

    def compare(self, name: str, figures: Sequence[Figure]) -> None:
        """Show figures and the expected ones, and collect those that are off."""
        wrong = [figure for figure in figures if not figure.agrees]
        self.off += [f"{name}: {figure.label} is {figure.found}, not {figure.expected}" for figure in wrong]
        places = [list(group) for _, group in itertools.groupby(wrong or figures, key=lambda figure: figure.place)]
        groups = min(len(places), max(1, MOST_FIGURES // max(map(len, places))))
        chosen = np.linspace(0, len(places) - 1, groups).round().astype(int)
        shown = [figure for i in chosen for figure in places[i]]
        rows = [[f.label, str(f.expected), str(f.found), f"{f.deviation:.1e}"] for f in shown]
        largest = max(figure.deviation for figure in figures)
        self.results.table(["figure", "expected", "found", "difference"], rows)
        self.results.text(
            f"{len(figures) - len(wrong)} of {len(figures)} figures agree; "
            f"the largest relative difference is {largest:.1e}."
        )

    def _exercise(self, data: str, start: Sequence[float], eta: float) -> None:
        """The document's exercise: other starting points, other rates, every variant."""
        self.results.heading(f"The exercise: other starts and other rates on {data}", 3)
        starts = [start, [2.0, 2.0], [0.0, 0.0], [4.0, -4.0]]
        rates = [eta / 10, eta, 10 * eta]
        header = [
            "variant",
            *(f"from ({w:g}, {b:g})" for w, b in starts),
            *(f"rate {rate:g}" for rate in rates),
        ]
        rows = []
        for name, *_ in VARIANTS:
            case = WORKED[f"sigmoid_neuron/{data}/{name}"]
            changes: list[Mapping[str, Any]] = [{"start": start} for start in starts] + [
                {"learning_rate": rate} for rate in rates
            ]
            rows.append([name, *(_short(total_error(case.run(**change)[0])[-1]) for change in changes)])
        self.results.text("The final error:")
        self.results.table(header, rows)

    def _write_points(self, name: str, X: Sequence[float], Y: Sequence[float]) -> None:
        with whole_file(self.results.path(name), "--out") as draft, draft.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([("x", "y"), *zip(X, Y, strict=True)])

    def _picture(self, name: str, caption: str, plot: Callable[..., Any], *arguments: Any) -> None:
        """Put a picture on the page; it is drawn at the end."""
        self._drawings.append(Drawing(str(self.results.path(name)), plot, arguments))
        self._captions.append((name, caption))

    def _film(self, name: str, caption: str, runs: Any, kind: str) -> None:
        """Put a film on the page; it is drawn at the end."""
        self._drawings.append(Drawing(str(self.results.path(name)), None, (runs, kind)))
        self._captions.append((name, caption))

    def _show_pictures(self) -> None:
        self.results.pictures(self._captions)
        self._captions = []

    def _draw(self) -> None:
        """Draw everything, on every processor."""
        self.results.say(f"\nDrawing {len(self._drawings)} pictures and films ...")
        # Spawned: a forked process would lack this one's threads.
        workers = multiprocessing.get_context("spawn").Pool(initializer=_leave_interrupts_to_the_parent)
        with workers, progress_bar(len(self._drawings), "pictures", shown=True) as report:
            for done, _ in enumerate(workers.imap_unordered(Drawing.draw, self._drawings), start=1):
                report(done)
            # The workers end by themselves instead of being terminated.
            workers.close()
            workers.join()


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A picture or a film to be drawn, in any process.

    Attributes:
        path: the file.
        plot: the function that makes the figure; None: a film.
        arguments: the arguments of `plot`; for a film, the runs and its kind.
    """

    path: str
    plot: Callable[..., Any] | None
    arguments: tuple[Any, ...]

    def draw(self) -> None:
        """Write the file."""
        if self.plot is not None:
            views.save_picture(self.plot(*self.arguments), self.path)
        else:
            runs, kind = self.arguments
            views.animate(runs, self.path, kind=kind)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _summed(run: Trajectory) -> Trajectory:
    """A neuron's run with the sum of the points' errors as its value, which the document shows for every variant."""
    objective: Any = run.objective
    loss = getattr(objective, "loss", objective)
    total: Objective = SigmoidNeuron(loss.X, loss.y, reduction="sum")
    if objective is not loss:
        total = SigmoidNeuron(loss.X, loss.y, reduction="sum").batches(
            objective.size, order=objective.order, remainder=objective.remainder
        )
    value = total_error(run)
    best = run.best._replace(value=float(value.min()))
    return dataclasses.replace(run, title=total.title, objective=total, value=value, best=best)


def _short(number: float) -> str:
    return f"{number:.4g}"
