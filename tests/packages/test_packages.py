"""The wheel and the sdist as a user gets them: built twice, installed into empty environments, and used.

`make packages` runs this: it installs each extra, which takes minutes and gigabytes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from tests.test_contributing import OURS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]

RUN = 'import fallline\nrun = fallline.minimize("x**2 + y**2", [1.0, 2.0], fallline.Adam(0.1), max_steps=20)\n'
# What a user of each extra does first.
USES = {
    "cluster": (
        "import fallline\nif __name__ == '__main__':\n"
        '    grid, cluster = {"learning_rate": [0.1, 0.2]}, fallline.Cluster("local:1")\n'
        '    swept = fallline.sweep("x**2", 1.0, fallline.GradientDescent(), grid, engine=cluster)\n'
        "    assert len(swept) == 2\n"
    ),
    "fast": 'import fallline\nrun = fallline.minimize("x**2", 1.0, fallline.Adam(), engine="compiled")\n',
    "films": RUN + 'run.animate("film.mp4", frames=4)\n',
    "frames": RUN + "assert len(run.to_frame()) == 21\n",
    "jax": (
        "import fallline, numpy as np\n"
        "run = fallline.minimize(lambda x: np.sum(np.cosh(x)), [1.0, 2.0], fallline.Adam(0.1), gradient='autodiff')\n"
        "assert run.stop.converged\n"
    ),
    "notebook": 'import fallline\nassert fallline.explore("x**2").widget\n',
    "optax": (
        "import fallline, jax.numpy as jnp\nfrom fallline.bridges.optax import as_optax\n"
        "rule, x = as_optax(fallline.Adam(0.1)), jnp.ones(2)\nrule.update(x, rule.init(x), x)\n"
    ),
    "parquet": (
        "import fallline, numpy as np, pyarrow, pyarrow.parquet\n"
        "x = np.linspace(-1, 1, 50)\n"
        'pyarrow.parquet.write_table(pyarrow.table({"x": x, "y": 2 * x + 1}), "line.parquet")\n'
        'assert fallline.fit("line.parquet", "y", model="linear").parameters\n'
    ),
    "scipy": RUN + "from fallline.bridges.scipy import to_scipy\nassert to_scipy(run).nit == 20\n",
    "sklearn": (
        "import numpy as np\nfrom fallline.bridges.sklearn import GradientDescentRegressor\n"
        "x = np.linspace(-1, 1, 50)[:, None]\nGradientDescentRegressor().fit(x, x[:, 0]).predict(x)\n"
    ),
    "torch": (
        "import fallline, torch\nfrom fallline.bridges.torch import as_torch_optimizer\n"
        "x = torch.ones(2, requires_grad=True)\nrule = as_torch_optimizer(fallline.Adam(0.1))([x])\n"
        "x.square().sum().backward()\nrule.step()\n"
    ),
    "tune": (
        'import fallline\nspace = {"learning_rate": fallline.Interval(0.01, 0.5)}\n'
        'fallline.tune("x**2", 1.0, fallline.GradientDescent(), space, trials=3, target=1e-6)\n'
    ),
}


def build(folder: Path) -> dict[str, Path]:
    """The wheel and the sdist, by the ends of their names."""
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1750000000"}
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return {path.suffix: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return build(tmp_path_factory.mktemp("packages"))


class Environment:
    """A folder with an empty environment of its own, in which something is installed."""

    def __init__(self, folder: Path, *installed: str) -> None:
        venv.create(folder / "venv", with_pip=True)
        self.folder = folder
        if installed:
            command = [str(folder / "venv/bin/python"), "-m", "pip", "install", "-qq", *installed]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr

    def run(self, *arguments: str, command: str = "python") -> subprocess.CompletedProcess[str]:
        """Run a command as somebody does who has nothing of this repository."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV"))}
        return subprocess.run(
            [self.folder / "venv/bin" / command, *arguments],
            cwd=self.folder,
            env=environment | {"MPLBACKEND": "Agg"},
            capture_output=True,
            text=True,
            timeout=300,
        )

    def use(self, extra: str) -> subprocess.CompletedProcess[str]:
        (self.folder / f"use_{extra}.py").write_text(USES[extra], encoding="utf-8")
        return self.run(f"use_{extra}.py")


