"""Compiled code on disk: used again, shared by processes, whole or not at all, never trusted blindly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.environments import without_coverage

from fallline.machine_code import machine

RUN = (
    "import fallline\n"
    "run = fallline.minimize('x**2 + 3*y**2', [1.0, 2.0], fallline.Adam(0.1), max_steps=50, engine='compiled')\n"
    "print(run.final.x.tolist())\n"
)
# What stands in place of the compiler, to see whether it is asked.
REFUSE = (
    "from fallline.machine_code import machine\n"
    "def refuse(*_): raise AssertionError('compiled again')\n"
    "machine._compiled = refuse\n"
)


def started(code: str, cache: Path) -> subprocess.Popen[str]:
    env = without_coverage() | {"FALLLINE_CACHE": str(cache)}
    return subprocess.Popen(
        [sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def output(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return out


def test_a_second_process_compiles_nothing(tmp_path: Path) -> None:
    first = output(started(RUN, tmp_path / "new" / "folder"))
    assert output(started(REFUSE + RUN, tmp_path / "new" / "folder")) == first


@pytest.mark.long
def test_processes_that_start_together_share_the_folder(tmp_path: Path) -> None:
    together = [started(RUN, tmp_path) for _ in range(3)]
    assert len({output(process) for process in together}) == 1
    # One entry, and no drafts.
    assert len(os.listdir(tmp_path)) == 1


@pytest.mark.long
def test_kill_9_while_an_entry_is_written_leaves_none(tmp_path: Path) -> None:
    # Stops in the midst of writing, as a slow disk would.
    slow = (
        "import os, time\n"
        "replace = os.replace\n"
        "def wait(*paths): print('writing', flush=True); time.sleep(60)\n"
        "os.replace = wait\n"
    )
    process = started(slow + RUN, tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert [name for name in os.listdir(tmp_path) if not name.startswith(".")] == []
    first = output(started(RUN, tmp_path))
    assert output(started(REFUSE + RUN, tmp_path)) == first


def test_drafts_that_a_kill_left_behind_are_removed(tmp_path: Path) -> None:
    old, new, other = (tmp_path / name for name in (".fallline-draft-old", ".fallline-draft-new", ".profile"))
    new.write_bytes(b"another process is writing it")
    for path in (old, other):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - 7200,) * 2)
    output(started(RUN, tmp_path))
    names = os.listdir(tmp_path)
    assert old.name not in names
    assert new.name in names
    # The folder may be one where a user keeps more than this.
    assert other.name in names


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    output(started(RUN, tmp_path / "file" / "below"))


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know no code any more, as a new process. The old is kept, for it cannot be unloaded."""
    KEPT.append(machine._LOADED)
    monkeypatch.setattr(machine, "_LOADED", {})
    KEPT.append(machine._LOADED)


KEPT: list[Any] = []


def seven(cache: Path, monkeypatch: pytest.MonkeyPatch, name: str = "seven") -> int:
    """Call a function that a new process would find in the folder, or compile."""
    monkeypatch.setenv("FALLLINE_CACHE", str(cache))
    forget(monkeypatch)
    return machine.function(f"define i64 @{name}() {{ ret i64 7 }}", name, ())()


def test_a_damaged_entry_is_compiled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seven(tmp_path, monkeypatch) == 7
    (entry,) = tmp_path.iterdir()
    whole = entry.read_bytes()
    for damaged in (b"", b"\0" * 5000, whole[: len(whole) // 2]):
        entry.write_bytes(damaged)
        assert seven(tmp_path, monkeypatch) == 7
        assert entry.read_bytes() == whole


def test_what_another_user_could_have_written_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seven(tmp_path, monkeypatch) == 7
    (entry,) = tmp_path.iterdir()
    written = entry.stat().st_mtime_ns
    assert seven(tmp_path, monkeypatch) == 7
    assert entry.stat().st_mtime_ns == written
    entry.chmod(0o666)
    assert seven(tmp_path, monkeypatch) == 7
    assert entry.stat().st_mtime_ns > written
    assert entry.stat().st_mode & 0o777 == 0o600


def test_an_entry_in_the_place_of_another_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seven(tmp_path, monkeypatch) == 7
    (entry,) = tmp_path.iterdir()
    assert seven(tmp_path, monkeypatch, "septem") == 7
    (other,) = (path for path in tmp_path.iterdir() if path != entry)
    entry.replace(other)
    assert seven(tmp_path, monkeypatch, "septem") == 7


def test_a_pipe_in_the_place_of_an_entry_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seven(tmp_path, monkeypatch) == 7
    (entry,) = tmp_path.iterdir()
    entry.unlink()
    os.mkfifo(entry)
    assert seven(tmp_path, monkeypatch) == 7


def test_a_user_without_a_home_only_loses_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def home() -> Path:  # as in a container that runs under a number which no user has
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", home)
    monkeypatch.setenv("FALLLINE_CACHE", "")
    forget(monkeypatch)
    assert machine.function("define i64 @eight() { ret i64 8 }", "eight", ())() == 8


def test_threads_that_start_together_do_not_disturb_each_other(tmp_path: Path) -> None:
    # In a process of its own, for what goes wrong in here ends it.
    threads = (
        "import threading, fallline\n"
        "ends = []\n"
        "def go(i):\n"
        "    run = fallline.minimize(f'(x - {i % 3})**2', 5.0, fallline.GradientDescent(0.5), engine='compiled')\n"
        "    ends.append(run.final.x.item() == i % 3)\n"
        "together = [threading.Thread(target=go, args=(i,)) for i in range(12)]\n"
        "for thread in together: thread.start()\n"
        "for thread in together: thread.join()\n"
        "print(len(ends), all(ends))\n"
    )
    assert output(started(threads, tmp_path)) == "12 True\n"


def test_other_code_has_another_entry(tmp_path: Path) -> None:
    output(started(RUN + RUN.replace("3*y**2", "4*y**2"), tmp_path))
    assert len(os.listdir(tmp_path)) == 2
    # A rate is a setting of the same code.
    output(started(REFUSE + RUN.replace("0.1", "0.01"), tmp_path))
