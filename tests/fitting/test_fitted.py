from __future__ import annotations

import json
import math
import random
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.refusals import refusal

from fallline.errors import FalllineError
from fallline.fitting.fit import fit
from fallline.fitting.fitted import FittedModel
from fallline.models import MODELS

RANDOM = np.random.default_rng(1)
DATA = pd.DataFrame(
    {
        "size": RANDOM.normal(20, 5, 90),
        "colour": RANDOM.choice(["red", "grün", "blue"], 90),
        "number": RANDOM.random(90),
        "two": RANDOM.choice(["no", "yes"], 90),
        "three": RANDOM.choice([1.0, 2.5, 3.0], 90),
    }
)
TARGETS = dict.fromkeys(("logistic", "hinge", "squared_hinge"), "two") | dict.fromkeys(("softmax", "network"), "three")


def fitted(model: str, **settings: Any) -> FittedModel:
    target = TARGETS.get(model, "number")
    return fit(
        DATA, target, features=["size", "colour"], model=model, categories="one-hot", max_steps=5, **settings
    ).fitted


@pytest.mark.parametrize("model", sorted(MODELS))
@pytest.mark.parametrize("standardize", [True, False])
def test_a_model_is_loaded_as_it_was_saved(model: str, standardize: bool, tmp_path: Path) -> None:
    settings = {"hidden": (4, 3), "activation": "tanh", "l2": 0.1} if model == "network" else {"l2": 0.1}
    before = fitted(model, standardize=standardize, **settings)
    before.save(tmp_path / "model.json")
    after = FittedModel.load(tmp_path / "model.json")
    assert np.array_equal(after.predict(DATA), before.predict(DATA))
    assert after.parameters == before.parameters
    assert after.preparation == before.preparation
    if before.preparation.classes is not None:
        assert after.classify(DATA).tolist() == before.classify(DATA).tolist()
    after.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "model.json").read_bytes()


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.json"
    fitted("network", hidden=(2,), missing="mean").save(path)
    return path


def refused(path: Path) -> str:
    return refusal(FittedModel.load, path)


def test_a_file_cut_short_anywhere_is_refused(saved: Path, tmp_path: Path) -> None:
    content = saved.read_bytes()
    cut = tmp_path / "cut.json"
    for length in range(len(content) - 2):
        cut.write_bytes(content[:length])
        assert "damaged, or not a model saved by Fallline" in refused(cut)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ([], 7),
        ([], []),
        (["format"], "fallline model 99"),
        (["format"], None),
        (["model"], "tree"),
        (["model"], ["network"]),
        (["model"], "logistic"),
        (["settings"], None),
        (["settings", "hidden"], [10**12]),
        (["settings", "hidden"], [-1]),
        (["settings", "hidden"], [2.5]),
        (["settings", "hidden"], ["2"]),
        (["settings", "hidden"], [3]),
        (["settings", "activation"], "eval"),
        (["settings", "l2"], {"type": "StepDecay"}),
        (["settings", "l2"], True),
        (["settings", "l2"], -1),
        (["settings", "X"], [1]),
        (["settings", "reduction"], "sum"),
        (["target"], 7),
        (["missing"], "forget"),
        (["classes"], None),
        (["classes"], ["1"]),
        (["classes"], ["1", "1", "3"]),
        (["classes"], ["1", "2"]),
        (["classes"], "123"),
        (["features"], []),
        (["features"], {}),
        (["features", 0], "size"),
        (["features", 0, "name"], None),
        (["features", 0, "name"], "colour=grün"),
        (["features", 0, "fill"], "much"),
        (["features", 1, "categories"], ["red", "red"]),
        (["features", 1, "categories"], ["red"]),
        (["features", 1, "categories"], None),
        (["features", 1, "fill"], "black"),
        (["standardization"], [1]),
        (["standardization", "mean"], [1.0]),
        (["standardization", "mean"], [1.0, 2.0, "3"]),
        (["standardization", "scale"], [1.0, 0.0, 1.0]),
        (["standardization", "scale"], [1.0, -1.0, 1.0]),
        (["standardization", "scale"], [1.0, 1e-320, 1.0]),
        (["standardization", "scale"], [1.0, 1.0, 5e-324]),
        (["standardization", "scale"], [1.0, 1.0, math.nan]),
        (["standardization", "scale"], [1.0, 1.0]),
        (["standardization", "mean"], [1e300, 1e300, math.inf]),
        (["parameters"], [1.0]),
        (["parameters"], {}),
        (["parameters", "b1[1]"], "0"),
        (["parameters", "b1[1]"], None),
        (["parameters", "b1[1]"], 10**400),
        (["parameters", "b1[1]"], math.nan),
        (["parameters", "b1[1]"], -math.inf),
        (["parameters", "extra"], 1.0),
        (["target"], "half \ud800"),
        (["classes"], ["1", "2.5", "\udfff"]),
        (["features", 0, "name"], "\ud800"),
        (["features", 1, "categories"], ["blue", "gr\udcfcn", "red"]),
    ],
)
def test_a_file_that_does_not_hold_together_is_refused(
    saved: Path, tmp_path: Path, path: list[Any], value: Any
) -> None:
    content = json.loads(saved.read_text("utf-8"))
    place: Any = {"file": content}
    for step in (steps := ["file", *path])[:-1]:
        place = place[step]
    place[steps[-1]] = value
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(content if path else value), "utf-8")
    assert "damaged, or not a model saved by Fallline: " in refused(changed)


