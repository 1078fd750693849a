"""fit() with weights of rows and classes, and what it says of copies, of classes never found and of odd CSV files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression, Ridge

from fallline import Cluster
from fallline.engines import workers
from fallline.errors import FalllineError
from fallline.fitting.fit import fit


def table(rows: int = 90, seed: int = 1) -> pd.DataFrame:
    """Two features, a text, targets of numbers and of two and three classes, and weights 0, 1, 2."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": random.normal(3, 2, rows), "b": random.normal(-1, 0.3, rows)})
    frame["colour"] = random.choice(["blue", "green", "red"], rows)
    frame["number"] = frame["a"] - 4 * frame["b"] + random.normal(size=rows)
    frame["ill"] = np.where(random.random(rows) < expit(frame["a"] - 4), "yes", "no")
    frame["kind"] = random.choice(["x", "y", "z"], rows)
    frame["w"] = random.integers(0, 3, rows)
    return frame


FRAME = table()
FEATURES = ["a", "b", "colour"]


@pytest.mark.parametrize(("model", "target"), [("linear", "number"), ("logistic", "ill"), ("softmax", "kind")])
def test_a_whole_weight_is_the_row_repeated_also_to_scales_and_fills(model: str, target: str) -> None:
    frame = FRAME.copy()
    frame.loc[::7, "a"] = np.nan
    settings: Any = {"features": FEATURES, "model": model, "categories": "one-hot", "missing": "mean", "l2": 0.1}
    weighted = fit(frame, target, sample_weight="w", **settings)
    repeated = fit(frame.loc[frame.index.repeat(frame["w"])], target, **settings)
    assert weighted.parameters == pytest.approx(repeated.parameters, rel=1e-6, abs=1e-8)
    assert weighted.value == pytest.approx(repeated.value, rel=1e-10)
    by_values = fit(frame.drop(columns="w"), target, sample_weight=frame["w"].to_numpy(), **settings)
    assert by_values.parameters == weighted.parameters
    assert "w" not in fit(frame, target, **(settings | {"features": None}), sample_weight="w", constant="drop").features


@pytest.mark.parametrize("class_weight", [None, "balanced", {"yes": 6.0}, {"no": 0.5, "yes": 2.0}])
@pytest.mark.parametrize("weights", [None, "w"])
def test_two_classes_are_weighed_as_scikit_learn_weighs_them(class_weight: Any, weights: Any) -> None:
    found = fit(
        FRAME,
        "ill",
        features=["a", "b"],
        sample_weight=weights,
        class_weight=class_weight,
        reduction="sum",
        l2=0.5,
        standardize=False,
    )
    peer = LogisticRegression(C=2.0, class_weight=class_weight, solver="newton-cholesky", tol=1e-12)
    peer.fit(FRAME[["a", "b"]], FRAME["ill"], None if weights is None else FRAME["w"])
    # The gradient of a sum ends below 1e-8, where the curvature is above 0.1.
    assert list(found.parameters.values()) == pytest.approx([*peer.coef_[0], *peer.intercept_], abs=1e-6)


def test_ridge_is_weighed_as_scikit_learn_weighs_it() -> None:
    found = fit(
        FRAME,
        "number",
        features=["a", "b"],
        model="ridge",
        l2=3.0,
        reduction="sum",
        sample_weight="w",
        standardize=False,
    )
    peer = Ridge(alpha=3.0).fit(FRAME[["a", "b"]], FRAME["number"], FRAME["w"])
    assert list(found.parameters.values()) == pytest.approx([*peer.coef_, peer.intercept_], abs=1e-6)


