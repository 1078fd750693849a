"""The graph of the chain rule."""

from __future__ import annotations

import itertools

import pytest
from matplotlib.figure import Figure
from tests.cases import few

from fallline import chain_rule
from fallline.errors import FalllineError
from fallline.views import ChainGraph, chain_data, plot_chain

CASES = {
    "u = 2*x**2 - x - 2; y = 3*u + 1": 1,
    "u = 3*a**2 - 2*a + b**2 + 1; y = 2*u + c": 3,
    "u = x*y; v = sin(u) - 3*x; z = u*v + exp(-x)": 2,
    "s = w1*x1 + w2*x2 + b; p = 1/(1+exp(-s)); loss = (p - t)**2/2": 6,
    "u = a + b; v = b*c; w = sqrt(abs(c)) + max(d, g); f = u*v*w + tanh(a)": 5,
}


def graph_of(text: str) -> ChainGraph:
    return chain_data(chain_rule(text, [0.5 + 0.25 * i for i in range(CASES[text])]))


@pytest.mark.parametrize("text", CASES)
def test_arrows_lead_from_left_to_right_and_around_the_boxes(text: str) -> None:
    graph = graph_of(text)
    boxes: dict[tuple[float, float], str] = {(node.column, node.row): node.name for node in graph.nodes}
    assert len(boxes) == len(graph.nodes)
    for edge in graph.edges:
        assert [b[0] - a[0] for a, b in itertools.pairwise(edge.places)] == [1] * (len(edge.places) - 1)
        assert (boxes[edge.places[0]], boxes[edge.places[-1]]) == (edge.by, edge.of)
        assert not any(place in boxes for place in edge.places[1:-1])


def test_coordinates_stand_on_the_left_with_their_slopes() -> None:
    graph = graph_of("u = 3*a**2 - 2*a + b**2 + 1; y = 2*u + c")
    assert {node.name for node in graph.nodes if node.column == 0} == {"a", "b", "c"}
    # dy/da = 2 (6 a - 2) at a = 0.5.
    assert graph.slopes["a"] == r"$\frac{d y}{d a} = 2$"
    assert {edge.text for edge in graph.edges if edge.by == "b"} == {r"$\partial u / \partial b = 2 b = 1.5$"}


def test_no_two_boxes_or_factors_lie_on_one_another() -> None:
    for text, count in CASES.items():
        figure = plot_chain(chain_rule(text, [0.5 + 0.25 * i for i in range(count)]))
        figure.draw_without_rendering()
        drawn = [note for note in figure.axes[0].texts if note.get_text()]
        frames = [note.get_window_extent() for note in drawn]
        for (one, first), (other, second) in itertools.combinations(zip(drawn, frames, strict=True), 2):
            assert not first.overlaps(second), (text, one.get_text(), other.get_text())
        page = figure.bbox
        assert all(page.containsx(f.x0) and page.containsx(f.x1) for f in frames), text


def test_two_arrows_without_need_do_not_cross() -> None:
    graph = chain_data(chain_rule("u = a*c; v = b*d; f = u + v", [1, 2, 3, 4]))
    rows = {node.name: node.row for node in graph.nodes}
    assert (rows["a"] < rows["b"]) == (rows["c"] < rows["b"]) == (rows["u"] < rows["v"])


@pytest.mark.parametrize(
    "part", few(["sin(x)", "exp(-x)", "sqrt(x**2 + 1)", "abs(x)", "max(x, y)", "sign(x)", "x**(1/3)", "asin(x)"], 3)
)
def test_every_function_is_written_in_a_way_that_can_be_drawn(part: str) -> None:
    plot_chain(chain_rule(f"u_1 = {part} + y; alpha = u_1**2; alpha*x", [0.5, -1.0])).draw_without_rendering()


def test_it_is_drawn_on_the_callers_axes_and_into_files_that_are_pictures() -> None:
    figure = Figure()
    chain = chain_rule("x**2", 1)
    assert plot_chain(chain, ax=figure.add_subplot()) is figure
    with pytest.raises(FalllineError, match=r"path is 'chain\.pgn'"):
        chain.plot("chain.pgn")
