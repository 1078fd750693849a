from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.cli.outcome import Run
from tests.environments import processes_without_coverage


@pytest.mark.parametrize(
    "command",
    [
        ["sweep", "booth", "--start", "1,1", "--grid", "learning_rate=0.1"],
        ["basins", "himmelblau"],
        ["fit", "absent.csv", "--target", "y"],
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("foo", "it must be local:COUNT, the tcp://HOST:PORT of a scheduler, or a Dask client"),
        ("local:0", "the number of local workers must be whole, 1 to 9999"),
    ],
)
def test_a_cluster_that_is_none_is_refused_before_any_work(
    run: Run, command: list[str], address: str, complaint: str
) -> None:
    code, out, err = run(*command, "--cluster", address)
    assert (code, out, err) == (2, "", f"fallline: --cluster is {address!r}; {complaint}\n")


@pytest.mark.long
def test_a_fit_on_a_cluster_is_that_of_one_machine(run: Run, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    for number in range(3):
        rows = draw.normal(size=(40, 2))
        lines = [f"{a!r},{b!r},{int(a + b > 0.3 * draw.normal())}" for a, b in rows.tolist()]
        (tmp_path / f"{number}.csv").write_text("\n".join(["a,b,ill", *lines]))
    command = ["fit", tmp_path, "--target", "ill", "--json"]
    with processes_without_coverage():
        here, there = (json.loads(run(*command, *more).out) for more in (["--stream"], ["--cluster", "local:1"]))
    assert here.pop("notes")[0] == "streamed: 120 rows are read anew in every pass"
    assert there.pop("notes")[0] == "streamed: 120 rows are read by the workers of Cluster('local:1')"
    assert here == there


def test_batches_are_nothing_for_a_cluster(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,y\n1,0\n2,1\n3,0\n4,1\n")
    code, _, err = run("fit", tmp_path, "--target", "y", "--batch-size", 2, "--cluster", "local:1")
    assert code == 2
    assert err.startswith(
        "fallline: --cluster is 'local:1', which takes the runs of sweep and basins, and losses on all"
    )
    assert len(err.splitlines()) == 1
