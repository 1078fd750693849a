"""The page in a notebook, asking Python: here the notebook is a plain page, and Python answers from the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from tests.views.browser import WatchedPage

import fallline
from fallline.explorer import answers
from fallline.explorer.answers import Answers
from fallline.explorer.page import Explorer

# What anywidget gives a widget's code: the traits, and messages to Python and from it.
NOTEBOOK = """
async (traits, code) => {
  const heard = {};
  const model = {
    get: name => traits[name],
    set: (name, value) => { traits[name] = value; heard["change:" + name]?.(); },
    save_changes: () => {},
    send: async question => {
      window.asked.push(question);
      const [answer, arrays] = await window.python(question);
      heard["msg:custom"](answer, arrays.map(array => new DataView(new Float64Array(array).buffer)));
    },
    on: (event, hear) => { heard[event] = hear; },
    off: () => {},
  };
  const { default: widget } = await import("data:text/javascript," + encodeURIComponent(code));
  Object.assign(window, { model, asked: [] });
  widget.render({ model, el: document.getElementById("output") });
}
"""


class Shown(WatchedPage):
    """An explorer in such a notebook."""

    def __init__(
        self, browser: Any, explorer: Explorer, answer: Callable[[Any], Any] | None = None, policy: str = ""
    ) -> None:
        widget = explorer.widget
        super().__init__(browser.new_page(viewport={"width": 1000, "height": 900}))

        def python(question: Any) -> Any:
            told, arrays = (answer or widget._answers.to)(question)
            known = {"kind": question["kind"], "id": question["id"]}
            return [told | known, [array.tolist() for array in arrays]]

        self.page.expose_function("python", python)
        rule = f'<meta http-equiv="Content-Security-Policy" content="{policy}">' if policy else ""
        self.page.set_content(f'{rule}<div id="output"></div>')
        traits = {name: getattr(widget, name) for name in ("html", "link", "picture", "mark")}
        code = files("fallline.explorer").joinpath("bundle/widget.js").read_text(encoding="utf-8")
        self.page.evaluate(f"([traits, code]) => ({NOTEBOOK})(traits, code)", [traits, code])
        self.inside = self.page.frame_locator("iframe")
        self.inside.locator(".start").first.wait_for()
        self.frame = self.page.frames[1]

    def runs(self) -> list[Any]:
        """The runs shown."""
        told = "fallline.race.runs.map(({run, entry}) => ({entry, x: [...run.x], value: [...run.value]}))"
        return list(self.frame.evaluate(told))

    def until(self, condition: str) -> None:
        """Wait for a condition on the page."""
        self.frame.wait_for_function(condition)

    def trait(self, name: str) -> str:
        return str(self.page.evaluate(f"model.get('{name}')"))


@pytest.fixture
def shown(browser: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Shown]]:
    # Where other tests share the cores, the clock would make the landscape coarse.
    monkeypatch.setattr(answers, "PATIENCE", 600.0)
    opened: list[Shown] = []

    def show(explorer: Explorer, answer: Callable[[Any], Any] | None = None) -> Shown:
        opened.append(Shown(browser, explorer, answer))
        return opened[-1]

    yield show
    for one in opened:
        one.page.close()
        one.check()


def bowl(x: float, y: float) -> float:
    return x**2 + 3 * y**2


def on_bowl(**settings: Any) -> Explorer:
    explorer: Explorer = fallline.explore(bowl, [1.0, 2.0], [fallline.GradientDescent(0.1)], max_steps=20, **settings)
    return explorer


def value_at(*x: float) -> str:
    """The value that the page draws at a point."""
    return f"fallline.problem.compiled.value(Float64Array.of{x})"


def falls(start: tuple[float, float], steps: int) -> np.ndarray[Any, Any]:
    """Gradient descent on the bowl at a rate of 0.1, in closed form."""
    return np.array([[0.8**k * start[0], 0.4**k * start[1]] for k in range(steps + 1)])


def test_python_runs_a_function_from_where_its_start_is_dragged(shown: Callable[..., Shown]) -> None:
    page = shown(on_bowl())
    page.until("fallline.race.runs.length === 1")
    (run,) = page.runs()
    # The runs of both are rounded differently, at each of 20 steps.
    np.testing.assert_allclose(np.reshape(run["x"], (-1, 2)), falls((1.0, 2.0), 20), rtol=1e-13)
    begun = page.inside.locator(".start").bounding_box()
    mouse = page.page.mouse
    mouse.move(begun["x"] + 14, begun["y"] + 14)
    mouse.down()
    mouse.move(begun["x"] - 100, begun["y"] + 80, steps=10)
    mouse.up()
    page.until("fallline.store.now.starts[0][0] < 0.9")
    start = page.frame.evaluate("fallline.store.now.starts[0]")
    page.until(f"fallline.race.runs[0].run.x[0] === {start[0]!r}")
    (run,) = page.runs()
    np.testing.assert_allclose(np.reshape(run["x"], (-1, 2)), falls(start, 20), rtol=1e-13)
    np.testing.assert_allclose(run["value"], [bowl(*x) for x in falls(start, 20)], rtol=1e-12)


@pytest.mark.long
def test_while_python_is_busy_only_the_last_question_waits(shown: Callable[..., Shown]) -> None:
    page = shown(on_bowl())
    page.until("fallline.race.runs.length === 1")
    asked = "asked.filter(({kind}) => kind === 'runs').length"
    before = page.page.evaluate(asked)
    # In one go, so that no answer can come between.
    page.frame.evaluate(
        "for (let k = 1; k <= 50; k++) {"
        " fallline.store.change({starts: [[1 - k / 100, 2]]}, 'drag'); fallline.draw(); }"
    )
    page.until("fallline.race.runs[0].run.x[0] === 0.5")
    assert page.page.evaluate(asked) - before == 2


@pytest.mark.long
def test_the_landscape_is_the_functions(shown: Callable[..., Shown]) -> None:
    page = shown(on_bowl(box=[(-2, 2), (-1, 3)]))
    # On a grid of 96 lines, straight lines between them are off by at most f'' d² / 8 along each axis.
    page.until(f"Math.abs({value_at(0.31, 1.23)} - {bowl(0.31, 1.23)}) < 2e-3")


@pytest.mark.long
def test_of_more_coordinates_a_slice_through_the_start_is_shown(shown: Callable[..., Shown]) -> None:
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    page = shown(
        fallline.explore(
            lambda x: (weights * x**2).sum(), [1.0, 1.0, 2.0, 1.0], ["momentum"], box=[(-2, 2), (-2, 2)], max_steps=9
        )
    )
    page.until("fallline.race.runs.length === 1")
    # Held at x2 = 2 and x3 = 1: 12 + 4 above the part that is drawn.
    page.until(f"Math.abs({value_at(1, -1, 0, 0)} - 19) < 0.01")
    page.inside.get_by_label("Coordinate drawn across").select_option("x2")
    page.until(f"Math.abs({value_at(0, -1, 1, 0)} - 10) < 0.01")


@pytest.mark.long
def test_a_curve_of_one_coordinate(shown: Callable[..., Shown]) -> None:
    page = shown(fallline.explore(lambda x: (x - 1) ** 4, 3.0, [fallline.GradientDescent(0.02)], max_steps=5))
    page.until("fallline.race.runs.length === 1")
    x, expected = 3.0, [3.0]
    for _ in range(5):
        x -= 0.02 * 4 * (x - 1) ** 3
        expected.append(x)
    np.testing.assert_allclose(page.runs()[0]["x"], expected, rtol=1e-13)


@pytest.mark.long
def test_what_python_cannot_do_is_told(shown: Callable[..., Shown]) -> None:
    page = shown(fallline.explore(lambda x, y: x**2 + y**2 if x < 3 else "much", [1.0, 2.0], ["adam"], max_steps=5))
    page.until("fallline.race.runs.length === 1")
    page.frame.evaluate("fallline.store.change({starts: [[4, 2]]})")
    notice = page.inside.get_by_role("alert").filter(has_text="it must return one number for a point")
    notice.wait_for()
    page.frame.evaluate("fallline.store.undo()")
    notice.wait_for(state="detached")


def test_the_link_goes_both_ways(shown: Callable[..., Shown]) -> None:
    page = shown(fallline.explore("x**2 + y**2", [1.0, 2.0], [fallline.GradientDescent(0.1)], max_steps=20))
    page.page.wait_for_function("model.get('link').includes('box=')")
    page.page.evaluate("model.set('link', model.get('link').replace('steps=20', 'steps=30'))")
    page.until("fallline.store.now.steps === 30 && fallline.race.runs[0].run.count === 30")
    page.frame.evaluate("fallline.store.change({starts: [[0.25, 0.5]]})")
    page.page.wait_for_function("model.get('link').includes('start=0.25,0.5')")
    assert page.trait("picture").startswith("data:image/png;base64,")


def test_a_remedy_is_set_by_a_press(shown: Callable[..., Shown]) -> None:
    # The slope of 3 y² grows by 6 for each unit, so that rates above 1/3 diverge.
    page = shown(fallline.explore(bowl, [1.0, 2.0], [fallline.GradientDescent(0.4)], max_steps=50))
    page.inside.get_by_text("The learning rate is too large").wait_for()
    page.inside.get_by_role("button", name="Apply GradientDescent").click()
    page.until("fallline.store.now.entries[0].rate < 1 / 3 && fallline.race.runs[0].run.value.at(-1) < 1e-6")
    page.frame.evaluate("fallline.store.undo()")
    assert page.frame.evaluate("fallline.store.now.entries[0].rate") == 0.4


@pytest.mark.long
def test_the_best_rate_is_found_by_python(shown: Callable[..., Shown]) -> None:
    page = shown(fallline.explore(bowl, [0.0, 2.0], [fallline.GradientDescent(0.01)], max_steps=5))
    page.inside.get_by_role("button", name="Set the best rate").first.click()
    # Along y, one step of 1/6 is all; of the rates tried 0.16 is the next to it.
    page.until("fallline.store.now.entries[0].rate === 0.16")


def two_bowls(x: float, y: float) -> float:
    return (x**2 - 1) ** 2 + y**2


@pytest.mark.long
def test_basins_of_a_python_function_are_the_librarys(shown: Callable[..., Shown]) -> None:
    box = [(-2.0, 2.0), (-1.0, 1.0)]
    page = shown(fallline.explore(two_bowls, [0.5, 0.5], [fallline.GradientDescent(0.05)], box=box, max_steps=300))
    page.inside.get_by_role("button", name="Basins").click()
    page.until("fallline.basins.map !== null")
    told = "(({side, basin, minima}) => ({side, basin: [...basin], minima: minima.map(one => [...one])}))"
    found = page.frame.evaluate(f"{told}(fallline.basins.map)")
    side = found["side"]
    middles = [(low + (high - low) / (2 * side), high - (high - low) / (2 * side)) for low, high in box]
    ours = fallline.basins(two_bowls, middles, fallline.GradientDescent(0.05), resolution=side, max_steps=300)
    assert (np.reshape(found["basin"], (side, side))[::-1] == ours.basin).all()
    np.testing.assert_allclose(found["minima"], ours.minima)


@pytest.mark.long
def test_the_rate_map_of_a_python_function_is_the_librarys(shown: Callable[..., Shown]) -> None:
    page = shown(fallline.explore(bowl, [1.0, 2.0], [fallline.Momentum(0.1)], max_steps=60))
    page.until("fallline.race.runs.length === 1")
    page.inside.get_by_role("button", name="Rate map").click()
    page.until("fallline.panels.rates.cells !== null")
    told = "(({across, up, outcome, value}) => ({across, up, outcome: [...outcome], value: [...value].map(String)}))"
    found = page.frame.evaluate(f"{told}(fallline.panels.rates.cells)")
    grid = {"learning_rate": found["across"], "momentum": found["up"]}
    ours = fallline.sweep(bowl, [1.0, 2.0], fallline.Momentum(0.1), grid, max_steps=60)
    shape = (len(found["across"]), len(found["up"]))
    assert found["outcome"] == ours.outcome.reshape(shape).T.ravel().tolist()
    value = ours.value.reshape(shape).T.ravel()
    np.testing.assert_allclose(np.array(found["value"], float), value, rtol=1e-9)


@pytest.mark.long
def test_a_step_is_explained_from_the_slopes_that_python_told(shown: Callable[..., Shown]) -> None:
    page = shown(fallline.explore(bowl, [1.0, 2.0], [fallline.Momentum(0.1, 0.5)], max_steps=20))
    page.until("fallline.race.runs.length === 1")
    page.frame.evaluate("fallline.store.change({at: 1})")
    # After the first step x is 0.8 of its start, y 0.4; the velocity is half of the first step and the rate's new one.
    table = page.inside.get_by_role("region", name="This step").locator("tbody tr")
    table.first.wait_for()
    rows = {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in table.all()}
    assert rows["at step 1"] == ["0.8", "0.8"]
    assert rows["velocity"] == ["0.26", "1.08"]


def test_python_functions_have_no_page_of_their_own(tmp_path: Any) -> None:
    with pytest.raises(fallline.FalllineError, match="bowl; a page by itself computes formulas only"):
        on_bowl().save(tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_every_rule_and_schedule_is_read_from_its_link() -> None:
    from fallline.explorer.link import link_of
    from fallline.explorer.shown import Shown as Read
    from fallline.optimizers import OPTIMIZERS

    rules = [kind(learning_rate=0.25) for kind in OPTIMIZERS.values() if _stands_alone(kind)]
    for rule in rules:
        link = link_of("x**2 + y**2", [1.0, 2.0], [rule], max_steps=7)[1]
        assert Read.of(link).rules == {0: rule}
    assert len(rules) > 20


def _stands_alone(kind: Any) -> bool:
    try:
        kind(learning_rate=0.25)
    except TypeError:
        return False
    return True


def test_a_question_that_makes_no_sense_is_answered_with_why() -> None:
    answer, arrays = Answers(None).to({"kind": "runs", "link": "f=x&start=1&steps=5&rule=nothing@paper,rate=constant"})
    assert set(answer) == {"error"}
    assert arrays == []


# Content policies as notebooks set them around a widget's frame, which inherits them: the one of VS Code's notebooks
# takes no scripts from blob addresses, but code from text; a strict one takes neither code from text nor workers.
VS_CODE = "default-src 'none'; script-src data: 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:"
STRICT = "default-src 'none'; script-src data: blob: 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; " \
    "worker-src 'none'"  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("policy", [VS_CODE, STRICT], ids=["VS Code", "strict"])
def test_the_widget_works_under_a_policy(browser: Any, policy: str) -> None:
    formula, start = "x**2 + exp(y)*y + 1", [1.0, 2.0]
    rules: list[fallline.Optimizer[Any]] = [fallline.GradientDescent(0.05), fallline.Cautious(fallline.Adam(0.1))]
    page = Shown(browser, fallline.explore(formula, start, rules, max_steps=20), policy=policy)
    for run, rule in zip(page.runs(), rules, strict=True):
        ours = fallline.minimize(formula, start, rule, max_steps=20)
        np.testing.assert_allclose(np.reshape(run["x"], (-1, 2)), ours.x, rtol=1e-12)
    page.inside.locator("input.formula").fill("(x - 1)**2 + y**2")
    page.until("fallline.race.runs[0].run.value[0] === (fallline.store.now.starts[0][0] - 1)**2 + 4")
    # What needs workers says that there are none, and all else goes on.
    page.inside.get_by_role("button", name="Basins").click()
    page.inside.get_by_text("allows no workers").wait_for()
    page.inside.get_by_role("button", name="Dismiss").click()
    page.inside.get_by_role("button", name="One step back").click()
    page.until("fallline.store.now.at === 19")
    page.page.close()
    assert [told for told in page.complaints if "Content Security Policy" not in told] == []


def test_where_no_code_may_run_the_page_says_so(browser: Any) -> None:
    policy = "script-src 'unsafe-inline' data:; style-src 'unsafe-inline'"
    page = browser.new_page()
    page.set_content(f'<meta http-equiv="Content-Security-Policy" content="{policy}"><iframe></iframe>')
    page.evaluate("html => { document.querySelector('iframe').srcdoc = html; }", fallline.explore("x**2").html)
    page.frame_locator("iframe").get_by_text("allows none of its code").wait_for()
    page.close()
