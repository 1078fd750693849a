"""The proof of remedies on runs whose ends are given: what wins, what is told, what the time suffices for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import fallline
from fallline import GradientDescent, minimize
from fallline.diagnosis import remedy
from fallline.diagnosis.again import Again, CannotRepeat, Ended, FitAgain, RunAgain, again, error_of, start_near
from fallline.diagnosis.finding import Finding, Remedy
from fallline.diagnosis.remedy import Trial, level_won, proved
from fallline.models import Linear, Logistic
from fallline.stopping import Target

End = Callable[[int], float]


@dataclass(frozen=True)
class Given(Again):
    """Runs that end where they are told to, and remember what was asked of them."""

    steps: int = 100
    made: int = 100
    seconds: float = 1e-6
    steps_per_epoch: int = 10
    varied: str = "starts"
    unchanged: End = lambda number: 1.0
    changed: End = lambda number: 0.0
    start: float = 2.0
    cost: float = 3.0
    told: str = "step limit"
    is_exact: bool = True
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def ended(
        self, settings: Mapping[str, Any], number: int, steps: int, seconds: float, allowed: float, measure: str
    ) -> Ended:
        self.asked.append((dict(settings), number, steps, seconds, allowed, measure))
        end = (self.changed if settings else self.unchanged)(number)
        return Ended(self.start, end, self.cost, 0.0, self.told if settings else "step limit")

    @property
    def exact(self) -> bool:
        return self.is_exact


def cure(**settings: Any) -> Remedy:
    return Remedy(f"the {next(iter(settings), 'advice')}", settings)


def settled(runs: Given, *remedies: Remedy, seconds: float = 60.0, first: int = 1, measure: str = "value") -> Finding:
    finding = Finding("made_up", "Something", "Evidence.", "Cause.", remedies, measure=measure)
    return Trial(runs, seconds, first).settled(finding)


def test_five_runs_stand_beside_five_others_at_equal_cost() -> None:
    runs = Given()
    found = settled(runs, cure(optimizer=1), first=11)
    assert found.grade == "proved"
    assert found.proof == "Proved: 5 of 5 starts reach a value of 0.002; unchanged, on other starts, 0 of 5."
    unchanged, changed = runs.asked[:5], runs.asked[5:]
    assert [(one[0], one[1], one[2]) for one in unchanged] == [({}, number, 100) for number in range(16, 21)]
    assert [(one[0], one[1], one[2]) for one in changed] == [
        ({"optimizer": 1}, number, 100) for number in range(11, 16)
    ]
    # The remedy may cost what 100 steps of 3 evaluations do.
    assert {one[4] for one in unchanged} == {np.inf}
    assert {one[4] for one in changed} == {300.0}
    assert {one[5] for one in runs.asked} == {"value"}
    # All the time for the unchanged runs, and half of what is left for the first remedy.
    assert all(59 < one[3] <= 60 for one in unchanged)
    assert all(29 < one[3] <= 30 for one in changed)


@pytest.mark.parametrize(
    ("settings", "longer", "words"),
    [
        ({"max_steps": 250}, 2.5, " in 2.5 times the steps"),
        ({"max_steps": 50}, 1.0, ""),
        ({"max_steps": None}, 1.0, ""),
        ({"epochs": 40}, 4.0, " in 4 times the steps"),
        ({"epochs": 5}, 1.0, ""),
    ],
)
def test_more_steps_may_cost_more(settings: dict[str, Any], longer: float, words: str) -> None:
    runs = Given()
    found = settled(runs, cure(**settings))
    assert runs.asked[-1][4] == 300 * longer
    assert found.proof == f"Proved: 5 of 5 starts reach a value of 0.002{words}; unchanged, on other starts, 0 of 5."


def test_another_start_stands_beside_the_runs_own() -> None:
    runs = Given()
    found = settled(runs, cure(x0=[1.0]), cure(optimizer=1))
    assert [one[1] for one in runs.asked[:1]] == [0]
    assert found.proof.endswith("unchanged, from its own start, 0 of 1.")
    by_seed = Given(varied="seeds")
    found = settled(by_seed, cure(x0=[1.0]))
    assert found.proof == "Proved: 5 of 5 seeds reach a value of 0.002; unchanged, on other seeds, 0 of 5."


def test_unchanged_runs_serve_for_all_remedies_of_one_measure() -> None:
    runs = Given(changed=lambda _: 5.0)
    trial = Trial(runs, 60.0, 1)
    for measure in ("value", "value", "held_out"):
        trial.settled(Finding("a", "A", "", "", (cure(optimizer=1),), measure=measure))
    assert sum(not one[0] for one in runs.asked) == 10
    assert {one[5] for one in runs.asked} == {"value", "held_out"}


def test_one_lucky_run_is_counted() -> None:
    found = settled(Given(unchanged=lambda number: 0.0 if number == 7 else 1.0), cure(optimizer=1))
    assert found.proof.endswith("1 of 5.")
    assert settled(Given(unchanged=lambda number: 0.0 if number > 8 else 1.0), cure(optimizer=1)).grade == "likely"


def test_the_level_is_told_in_its_measure() -> None:
    @dataclass(frozen=True)
    class Scored(Given):
        def measured_by(self, settings: Mapping[str, Any], measure: str) -> str:
            return "score"

        def named(self, measure: str) -> str:
            return f"a {measure} of "

    # The less the better: a score is measured with the other sign.
    found = settled(Scored(changed=lambda _: -0.9, unchanged=lambda _: -0.5, start=0.0), cure(model="m"))
    assert " reach a score of 0.8;" in found.proof
    assert " reach a held-out loss of 0.002;" in settled(Given(), cure(l2=1), measure="held_out").proof


def test_what_lost_is_counted_and_what_is_no_setting_is_kept() -> None:
    advice = cure()
    found = settled(Given(changed=lambda _: 1.0), cure(optimizer=1), advice, cure(optimizer=2))
    assert (found.remedies, found.grade) == ((advice,), "likely")
    assert found.proof == "2 remedies tried did not help."
    assert settled(Given(changed=lambda _: 1.0), cure(optimizer=1)).proof == "The remedy tried did not help."
    assert settled(Given(), advice).proof == ""


def test_a_remedy_that_raises_does_not_help_and_an_unchanged_run_that_raises_proves_nothing() -> None:
    def raises(_: int) -> float:
        raise ValueError("no such place")

    assert settled(Given(changed=raises), cure(optimizer=1)).proof == "The remedy tried did not help."
    with pytest.raises(CannotRepeat, match=r"^a run from elsewhere raised ValueError: no such place$"):
        settled(Given(unchanged=raises), cure(optimizer=1))


def test_a_run_that_uses_up_its_time_proves_nothing() -> None:
    first, second = cure(optimizer=1), cure(optimizer=2)
    found = settled(Given(told="time used up"), first, second, seconds=7.0)
    assert found.remedies == (first, second)
    assert found.proof == "Not proved: that takes longer than the 7 s allowed."


def test_an_interrupted_run_ends_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fallline.diagnosis.remedy.again", lambda _: Given(told="interrupted"))
    finding = Finding("made_up", "Something", "", "", (cure(optimizer=1),))
    run = minimize("x**2", 1.0, GradientDescent(0.1), max_steps=3)
    one, other = proved([finding, finding], run, seconds=60.0)
    assert (one.proof, one.remedies) == ("Not proved: interrupted.", finding.remedies)
    assert other is finding


def test_what_lost_and_what_there_was_no_time_for_is_told_together() -> None:
    runs = Given(changed=lambda _: 1.0, seconds=1e-3)
    # A hundred times the steps take 10 s of the 5 that a remedy may have.
    found = settled(runs, cure(optimizer=1), cure(max_steps=10_000), seconds=10.0)
    assert found.proof == "The remedy tried did not help. Not proved: that takes longer than the 10 s allowed."
    assert found.remedies == (cure(max_steps=10_000),)


@pytest.mark.parametrize(
    ("seconds", "made", "steps"),
    [
        # 10 runs of 1000 steps of 1 ms take 10 s, more than allowed: of those, only as many steps as the run made.
        (9.9, 40, 40),
        (10.1, 40, 1000),
    ],
)
def test_a_long_run_is_repeated_as_far_as_it_went(seconds: float, made: int, steps: int) -> None:
    assert Trial(Given(steps=1000, made=made, seconds=1e-3), seconds, 1).steps == steps


@pytest.mark.parametrize(("seconds", "steps"), [(0.39, 40), (4.1, 10_000)])
def test_what_machine_code_ran_may_take_the_time_of_the_reference_engine(seconds: float, steps: int) -> None:
    # 10,000 steps of 40 µs take 0.4 s, of which there are ten; that counts where it is longer than is allowed.
    assert Trial(Given(steps=10_000, made=40, seconds=1e-9), seconds, 1).steps == steps


def test_where_all_steps_were_not_made_a_loss_is_no_loss() -> None:
    runs = Given(steps=1000, made=10, seconds=1e-3, changed=lambda _: 1.0)
    found = settled(runs, cure(optimizer=1), seconds=5.0)
    assert found.proof == "Not proved: that takes longer than the 5 s allowed."


def ends(*values: float, start: float = 10.0) -> list[Ended]:
    return [Ended(start, value, 1.0, 0.0, "step limit") for value in values]


@pytest.mark.parametrize(
    ("changed", "unchanged", "exact", "won"),
    [
        # A tenth of the whole fall, from 10 to 0.
        (ends(*[4.0] * 4, 0.0), ends(*[5.001] * 5), False, True),
        (ends(*[4.01] * 4, 0.0), ends(*[4.999] * 5), False, False),
        (ends(8.1, *[0.0] * 4), ends(*[8.2] * 5), True, False),
        # Ten times less above the lowest, where the difference is not nothing: a twentieth of the fall on data.
        (ends(0.0, 0.06, 0.06, 0.06, 0.06), ends(*[0.601] * 5), False, True),
        (ends(0.0, 0.061, 0.06, 0.06, 0.061), ends(*[0.6] * 5), False, False),
        (ends(1.0, 1.06, 1.06, 1.06, 1.06), ends(*[1.601] * 5), False, True),
        (ends(0.0, 0.05, 0.05, 0.05, 0.05), ends(*[0.54] * 5), False, False),
        (ends(0.0, 0.05, 0.05, 0.05, 0.05), ends(*[0.51] * 5), True, True),
        (ends(0.0, 1e-9, 1e-9, 1e-9, 1e-9), ends(*[9e-8] * 5), True, False),
        (ends(0.0, 1e-9, 1e-9, 1e-9, 1e-9), ends(*[1.2e-7] * 5), True, True),
        # Not below its start, or no lower than a barrier.
        (ends(10.0, 0, 0, 0, 0), ends(*[20.0] * 5), True, False),
        (ends(*[5.0] * 5), ends(*[5.0] * 5), True, False),
        # The only unchanged run, from the run's own start, is the barrier itself.
        (ends(*[0.0] * 5), ends(0.0), True, False),
        (ends(*[0.0] * 5), ends(5.0), True, True),
    ],
)
def test_what_a_clear_win_is(changed: list[Ended], unchanged: list[Ended], exact: bool, won: bool) -> None:
    assert (level_won(changed, unchanged, exact=exact) is not None) == won


@pytest.mark.parametrize(
    ("worst", "barrier", "level"),
    [(0.0312, 0.9, 0.04), (0.0, 0.9, 0.01), (0.0, 50.0, 0.01), (3.0, 9.0, 3.0)],
)
def test_the_level_told_has_few_digits_and_parts_the_runs(worst: float, barrier: float, level: float) -> None:
    # A thousandth of the fall, here 0.01, is told where runs end lower.
    found = level_won(ends(worst, 0.0, 0.0, 0.0, 0.0), ends(*[barrier] * 5), exact=True)
    assert found == pytest.approx(level, rel=1e-12)


def test_a_run_that_ends_above_its_start_is_no_win() -> None:
    changed = [*ends(2.0, start=1.0), *ends(*[0.0] * 4, start=10.0)]
    assert level_won(changed, ends(*[9.0] * 5), exact=True) is None


def test_starts_that_are_infinite_have_no_fall_but_a_win() -> None:
    assert level_won(ends(*[1.0] * 5, start=np.inf), ends(*[np.nan] * 5), exact=False) == 1.0
    assert level_won(ends(*[1.0] * 5, start=np.inf), ends(*[1.0] * 5), exact=False) is None


# What is repeated


def test_what_a_run_was_allowed_and_costs() -> None:
    run = minimize("x**2", 1.0, GradientDescent(0.4), max_steps=500)
    assert run.step_count < 500
    repeat = again(run)
    assert isinstance(repeat, RunAgain)
    assert (repeat.steps, repeat.made, repeat.varied, repeat.steps_per_epoch) == (500, run.step_count, "starts", 1)
    short = dataclasses.replace(minimize("x**2", 1.0, GradientDescent(0.1), max_steps=1), seconds=0.5)
    assert (RunAgain.of(short).made, RunAgain.of(short).seconds) == (1, 0.5)
    assert RunAgain.of(short).ended({}, 0, 1, 10.0, np.inf, "value").cost == sum(short.evaluations)
    assert repeat.seconds == run.seconds / run.step_count
    assert repeat.exact
    ended = repeat.ended({}, 0, 500, 10.0, np.inf, "value")
    assert (ended.start, ended.end) == (1.0, run.final.value)
    # Those at the end, by which a minimum is told from a saddle, count too.
    assert ended.cost == pytest.approx(sum(run.evaluations) / run.step_count)
    assert ended.told == run.stop.reason


@pytest.mark.parametrize("allowed", [1, 7, 8, 40])
def test_what_costs_more_than_allowed_is_not_looked_at(allowed: float) -> None:
    run = minimize("x**2", 1.0, GradientDescent(0.25), max_steps=20, engine="reference")
    repeat = again(run)
    ended = repeat.ended({}, 0, 20, 10.0, allowed, "value")
    steps = min(int(allowed / ended.cost * (1 + 1e-9)), 20)
    # The value is divided by 4 in each step.
    assert ended.end == pytest.approx(4.0**-steps, rel=1e-12)


def test_settings_change_the_run() -> None:
    run = minimize("x**2", 1.0, GradientDescent(0.1), max_steps=20, engine="reference")
    repeat = again(run)

    def end(**settings: Any) -> float:
        return repeat.ended(settings, 0, 20, 10.0, np.inf, "value").end

    assert end() == pytest.approx(0.64**20)
    assert end(max_steps=5) == pytest.approx(0.64**5)
    assert end(optimizer=GradientDescent(0.25)) == pytest.approx(0.25**20)
    assert end(stop=Target(0.3)) == pytest.approx(0.64**3)
    # It is measured by its own objective.
    assert end(objective=fallline.as_objective("(x - 2)**2", 1)) == pytest.approx((2 - 0.8**20) ** 2)
    assert repeat.ended({"x0": [2.0]}, 0, 20, 10.0, np.inf, "value").start == 4


def test_a_run_is_repeated_with_its_own_gradient_and_conditions() -> None:
    settings: dict[str, Any] = {"gradient": fallline.Perturbation(1e-3), "stop": Target(0.01), "engine": "reference"}
    run = minimize(lambda x: (x**2).sum(), [1.0, 2.0], GradientDescent(0.1), max_steps=50, **settings)
    ended = again(run).ended({}, 0, 50, 10.0, np.inf, "value")
    assert (ended.start, ended.end, ended.told) == (5, run.final.value, run.stop.reason)
    assert run.stop.reason == Target.reason
    assert 0 < ended.seconds < 10
    exact = again(run).ended({"gradient": lambda x: 2 * x}, 0, 50, 10.0, np.inf, "value")
    assert exact.end != ended.end
    # Another gradient takes the place of the one that was given: each step leaves 0.8 of the point.
    wrong = minimize("x**2", 1.0, GradientDescent(0.1), max_steps=5, gradient=lambda x: -x)
    assert again(wrong).ended({"gradient": "auto"}, 0, 5, 10.0, np.inf, "value").end == pytest.approx(0.64**5)


def test_a_run_on_the_reference_engine_is_repeated_for_so_many_seconds() -> None:
    run = minimize("x**2", [3.0], GradientDescent(1e-6), max_steps=10_000, engine="reference", record="ends")
    ended = again(run).ended({}, 0, 10_000, 0.0, np.inf, "value")
    assert ended.told == fallline.Seconds.reason


def test_losses_are_measured_by_their_error_without_the_penalty() -> None:
    X, y = np.arange(6.0), np.array([0.0, 1, 1, 2, 2, 3])
    loss = Linear(X, y, l2=0.5)
    repeat = again(minimize(loss, [0.0, 0.0], GradientDescent(0.05), max_steps=10))
    assert isinstance(repeat, RunAgain)
    assert not repeat.exact
    x = np.array([0.5, 0.25])
    error = np.mean((X * 0.5 + 0.25 - y) ** 2) / 2
    same: list[Any] = [loss, Linear(X, y), Linear(X, y, reduction="sum", l2=2.0), loss.batches(2)]
    for other in same:
        assert repeat.measure(other, x) == pytest.approx(error, rel=1e-12)
    unlike: list[Any] = [Linear(X, y + 1), Logistic(X, (y > 1).astype(int))]
    for other in unlike:
        with pytest.raises(
            fallline.FalllineError, match=r"^objective is .*; it must have the same error on the same targets$"
        ):
            repeat.measure(other, x)
    assert error_of(Linear(X, y, reduction="sum", l2=0.5), x) == pytest.approx(error, rel=1e-12)
    # What is no loss to us, such as one with a gradient of the user's own, measures all the others.
    given = again(minimize(loss, [0.0, 0.0], GradientDescent(0.05), max_steps=2, gradient=lambda x: loss.gradient(x)))
    assert isinstance(given, RunAgain)
    assert given.measure(loss, x) == pytest.approx(loss.value(x), rel=1e-12)


@pytest.mark.parametrize(
    ("low", "high", "level"),
    [
        (0.0312, 0.9, 0.04),
        (0.0312, 0.04, 0.032),
        (-8.4, -8.0, -8.4),
        (-0.97, -0.2, -0.9),
        (0.0, 1.0, 0.0),
        (123.0, 200.0, 130.0),
        (123.0, 200.5, 200.0),
        (5.0, 6.0, 5.0),
        (1 / 3, 0.33334, 0.333334),
        (0.1, 0.1, 0.1),
    ],
)
def test_a_level_between_two_values_has_the_fewest_digits(low: float, high: float, level: float) -> None:
    assert remedy._short_between(low, high) == level


def test_batches_cost_their_share_and_are_varied_by_seeds() -> None:
    X = np.arange(8.0)
    loss: Any = Linear(X / 8, X).batches(2)
    run = minimize(loss, [0.0, 0.0], GradientDescent(0.05), max_steps=12, seed=3)
    repeat = again(run)
    assert (repeat.varied, repeat.steps_per_epoch) == ("seeds", 4)
    same, other = (repeat.ended({}, number, 12, 10.0, np.inf, "value") for number in (0, 1))
    assert same.start == other.start
    assert same.end == pytest.approx(error_of(loss.loss, run.final.x))
    assert other.end != same.end
    assert same.cost == pytest.approx(sum(run.evaluations) / 4 / 12)
    for steps in (0, 5):
        partly = repeat.ended({}, 0, 12, 10.0, (steps + 0.5) * same.cost, "value")
        assert partly.end == pytest.approx(error_of(loss.loss, run.x[steps]))
    next_seed = minimize(loss, [0.0, 0.0], GradientDescent(0.05), max_steps=12, seed=4)
    assert other.end == pytest.approx(error_of(loss.loss, next_seed.final.x))


@pytest.mark.parametrize("part", [1.0, 0.01])
def test_other_starts_are_within_a_fifth_of_the_way(part: float) -> None:
    # From 10 to 0 along x; along y, where it does not move, a hundredth of its size, or of 1.
    run = minimize("x**2 + 0*y + 0*z", [10.0, 50.0, 0.0], GradientDescent(0.4), max_steps=100)
    starts = np.array([start_near(run, run.start.x, number, part) for number in range(1, 41)])
    far = np.abs(starts - run.start.x).max(axis=0)
    assert (far <= part * np.array([2.0, 0.5, 0.01]) * (1 + 1e-9)).all()
    assert (far > part * np.array([1.8, 0.4, 0.008])).all()


def test_other_starts_keep_to_bounds_and_to_what_is_finite_and_not_much_higher() -> None:
    run = minimize("log(x) + 1/x", 0.5, GradientDescent(0.01), max_steps=50)
    assert run.objective is not None
    around = np.array([0.02])
    for number in range(1, 21):
        start = start_near(run, around, number)
        assert np.isfinite(run.objective.value(start))
    bounded = fallline.as_objective("x**2 + y**2", 2)
    bounded.bounds = ((0.0, 5.0), (-1.0, 1.0))
    path = minimize(bounded, [0.005, 3.0], GradientDescent(0.3), max_steps=50)
    starts = np.array([start_near(path, path.start.x, number) for number in range(1, 41)])
    # Along x, where the start is within them; along y it is not.
    assert (starts[:, 0] >= 0).all()
    assert starts[:, 0].min() == 0
    assert (starts[:, 1] > 1).all()


def test_a_start_of_a_run_that_diverged_stays_near_and_no_higher_than_twice() -> None:
    run = minimize("x**4", 3.0, GradientDescent(0.5), max_steps=50)
    assert not np.isfinite(run.final.value)
    starts = np.array([start_near(run, run.start.x, number) for number in range(1, 41)])
    assert (np.abs(starts - 3) <= 0.2 * np.abs(run.x[run.value <= 81] - 3).max() + 0.03).all()


def test_a_start_is_no_higher_than_the_fall_above_the_runs_own() -> None:
    run = minimize("x**2", 3.0, GradientDescent(0.4), max_steps=100)
    assert run.objective is not None
    values = run.objective.value(np.array([start_near(run, run.start.x, number) for number in range(1, 41)]))
    # Up to 3.6, where the value is 12.96; at 18 it would be too high.
    assert 12 < values.max() <= 12.96
    far = minimize("exp(9*x)", 1.0, GradientDescent(1e-4), max_steps=100)
    assert far.objective is not None
    values = far.objective.value(np.array([start_near(far, far.start.x, number) for number in range(1, 41)]))
    assert values.max() <= 2 * far.start.value


def fitted(**settings: Any) -> fallline.Fit:
    X = np.linspace(0, 1, 12)
    data = {"x": 5 + 3 * X, "y": 2 * X + np.sin(9 * X)}
    usual: dict[str, Any] = {"max_steps": 30, "optimizer": GradientDescent(0.1)}
    return fallline.fit(data, "y", model="linear", **usual | settings)


def test_a_fit_is_repeated_from_its_own_arguments() -> None:
    fit = fitted(l2=0.1)
    repeat = again(fit)
    assert isinstance(repeat, FitAgain)
    assert (repeat.varied, repeat.steps, repeat.made) == ("starts", 30, 30)
    same = repeat.ended({}, 0, 30, 10.0, np.inf, "value")
    assert same.end == pytest.approx(error_of(fit.model, fit.trajectory.final.x), rel=1e-9)
    assert same.told == fit.trajectory.stop.reason
    longer = repeat.ended({"max_steps": 300}, 0, 30, 10.0, np.inf, "value")
    known = fitted(l2=0.1, max_steps=300)
    assert longer.end == pytest.approx(error_of(known.model, known.trajectory.final.x), rel=1e-9)
    by_epochs = repeat.ended({"epochs": 300}, 0, 30, 10.0, np.inf, "value")
    assert by_epochs.end == pytest.approx(longer.end, rel=1e-9)
    in_batches = repeat.ended({"batch_size": 4}, 0, 30, 10.0, np.inf, "value")
    assert in_batches.start == pytest.approx(same.start)
    # For as many epochs as there were.
    of_epochs = fitted(l2=0.1, batch_size=4, max_steps=None, epochs=30)
    assert in_batches.end == pytest.approx(error_of(of_epochs.model, of_epochs.trajectory.final.x), rel=1e-9)
    # A start is given in the units of the columns.
    elsewhere = repeat.ended({"x0": [1.0, -5.0]}, 0, 30, 10.0, np.inf, "value")
    X = np.linspace(0, 1, 12)
    start = np.mean((3 * X - 2 * X - np.sin(9 * X)) ** 2) / 2
    assert elsewhere.start == pytest.approx(start, rel=1e-9)


def test_other_starts_are_near_the_runs_own_and_nearer_to_one_that_is_given() -> None:
    fit, path = fitted(), minimize("x**2", 1.0, GradientDescent(0.1), max_steps=200)
    for repeat, given in ((again(fit), [1.0, -5.0]), (again(path), [2.0])):
        own, elsewhere = (
            [repeat.ended(settings, number, 30, 10.0, np.inf, "value").start for number in range(4)]
            for settings in ({}, {"x0": given})
        )
        assert len(set(own)) == len(set(elsewhere)) == 4
        # Within a hundredth of a fifth of the way, against a fifth: of about 1 in either case.
        if isinstance(repeat, RunAgain):
            for starts, around, part in ((own, path.start.x, 1.0), (elsewhere, np.array(given), 0.01)):
                assert starts == [float(start_near(path, around, number, part)[0]) ** 2 for number in range(4)]
        else:
            near = [start_near(fit.trajectory, fit.trajectory.start.x, number) for number in range(4)]
            assert own == pytest.approx([error_of(fit.model, x) for x in near], rel=1e-9)
        assert np.ptp(elsewhere) / elsewhere[0] < 0.05
        assert np.ptp(own) / own[0] > 0.05
    # With seeds the start is the fit's own.
    seeded = again(fitted(batch_size=4, max_steps=None, epochs=10))
    assert seeded.varied == "seeds"
    assert len({seeded.ended({}, number, 30, 10.0, np.inf, "value").start for number in range(3)}) == 1


def test_what_changes_the_loss_is_measured_by_the_score() -> None:
    fit = fitted()
    repeat = again(fit)
    for settings, measure in (({"delta": 1.0}, "score"), ({"model": "huber"}, "score"), ({"l2": 1.0}, "value")):
        assert repeat.measured_by(settings, "value") == measure
    assert repeat.named("score") == f"{fit.fitted.score_name} "
    assert repeat.named("held_out") == "a held-out loss of "
    assert repeat.named("value") == "a value of "
    assert repeat.ended({"model": "huber"}, 0, 300, 10.0, np.inf, "score").end < 0
    assert repeat.ended({}, 0, 30, 10.0, np.inf, "score").end == pytest.approx(-fit.score(), rel=1e-9)
    held = fitted(holdout=0.25)
    assert (again(held).varied, again(fitted(batch_size=4)).varied) == ("seeds", "seeds")
    ended = again(held).ended({}, 0, 30, 10.0, np.inf, "held_out")
    assert held.held_out is not None
    curve = held.learning_curve()
    assert curve is not None
    assert curve.held_out is not None
    assert (ended.start, ended.end) == pytest.approx((curve.held_out[0], curve.held_out[-1]), rel=1e-9)


def test_the_parts_that_are_missing_are_named() -> None:
    run = minimize("x**2", 1.0, GradientDescent(0.1), max_steps=3)
    for changed, part in (({"objective": None}, "objective"), ({"rule": None}, "rule"), ({"recipe": {}}, "recipe")):
        with pytest.raises(CannotRepeat, match=f"^the {part} of the run is not at hand$"):
            again(dataclasses.replace(run, **changed))
