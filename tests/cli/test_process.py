"""The command line as a process: what it imports, Ctrl-C, terminals and pipes."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.cli.outcome import Run
from tests.environments import without_coverage

import fallline

FALLLINE = [sys.executable, "-m", "fallline"]
# Hours long, unless something ends it.
FOREVER = [
    "run",
    "x**2 + 1",
    "--start",
    "1",
    "--stop-step",
    "0",
    "--learning-rate",
    "1e-9",
    "--max-steps",
    "1000000000",
]
CONTROL_CODES = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


def imported(arguments: list[str]) -> set[str]:
    """The packages and modules that a command has imported when it ends."""
    program = (
        "import sys\n"
        "from fallline.cli.app import main\n"
        "try:\n    main()\n"
        "finally:\n    print(*sys.modules, file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=without_coverage())
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["fit", "--help"], ["demo", "--help"], ["--version"]]
)
def test_help_imports_neither_sympy_nor_matplotlib(arguments: list[str]) -> None:
    packages = imported(arguments)
    assert "typer" in packages
    assert not packages & {"sympy", "matplotlib", "rich", "scipy", "pandas", "numba", "torch", "jax"}


def test_a_run_of_a_formula_imports_nothing_that_it_does_not_need() -> None:
    modules = imported(["run", "x**2", "--start", "1"])
    assert "numpy" in modules
    assert not modules & {"sympy", "matplotlib", "rich", "pydantic", "multiprocessing", "distributed", "llvmlite"}
    # NumPy imports it for its own quantiles, which takes a twentieth of such a run.
    assert "numpy.ma" not in modules


def test_help_says_what_there_is(run: Run) -> None:
    done = run("--help")
    assert (done.code, done.err) == (0, "")
    for command in ("run", "fit", "demo"):
        assert command in done.out
        assert f"fallline {command} " in run(command, "--help").out  # an example
    assert run().out == done.out


def test_help_lists_every_rule_setting_and_schedule(run: Run) -> None:
    told = run("run", "--help").out
    for name, rule in fallline.optimizers.OPTIMIZERS.items():
        assert f"  {name}:" in told
        for setting in fallline.hyperparameters.hyperparameters(rule):
            assert f"{setting}=" in told
    assert "@tutorial" in told
    assert "step:FACTOR:EVERY" in told


def test_version(process: Run) -> None:
    assert process("--version").out == f"fallline {fallline.__version__}\n"


def test_piped_output_is_plain_text(process: Run, tmp_path: Path) -> None:
    done = process("run", "x**2", "--start", 1, "--max-steps", 3000, "--stop-step", 0, "--plot", tmp_path / "a.png")
    assert (done.code, done.err) == (0, "")
    assert not CONTROL_CODES.search(done.out)


def test_a_mistake_in_a_process_is_one_plain_line(process: Run) -> None:
    done = process("run", "x**2", "--start", "nan")
    assert (done.code, done.out) == (2, "")
    assert done.err == "fallline: --start is nan in x; it must be a finite number\n"


def interrupted(arguments: list[str]) -> tuple[int, str, str]:
    """Start a command, press Ctrl-C when its progress bar says that it is under way, and wait for its end."""
    master, terminal = pty.openpty()
    with subprocess.Popen(
        [*FALLLINE, *arguments],
        stdout=subprocess.PIPE,
        stderr=terminal,
        env={**without_coverage(), "TERM": "xterm", "COLUMNS": "200"},
        text=True,
    ) as process:
        os.close(terminal)
        errors = ""
        while not re.search(r"[1-9]\d*/1000000000", errors):
            errors += os.read(master, 65536).decode()
        process.send_signal(signal.SIGINT)
        threading.Thread(target=drain, args=[master], daemon=True).start()
        out, _ = process.communicate(timeout=600)
    return process.returncode, out, errors


def drain(descriptor: int) -> None:
    """Read and discard a stream, so that its writer does not block."""
    with contextlib.suppress(OSError):  # how Linux says that the other end is closed
        while os.read(descriptor, 65536):
            pass
    os.close(descriptor)


def test_ctrl_c_prints_and_saves_the_run_so_far(tmp_path: Path) -> None:
    saved, picture = tmp_path / "run.npz", tmp_path / "run.png"
    code, out, err = interrupted([*FOREVER, "--save", str(saved), "--plot", str(picture)])
    assert code == 130
    assert "Traceback" not in err
    assert "interrupted at step" in out
    run = fallline.Trajectory.load(saved)
    assert run.stop.reason == "interrupted"
    assert 0 < run.step_count < 1_000_000_000
    # Each step rounds by at most 1e-16: even a thousand million of them stay within this.
    assert run.final.x[0] == pytest.approx((1 - 2e-9) ** run.step_count, rel=1e-6)
    assert picture.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.npz", "run.png"]


def test_ctrl_c_with_json_prints_one_object() -> None:
    code, out, err = interrupted([*FOREVER, "--json"])
    assert code == 130
    assert "Traceback" not in err
    assert json.loads(out)["stopped"] == "interrupted"


@pytest.mark.parametrize("module", ["fallline.errors", "fallline.cli.options"])
def test_ctrl_c_while_modules_are_imported_is_quiet(module: str, tmp_path: Path) -> None:
    # What Python imports before anything else presses it when that module is about to be imported.
    (tmp_path / "sitecustomize.py").write_text(
        "import signal, sys\n"
        "def watch(event, arguments):\n"
        f"    if event == 'import' and arguments[0] == {module!r}:\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "sys.addaudithook(watch)\n"
    )
    script = Path(sys.executable).with_name("fallline")
    paths = os.pathsep.join([str(tmp_path), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    environment = without_coverage() | {"PYTHONPATH": paths}
    done = subprocess.run([script, *FOREVER], capture_output=True, env=environment, text=True, timeout=600)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_ctrl_c_during_an_import_that_turns_it_into_another_error_is_quiet() -> None:
    # As Python 3.11 does with what is raised in `__set_name__`.
    program = """if True:
        import os, signal, sys
        class Finder:
            def find_spec(self, name, path, target=None):
                if name == "fallline.errors":
                    try:
                        os.kill(os.getpid(), signal.SIGINT)
                    except KeyboardInterrupt as error:
                        raise RuntimeError("no such thing") from error
        sys.meta_path.insert(0, Finder())
        from fallline_command import main
        main()
    """
    done = subprocess.run([sys.executable, "-c", program, "landscapes"], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.long
def test_ctrl_c_ends_the_demo_without_a_figure_of_the_run(tmp_path: Path) -> None:
    # Pressed after 0.03 seconds of the processor in this case's run, which takes more than a tenth of one.
    program = (
        "import signal, sys\n"
        "from fallline_command import main\n"
        "signal.signal(signal.SIGVTALRM, lambda *_: signal.raise_signal(signal.SIGINT))\n"
        "write = sys.stdout.write\n"
        "def watched(text):\n"
        "    if '--batch-remainder drop' in text:\n"
        "        signal.setitimer(signal.ITIMER_VIRTUAL, 0.03)\n"
        "    return write(text)\n"
        "sys.stdout.write = watched\n"
        "main()\n"
    )
    command = [sys.executable, "-c", program, "demo", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, env=without_coverage(), text=True, timeout=600)
    assert (done.returncode, done.stderr) == (130, "")
    assert "--batch-remainder drop" in done.stdout.splitlines()[-1]
    assert not (tmp_path / "index.html").exists()


@pytest.mark.long
def test_ctrl_c_during_a_fit_saves_it(tmp_path: Path) -> None:
    saved = tmp_path / "fit.npz"
    data = str(fallline.examples.challenger())
    options = ["--optimizer", "gradient_descent", "--learning-rate", "1e-9", "--max-steps", "1000000000"]
    code, out, err = interrupted(["fit", data, "--target", "distress", *options, "--save", str(saved)])
    assert code == 130
    assert "Traceback" not in err
    assert "interrupted" in out
    assert fallline.Trajectory.load(saved).stop.reason == "interrupted"


@pytest.mark.long
def test_a_broken_pipe_is_quiet_and_files_are_written(tmp_path: Path) -> None:
    picture = tmp_path / "run.png"
    command = [*FALLLINE, "run", "x**2", "--start", "1", "--every", "1", "--max-steps", "20000", "--stop-step", "0"]
    with subprocess.Popen(
        [*command, "--plot", str(picture)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "x**2\n"
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0
    assert picture.exists()


@pytest.mark.parametrize("command", ["--help", "--version", "run --help", "run x**2 --start 1", "optimizers"])
def test_a_full_disk_and_a_closed_pipe_are_told_in_a_line_or_not_at_all(command: str) -> None:
    asked = [*FALLLINE, *command.split()]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(asked, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"fallline: cannot write: {os.strerror(errno.ENOSPC)}\n")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(asked, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert done.stderr == ""


def test_an_error_of_a_users_file_is_not_one_of_the_output(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def f(x):\n    return open('none.txt')\n")
    asked = [*FALLLINE, "run", "mine.py:f", "--start", "1"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "none.txt" in done.stderr
    assert "cannot write" not in done.stderr


def on_a_terminal(arguments: list[str], environment: dict[str, str]) -> str:
    """Everything that a command writes to a terminal."""
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [*FALLLINE, *arguments],
        stdin=terminal, stdout=terminal, stderr=terminal, env={**os.environ, "TERM": "xterm", **environment},
    )  # fmt: skip
    os.close(terminal)
    written = b""
    while True:
        ready, _, _ = select.select([master], [], [], 120)
        assert ready, "nothing more came, and it did not end"
        try:
            chunk = os.read(master, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not chunk:
            break
        written += chunk
    os.close(master)
    assert process.wait() == 0
    return written.decode()


LONG = ["run", "x**2", "--start", "1", "--stop-step", "0", "--max-steps", "30000"]


@pytest.fixture(scope="module")
def shown() -> str:
    return on_a_terminal(LONG, {})


def test_a_terminal_shows_a_progress_bar(shown: str) -> None:
    assert "━" in shown
    assert "/30000" in shown
    assert "gradient_descent" in shown
    assert "stopped:" in shown


def test_no_color_is_honoured(shown: str) -> None:
    colour = re.compile(r"\x1b\[(3[0-7]|9[0-7]|38;)")
    assert colour.search(shown)
    assert not colour.search(on_a_terminal(LONG, {"NO_COLOR": "1"}))
