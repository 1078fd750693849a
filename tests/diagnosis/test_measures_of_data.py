"""What the checks measure of data and models, held against brute force: samples, layers, scales, the held-out curve."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.diagnosis.looks import CHECKS, found, missing, the, well_told
from tests.diagnosis.rows import clouds, line, wave

import fallline
from fallline import Adam, GradientDescent, Hinge, Huber, Linear, Logistic, Network, Poisson, Softmax, SquaredHinge
from fallline.data.rows import Rows
from fallline.diagnosis.case import Case
from fallline.diagnosis.finding import CannotCheck
from fallline.diagnosis.findings.of_data import overfitting as overfitting_file
from fallline.diagnosis.findings.of_data import unscaled as unscaled_file
from fallline.diagnosis.known import Series
from fallline.diagnosis.layers import layers_at, repeated
from fallline.diagnosis.sample import Sample, best_constant

X, Y = line(rows=60)
SURE = (Y > 0.5).astype(float)
WEIGHTS = np.linspace(0.5, 2, 60)


def share(targets: Any, predictions: Any, weights: Any) -> float:
    """The share of a variance that predictions explain."""
    mean = np.average(targets, weights=weights)
    return 1 - float(weights @ (targets - predictions) ** 2 / (weights @ (targets - mean) ** 2))


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_share_of_the_variance_that_is_explained(weights: Any) -> None:
    counted = np.ones(60) if weights is None else weights
    x = np.array([0.4, -0.2, 0.9, 1.0, 0.3])
    sample = Sample.of(Linear(X, Y, sample_weight=weights))
    predicted = X @ x[:-1] + x[-1]
    assert sample.explained(x) == pytest.approx(share(Y, predicted, counted), rel=1e-9)
    assert sample.weights.sum() == pytest.approx(1)
    assert sample.share(sample.targets) == 1
    assert sample.share(np.full((60, 1), np.inf)) == -np.inf
    for equal in (1.0, 1e6 / 3):
        assert np.isnan(Sample.of(Linear(X, np.full(60, equal), sample_weight=weights)).explained(x))
    assert sample.shortfall(x) == pytest.approx(sample.told_by_a_line - sample.explained(x))


def test_targets_are_numbers_classes_or_sides() -> None:
    x = np.zeros(5)
    assert np.array_equal(Sample.of(Linear(X, Y)).targets, Y[:, None])
    assert np.array_equal(Sample.of(Logistic(X, SURE)).targets, SURE[:, None])
    assert np.array_equal(Sample.of(Hinge(X, SURE)).targets, 2 * SURE[:, None] - 1)
    three = clouds(rows=60)
    soft = Softmax(three.X, three.y.astype(int))
    assert np.array_equal(Sample.of(soft).targets, np.eye(3)[three.y.astype(int)])
    assert Sample.of(soft).predictions(np.zeros(soft.dimension)) == pytest.approx(np.full((60, 3), 1 / 3))
    # A margin beyond 1 is as good as 1.
    far = np.array([0.0, 0, 0, 0, 7.0])
    assert np.array_equal(Sample.of(Hinge(X, SURE)).predictions(far), np.ones((60, 1)))
    assert Sample.of(Logistic(X, SURE)).predictions(x) == pytest.approx(np.full((60, 1), 0.5))


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_what_a_line_tells_is_what_it_predicts_of_rows_left_out(weights: Any) -> None:
    counted = np.ones(60) if weights is None else weights
    predicted = np.empty(60)
    A = np.column_stack([X, np.ones(60)])
    for row in range(60):
        rest = np.arange(60) != row
        root = np.sqrt(counted[rest])
        predicted[row] = A[row] @ np.linalg.lstsq(root[:, None] * A[rest], root * Y[rest])[0]
    sample = Sample.of(Linear(X, Y, sample_weight=weights))
    assert sample.told_by_a_line == pytest.approx(share(Y, predicted, counted), rel=1e-6)
    assert sample.attainable == sample.told_by_a_line


def test_what_a_line_cannot_tell() -> None:
    random = np.random.default_rng(0)
    assert Sample.of(Linear(X, random.normal(size=60))).told_by_a_line < 0.1
    # A column that does not vary tells nothing; one that is another's double changes nothing.
    known = Sample.of(Linear(X, Y)).told_by_a_line
    more = np.column_stack([X, np.ones(60), 2 * X[:, 0]])
    assert Sample.of(Linear(more, Y)).told_by_a_line == pytest.approx(known, rel=1e-6)
    assert Sample.of(Linear(np.ones((60, 1)), Y)).told == 0
    # At least three rows for each column.
    for count, told in ((12, True), (11, False)):
        assert (Sample.of(Linear(X[:count], X[:count] @ [1.0, 2, 3, 4])).told_by_a_line > 0.5) == told


def test_what_the_neighbours_tell() -> None:
    some = wave(rows=80)
    network = Network(some.X, some.y, hidden=(4,), loss="squared")
    far = np.abs(some.X - some.X.T)
    np.fill_diagonal(far, np.inf)
    nearest = np.argsort(far, axis=1)[:, :5]
    told = share(some.y, some.y[nearest].mean(axis=1), np.ones(80))
    sample = Sample.of(network)
    assert sample.told == pytest.approx(max(told, sample.told_by_a_line), rel=1e-9)
    assert sample.told > sample.told_by_a_line
    assert sample.attainable == sample.told
    # A model of a line can learn only what a line tells.
    assert Sample.of(Linear(some.X, some.y)).attainable == sample.told_by_a_line
    # So few rows can be learnt by heart, if no two are alike.
    assert Sample.of(Network(X[:10], Y[:10], hidden=(2,), loss="squared")).told == 1
    twice = np.concatenate([X[:5], X[:5]])
    assert Sample.of(Network(twice, Y[:10], hidden=(2,), loss="squared")).told < 1


def test_a_sample_is_of_rows_that_count_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    loss = Linear(X, np.arange(60.0), sample_weight=(np.arange(60) % 3 > 0).astype(float))
    sample = Sample.of(loss, most=25)
    assert len(sample.rows) == 25
    assert (np.diff(sample.rows.y) > 0).all()
    assert (sample.rows.y % 3 > 0).all()
    assert np.array_equal(sample.rows.X, X[sample.rows.y.astype(int)])
    assert np.array_equal(Sample.of(loss, most=25).rows.y, sample.rows.y)
    assert len(Sample.of(loss, most=400).rows) == 40
    assert len(Sample.of(loss, most=0).rows) == 1
    # Of so many numbers altogether, of which a row has four.
    monkeypatch.setattr("fallline.diagnosis.sample.NUMBERS", 103)
    assert len(Sample.of(loss).rows) == 25


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_best_constant_prediction(weights: Any) -> None:
    counted = np.ones(60) if weights is None else weights
    mean, sure = (float(np.average(values, weights=counted)) for values in (Y, SURE))
    counts = np.floor(np.abs(3 * Y))
    for loss, constant, value in [
        (Linear(X, Y, sample_weight=weights), mean, np.average((Y - mean) ** 2, weights=counted) / 2),
        (
            Logistic(X, SURE, sample_weight=weights),
            np.log(sure / (1 - sure)),
            -sure * np.log(sure) - (1 - sure) * np.log(1 - sure),
        ),
        (Poisson(X, counts, sample_weight=weights), np.log(np.average(counts, weights=counted)), None),
    ]:
        assert best_constant(loss, counted) == pytest.approx(constant, abs=1e-9)
        if value is not None:
            assert Sample.of(loss).baseline == pytest.approx(value, rel=1e-9)
    three = clouds(rows=60)
    soft = Softmax(three.X, three.y.astype(int))
    assert Sample.of(soft).baseline == pytest.approx(np.log(3))
    net = Network(X, Y, hidden=(2,), loss="squared", sample_weight=weights)
    assert Sample.of(net).baseline == pytest.approx(np.average((Y - mean) ** 2, weights=counted) / 2, rel=1e-9)
    summed = Sample.of(Linear(X, Y, reduction="sum")).baseline
    assert summed == pytest.approx(60 * np.var(Y) / 2, rel=1e-9)
    far = Linear(X, 1000 + Y)
    assert best_constant(far, np.ones(60)) == pytest.approx(1000 + Y.mean(), rel=1e-9)


def test_what_a_hinge_is_surer_of_than_its_margin_is_no_nearer_to_the_class() -> None:
    for loss in (Hinge([[-3.0], [0.5], [2.0]], [0, 1, 1]), SquaredHinge([[-3.0], [0.5], [2.0]], [0, 1, 1])):
        sample = Sample.of(loss)
        assert sample.targets[:, 0].tolist() == [-1, 1, 1]
        assert sample.predictions(np.array([1.0, 0.0]))[:, 0].tolist() == [-1, 0.5, 1]


# Layers


def test_units_that_nothing_reaches() -> None:
    z = np.linspace(-1, 1, 41)[:, None]
    for activation, dead in (("relu", 0.95), ("tanh", 0.8)):
        network = Network(z, z[:, 0], hidden=(3,), loss="squared", activation=activation)
        x = network.flat([([[1.0], [1.0], [0.0]], [0.0, -30.0, 30.0]), ([[1.0, 1.0, 1.0]], [0.0])])
        layers = layers_at(network, Rows(network.X, network.y), x)
        last = 0.0 if activation == "relu" else 1.0
        # The first is inactive where z is below 0, and at 0 itself, or nowhere.
        assert layers.inactive[0] == pytest.approx([21 / 41 if activation == "relu" else 0, 1, last])
        assert layers.of_rows == dead
        assert layers.dead == [pytest.approx(1 / 3 if activation == "relu" else 2 / 3)]


def test_a_unit_is_flat_below_a_hundredth_of_the_steepest_slope() -> None:
    # The slope of the logistic function is 1/4 at 0, and a hundredth of that at ln(398) = 5.99 from it.
    network = Network([[5.9], [6.1]], [0.0, 1.0], hidden=(1,), loss="squared", activation="sigmoid")
    x = network.flat([([[1.0]], [0.0]), ([[1.0]], [0.0])])
    assert layers_at(network, Rows(network.X, network.y), x).inactive[0] == 0.5


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_gradient_of_each_layer(weights: Any) -> None:
    network = Network(X, Y, hidden=(4, 3), loss="squared", activation="tanh", sample_weight=weights)
    x = network.initial(0)
    layers = layers_at(network, Rows(network.X, network.y, weights), x)
    of_layers = network.layers(network.gradient(x))
    norms = [np.linalg.norm(layer.W) for layer in of_layers]
    assert layers.gradients == pytest.approx(norms, rel=1e-9)
    first, second, _ = network.layers(x)
    inside = [X, a := np.tanh(X @ first.W.T + first.b), np.tanh(a @ second.W.T + second.b)]
    sizes = [_size(part) for part in inside]
    assert layers.signals == pytest.approx(np.array(norms) / sizes, rel=1e-9)


def _size(part: Any) -> float:
    """The root of the mean over rows of the sum of squares over units."""
    return float(np.sqrt((part**2).sum(axis=1).mean()))


def test_units_that_are_alike() -> None:
    network = Network(X, Y, hidden=(3, 2), loss="squared")
    x = network.initial(0)
    assert repeated(network, x, 1e-9) == [0, 0]
    first, second, third = network.layers(x.copy())
    W, b = first.W.copy(), first.b.copy()
    W[2], b[2] = W[0], b[0]
    alike = network.flat([(W, b), (second.W, second.b), (third.W, third.b)])
    assert repeated(network, alike, 1e-9) == [1, 0]
    # Another bias is another unit.
    b[2] += 0.1
    assert repeated(network, network.flat([(W, b), (second.W, second.b), (third.W, third.b)]), 1e-9) == [0, 0]
    b[2] -= 0.1 + 1e-6 * abs(W).max()
    near = network.flat([(W, b), (second.W, second.b), (third.W, third.b)])
    assert repeated(network, near, 1e-9) == [0, 0]
    assert repeated(network, near, 1e-5) == [1, 0]


# Scales


@pytest.mark.parametrize(("times", "told"), [(95, False), (105, True)])
def test_columns_differ_by_a_factor_of_a_hundred(times: float, told: bool) -> None:
    sizes = np.array([1.0, times, 1.0, 1.0])
    loss = Linear(X * sizes, Y)
    run = fallline.minimize(loss, np.zeros(5), GradientDescent(1 / loss.smoothness()), max_steps=50)
    finding = found("unscaled", run)
    assert (finding is not None) == told
    if finding is not None:
        assert finding.numbers["spread"] == pytest.approx(times, rel=1e-6)
        assert finding.numbers["largest"] == pytest.approx(times, rel=1e-6)
        assert "The column x2 has mean " in finding.evidence
        assert f"deviation {times:.3g}" in finding.evidence
        assert finding.title.endswith(f"sizes from 1 to {times:.2g}")


def test_the_part_of_the_fall_that_is_ahead() -> None:
    sizes = np.array([1.0, 300.0, 1.0, 1.0])
    for loss in (Linear(X * sizes, Y), Linear(X * sizes, Y, l2=0.1), Linear(X * sizes, Y, reduction="sum")):
        run = fallline.minimize(loss, np.zeros(5), GradientDescent(1 / loss.smoothness()), max_steps=50)
        # A quadratic is solved at once.
        x, size = run.final.x, len(run.final.x)
        hessian = np.array([loss.gradient(x + e) - loss.gradient(x) for e in np.eye(size)])
        least = float(loss.value(x - np.linalg.solve(hessian, loss.gradient(x))))
        left = (run.final.value - least) / (run.start.value - least)
        finding = the("unscaled", run)
        assert f"{left:.0%} of the possible fall of the loss was still ahead at step 50." in finding.evidence


COUNTS = np.floor(np.abs(3 * Y))


@pytest.mark.parametrize("settings", [{}, {"l2": 0.1}, {"reduction": "sum"}, {"sample_weight": WEIGHTS}])
@pytest.mark.parametrize(
    ("model", "targets"), [(Linear, Y), (Logistic, SURE), (Poisson, COUNTS), (Huber, Y), (fallline.SquaredHinge, SURE)]
)
def test_the_part_that_is_ahead_is_newtons_decrement(model: Any, targets: Any, settings: dict[str, Any]) -> None:
    # A column that does not vary is a second intercept.
    columns = np.column_stack([X * [1.0, 30.0, 1.0, 1.0], np.full(60, 2.0)])
    loss = model(columns, targets, **settings)
    # The slope of an exponential has no largest change.
    rate = 0.1 / min(loss.smoothness(), 6e4)
    start = np.array([0.3, 0.02, -0.3, 0.2, 0.1, 0.1])
    path = fallline.minimize(loss, start, GradientDescent(rate), max_steps=20)
    x = path.final.x
    gradient, size = loss.gradient(x), 1e-5
    hessian = np.array([loss.gradient(x + size * e) - loss.gradient(x - size * e) for e in np.eye(6)]) / (2 * size)
    if settings.get("l2"):  # which the check leaves out for a column that does not vary
        gradient[4] -= 0.1 * x[4]
        hessian[4, 4] -= 0.1
    ahead = 0.5 * gradient @ np.linalg.pinv(hessian, rcond=1e-7) @ gradient
    fallen = path.start.value - path.final.value
    assert unscaled_file._left(Case.of(path)) == pytest.approx(ahead / (fallen + ahead), rel=2e-3)


def test_what_is_ahead_where_there_is_no_hessian_is_the_shortfall() -> None:
    three = clouds(rows=60)
    soft = Softmax(three.X, three.y.astype(int))
    network = Network(X, Y, hidden=(2,), loss="squared")
    many = Linear(np.random.default_rng(0).normal(size=(20, 101)), Y[:20])
    for loss in (soft, network, many):
        start = loss.initial(0) if isinstance(loss, Network) else np.zeros(loss.dimension)
        case = Case.of(fallline.minimize(loss, start, GradientDescent(1e-3), max_steps=5))
        assert unscaled_file._left(case) == case.shortfall
        # Of a model whose minimum is known to be reached, nothing is left, whatever it explains.
        stop = dataclasses.replace(case.run.stop, converged=True)
        ended = Case.of(dataclasses.replace(case.run, stop=stop))
        assert unscaled_file._left(ended) == (case.shortfall if isinstance(loss, Network) else 0)
    # At the minimum from the start nothing fell, and nothing is ahead.
    assert unscaled_file._left(Case.of(fallline.minimize(Linear(X, 0 * Y), np.zeros(5), Adam(0.1), max_steps=5))) == 0
    # Without a curvature there is no way to tell.
    flat = Case.of(fallline.minimize(Hinge(X, SURE), np.zeros(5), GradientDescent(1e-3), max_steps=5))
    assert unscaled_file._left(flat) == flat.shortfall


@pytest.mark.parametrize(
    ("rule", "free"),
    [
        (GradientDescent(0.1), False),
        (fallline.Momentum(0.1), False),
        (Adam(0.1), True),
        (fallline.SignDescent(0.1), True),
        (fallline.AdamW(0.1, weight_decay=5.0), True),  # from 0 there is nothing to decay
        (fallline.AdaGrad(0.1), True),
        (fallline.RMSProp(0.1, beta=0.9), False),  # whose first steps are 1 / √0.1
        (fallline.RMSProp(0.1, beta=0.5), True),
        (fallline.ClipValue(GradientDescent(0.1), limit=1.0), True),
        (fallline.ClipValue(GradientDescent(0.1), limit=0.2), False),
        (fallline.ClipValue(GradientDescent(0.1), limit=4.0), False),
    ],
)
def test_steps_of_the_rates_length(rule: Any, free: bool) -> None:
    assert unscaled_file._is_scale_free(rule, Linear(X, Y)) == free


def reach(loss: Any, rule: Any = None, **changed: Any) -> float:
    path = fallline.minimize(loss, np.zeros(5), rule or Adam(0.1), max_steps=4)
    return unscaled_file._reach(Case.of(dataclasses.replace(path, **changed)))


def test_a_reach_without_bound() -> None:
    loss = Linear(X, Y)
    assert reach(loss) == pytest.approx(0.4)
    assert reach(loss, GradientDescent(0.1)) == np.inf
    assert reach(loss, rule=Adam(0.1), rate=np.array([0.1, 0.1, np.nan, 0.1, 0.1])) == np.inf
    assert reach(loss, rate=np.array([0.1, 0.1, 0.1, 0.1, np.nan])) == pytest.approx(0.4)
    # Huber's slope is at most delta times the sum of the rows' weights, which is 1 of a mean.
    assert reach(Huber(X, Y, delta=2.0), GradientDescent(0.1)) == pytest.approx(0.8)
    assert reach(Huber(X, Y, "sum", delta=2.0), GradientDescent(0.1)) == np.inf
    assert reach(Huber(X, Y, delta=2.0)) == pytest.approx(0.4)


def judged(loss: Any, rule: Any, steps: int, shortfall: float, broke_out: int | None) -> Any:
    """What is told of a run that left so much to explain, and whose value rose from 2 to 9 after a step, or fell."""
    path = fallline.minimize(loss, np.zeros(loss.dimension), rule, max_steps=steps, stop=fallline.Target(-1.0))
    row = np.arange(steps + 1)
    value = np.where(row > (steps if broke_out is None else broke_out), 9.0, 2 - 0.1 * row)
    case = Case.of(dataclasses.replace(path, value=value))
    vars(case)["shortfall"] = shortfall
    finding = CHECKS["unscaled"].find(case)
    return None if finding is None else well_told(finding, "unscaled")


def targets(
    y: Any, shortfall: float = 0.2, broke_out: int | None = None, network: bool = False, reach: float = np.inf
) -> Any:
    """What is told of these targets, by ten steps that reach so far."""
    loss = Network(X, y, hidden=(2,), loss="squared") if network else Linear(X, y)
    rule = Adam(reach / 10) if np.isfinite(reach) else GradientDescent(1e-9)
    return judged(loss, rule, 10, shortfall, broke_out)


SIDES = np.resize([1.0, -1.0], 60)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        # A constant beyond 10 that the steps do not reach, where a tenth is left to explain or the run broke out.
        ({"y": 10.1 + SIDES, "reach": 10.0}, True),
        ({"y": 10.1 + SIDES, "reach": 10.2}, False),
        ({"y": 9.9 + SIDES, "reach": 9.0}, False),
        ({"y": -10.1 + SIDES, "reach": 10.0}, True),
        ({"y": 10.1 + SIDES, "reach": 10.0, "shortfall": 0.11}, True),
        ({"y": 10.1 + SIDES, "reach": 10.0, "shortfall": 0.09}, False),
        ({"y": 10.1 + SIDES, "reach": 10.0, "shortfall": 0.09, "broke_out": 3}, True),
        # Of a network, those of a size of 30: √(18² + 24²).
        ({"y": 18 + 24.1 * SIDES, "network": True}, True),
        ({"y": 18 + 23.9 * SIDES, "network": True}, False),
        ({"y": 18 + 24.1 * SIDES, "network": True, "shortfall": 0.09}, False),
        ({"y": 18 + 24.1 * SIDES}, False),
        ({"y": 10.1 + SIDES, "reach": 10.0, "network": True}, True),
    ],
)
def test_which_targets_are_not_scaled(known: dict[str, Any], told: bool) -> None:
    assert (targets(**known) is not None) == told


def test_targets_of_a_model_of_counts_need_no_scale() -> None:
    # The best constant, ln(3e4) = 10.3, is beyond 10, and the steps reach 5.
    assert judged(Poisson(X, 3e4 + COUNTS), Adam(0.5), 10, 0.2, None) is None
    assert targets(10.3 + SIDES, reach=5.0) is not None


def test_what_is_told_of_targets() -> None:
    far = targets(20 + SIDES, reach=8.0, broke_out=5)
    assert far.title == "The targets are not scaled: their mean is 20, their deviation 1"
    assert far.evidence.startswith("The targets have mean 20 and deviation 1. All 10 steps together can move the")
    assert "explains 0% of their variance" in far.evidence
    assert "too short for a way" in far.cause
    assert far.since == 5
    scaling, faster = far.remedies
    assert "y.std()" in scaling.text
    assert faster.settings["optimizer"] == Adam(6.0)  # thrice the way
    assert far.numbers == pytest.approx({"mean": 20, "deviation": 1, "reach": 8})
    # A hundred times the rate is not offered.
    assert len(targets(20 + SIDES, reach=0.61).remedies) == 2
    assert len(targets(20 + SIDES, reach=0.59).remedies) == 1
    large = targets(40 + SIDES, network=True)
    assert large.evidence.startswith("The targets have mean 40 and deviation 1. The model explains")
    assert "grow with the targets" in large.cause
    assert (large.since, len(large.remedies)) == (0, 1)


def features(columns: Any, left: float = 1.0, broke_out: int | None = None, network: bool = False) -> Any:
    """What is told of these columns of 60 rows, where this part of the fall is left after seven steps."""
    columns = np.column_stack([columns])
    loss = Network(columns, Y, hidden=(2,), loss="squared") if network else Linear(columns, Y)
    return judged(loss, GradientDescent(1e-12), 7, left, broke_out)


TURNS = np.resize([1.0, -1.0, 0.0], 60) * np.sqrt(1.5)
WIDE = np.random.default_rng(0).normal(size=(60, 101))


@pytest.mark.parametrize(
    ("known", "told"),
    [
        # Sizes differ by a factor of a hundred, also from that of the column of ones.
        ({"columns": 101 * TURNS, "network": True}, True),
        ({"columns": 99 * TURNS, "network": True}, False),
        ({"columns": 0.0099 * TURNS, "network": True}, True),
        ({"columns": 0.0101 * TURNS, "network": True}, False),
        ({"columns": np.column_stack([11 * TURNS, 0.1 * TURNS]), "network": True}, True),
        ({"columns": np.column_stack([9 * TURNS, 0.1 * TURNS]), "network": True}, False),
        # Far from zero a column has a size, too.
        ({"columns": 101 + TURNS, "network": True}, True),
        ({"columns": 99 + TURNS, "network": True}, False),
        # What is 0 in nine of ten rows is one of many that take turns.
        ({"columns": np.where(np.arange(60) < 7, 1e4 * Y, 0), "network": True}, True),
        ({"columns": np.where(np.arange(60) < 6, 1e4 * Y, 0), "network": True}, False),
        # Of a network a tenth is left to explain, of any other model a twentieth of the fall.
        ({"columns": 101 * TURNS, "network": True, "left": 0.11}, True),
        ({"columns": 101 * TURNS, "network": True, "left": 0.09}, False),
        ({"columns": 400 * WIDE, "left": 0.06}, True),
        ({"columns": 400 * WIDE, "left": 0.04}, False),
        # Where the run broke out, a column is of a size of 10.
        ({"columns": 0.09 * TURNS + 9.5, "broke_out": 3}, False),
        ({"columns": 0.09 * TURNS + 10.5, "broke_out": 3}, True),
    ],
)
def test_which_features_are_not_scaled(known: dict[str, Any], told: bool) -> None:
    assert (features(**known) is not None) == told


def test_columns_whose_deviation_is_infinite() -> None:
    loss = Linear(np.column_stack([1e200 * TURNS, TURNS]), Y)
    scales = unscaled_file._scales(Case.of(fallline.minimize(loss, np.zeros(3), Adam(0.1), max_steps=1)))
    assert scales is not None
    assert scales.size.tolist() == pytest.approx([np.inf, 1])
    assert scales.names == ("x1", "x2")


def test_what_is_told_of_features() -> None:
    columns = np.column_stack([3 + 4 * TURNS, 500 * TURNS, np.full(60, 7.0), 0.2 + 0.5 * TURNS])
    finding = features(columns, network=True, left=0.25)
    assert finding.title == "The features are not scaled: sizes from 0.5 to 5e+02"
    assert finding.evidence.startswith(
        "The column x2 has mean 0 and deviation 500, x4 mean 0.2 and deviation 0.5; the intercept has a column of ones."
    )
    assert finding.evidence.endswith("25% of the possible fall of the loss was still ahead at step 7.")
    assert "up to 1e+06-fold" in finding.cause
    assert finding.numbers == pytest.approx({"largest": 500, "smallest": 0.5, "spread": 1000})
    assert finding.since == 0
    alone = features(500 * TURNS, broke_out=4)
    assert alone.evidence.startswith("The column x1 has mean 0 and deviation 500; the intercept")
    assert alone.evidence.endswith("The loss rose from 2 to 9.")
    assert alone.since == 4


def test_columns_that_are_no_scale() -> None:
    # Of two values, mostly zero, or constant.
    odd = {"two": 500.0 * SURE, "zero": np.where(np.arange(60) < 5, 1000 * Y, 0), "same": np.full(60, 700.0)}
    for name, column in odd.items():
        loss = Linear(np.column_stack([X, column]), Y)
        run = fallline.minimize(loss, np.zeros(6), GradientDescent(1 / loss.smoothness()), max_steps=50)
        assert found("unscaled", run) is None, name
    assert found("unscaled", fallline.minimize(Linear(X[:9] * 500, Y[:9]), np.zeros(5), "adam", max_steps=9)) is None


def test_a_run_that_broke_out_tells_since_when() -> None:
    loss = Linear(X * [1.0, 300.0, 1.0, 1.0], Y)
    # The first steps fall, at a tenth of the limit; then the rate goes beyond it.
    rule = GradientDescent(fallline.PiecewiseConstant(0.1 / loss.smoothness(), milestones=(7,), parts=(100.0,)))
    finding = the("unscaled", fallline.minimize(loss, np.zeros(5), rule, max_steps=30))
    assert 5 <= finding.since <= 7
    assert "The loss rose from " in finding.evidence


@pytest.mark.parametrize(
    ("values", "since"),
    [
        ([5, 4, 4, 3, 6, 7], 3),
        ([5, 4, 6, 3, 6, 7], 1),
        ([5, 4, 4, 3, np.nan], 3),
        ([5, 4, 6, 5], None),
        ([5, np.nan, 4, 3], None),
        ([5, 4, 6, 5.1], 1),
    ],
)
def test_when_the_loss_first_rose_in_a_run_that_broke_out(values: list[float], since: int | None) -> None:
    case = Case({"value": Series(np.arange(len(values)), np.array(values, float))})
    assert unscaled_file._breaks_out(case) == since


def test_named_columns_are_named() -> None:
    data = {"length": X[:, 0], "price": 5000 * X[:, 1], "y": Y}
    fit = fallline.fit(data, "y", model="linear", standardize=False, optimizer=GradientDescent(1e-8), max_steps=20)
    finding = the("unscaled", fit)
    assert "The column price has mean" in finding.evidence
    assert ", length mean" in finding.evidence


@pytest.mark.parametrize(
    ("loss", "rule", "reach"),
    [
        (Linear(X, 1000 + Y), Adam(0.01), 0.01 * 40),
        (Huber(X, 1000 + Y, delta=2.0), GradientDescent(0.1), 0.1 * 2 * 40),
        (
            Linear(X, 1000 + Y),
            fallline.SignDescent(fallline.PiecewiseConstant(0.1, milestones=(20,), parts=(0.5,))),
            3.0,
        ),
    ],
)
def test_how_far_bounded_steps_reach(loss: Any, rule: Any, reach: float) -> None:
    for record in ("all", 4):
        finding = the("unscaled", fallline.minimize(loss, np.zeros(5), rule, max_steps=40, record=record))
        assert finding.since == 0
        assert finding.numbers["reach"] == pytest.approx(reach)
        assert finding.numbers["mean"] == pytest.approx(np.mean(1000 + Y))
        assert finding.numbers["deviation"] == pytest.approx(np.std(Y))
        assert f"All 40 steps together can move the intercept by {reach:.3g} at most." in finding.evidence
        # Fewer than a hundred times the rate would do for none of these.
        assert len(finding.remedies) == 1


def test_a_rate_that_would_reach_is_offered() -> None:
    run = fallline.minimize(Linear(X, 50 + Y), np.zeros(5), Adam(0.1), max_steps=100)
    finding = the("unscaled", run)
    # Three times the way, which is 10 steps' of the length of the rate.
    assert finding.remedies[1].settings["optimizer"] == Adam(float(f"{0.1 * 3 * (50 + Y.mean()) / 10:.2g}"))


# The held-out curve


def held(values: Any, training: Any = None, **settings: Any) -> Case:
    """A case of a run with this held-out curve, at every step."""
    values = np.asarray(values, float)
    training = np.linspace(2, 1, len(values)) if training is None else np.asarray(training, float)
    run = fallline.minimize("x**2", 1.0, GradientDescent(1e-4), max_steps=len(values) - 1)
    case = Case.of(dataclasses.replace(run, value=training))
    return dataclasses.replace(case, series={**case.series, "held_out": Series(run.steps, values)}, **settings)


def rising(rise: float, since: int = 50, rows: int = 101) -> Any:
    """A curve that falls to 1, and rises from there to the end."""
    t = np.arange(rows)
    return 1 + np.where(t < since, 0.01 * (since - t), rise * (t - since) / (rows - 1 - since))


def overfits(case: Case) -> Any:
    return overfitting_file.overfitting.find(case)


def test_an_overfitted_curve() -> None:
    finding = overfits(held(rising(0.5)))
    assert (finding.since, finding.steps) == (50, (50,))
    assert finding.title == "Overfitting since step 50"
    assert (finding.numbers["lowest"], finding.numbers["last"]) == (1, 1.5)
    # The median of the last tenth of 101 rows.
    assert finding.numbers["rise"] == pytest.approx(0.5 * 45.5 / 50)
    assert "from 1 at step 50 to 1.5 at step 100" in finding.evidence
    assert "the training loss fell from 1.5 to 1." in finding.evidence
    assert finding.remedies[0].settings == {"max_steps": 50}


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (held(rising(0.12)), True),
        (held(rising(0.10)), False),  # by medians less than a tenth of the minimum
        (held(rising(0.5, since=79)), True),
        (held(rising(0.5, since=81)), False),  # in the last fifth
        (held(rising(0.5), np.linspace(1.055 / 0.95, 1, 101)), True),  # it falls by more than a twentieth since
        (held(rising(0.5), np.linspace(1.10, 1, 101)), False),
        (held([1.2, 1.0, 1.1, 1.2, 1.35, 1.5]), True),
    ],
)
def test_what_counts_as_overfitting(case: Case, told: bool) -> None:
    assert (overfits(case) is not None) == told


@pytest.mark.parametrize(("errors", "told"), [(1.64, False), (1.65, True)])
def test_jumps_of_the_curve_are_its_error(errors: float, told: bool) -> None:
    # By turns above and below 5, where it ends, with a dip of 1; 1.4826 times the median jump is their deviation.
    jump = 1 / (1.4826 * errors)
    curve = 5 + jump / 2 * np.where(np.arange(201) % 2, 1, -1)
    curve[60] = 4
    assert (overfits(held(curve)) is not None) == told


def test_what_cannot_be_told_of_a_curve() -> None:
    for curve in (rising(0.5)[:4], np.where(np.arange(101) == 3, np.nan, rising(0.5))):
        with pytest.raises(CannotCheck, match=r"^a held-out loss at more steps$"):
            overfits(held(curve))
    run = fallline.minimize("x**2", 1.0, GradientDescent(0.1), max_steps=5)
    assert missing("overfitting", run) == "a held-out loss"


def test_a_fit_is_offered_a_penalty_of_ten_times_its_own() -> None:
    for l2, offered in ((0.0, 0.01), (0.003, 0.03)):
        fit = fallline.fit({"x": X[:, 0], "y": Y}, "y", model="linear", l2=l2, max_steps=50, holdout=0.3)
        case = Case.of(fit)
        stopping, penalty = overfitting_file._remedies(case, 12)
        assert stopping.settings == {"max_steps": 12, "epochs": None}
        assert penalty.settings == {"l2": pytest.approx(offered)}


def test_the_penalty_is_no_part_of_the_curves() -> None:
    fit = fallline.fit({"x": X[:, 0], "y": Y}, "y", model="linear", l2=0.5, max_steps=50, holdout=0.3)
    case = Case.of(fit)
    steps = np.array([0, 10, 20])
    bare = overfitting_file._without_penalty(case, Series(steps, np.ones(3)))
    weights = fit.trajectory.x[steps][:, 0]
    assert bare.values == pytest.approx(1 - 0.25 * weights**2)


def test_rows_held_out_are_paired_with_themselves() -> None:
    data = {"a": X[:, 0], "b": X[:, 1], "y": np.where(SURE > 0, "yes", "no")}
    fit = fallline.fit(data, "y", holdout=0.5, max_steps=50, optimizer=GradientDescent(1.0), seed=1)
    case = Case.of(fit)
    error, better = overfitting_file._paired(case, 5, 50)
    assert fit.held_out is not None
    rows = next(fit.held_out.blocks())
    first, middle, last = (fit.trajectory.x[step] for step in (5, 27, 50))
    log_losses = []
    answers = []
    for x in (first, middle, last):
        z = rows.X @ x[:-1] + x[-1]
        sides = 2 * rows.y - 1
        log_losses.append(np.log1p(np.exp(-sides * z)))
        answers.append((z > 0) == (rows.y > 0))
    change = log_losses[2] - log_losses[0]
    assert error == pytest.approx(change.std() / np.sqrt(len(change)), rel=1e-9)
    right = answers[2].sum() - answers[1].sum()
    assert better == (right > np.sqrt((answers[1] != answers[2]).sum()))
    assert overfitting_file._paired(held(rising(0.5)), 5, 50) == (0.0, False)
    assert overfitting_file._paired(Case.of(fallline.fit(data, "y", max_steps=9)), 2, 9) == (0.0, False)


@pytest.mark.parametrize(
    ("begin", "end", "better"),
    [
        # Of n answers that change, √n more may be right by chance: one of one, and not two of two.
        (20, 19, False),
        (20, 18, True),
        (18, 20, False),
        (18, 18, False),
    ],
)
def test_more_right_answers_than_by_chance(begin: int, end: int, better: bool) -> None:
    rows = Rows(np.arange(20.0)[:, None], np.ones(20))
    # Right are the rows above the place at which the answer turns.
    points = np.array([[1.0, -5.5], [1.0, 0.5 - begin], [1.0, 0.5 - end]])
    losses = [np.log1p(np.exp(-rows.X[:, 0] - b)) for b in points[[0, 2], 1]]
    reductions: Any = {"mean": 1, "sum": 20}
    for reduction, whole in reductions.items():
        case: Any = SimpleNamespace(data=Logistic(rows.X, np.arange(20) % 2, reduction=reduction))
        case.run = SimpleNamespace(x=points, steps=np.array([10, 15, 21]))
        case.fit = SimpleNamespace(held_out=SimpleNamespace(blocks=lambda: iter([rows])))
        error, told = overfitting_file._paired(case, 10, 21)
        assert told == better
        assert error == pytest.approx(whole * np.std(losses[1] - losses[0]) / np.sqrt(20), rel=1e-9)


def test_right_answers_of_every_kind_of_model() -> None:
    three = clouds(rows=60)
    for loss in (Logistic(X, SURE), Hinge(X, SURE)):
        # With no parameters every row is on the line, and of the first class.
        for x in (np.array([1.0, -1, 0.5, 1, 0.2]), np.zeros(5)):
            right = overfitting_file._right(loss, X, SURE, x)
            assert np.array_equal(right, ((X @ x[:-1] + x[-1] > 0) == (SURE > 0)).astype(float))
    soft = Softmax(three.X, three.y.astype(int))
    W = np.random.default_rng(0).normal(size=soft.dimension)
    right = overfitting_file._right(soft, three.X, three.y, W)
    assert np.array_equal(right, (soft.predict(three.X, W).argmax(axis=1) == three.y).astype(float))
