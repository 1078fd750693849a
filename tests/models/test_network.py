from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import fallline
from fallline.errors import FalllineError
from fallline.models import Linear, Network, Softmax
from fallline.models.activations import ACTIVATIONS

X = np.random.default_rng(0).normal(size=(12, 3))
LABELS = np.arange(12) % 3
NUMBERS = np.random.default_rng(1).normal(size=12)


def test_the_value_is_the_derivation_row_by_row() -> None:
    network = Network(X, NUMBERS, hidden=(4, 2), activation="tanh", loss="squared", reduction="sum")
    x = np.random.default_rng(2).normal(size=network.dimension)
    W1, b1 = x[:12].reshape(4, 3), x[12:16]
    W2, b2 = x[16:24].reshape(2, 4), x[24:26]
    W3, b3 = x[26:28].reshape(1, 2), x[28:]
    total = 0.0
    for row, y in zip(X, NUMBERS, strict=True):
        output = W3 @ np.tanh(W2 @ np.tanh(W1 @ row + b1) + b2) + b3
        total += 0.5 * (output[0] - y) ** 2
    # Twelve terms in another order of rounding.
    assert network.value(x) == pytest.approx(total, rel=1e-13)
    assert network.names[0] == "W1[1,1]"
    assert network.names[11:13] == ("W1[4,3]", "b1[1]")
    assert network.names[17] == "W2[1,2]"
    assert network.names[-3:] == ("W3[1,1]", "W3[1,2]", "b3[1]")


def test_without_hidden_layers_it_is_the_softmax_or_the_linear_model() -> None:
    x = np.random.default_rng(3).normal(size=12)
    network, softmax = Network(X, LABELS, hidden=()), Softmax(X, LABELS)
    assert np.array_equal(network.value(x), softmax.value(x))
    assert np.array_equal(network.gradient(x), softmax.gradient(x))
    network, linear = Network(X, NUMBERS, hidden=(), loss="squared"), Linear(X, NUMBERS)
    # One product of a matrix with a row more or less may sum in another order.
    assert network.value(x[:4]) == pytest.approx(linear.value(x[:4]), rel=1e-14)
    assert network.gradient(x[:4]) == pytest.approx(linear.gradient(x[:4]), rel=1e-13)


def test_xavier_and_he_keep_the_spread_their_papers_ask_for() -> None:
    wide = Network(np.zeros((2, 300)), [0, 1], hidden=(400,))
    (he, b), _ = wide.layers(wide.initial(seed=5, scheme="he"))
    (xavier, _), _ = wide.layers(wide.initial(seed=5, scheme="xavier"))
    # The spread of 120,000 samples is known to 1/√240,000 of itself: 0.2 %, so 1 % is five times that.
    assert he.std() == pytest.approx(np.sqrt(2 / 300), rel=0.01)
    assert xavier.std() == pytest.approx(np.sqrt(2 / 700), rel=0.01)
    assert np.abs(xavier).max() <= np.sqrt(6 / 700)
    assert not b.any()
    assert np.array_equal(wide.initial(seed=5), wide.initial(seed=5, scheme="he"))
    assert not np.array_equal(wide.initial(seed=5), wide.initial(seed=6))
    smooth = Network(np.zeros((2, 3)), [0, 1], activation="tanh")
    assert np.array_equal(smooth.initial(), smooth.initial(scheme="xavier"))


def test_given_weights_go_in_and_come_out_again() -> None:
    network = Network(X, LABELS, hidden=(5,))
    x = np.random.default_rng(4).normal(size=network.dimension)
    assert np.array_equal(network.flat(network.layers(x)), x)
    with pytest.raises(FalllineError, match=re.escape("layers holds 1; a network of the widths (3, 5, 3) has 2")):
        network.flat(network.layers(x)[:1])
    message = "layers: W2 and b2 have the shapes (5, 3) and (3,); they must have (3, 5) and (3,)"
    with pytest.raises(FalllineError, match=re.escape(message)):
        network.flat([network.layers(x)[0], (np.zeros((5, 3)), np.zeros(3))])


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_activation_learns_the_exclusive_or(activation: str) -> None:
    corners, y = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), [0, 1, 1, 0]
    network = Network(corners, y, hidden=(8,), activation=activation)
    run = fallline.minimize(network, network.initial(seed=1), fallline.Adam(0.05), max_steps=1500, record="ends")
    assert network.predict(corners, run.final.x).argmax(axis=1).tolist() == y


def test_the_title_tells_the_shape() -> None:
    assert Network(X, LABELS, "mean", hidden=(5, 4), l2=0.01).title == (
        "mean softmax cross-entropy of a 3-5-4-3 network of relu units with l2 = 0.01, 12 rows"
    )
    assert (
        Network(X, NUMBERS, "sum", hidden=7, loss="squared").title
        == "squared loss of a 3-7-1 network of relu units, 12 rows"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"activation": "rely"}, "activation is 'rely'; did you mean 'relu'?"),
        ({"loss": "square"}, "loss is 'square'; did you mean 'squared'?"),
        ({"hidden": (3, 0)}, "hidden is (3, 0); it must be whole numbers of units, at least 1"),
        ({"hidden": (2.5,)}, "hidden is (2.5,); it must be whole numbers"),
        (
            {"hidden": 10**9},
            "hidden is (1000000000,), which makes 7,000,000,003 parameters; allowed are at most 10,000,000",
        ),
        ({"hidden": "wide"}, "hidden is 'wide'; it must be whole numbers"),
        ({"loss": "squared", "classes": ["a", "b", "c"]}, "classes is given, but the squared loss has none"),
        ({"classes": ["a", "b"]}, "y[2] is 2; classes names only 2"),
        ({"l2": -1}, "Network: l2 is -1; it must be a number at least 0"),
        ({"hiden": (3,)}, "Network has no setting 'hiden'; did you mean 'hidden'?"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(FalllineError, match=re.escape(message)) as caught:
        Network(X, LABELS, **settings)
    assert "\n" not in str(caught.value)


def test_an_unknown_scheme_or_seed_is_refused() -> None:
    with pytest.raises(FalllineError, match="scheme is 'zavier'; did you mean 'xavier'"):
        Network(X, LABELS).initial(scheme="zavier")
    with pytest.raises(FalllineError, match="seed is -1; it must be a whole number at least 0"):
        Network(X, LABELS).initial(seed=-1)


def test_a_start_that_does_not_fit_is_refused_without_a_list_of_all_parameters() -> None:
    network = Network(X, LABELS, hidden=(50,))
    for start in (np.zeros(3), {"W1[1,1]": 0.0}, {"W9[1,1]": 0.0}):
        with pytest.raises(FalllineError, match=re.escape("W1[1,1], W1[1,2], W1[1,3], ... (353 in all)")) as caught:
            fallline.minimize(network, start, "adam")
        assert len(str(caught.value)) < 300
