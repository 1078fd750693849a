"""Compiled code on disk: used again, shared by processes, whole or not at all, never trusted blindly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.environments import without_coverage

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
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def test_a_second_process_compiles_nothing(tmp_path: Path) -> None:
    first = output(started(RUN, tmp_path / "new" / "folder"))
    assert output(started(REFUSE + RUN, tmp_path / "new" / "folder")) == first


def test_processes_that_start_together_share_the_folder(tmp_path: Path) -> None:
    together = [started(RUN, tmp_path) for _ in range(3)]
    assert len({output(process) for process in together}) == 1
    # One entry, and no drafts.
    assert len(os.listdir(tmp_path)) == 1


def test_a_damaged_entry_is_compiled_again(tmp_path: Path) -> None:
    first = output(started(RUN, tmp_path))
    (entry,) = tmp_path.iterdir()
    whole = entry.read_bytes()
    for damaged in (b"", b"\0" * 5000, whole[: len(whole) // 2]):
        entry.write_bytes(damaged)
        assert output(started(RUN, tmp_path)) == first
        assert entry.read_bytes() == whole


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
    (tmp_path / ".0123-old").write_bytes(b"half")
    os.utime(tmp_path / ".0123-old", (time.time() - 7200,) * 2)
    (tmp_path / ".4567-new").write_bytes(b"another process is writing it")
    output(started(RUN, tmp_path))
    names = os.listdir(tmp_path)
    assert ".0123-old" not in names
    assert ".4567-new" in names


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    output(started(RUN, tmp_path / "file" / "below"))


def test_other_code_has_another_entry(tmp_path: Path) -> None:
    output(started(RUN, tmp_path))
    output(started(RUN.replace("3*y**2", "4*y**2"), tmp_path))
    assert len(os.listdir(tmp_path)) == 2
    # A rate is a setting of the same code.
    output(started(REFUSE + RUN.replace("0.1", "0.01"), tmp_path))
