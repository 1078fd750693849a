"""What objects print: a few aligned lines, of every public class, however large they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.results.samples import RESULTS, everything, named, public_classes, result

from fallline import (
    Adam,
    Basins,
    Comparison,
    Fit,
    GradientDescent,
    Linear,
    Sweep,
    Trajectory,
    Tuning,
    compare,
    diagnose,
    fit,
    minimize,
)
from fallline.tables import MOST_LINES, Printed, Summary, summary_of


@pytest.mark.parametrize("kind", public_classes(), ids=lambda kind: kind.__qualname__)
def test_no_object_prints_more_than_thirty_lines_or_where_it_is_in_memory(kind: type) -> None:
    made = everything()
    assert kind in made, f"a new public class: say in samples.py how a {kind.__name__} is made"
    thing = made[kind]()
    for text in (repr(thing), str(thing)):
        assert len(text.splitlines()) <= MOST_LINES == 30
        assert not re.search("0x[0-9a-f]{6}", text), text


def printed(kind: type = Printed) -> Iterator[type]:
    """All classes that print a summary."""
    child: type
    for child in kind.__subclasses__():
        yield child
        yield from printed(child)


def test_no_class_that_prints_a_summary_is_a_dataclass_that_prints_its_fields() -> None:
    kinds = {kind for kind in printed() if kind.__module__.startswith("fallline.")}
    assert len(kinds) > 40
    assert [kind for kind in kinds if vars(kind).get("__repr__")] == []


def facts(thing: Any) -> dict[str, str]:
    """The facts that an object prints, by name; checked to be what its text and its page show."""
    summary = summary_of(thing)
    lines = repr(thing).splitlines()
    assert lines[0] == summary.head
    width = max(len(name) for name, _ in summary.facts)
    for line, (name, _) in zip(lines[1:], summary.facts, strict=False):
        # Aligned: a name, and two spaces before all the facts.
        assert line[:width].rstrip() == name
        assert line[width : width + 2] == "  "
    return dict(summary.facts)


def test_a_trajectory_says_what_was_minimised_how_it_ended_where_and_at_what_cost() -> None:
    run = minimize("(x - 10)**2", 30, GradientDescent(0.25))
    assert facts(run) == {
        "objective": "(x - 10)**2",
        "optimizer": "gradient_descent, learning_rate 0.25",
        "stopped": f"small step: {run.stop.message}",
        "start": "x = 30",
        "final": "x = 10",
        "value": f"{run.final.value:.8g}",
        "|gradient|": f"{run.final.gradient_norm:.4g}",
        "steps": str(run.step_count),
        "evaluations": f"{run.evaluations.value} of the value, {run.evaluations.gradient} of the gradient (symbolic)",
        "time": f"{run.seconds:.3g} s ({run.engine})",
    }


def test_the_best_point_is_told_where_it_is_not_the_last() -> None:
    told = facts(minimize("x**2", 3.0, GradientDescent(1.1), max_steps=5))
    assert told["best"] == "9 at step 0: x = 3"
    # -1.2 times x each step.
    assert told["final"] == f"x = {3 * -(1.2**5):.6g}"
    assert "best" not in facts(minimize("x**2", 3.0, GradientDescent(0.1), max_steps=5))


def test_a_point_of_many_coordinates_is_shortened() -> None:
    run = minimize(lambda x: np.sum(x**2), np.ones(1000), GradientDescent(0.25), max_steps=1)
    shown = ", ".join(f"x{i} = 0.5" for i in range(6))
    assert facts(run)["final"] == f"{shown}, … 994 more"
    assert repr(run.start) == (
        "Point(step=0, x=[1, 1, 1, 1, 1, 1, … 994 more], value=1000, gradient=[2, 2, 2, 2, 2, 2, … 994 more])"
    )


def test_a_comparison_is_a_table_with_the_lowest_value_first_and_nan_last() -> None:
    rules = {"slow": GradientDescent(0.01), "fast": GradientDescent(0.4)}
    runs = compare("x**2", 1.0, rules, max_steps=3)
    lines = repr(runs).splitlines()
    assert lines[0] == "Comparison of 2 runs, the best first"
    assert [line.split()[0] for line in lines[-2:]] == ["fast", "slow"]
    # 0.2 ** 6 and 0.98 ** 6
    assert [line.split()[1] for line in lines[-2:]] == ["6.4e-05", "0.885842"]
    astray = compare(lambda x: np.log(x), [[-1.0], [1.0]], GradientDescent(0.1), max_steps=1, gradient=lambda x: 1 / x)
    assert [" nan " in line for line in repr(astray).splitlines()[-2:]] == [False, True]


def test_many_rules_are_cut() -> None:
    runs = compare("x**2", 1.0, {f"rate {rate}": GradientDescent(rate / 1000) for rate in range(1, 108)}, max_steps=2)
    lines = repr(runs).splitlines()
    assert lines[-1] == "… 97 more"
    # The largest rate ends lowest.
    assert lines[6].split()[:2] == ["rate", "107"]


def test_of_many_starts_the_quartiles_and_the_best_are_told() -> None:
    starts = np.linspace(1, 2, 107)[:, None]
    runs = compare("x**2", starts, {"near": GradientDescent(0.1), "far": Adam(1e-3)}, max_steps=2, record="ends")
    header, *rows = repr(runs).splitlines()[-3:]
    assert header.split()[:2] == ["rule", "runs"]
    assert [row.split()[:2] for row in rows] == [["near", "107"], ["far", "107"]]
    # Each step of gradient descent multiplies x by 0.8.
    expected = np.quantile((0.8**2 * starts) ** 2, [0.25, 0.5, 0.75])
    np.testing.assert_allclose([float(cell) for cell in rows[0].split()[2:5]], expected, rtol=1e-5)  # six digits
    assert facts(runs)["best"] == f"{0.8**4:.6g}: near from (1)"
    # One start is told, several are not.
    assert "start" not in facts(runs)
    assert facts(named("comparison"))["start"] == "x = 1, y = 2"


@pytest.mark.long
def test_seeds_are_told_by_rule_with_the_runs_that_left_beyond_all_quartiles() -> None:
    loss = Linear([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 1.0, 2.0]).batches(1)
    rules = {"calm": GradientDescent(0.05), "wild": GradientDescent(5.0)}
    runs = compare(loss, [0.0, 0.0], rules, seeds=range(4), max_steps=2000)
    calm, wild = (row.split() for row in repr(runs).splitlines()[-2:])
    values = [run.final.value for run in runs[:4]]
    np.testing.assert_allclose([float(cell) for cell in calm[2:5]], np.quantile(values, [0.25, 0.5, 0.75]), rtol=1e-5)
    assert (calm[0], wild[0], wild[2:5]) == ("calm", "wild", ["inf"] * 3)
    assert not any(run.stop.converged for run in runs[4:])


def test_a_sweep_counts_its_outcomes_and_ranks_its_settings() -> None:
    runs = result(Sweep)
    told = facts(runs)
    assert told["runs"] == "16, each of at most 40 steps"
    assert told["converged"].split(":")[0] == str(runs.count("converged"))
    best = runs.best
    first = repr(runs).split("\n\n")[1].splitlines()[1].split()
    assert first[0] == best.settings["optimizer"]
    assert first[-4:] == [f"{100 * best.converged:.3g}", "%", f"{best.steps:g}", f"{best.value:.6g}"]


def test_basins_are_a_table_of_minima_with_their_shares() -> None:
    found = result(Basins)
    told = facts(found)
    assert told["starts"] == "8 × 8: x from -5 to 5, y from -5 to 5"
    table = [line.split() for line in repr(found).splitlines()[len(told) + 3 :]]
    shares = [row[row.index("%") - 1] for row in table]
    assert shares[: len(found.minima)] == [f"{100 * found.share(place):.2f}" for place in range(len(found.minima))]


def test_a_tuning_ranks_its_trials() -> None:
    found = result(Tuning)
    assert facts(found)["best"] == f"learning_rate = {found.best.settings['learning_rate']:g}"
    assert repr(found).splitlines()[-1] == "… 2 more"


def test_a_fit_tells_its_score_its_notes_and_its_parameters() -> None:
    found = result(Fit)
    told = facts(found)
    assert told["accuracy"] == f"{found.score():.4f} on the 6 rows fitted to"
    assert told["notes"] == "target 'passed': no is 0, yes is 1"
    last = [line.split() for line in repr(found).splitlines()[-2:]]
    assert last == [[name, f"{number:.8g}"] for name, number in found.parameters.items()]


def test_a_finding_is_told_whole() -> None:
    finding = diagnose(minimize("x**3", 1.0, GradientDescent(0.1)))[0]
    lines = repr(finding).splitlines()
    assert lines[0] == f"Finding: {finding.title}"
    words = " ".join(line[10:] for line in lines[1:])
    assert words == f"{finding.evidence} {finding.cause} {finding.remedies[0].text}"


def test_a_fit_of_files_is_printed_without_reading_them_again(tmp_path: Any) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("x,y\n" + "\n".join(f"{i},{2 * i}" for i in range(20)))
    found = fit(path, "y", model="linear", holdout=0.25, max_steps=3)
    path.unlink()
    assert "R²" not in facts(found)


@pytest.mark.parametrize("name", RESULTS)
def test_a_page_shows_the_same_as_the_text(name: str) -> None:
    found = named(name)
    page = summary_of(found).html
    cells = re.findall(r"<t[hd][^>]*>([^<]*)<", page)
    words = repr(found).split()
    assert len(cells) > 8
    for cell in cells:
        assert all(word.replace("&#x27;", "'").replace("&gt;", ">") in words for word in cell.split()), cell
    # Colours would be wrong on half of all pages.
    assert "color" not in page
    assert "background" not in page


def test_a_page_is_escaped() -> None:
    page = Summary("<b>", [("<i>", "a & b")], ["<u>"], [["<s>"]]).html
    assert "&lt;b&gt;" in page
    assert "a &amp; b" in page
    assert not re.search("<[bius]>", page)


def test_results_print_themselves_in_notebooks() -> None:
    for kind in (Sweep, Basins, Tuning, Fit):
        assert result(kind)._repr_html_() == summary_of(result(kind)).html
    for playing in (Trajectory, Comparison):
        assert "<iframe" in result(playing)._repr_html_()