def pinned(wheel: Path, extras: str = "") -> list[str]:
    """What pip installs of the wheel with these extras, in the versions that the tests use."""
    return ["-c", str(ROOT / "constraints.txt"), f"{wheel}{extras}"]


@pytest.fixture(scope="module")
def core(packages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("core"), *pinned(packages[".whl"]))


def files(folder: str = ".") -> set[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return set(done.stdout.splitlines())


def test_the_same_source_gives_the_same_bytes(packages: dict[str, Path], tmp_path: Path) -> None:
    for suffix, path in build(tmp_path).items():
        assert path.read_bytes() == packages[suffix].read_bytes()


def test_the_wheel_is_the_package_and_its_licence(packages: dict[str, Path]) -> None:
    with zipfile.ZipFile(packages[".whl"]) as wheel:
        names = set(wheel.namelist())
    assert {name for name in names if ".dist-info/" not in name} == {name.removeprefix("src/") for name in files("src")}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_sdist_is_the_repository(packages: dict[str, Path]) -> None:
    with tarfile.open(packages[".gz"]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert names - {"PKG-INFO"} == files()


def test_the_sdist_installs(packages: dict[str, Path], tmp_path: Path) -> None:
    made = Environment(tmp_path, *pinned(packages[".gz"]))
    assert made.run("--version", command="fallline").stdout.split()[-1] == packages[".whl"].name.split("-")[1]


def test_the_core_alone(core: Environment) -> None:
    assert core.run("-m", "pip", "check").stdout == "No broken requirements found.\n"
    for arguments in (
        ["run", "rosenbrock", "--start=-1.2,1", "--plot", "run.png", "--animate", "run.html", "--save", "run.npz"],
        ["diagnose", "run.npz"],
        ["explore", "rosenbrock", "--out", "page.html"],
    ):
        done = core.run(*arguments, command="fallline")
        assert done.returncode == 0, done.stderr
    assert {path.name for path in core.folder.iterdir()} >= {"run.png", "run.html", "run.npz", "page.html"}


# The scripts with the others begin with importing the library itself.
@pytest.mark.parametrize("extra", sorted(USES.keys() - {"optax", "parquet", "torch"}))
def test_without_an_extra_its_absence_is_told_in_one_line(core: Environment, extra: str) -> None:
    done = core.use(extra)
    assert done.returncode
    last = done.stderr.strip().splitlines()[-1]
    assert f'pip install "fallline[{extra}]"' in last


@pytest.mark.parametrize("extra", sorted(USES))
def test_each_extra_alone(packages: dict[str, Path], extra: str, tmp_path: Path) -> None:
    done = Environment(tmp_path, *pinned(packages[".whl"], f"[{extra}]")).use(extra)
    assert done.returncode == 0, done.stderr


def test_all_extras_together(packages: dict[str, Path], tmp_path: Path) -> None:
    made = Environment(tmp_path, *pinned(packages[".whl"], "[all]"))
    assert made.run("-m", "pip", "check").stdout == "No broken requirements found.\n"
    used = {extra: made.use(extra) for extra in USES}
    assert {extra: done.stderr for extra, done in used.items() if done.returncode} == {}


def test_the_lowest_versions_that_are_declared(packages: dict[str, Path], tmp_path: Path) -> None:
    made = Environment(tmp_path)
    required = [*PROJECT["dependencies"], *(one for extra in USES for one in EXTRAS[extra])]
    wheel = f"{packages['.whl']}[{','.join(USES)}]"
    # Pip has no such choice.
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--resolution", "lowest-direct"]
    installed = [f"--python={tmp_path / 'venv/bin/python'}", wheel, *required]
    subprocess.run([*command, *installed], check=True)
    used = {extra: made.use(extra) for extra in USES}
    assert {extra: done.stderr for extra, done in used.items() if done.returncode} == {}
    done = made.run("run", "rosenbrock", "--start=-1.2,1", "--plot", "run.png", command="fallline")
    assert done.returncode == 0, done.stderr


def test_every_extra_of_a_user_is_used() -> None:
    assert set(USES) == set(EXTRAS) - OURS - {"all"}
    assert re.findall(r"[a-z]+", EXTRAS["all"][0])[1:] == sorted(USES)