@pytest.mark.parametrize(
    ("standardization", "weight"),
    [
        # 1 / 1e-300 is finite, but not the weight in the data's own units, nor its product with the mean.
        ({"mean": [0.0, 0.0, 0.0], "scale": [1e-300, 1.0, 1.0]}, 1e100),
        ({"mean": [1e10, 0.0, 0.0], "scale": [1.0, 1.0, 1.0]}, 1e305),
    ],
)
def test_parameters_that_overflow_in_the_units_of_the_data_are_refused(
    tmp_path: Path, standardization: dict[str, Any], weight: float
) -> None:
    path = tmp_path / "model.json"
    fitted("linear").save(path)
    content = json.loads(path.read_text("utf-8")) | {"standardization": standardization}
    content["parameters"]["w_size"] = weight
    path.write_text(json.dumps(content), "utf-8")
    assert refused(path).endswith("its parameters are not finite in the data's own units")


def test_what_could_not_be_loaded_is_not_saved(tmp_path: Path) -> None:
    model = fitted("linear")
    with pytest.raises(FalllineError, match=r"^the model has parameters that are not finite: its fit diverged$"):
        model.at(model.x * np.inf).save(tmp_path / "model.json")
    odd = fit({"half \ud800": [1.0, 2.0, 4.0], "y": [1.0, 2.0, 3.0]}, "y", model="linear", max_steps=3).fitted
    with pytest.raises(FalllineError, match="no Unicode character"):
        odd.save(tmp_path / "model.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("classes", [None, ["1", "2", "3"]])
def test_classes_that_do_not_fit_the_model_are_refused(tmp_path: Path, classes: list[str] | None) -> None:
    path = tmp_path / "model.json"
    fitted("logistic").save(path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"classes": classes}), "utf-8")
    assert "its classes are" in refused(path)


@pytest.mark.parametrize("content", ["NaN", '{"format": Infinity}', "[" * 100_000, "\0", "{}", '"fallline model 1"'])
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    assert "damaged, or not a model saved by Fallline" in refused(path)
    path.write_bytes(b"\xff\xfe\x00")
    assert "damaged" in refused(path)
    assert refused(tmp_path / "absent.json").endswith("which cannot be read: No such file or directory")
    assert refused(tmp_path).endswith("which cannot be read: Is a directory")


def test_new_data_are_held_to_what_the_model_knows() -> None:
    model = fitted("logistic")
    with pytest.raises(FalllineError, match="row 2, column 'colour': the value is 'pink', which is none of the categ"):
        model.predict({"size": [1, 2], "colour": ["red", "pink"]})
    with pytest.raises(FalllineError, match="row 1, column 'size': the value is missing"):
        model.predict({"size": [None], "colour": ["red"]})
    with pytest.raises(FalllineError, match="features is 'colour', which is not a column of data"):
        model.predict({"size": [1]})
    with pytest.raises(FalllineError, match="the model predicts the number 'number', no classes"):
        fitted("linear").classify(DATA)
    gaps = {"size": [20.0, None], "colour": ["red", None]}
    dropped = fitted("logistic", missing="drop")
    assert np.isnan(dropped.predict(gaps)).tolist() == [False, True]
    assert dropped.classify(gaps).tolist()[1] is None
    filled = fitted("logistic", missing="mean")
    most = DATA["colour"].value_counts()
    same = {"size": [20.0, DATA["size"].mean()], "colour": ["red", most.index[most == most.max()].min()]}
    # The mean is summed in another order.
    np.testing.assert_allclose(filled.predict(gaps), filled.predict(same), rtol=1e-13)


