"""The data that come with Fallline are those of the sources that they name."""

from __future__ import annotations

import csv

import numpy as np
from sklearn.datasets import make_blobs
from sklearn.model_selection import train_test_split

from fallline.examples import four_blobs


def test_the_four_blobs_are_those_of_scikit_learn_with_its_parts() -> None:
    with four_blobs().open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    points, blobs = make_blobs(n_samples=1000, centers=4, n_features=2, random_state=0)
    training, kept = train_test_split(np.arange(1000), stratify=blobs % 2, random_state=0)
    # The file has six decimals.
    np.testing.assert_allclose([[float(row["x"]), float(row["y"])] for row in rows], points, atol=0.5e-6, rtol=0)
    assert [int(row["blob"]) for row in rows] == blobs.tolist()
    parts = np.array([row["part"] for row in rows])
    assert set(parts[training]) == {"training"}
    assert set(parts[kept]) == {"kept"}