@pytest.fixture(scope="module")
def one_worker() -> Iterator[Cluster]:
    """A process of its own, which a busy machine takes long to begin."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "WITHOUT_WORKERS", 600.0)
        with Cluster("local:1").opened() as opened:
            yield Cluster(opened.client)


@pytest.mark.parametrize("class_weight", [None, "balanced", {"yes": 3.0}])
@pytest.mark.parametrize("how", ["parquet", "csv", "cluster"])
def test_files_are_weighed_as_rows_in_memory(
    tmp_path: Path, class_weight: Any, how: str, request: pytest.FixtureRequest
) -> None:
    frame = FRAME.sort_values("w")  # the weights of the first block are all zero
    if how == "csv":
        frame.to_csv(tmp_path / "data.csv", index=False)
    else:
        frame.to_parquet(tmp_path / "data.parquet", row_group_size=20)
    settings: Any = {"features": ["a", "b"], "sample_weight": "w", "class_weight": class_weight, "l2": 0.05}
    settings |= {"optimizer": "lbfgs"}
    engine: Any = request.getfixturevalue("one_worker") if how == "cluster" else "auto"
    streamed, whole = fit(tmp_path, "ill", stream=True, engine=engine, **settings), fit(frame, "ill", **settings)
    assert streamed.model.dataset is not None
    assert streamed.value == pytest.approx(whole.value, rel=1e-10)
    assert streamed.parameters == pytest.approx(whole.parameters, rel=1e-5)
    batches: Any = settings | {"batch_size": 9, "epochs": 2, "batch_order": "sequential", "optimizer": "adam"}
    if how != "cluster":
        one, other = fit(tmp_path, "ill", stream=True, **batches), fit(frame, "ill", **batches)
        np.testing.assert_allclose(one.trajectory.final.x, other.trajectory.final.x, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sample_weight": "weight"}, "sample_weight is 'weight', which is not a column of data; Allowed: a, b"),
        ({"sample_weight": [1, 2]}, "sample_weight has 2 values, but data has 90 rows"),
        ({"sample_weight": "b"}, "data, row 1, column 'b': the value is -"),
        ({"sample_weight": "colour"}, "which is not a number"),
        ({"sample_weight": np.zeros(90)}, "sample_weight is 0 for every row to fit to; some row must count"),
        ({"class_weight": {"maybe": 2}}, "class_weight has the class 'maybe'; Allowed: no, yes"),
        ({"class_weight": "even"}, "class_weight is 'even'; it must be 'balanced', or a weight for each class"),
        ({"sample_weights": "w"}, "write sample_weight"),
        ({"sep": ";"}, "write separator"),
    ],
)
def test_weights_that_are_none_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(FalllineError, match=re.escape(message)) as caught:
        fit(FRAME, "ill", features=["a", "b"], **settings)
    assert "\n" not in str(caught.value)


def test_numbers_have_no_class_weight() -> None:
    with pytest.raises(FalllineError, match="class_weight is given, but the target 'number' holds numbers"):
        fit(FRAME, "number", features="a", model="linear", class_weight="balanced")


def rare(share: float, effect: float = 0.0) -> dict[str, Any]:
    """A rare class."""
    random = np.random.default_rng(2)
    x = random.normal(size=1000)
    ill = np.arange(1000) < 1000 * share
    return {"x": x + effect * ill, "z": random.normal(size=1000), "ill": np.where(ill, "yes", "no")}


def test_a_class_that_is_never_predicted_is_told() -> None:
    found = fit(rare(0.043), "ill")
    assert found.score() == 0.957
    (note,) = [note for note in found.notes if "balanced" in note]
    assert note.startswith("every row is predicted as 'no': the balanced accuracy, the mean over the classes, is 0.5")
    assert note in repr(found).replace("\n            ", " ")
    even = fit(rare(0.043), "ill", class_weight="balanced")
    assert not [note for note in even.notes if "every row" in note]
    # Who has weighed the classes is not advised to do so.
    assert note.endswith("; a class_weight of balanced counts all classes alike")
    for class_weight in ({"yes": 1.5}, [1, 2], "balanced"):
        notes = fit(rare(0.043), "ill", class_weight=class_weight).notes
        assert not [note for note in notes if "class_weight" in note]
    (weighed,) = [note for note in fit(rare(0.043), "ill", class_weight={"yes": 1.5}).notes if "balanced" in note]
    assert weighed == note.removesuffix("; a class_weight of balanced counts all classes alike")


def test_a_class_that_is_hardly_found_is_told_and_one_that_is_found_is_not() -> None:
    data = rare(0.05, effect=1.8)
    found = fit(data, "ill")
    (note,) = [note for note in found.notes if "balanced" in note]
    right = found.classify(data) == data["ill"]
    ill = data["ill"] == "yes"
    assert 0 < right[ill].sum() < 25
    assert f"{right[ill].sum()} of 50 rows of 'yes'" in note
    assert f"is {(right[ill].mean() + right[~ill].mean()) / 2:.3g}, the accuracy {right.mean():.3g}" in note
    assert not [note for note in fit(rare(0.3, effect=4.0), "ill").notes if "balanced" in note]


def test_one_of_three_classes_that_is_never_predicted_is_told() -> None:
    random = np.random.default_rng(3)
    data = {"x": np.r_[random.normal(-3, 1, 100), random.normal(3, 1, 100), random.normal(0, 3, 6)]}
    found = fit(data | {"kind": np.repeat(["a", "b", "c"], [100, 100, 6])}, "kind", model="softmax")
    assert [note for note in found.notes if "0 of 6 rows of 'c'" in note and "balanced accuracy" in note]


def test_copies_of_a_column_are_told() -> None:
    random = np.random.default_rng(4)
    cm = random.normal(170, 10, 60)
    data = {"cm": cm, "again": cm.copy(), "inch": cm / 2.54, "minus": 5 - cm, "other": random.normal(size=60)}
    data |= {"sex": random.choice(["f", "m"], 60), "y": cm + random.normal(size=60)}
    data["gender"] = np.where(data["sex"] == "f", "woman", "man")
    found = fit(data, "y", model="linear", categories="one-hot")
    told = [note.partition(":")[0] for note in found.notes if "arbitrary" in note]
    assert told == [
        "feature 'again' repeats 'cm'",
        "feature 'inch' is 'cm' on another scale",
        "feature 'minus' is 'cm' on another scale",
        "feature 'gender' repeats 'sex'",
    ]


@pytest.mark.long
def test_columns_that_only_resemble_each_other_are_not_told() -> None:
    random = np.random.default_rng(5)
    x = random.normal(size=500)
    nearly = np.where(np.arange(500) == 499, x + 1e-3, x)
    data = {"x": x, "nearly": nearly, "permuted": random.permutation(x), "square": x**2, "y": random.normal(size=500)}
    assert not [note for note in fit(data, "y", model="linear").notes if "arbitrary" in note]


def test_columns_of_a_frame_may_be_called_by_numbers() -> None:
    X = np.random.default_rng(6).normal(size=(40, 3))
    frame = pd.DataFrame(np.column_stack([X, X @ [1.0, 2.0, 3.0]]))
    found = fit(frame, 3, model="linear")
    assert found.target == "3"
    assert found.features == ("0", "1", "2")
    assert fit(frame, 3, features=[0, 2], model="linear").features == ("0", "2")
    assert fit(frame, np.int64(3), features=[1], model="linear").features == ("1",)
    # Without noise every weighting has the same optimum.
    weighted = fit(frame, 3, sample_weight=X[:, 0] ** 2, model="linear")
    assert weighted.parameters == pytest.approx(found.parameters, abs=1e-8)
    with pytest.raises(FalllineError, match="target is '7', which is not a column of data"):
        fit(frame, 7, model="linear")
    years = pd.DataFrame({2019: X[:, 0], 2020: X[:, 1], "y": X[:, 2]})
    assert fit(years, 2020, model="linear").features == ("2019", "y")


def test_a_headerless_file_keeps_its_first_row(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("1,2\n2,3\n3,5\n4,4\n")
    with pytest.raises(FalllineError, match="the first line holds '1', so it may be data"):
        fit(path, "x2", model="linear")
    found = fit(path, "x2", model="linear", header=False)
    assert found.training.rows == 4
    x, y = [1, 2, 3, 4], [2, 3, 5, 4]
    assert list(found.parameters.values()) == pytest.approx(np.polyfit(x, y, 1), rel=1e-8)
    assert found.predict(path, header=False) == pytest.approx(np.polyval(np.polyfit(x, y, 1), x), rel=1e-8)


def test_a_european_file_is_read_and_told(tmp_path: Path) -> None:
    path = tmp_path / "daten.csv"
    path.write_text("größe;gewicht;art\n1,5;10;?\n2,5;12,5;a\n3,25;17;b\n4,0;?;b\n", "latin-1")
    settings: Any = {"model": "linear", "encoding": "latin-1", "missing": "drop"}
    found = fit(path, "gewicht", features="größe", **settings)
    assert found.training.rows == 3
    slope = np.polyfit([1.5, 2.5, 3.25], [10, 12.5, 17], 1)
    assert list(found.parameters.values()) == pytest.approx(slope, rel=1e-8)
    assert found.notes[0] == "CSV read as: columns separated by ';', numbers with a decimal comma"
    assert "1 of 4 rows are left out" in found.notes[1]