def test_what_marked_a_missing_entry_in_the_fit_marks_it_in_new_data(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,kind,y\n1,a,1\n-999,b,2\n3,none at all,2.5\n4,a,4\n")
    settings: Any = {"model": "linear", "missing": "mean", "categories": ["kind"]}
    model = fit(path, "y", na=[-999, "none at all"], **settings).fitted
    frame = pd.read_csv(path, na_values=["-999", "none at all"])
    means = frame.fillna({"x": frame["x"].mean(), "kind": "a"})
    expected = model.predict(means[["x", "kind"]])
    model.save(tmp_path / "model.json")
    loaded = FittedModel.load(tmp_path / "model.json")
    assert loaded == model
    for data in (
        path,
        {"x": [1, -999, 3, 4], "kind": ["a", "b", "none at all", "a"]},
        pd.DataFrame({"x": [1.0, -999.0, 3.0, 4.0], "kind": ["a", "b", "none at all", "a"]}),
        [[1, "a"], [-999, "b"], [3, "none at all"], [4, "a"]],
    ):
        np.testing.assert_array_equal(loaded.predict(data), expected)
    # Other marks of a new file are marks beside those of the fit.
    path.write_text("x,kind\n-,a\n-999,a\n")
    np.testing.assert_array_equal(loaded.predict(path, na="-"), model.predict({"x": [None] * 2, "kind": ["a"] * 2}))
    dropping = fit({"x": [1, 2, 3], "y": [1, 2, 3]}, "y", model="linear", missing="drop").fitted
    assert dropping.predict({"x": [-999]})[0] == pytest.approx(-999, rel=1e-6)


def test_a_file_from_before_the_marks_is_loaded_without_any(saved: Path, tmp_path: Path) -> None:
    content = json.loads(saved.read_text())
    del content["na"]
    path = tmp_path / "model.json"
    path.write_text(json.dumps(content))
    assert FittedModel.load(path) == FittedModel.load(saved)
    for wrong in (-999, [-999], {"na": "x"}):
        path.write_text(json.dumps(content | {"na": wrong}))
        assert "na is " in refused(path)


def test_a_column_taken_as_categories_may_be_stored_in_another_type() -> None:
    data = {"zip": np.array([10.0, 20.0, 10.0]), "y": [1.0, 2.0, 3.0]}
    model = fit(data, "y", model="linear", categories=["zip"]).fitted
    for other in ([10, 20], ["10", "20"], np.array([10, 20], np.uint8)):
        assert model.predict({"zip": other}).tolist() == model.predict({"zip": [10.0, 20.0]}).tolist()


ENTRIES: list[Any] = [
    None, True, -1, 1, 10**30, 10**400, 1.5, 1e308, 1e-308, 1e-320, math.nan, math.inf, "", "x", "a\nb\0", "\ud800",
    [], [1], ["a", "b"], [None, 1.0], [[]], [1e-320] * 3, [1e308] * 3, {}, {"a": 1},
]  # fmt: skip


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_crafted_file_is_refused_or_of_use(model: str, tmp_path: Path) -> None:
    path, again = tmp_path / "model.json", tmp_path / "again.json"
    fitted(model, missing="mean").save(path)
    content = json.loads(path.read_text("utf-8"))
    chance = random.Random(model)
    loaded = 0
    for _ in range(80):
        crafted = json.loads(json.dumps(content))
        place: Any = crafted
        while True:
            key = chance.choice(sorted(place) if isinstance(place, dict) else range(len(place)))
            if not (isinstance(place[key], dict | list) and place[key] and chance.random() < 0.9):
                break
            place = place[key]
        place[key] = chance.choice(ENTRIES)
        path.write_text(json.dumps(crafted), "utf-8")
        try:
            found = FittedModel.load(path)
        except FalllineError:
            refused(path)
            continue
        loaded += 1
        assert np.isfinite(list(found.parameters.values())).all()
        assert str(found).encode()
        found.save(again)
        assert FittedModel.load(again) == found
        with warnings.catch_warnings():
            # A weight of 1e308 overflows on the way.
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                found.predict(DATA)
            except FalllineError:
                # A column that has another name, or a category that is not known.
                with pytest.raises(FalllineError, match=r"^(features is|data, row \d+, column)"):
                    found.predict(DATA)
    assert loaded
