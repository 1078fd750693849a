"""What a person does on the explorer's page: type, drag, play, step, undo, share, with mouse, keyboard and fingers."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cases import few
from tests.explorer.friction import Friction
from tests.explorer.opened import Opened

import fallline
from fallline.objectives import LANDSCAPES
from fallline.optimizers import OPTIMIZERS

FIELD = "input.formula"


def type_formula(opened: Opened, text: str) -> None:
    opened.page.fill(FIELD, text)
    opened.settled()


def middle(opened: Opened, selector: str) -> tuple[float, float]:
    box = opened.page.locator(selector).first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_at_first_the_runs_are_those_of_the_library(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        state, runs = opened.state, opened.runs()
    assert len(runs) == len(state["entries"]) == 4
    for run in runs:
        entry = state["entries"][run["entry"]]
        rule = fallline.optimizers.optimizer_from_name(entry["rule"], learning_rate=entry["rate"])
        ours = fallline.minimize(state["formula"], state["starts"][0], rule, max_steps=state["steps"])
        assert run["count"] == ours.steps[-1]
        np.testing.assert_allclose(np.reshape(run["x"], (-1, 2)), ours.x, rtol=1e-12, atol=1e-12)


def test_a_typed_formula_is_what_is_minimised(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        type_formula(opened, "(x - 1)**2 + 4*(y + 2)**2")
        assert opened.page.locator(".race tbody tr").count() == 4
        for run in opened.runs():
            start = np.reshape(run["x"], (-1, 2))[0]
            assert run["value"][0] == pytest.approx((start[0] - 1) ** 2 + 4 * (start[1] + 2) ** 2, rel=1e-14)


@pytest.mark.parametrize(
    ("formula", "marked", "told"),
    few(
        [
            ("x**2 + y**", "", "nothing follows the **"),
            ("x**2 + foo(y)", "foo", "no function foo"),
            ("x**2 + [y]", "[", "round brackets"),
        ],
        1,
    ),
)
def test_what_cannot_be_read_is_told_at_its_place_and_the_last_picture_stays(
    browser: Any, plain: Path, formula: str, marked: str, told: str
) -> None:
    with Opened(browser, plain) as opened:
        before = opened.state
        type_formula(opened, formula)
        assert opened.page.get_attribute(FIELD, "aria-invalid") == "true"
        assert told in opened.page.inner_text("#formula-problem")
        assert marked in opened.page.locator(".mirror mark").first.inner_text()
        assert opened.state == before
        type_formula(opened, "x**2 + y**2")
        assert opened.page.inner_text("#formula-problem") == ""


def test_a_function_of_one_variable_is_a_curve_of_three_a_slice(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        type_formula(opened, "x**4 - 3*x**2 + x")
        assert all(len(start) == 1 for start in opened.state["starts"])
        assert opened.page.locator(".views .tabs").is_hidden()
        type_formula(opened, "x**2 + y**2 + 3*z**2 + x*y*z")
        assert opened.page.locator("[aria-label='Slice']").is_visible()
        opened.page.fill("[aria-label='Start in z']", "2.5")
        opened.page.keyboard.press("Enter")
        assert opened.state["starts"][0][2] == 2.5
        opened.page.select_option("[aria-label='Coordinate drawn across']", label="z")
        assert opened.state["axes"] == [2, 1]


@pytest.mark.long
def test_a_start_where_the_function_has_no_value_is_told_until_it_is_moved(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        type_formula(opened, "log(x) + y**2")
        assert opened.state["starts"][0][0] < 0
        assert "no value at this start" in opened.page.inner_text(".outside")
        opened.page.focus(".start")
        while opened.state["starts"][0][0] <= 0:
            opened.page.keyboard.press("ArrowRight")
        opened.settled()
        assert opened.page.locator(".outside").is_hidden()


def test_values_that_differ_by_little_are_told_apart(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        caption = opened.page.locator(".history figcaption").first
        type_formula(opened, "1e7 + x**2 + y**2")
        assert caption.inner_text() == "Value − 1e7"
        type_formula(opened, "5e8 + floor(x)")
        assert caption.inner_text() == "Value − 5e8"
        type_formula(opened, "x**2 + y**2 - 3")
        assert caption.inner_text() == "Value"


@pytest.mark.long
def test_charts_keep_their_shape_when_the_window_changes_and_changes_back(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        # What the charts are told while the window is another size, before it is drawn again.
        opened.page.evaluate(
            "document.body.style.width = '200px'; fallline.panels.resize(); document.body.style.width = '';"
            " fallline.draw()"
        )
        shapes = opened.page.evaluate(
            "[...document.querySelectorAll('canvas.chart')].map(c => [c.width / devicePixelRatio, c.clientWidth])"
        )
        assert all(drawn == pytest.approx(seen, abs=1) for drawn, seen in shapes)


@pytest.mark.long
@pytest.mark.parametrize("rule", ["rprop", "momentum", "nesterov"])
def test_a_line_search_that_a_rule_cannot_use_is_named_in_words(browser: Any, plain: Path, rule: str) -> None:
    link = f"f=x**2%2B3*y**2&start=1,2&rule={rule},rate=search:strong_wolfe"
    with Opened(browser, plain, link) as opened:
        assert opened.page.inner_text(".notice") == ""
        told = opened.page.inner_text(".rules .card")
        assert 'rate is "strong_wolfe"' in told
        assert "give a number or a schedule" in told


def test_without_conditions_one_can_be_added(browser: Any, tmp_path: Path) -> None:
    fallline.explore("x**2", [1.0], stop=fallline.NotFinite()).save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html") as opened:
        assert opened.state["stop"] == []
        opened.page.select_option("[aria-label='Add a condition']", "GradientNorm")
        assert [each["condition"] for each in opened.state["stop"]] == ["GradientNorm"]


@pytest.mark.long
def test_what_the_hill_hides_of_a_path_is_faint(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        opened.page.click("text=Surface")
        opened.settled()
        # The drawing is solid: nothing of the page shines through it.
        assert opened.page.evaluate("fallline.stage.surface.gl.getContextAttributes().alpha") is False


@pytest.mark.long
def test_pause_is_seen_under_the_pointer(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        colour = "getComputedStyle(document.querySelector('.transport .primary')).backgroundColor"
        before = opened.page.evaluate(colour)
        opened.page.hover("[aria-label='Play']")
        assert opened.page.evaluate(colour) == before


@pytest.mark.long
def test_printed_the_picture_keeps_half_of_the_width(browser: Any, plain: Path) -> None:
    for width in (720, 1040, 1280):
        with Opened(browser, plain, viewport={"width": width, "height": 900}) as opened:
            opened.page.emulate_media(media="print")
            opened.settled()
            assert opened.page.locator("canvas.figure").first.bounding_box()["width"] > 0.45 * width


def test_the_start_is_dragged_and_the_drag_undone_at_once(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        before = opened.state
        x, y = middle(opened, ".start")
        opened.page.mouse.move(x, y)
        opened.page.mouse.down()
        for k in range(1, 11):
            opened.page.mouse.move(x + 8 * k, y - 4 * k)
        opened.page.mouse.up()
        opened.settled()
        moved = opened.state["starts"][0]
        assert moved[0] > before["starts"][0][0]
        assert moved[1] > before["starts"][0][1]
        assert middle(opened, ".start") == pytest.approx((x + 80, y - 40), abs=1)
        opened.page.click("[aria-label='Undo']")
        assert opened.state["starts"] == before["starts"]
        opened.page.click("[aria-label='Redo']")
        assert opened.state["starts"][0] == moved


@pytest.mark.long
def test_clicks_add_starts_up_to_the_limit_and_they_can_go_again(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        box = opened.page.locator("canvas.figure").first.bounding_box()
        for k in range(10):
            opened.page.mouse.click(box["x"] + 60 + 30 * k, box["y"] + 300)
            opened.settled()
        assert len(opened.state["starts"]) == 8
        assert opened.page.locator(".start").count() == 8
        opened.page.focus(".start")
        opened.page.keyboard.press("Delete")
        opened.settled()
        assert len(opened.state["starts"]) == 7
        opened.page.click("text=Keep one start")
        assert len(opened.state["starts"]) == 1


def test_the_view_is_dragged_zoomed_and_brought_back(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        before = opened.state["box"]
        box = opened.page.locator("canvas.figure").first.bounding_box()
        x, y = box["x"] + 300, box["y"] + 150
        opened.page.mouse.move(x, y)
        opened.page.mouse.down()
        opened.page.mouse.move(x + 60, y, steps=6)
        opened.page.mouse.up()
        panned = opened.state["box"]
        assert panned[0] < before[0]
        assert panned[1] - panned[0] == pytest.approx(before[1] - before[0])
        opened.page.mouse.wheel(0, -300)
        opened.page.wait_for_function(
            f"fallline.store.now.box[1] - fallline.store.now.box[0] < {panned[1] - panned[0]}"
        )
        opened.page.click("[aria-label='Show all of it']")
        assert opened.state["box"] == before


def test_play_pause_step_and_scrub(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        page = opened.page
        page.click("[aria-label='Play']")
        page.wait_for_function("fallline.store.now.at > 3")
        page.click("[aria-label='Pause']")
        at = opened.state["at"]
        page.wait_for_timeout(120)
        assert opened.state["at"] == at
        page.click("[aria-label='One step back']")
        assert opened.state["at"] == at - 1
        page.click("[aria-label='One step on']")
        assert opened.state["at"] == at
        page.locator("[aria-label='Step']").fill("40")
        assert opened.state["at"] == 40
        page.click("[aria-label='To the start']")
        assert opened.state["at"] == 0
        page.click("[aria-label='To the end']")
        assert opened.state["at"] is None


def test_a_step_is_explained_with_its_own_numbers(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        opened.page.evaluate("fallline.store.change({at: 6, active: 1})")
        opened.settled()
        state = opened.state
        shown = opened.page.locator(".numbers tbody tr").all_inner_texts()
    entry = state["entries"][1]
    assert entry["rule"] == "momentum"
    rule = fallline.Momentum(entry["rate"])
    record = fallline.Record(state=True)
    ours = fallline.minimize(state["formula"], state["starts"][0], rule, max_steps=7, record=record)
    rows = {line.split("\t")[0].strip(): line.replace("−", "-").split("\t")[1:] for line in shown}
    assert [float(text) for text in rows["Gradient"]] == pytest.approx(ours.gradient[6], rel=1e-3)
    assert [float(text) for text in rows["velocity"]] == pytest.approx(ours.states["velocity"][7], rel=1e-3)
    assert [float(text) for text in rows["at step 7"]] == pytest.approx(ours.x[7], rel=1e-3)


def test_a_slider_changes_its_hyperparameter_and_lights_its_symbol(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        card = opened.page.locator(".card.active")
        assert card.locator("math [data-setting='momentum']").count() >= 1
        field = card.locator("[aria-label='momentum, typed']")
        field.fill("0.5")
        field.press("Enter")
        assert opened.state["entries"][1]["values"]["momentum"] == 0.5
        assert card.locator(".about [data-setting='momentum'].lit").count() >= 1
        field.fill("1.5")
        field.press("Enter")
        assert "below 1" in card.inner_text()
        assert opened.state["entries"][1]["values"]["momentum"] == 0.5
        card.locator("[data-name='learning_rate'] input[type=range]").press("ArrowRight")
        assert opened.state["entries"][1]["rate"] > 0.004


@pytest.mark.long
@pytest.mark.parametrize(("conventions", "step"), [(("torch", "keras"), 1), (("paper", "torch"), None)])
def test_two_conventions_tell_where_they_part(
    browser: Any, tmp_path: Path, conventions: tuple[str, str], step: int | None
) -> None:
    rules: list[fallline.Optimizer[Any]] = [fallline.Adam(0.05, epsilon=1e-3, convention=name) for name in conventions]
    race = fallline.compare("rosenbrock", [-1.2, 1.0], rules, max_steps=80)
    race.explore().save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html") as opened:
        told = opened.page.inner_text(".parting")
    if step is None:
        assert told.endswith("walk the same points.")
    else:
        assert f"part at step {step}," in told
        most = np.abs(race[0].x - race[1].x).max()
        assert float(told.rpartition(" ")[2].rstrip(".").replace("−", "-")) == pytest.approx(most, rel=0.05)


@pytest.mark.long
def test_a_slider_goes_to_and_fro_until_it_is_stopped(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        sweep = opened.page.locator(".card.active [data-name='momentum'] .sweep")
        sweep.focus()
        opened.page.keyboard.press("Enter")
        opened.page.wait_for_function("fallline.store.now.entries[1].values.momentum > 0.92")
        opened.page.keyboard.press("Enter")
        opened.settled()
        stopped = opened.state["entries"][1]["values"]["momentum"]
        opened.page.wait_for_timeout(150)
        assert opened.state["entries"][1]["values"]["momentum"] == stopped
        opened.page.click("[aria-label='Undo']")
        assert opened.state["entries"][1]["values"] == {}


def test_rules_are_added_changed_hidden_and_removed(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        page = opened.page
        page.click("text=Add a rule")
        opened.settled()
        assert len(opened.state["entries"]) == 5
        page.locator(".card.active [aria-label='Update rule']").select_option("lion")
        opened.settled()
        assert opened.state["entries"][4]["rule"] == "lion"
        page.locator("article.card").nth(2).locator("[aria-label='Convention']").select_option("keras")
        opened.settled()
        assert opened.state["entries"][2]["convention"] == "keras"
        page.locator("article.card").nth(0).locator("[aria-label^='Hide']").click()
        opened.settled()
        assert {run["entry"] for run in opened.runs()} == {1, 2, 3, 4}
        page.locator("article.card").nth(0).locator("[aria-label^='Remove']").click()
        opened.settled()
        assert len(opened.state["entries"]) == 4


def test_the_rate_may_be_a_schedule_or_a_line_search(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        kinds = opened.page.locator(".card.active [aria-label='the rate is']")
        kinds.select_option("schedule:cosine@paper")
        opened.settled()
        state, run = opened.state, opened.runs()[1]
        rate = fallline.Cosine(state["entries"][1]["rate"]["values"]["initial"], steps=state["steps"])
        ours = fallline.minimize(
            state["formula"], state["starts"][0], fallline.Momentum(rate), max_steps=state["steps"]
        )
        np.testing.assert_allclose(np.reshape(run["x"], (-1, 2)), ours.x, rtol=1e-12, atol=1e-12)
        opened.page.locator(".card.active [aria-label='the rate is']").select_option("search:backtracking")
        opened.settled()
        assert opened.state["entries"][1]["rate"] == {"lineSearch": "backtracking", "values": {}}


def test_the_best_rate_ends_no_higher_than_others(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        opened.page.locator(".card.active [aria-label^='Set the best rate']").click()
        opened.settled()
        best, state = opened.runs()[1]["value"][-1], opened.state
    for rate in (1e-4, 1e-3, 1e-2):
        run = fallline.minimize(state["formula"], state["starts"][0], fallline.Momentum(rate), max_steps=state["steps"])
        assert best <= run.value[-1] + 1e-9


def test_a_link_restores_what_was_shown(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        type_formula(opened, "x**2 + 5*y**2 + sin(3*x)")
        opened.page.click("text=Add a rule")
        opened.page.evaluate(
            "fallline.store.change({at: 12, noise: 0.5, seed: 3, target: 0.25, basins: true, panel: 'rates',"
            " starts: [[1.5, -2.25], [0.125, 3]], gradient: {kind: 'perturbation', scheme: 'central', step: 0.01}})"
        )
        opened.settled()
        link, state, runs = opened.link(), opened.state, opened.runs()
    with Opened(browser, plain, link) as again:
        assert again.state == state
        assert again.runs() == runs
        assert again.page.inner_text(".notice") == ""


def test_a_page_of_a_comparison_shows_its_runs(browser: Any, tmp_path: Path) -> None:
    rules: list[fallline.Optimizer[Any]] = [
        fallline.Adam(0.1, convention="keras"),
        fallline.Nesterov(fallline.StepDecay(0.001)),
        fallline.LBFGS(),
    ]
    race = fallline.compare("rosenbrock", [[-1.2, 1.0], [0.5, 2.0]], rules, max_steps=120)
    race.explore().save(tmp_path / "race.html")
    with Opened(browser, tmp_path / "race.html") as opened:
        runs = opened.runs()
        assert opened.page.inner_text(".notice") == ""
    assert len(runs) == len(race)
    labels = {(rule, start): race[2 * rule + start] for rule in range(3) for start in range(2)}
    for run in runs:
        ours = labels[run["entry"], run["start"]]
        np.testing.assert_allclose(np.reshape(run["x"], (-1, 2)), ours.x, rtol=1e-9, atol=1e-9)


COPIED: dict[str, list[fallline.Optimizer[Any]]] = {
    "rates and conventions": [
        fallline.AdamW(0.05, convention="optax"),
        fallline.Momentum(fallline.WarmUp(0.01, steps=5)),
        fallline.LBFGS(),
    ],
    "noise": [
        fallline.GradientNoise(rule, variance=0.3, power=0, seed=7)
        for rule in (fallline.GradientDescent(0.03), fallline.Adam(0.1))
    ],
    "a user's own rule": [Friction(0.02, friction=0.3), fallline.Momentum(0.01)],
}


@pytest.mark.long
@pytest.mark.parametrize("rules", COPIED.values(), ids=COPIED)
def test_the_page_as_python_repeats_its_runs(
    browser: Any, tmp_path: Path, rules: list[fallline.Optimizer[Any]]
) -> None:
    page = fallline.explore("x**2 + 10*y**2 + sin(x)", [4.0, 1.0], rules, max_steps=60)
    page.save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html", permissions=["clipboard-read", "clipboard-write"]) as opened:
        code, runs = opened.as_python(), opened.runs()
    (tmp_path / "copied.py").write_text(code, encoding="utf-8")
    race = runpy.run_path(str(tmp_path / "copied.py"), {"Friction": Friction})["race"]
    for run, ours in zip(runs, race, strict=True):
        np.testing.assert_allclose(np.reshape(run["x"], (-1, 2)), ours.x, rtol=1e-12, atol=1e-12)


@pytest.mark.long
def test_every_rule_in_every_convention_is_said_by_a_link(browser: Any, plain: Path) -> None:
    kinds: list[Any] = list(OPTIMIZERS.values())
    rules = [kind(convention=name) for kind in kinds for name in kind.conventions]
    links = [fallline.explore("x**2 + y**2", [1.0, 2.0], rule, max_steps=3).link for rule in rules]
    with Opened(browser, plain) as opened:
        told = opened.page.evaluate(
            "links => links.map(link => { fallline.open(link); fallline.draw();"
            " const {rule, convention} = fallline.store.now.entries[0];"
            " const notice = document.querySelector('.notice').textContent;"
            " return [`${rule}@${convention}`, notice, fallline.race.runs.length]; })",
            links,
        )
    assert [name for name, _, _ in told] == [f"{rule.name}@{rule.convention}" for rule in rules]
    assert all(count == 1 for _, _, count in told)
    assert [name for name, notice, _ in told if notice] == []


def test_own_rules_come_along(browser: Any, tmp_path: Path) -> None:
    rules: list[fallline.Optimizer[Any]] = [
        Friction(0.05, friction=0.3),
        fallline.Cautious(fallline.Adam(0.1)),
        fallline.Momentum(0.02),
    ]
    page = fallline.explore("x**2 + 10*y**2 + sin(x)", [4.0, 1.0], rules, max_steps=50)
    page.save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html") as opened:
        assert opened.page.inner_text(".notice") == ""
        runs = opened.runs()
    for run, rule in zip(runs, rules, strict=True):
        ours = fallline.minimize("x**2 + 10*y**2 + sin(x)", [4.0, 1.0], rule, max_steps=50)
        np.testing.assert_allclose(np.reshape(run["x"], (-1, 2)), ours.x, rtol=1e-12, atol=1e-12)


@pytest.mark.long
@pytest.mark.parametrize(("item", "name"), [("PNG", "fallline.png"), ("SVG", "fallline.svg"), ("CSV", "fallline.csv")])
def test_files_are_offered(browser: Any, plain: Path, tmp_path: Path, item: str, name: str) -> None:
    with Opened(browser, plain) as opened:
        opened.page.click("[aria-label='Save and share']")
        with opened.page.expect_download() as download:
            opened.page.click(f".menu >> text={item}")
        assert download.value.suggested_filename == name
        download.value.save_as(tmp_path / name)
        runs = opened.runs()
    content = (tmp_path / name).read_bytes()
    if item == "CSV":
        lines = content.decode().splitlines()
        assert lines[0] == "rule,start,step,x,y,value,gradient_norm,rate"
        assert len(lines) == 1 + sum(run["count"] + 1 for run in runs)
        assert float(lines[1].split(",")[5]) == runs[0]["value"][0]
    else:
        assert content.startswith(b"\x89PNG" if item == "PNG" else b"<svg")


@pytest.mark.long
def test_the_rate_map_is_clicked_and_sets_the_rule(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        opened.page.click("text=Rate map")
        opened.page.wait_for_function("fallline.panels.rates.cells?.across.length === 64", timeout=20_000)
        box = opened.page.locator(".rate-map").bounding_box()
        opened.page.mouse.click(box["x"] + 200, box["y"] + 200)
        opened.settled()
        entry = opened.state["entries"][1]
        assert entry["rate"] != 0.004
        assert 0 < entry["values"]["momentum"] < 1
        # The run that is seen now is that of the cell, of which the text under the map tells.
        opened.page.mouse.move(box["x"] + 200, box["y"] + 200)
        run = opened.runs()[1]
        told = opened.page.locator(".rate-panel .line-of .hint").inner_text()
        assert told.endswith(f"after {run['count']} steps")
        assert float(told.split(", ")[-1].split()[0].replace("−", "-")) == pytest.approx(run["value"][-1], rel=0.01)
        opened.page.click("text=Set the best")
        opened.settled()
        best = opened.runs()[1]["value"][-1]
    assert best < 1e-6


@pytest.mark.long
def test_any_two_hyperparameters_are_drawn_against_each_other(browser: Any, plain: Path) -> None:
    adam = "f=x**2%2B3*y**2&start=2,1&rule=adam@paper,rate=constant,learning_rate=0.1&panel=rates"
    with Opened(browser, plain, adam) as opened:
        across, up = (opened.page.locator(".rate-panel select").nth(place) for place in (0, 1))
        across.select_option("beta2")
        up.select_option("beta1")
        opened.page.wait_for_function("fallline.panels.rates.cells?.across.length === 64", timeout=20_000)
        assert across.input_value() == "beta2"
        box = opened.page.locator(".rate-map").bounding_box()
        opened.page.mouse.click(box["x"] + 200, box["y"] + 100)
        opened.settled()
        entry = opened.state["entries"][0]
        assert entry["rate"] == 0.1
        assert 0 < entry["values"]["beta1"] < 1
        assert 0 < entry["values"]["beta2"] < 1
        # To choose the other axis' hyperparameter exchanges the two.
        across.select_option("beta1")
        opened.settled()
        assert up.input_value() == "beta2"


def test_the_limit_of_stability_is_drawn_where_theory_has_it(browser: Any, plain: Path) -> None:
    # The largest curvature is 6, so gradient descent leaves the minimum above 1/3.
    with Opened(browser, plain, "f=x**2%2B3*y**2&start=2,1&rule=gradient_descent@paper&panel=rates") as opened:
        opened.page.wait_for_function("fallline.panels.rates.limit > 0", timeout=20_000)
        limit = opened.page.evaluate("fallline.panels.rates.limit")
    assert limit == pytest.approx(1 / 3, rel=1e-6)


def test_all_is_reached_by_the_keyboard_alone(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        page = opened.page
        seen = []
        for _ in range(90):
            page.keyboard.press("Tab")
            seen.append(
                page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent")
            )
        for label in ("Formula to minimise", "Landscape", "Save and share", "Play", "Basins", "Surface", "Update rule",
                      "Convention", "learning rate", "Add a rule"):  # fmt: skip
            assert label in seen, label
        assert any(label.startswith("Start 1 at") for label in seen)
        page.focus(".start")
        before = opened.state["starts"][0]
        for key in ("ArrowRight", "ArrowUp", "Shift+ArrowUp"):
            page.keyboard.press(key)
        opened.settled()
        after = opened.state["starts"][0]
        assert after[0] > before[0]
        assert after[1] > before[1]
        page.keyboard.press("Control+z")
        opened.settled()
        assert opened.state["starts"][0] != after
        page.wait_for_function("document.querySelector('[role=status]').textContent.includes('Lowest')")


@pytest.mark.long
def test_a_phone_shows_all_in_one_column_and_is_touched(browser: Any, plain: Path) -> None:
    with Opened(browser, plain, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True) as opened:
        page = opened.page
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        box = page.locator("canvas.figure").first.bounding_box()
        page.touchscreen.tap(box["x"] + 200, box["y"] + 80)
        opened.settled()
        assert len(opened.state["starts"]) == 2
        small = page.evaluate(
            "[...document.querySelectorAll('button, select, input')].filter(e => e.offsetParent)"
            ".filter(e => e.getBoundingClientRect().height < 24).map(e => e.outerHTML.slice(0, 80))"
        )
        assert small == []


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_have_their_own_colours(browser: Any, plain: Path, scheme: str) -> None:
    with Opened(browser, plain, color_scheme=scheme) as opened:
        ground = opened.page.evaluate("getComputedStyle(document.getElementById('fallline')).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 28)"}[scheme]


@pytest.mark.long
def test_landscapes_are_chosen_with_their_own_box(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        for name, ours in LANDSCAPES.items():
            opened.page.select_option("select.landscape", name)
            opened.settled()
            assert opened.state["formula"] == ours.formula
            assert opened.state["box"] == [*ours.bounds[0], *ours.bounds[1]]
            # A rule that would leave it got a better rate.
            assert all(run["value"][-1] <= run["value"][0] for run in opened.runs()), name


@pytest.mark.long
@pytest.mark.parametrize("name", ["rosenbrock", "beale", "booth", "easom"])
def test_the_first_runs_on_a_landscape_go_down_within_its_bounds(browser: Any, tmp_path: Path, name: str) -> None:
    fallline.explore(name).save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html") as opened:
        state = opened.state
    for entry in state["entries"]:
        rule = fallline.optimizers.optimizer_from_name(entry["rule"], learning_rate=entry["rate"])
        run = fallline.minimize(name, state["starts"][0], rule, max_steps=state["steps"])
        assert run.value.max() == run.value[0]
        assert run.value[-1] < run.value[0]
        low, high = np.array(LANDSCAPES[name].bounds).T
        assert (run.x >= low).all()
        assert (run.x <= high).all()


@pytest.mark.long
def test_in_a_notebook_it_stands_in_a_frame_of_its_own(browser: Any, tmp_path: Path) -> None:
    shown = fallline.explore("x**2 + y**2", [1.0, 2.0])._repr_html_()
    (tmp_path / "notebook.html").write_text(f"<!doctype html><title>Notebook</title>{shown}", encoding="utf-8")
    complaints: list[str] = []
    page = browser.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((tmp_path / "notebook.html").as_uri())
    frame = page.frame_locator("iframe")
    frame.locator(".start").wait_for()
    frame.locator("text=Basins").click()
    frame.locator("[aria-label='Play']").click()
    page.wait_for_timeout(1000)
    assert frame.locator(".step").inner_text() != "100 / 100"
    page.close()
    assert complaints == []


@pytest.mark.long
@pytest.mark.parametrize("objective", ["rosenbrock", "beale", "x**2 + 100*y**2", "1000*x**2"])
def test_the_rules_that_the_page_chooses_go_down(browser: Any, tmp_path: Path, objective: str) -> None:
    fallline.explore(objective).save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html") as opened:
        for run in opened.runs():
            assert run["value"][-1] < run["value"][0], run["entry"]


def test_rates_that_were_given_are_kept_though_they_diverge(browser: Any, tmp_path: Path) -> None:
    fallline.explore("1000*x**2", 1.0, fallline.GradientDescent(0.1)).save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html") as opened:
        assert [entry["rate"] for entry in opened.state["entries"]] == [0.1]


def test_a_page_is_written_to_a_page(tmp_path: Path) -> None:
    with pytest.raises(fallline.FalllineError, match=r"path is '.*page\.txt'; its name must end in \.html"):
        fallline.explore("x**2").save(tmp_path / "page.txt")
    assert not list(tmp_path.iterdir())
