"""The folder of compiled code: of bounded size, the oldest out first, shared by processes, never trusted blindly."""

from __future__ import annotations

import hashlib
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.environments import without_coverage

from fallline import FalllineError
from fallline.machine_code import cache

CODE = b"\x90" * 100_000
# An entry is its code behind a checksum of 32 bytes.
ENTRY = len(CODE) + 32
KEYS = [hashlib.sha256(bytes([number])).hexdigest() for number in range(12)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache that may hold three entries, as a new process finds it."""
    monkeypatch.setattr(cache, "_unseen", math.inf)
    monkeypatch.setenv("FALLLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FALLLINE_CACHE_SIZE", str(3.5 * ENTRY / 1e6))
    return tmp_path / "cache"


def kept(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_what_was_not_used_for_the_longest_time_goes_first(folder: Path) -> None:
    for key in KEYS[:3]:
        cache.write(key, CODE)
    assert kept(folder) == set(KEYS[:3])
    # Written first, but used last.
    assert cache.read(KEYS[0]) == CODE
    cache.write(KEYS[3], CODE)
    assert kept(folder) == {KEYS[0], KEYS[2], KEYS[3]}
    assert cache.read(KEYS[1]) is None
    for key in KEYS[4:]:
        cache.write(key, CODE)
        assert cache.read(key) == CODE
        assert len(kept(folder)) == 3


def test_small_entries_stay_as_long_as_they_fit(folder: Path) -> None:
    for key in KEYS:
        cache.write(key, CODE[:1000])
    assert kept(folder) == set(KEYS)
    # One that needs the whole room takes the place of all.
    cache.write(KEYS[0], CODE * 3)
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 3.5 * ENTRY
    assert cache.read(KEYS[0]) == CODE * 3


def test_code_larger_than_the_cache_is_not_stored_and_drives_nothing_out(folder: Path) -> None:
    cache.write(KEYS[0], CODE)
    cache.write(KEYS[1], CODE * 4)
    assert kept(folder) == {KEYS[0]}


def test_other_files_in_the_folder_are_neither_counted_nor_removed(folder: Path) -> None:
    folder.mkdir(0o700)
    for other in ("notes.txt", KEYS[0][:-1], KEYS[0] + "0", KEYS[0].upper()):
        (folder / other).write_bytes(CODE * 10)
    for key in KEYS[1:5]:
        cache.write(key, CODE)
    assert kept(folder) == {"notes.txt", KEYS[0][:-1], KEYS[0] + "0", KEYS[0].upper(), *KEYS[2:5]}


@pytest.mark.parametrize("chosen", [None, ""])
def test_two_hundred_megabytes_by_default(chosen: str | None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FALLLINE_CACHE_SIZE")
    if chosen is not None:
        monkeypatch.setenv("FALLLINE_CACHE_SIZE", chosen)
    folder.mkdir(0o700)
    for number, key in enumerate(KEYS[:3]):
        # Long files that take no room on the disk.
        with open(folder / key, "wb") as file:
            file.truncate(66_000_000)
        os.utime(folder / key, (number, number))
    cache.write(KEYS[3], CODE)
    assert kept(folder) == set(KEYS[1:4])


def test_the_folder_is_looked_at_again_after_a_part_of_the_size(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FALLLINE_CACHE_SIZE", str(32 * ENTRY / 1e6))
    cache.write(KEYS[0], CODE)
    # Another process writes meanwhile.
    for number in range(40):
        (folder / hashlib.sha256(f"other {number}".encode()).hexdigest()).write_bytes(CODE)
    looked = []
    for key in KEYS[1:7]:
        cache.write(key, CODE)
        looked.append(len(kept(folder)) <= 32)
    assert looked == [False, False, True, True, True, True]
    assert set(KEYS[1:7]) <= kept(folder)


def test_a_size_of_zero_is_no_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FALLLINE_CACHE_SIZE", "0")
    cache.write(KEYS[0], CODE)
    assert not folder.exists()


@pytest.mark.parametrize("size", ["much", "-1", "nan", "200 MB", "1e"])
def test_a_size_that_is_none_is_named(size: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FALLLINE_CACHE_SIZE", size)
    with pytest.raises(FalllineError) as caught:
        cache.write(KEYS[0], CODE)
    assert str(caught.value) == (f"FALLLINE_CACHE_SIZE is {size!r}; it must be a number of megabytes, 0 for no cache")
    assert not folder.exists()


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o702, 0o722])
def test_a_folder_that_others_may_write_to_is_not_used(mode: int, folder: Path) -> None:
    cache.write(KEYS[0], CODE)
    folder.chmod(mode)
    assert cache.read(KEYS[0]) is None
    cache.write(KEYS[1], CODE)
    assert kept(folder) == {KEYS[0]}
    folder.chmod(0o755)
    assert cache.read(KEYS[0]) == CODE
    cache.write(KEYS[1], CODE)
    assert kept(folder) == set(KEYS[:2])


def test_the_folder_of_another_user_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.write(KEYS[0], CODE)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    assert cache.read(KEYS[0]) is None
    cache.write(KEYS[1], CODE)
    assert kept(folder) == {KEYS[0]}


@pytest.mark.usefixtures("folder")
def test_a_folder_in_which_no_use_can_be_noted_is_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:  # as on a file system that is mounted read-only
        raise OSError("read-only")

    cache.write(KEYS[0], CODE)
    monkeypatch.setattr(os, "utime", refuse)
    assert cache.read(KEYS[0]) == CODE


# Writes and reads at random for the seconds it is given; what it reads must be what some process wrote under that key.
BUSY = """
import hashlib, random, sys, time
from fallline.machine_code import cache
chance, until = random.Random(int(sys.argv[1])), time.monotonic() + float(sys.argv[2])
keys = [hashlib.sha256(bytes([number])).hexdigest() for number in range(12)]
code = lambda key: key.encode() * (200 + 100 * int(key[0], 16))
print("begun", flush=True)
hits = 0
while time.monotonic() < until:
    key = chance.choice(keys)
    found = cache.read(key)
    assert found in (None, code(key)), key
    hits += found is not None
    if found is None or chance.random() < 0.2:
        cache.write(key, code(key))
print(hits)
"""


@pytest.mark.long
def test_processes_share_it_and_one_that_is_killed_leaves_it_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 250_000
    monkeypatch.setenv("FALLLINE_CACHE_SIZE", str(most / 1e6))
    environment = without_coverage()

    def started(seed: int, seconds: float) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", BUSY, str(seed), str(seconds)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    survivors, victims = [started(seed, 3) for seed in range(4)], [started(seed, 600) for seed in range(4, 7)]
    for process in (*survivors, *victims):
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
    for victim in victims:
        time.sleep(0.3)
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
    for process in survivors:
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
        assert int(out) > 0
    # A killed one may have left its last entry, and a draft.
    cache.write("0" * 64, b"last")
    drafts = [file for file in folder.iterdir() if file.name.startswith(".")]
    entries = [file for file in folder.iterdir() if file not in drafts]
    assert len(drafts) <= len(victims)
    assert 0 < sum(file.stat().st_size for file in entries) <= most
    for entry in entries:
        key = entry.name
        assert cache.read(key) == (b"last" if key == "0" * 64 else key.encode() * (200 + 100 * int(key[0], 16)))


@pytest.mark.long
def test_runs_in_a_cache_of_no_size_are_the_same(tmp_path: Path) -> None:
    run = (
        "import fallline\n"
        "run = fallline.minimize('x**2 + 3*y**2', [1.0, 2.0], fallline.Adam(0.1), max_steps=50, engine='compiled')\n"
        "print(run.final.x.tolist())\n"
    )
    ends = {
        subprocess.run(
            [sys.executable, "-c", run],
            env=without_coverage() | {"FALLLINE_CACHE": str(tmp_path / size), "FALLLINE_CACHE_SIZE": size},
            capture_output=True,
            check=True,
        ).stdout
        for size in ("0", "0.001", "10")
    }
    assert len(ends) == 1
    assert {file.name for file in tmp_path.iterdir()} == {"10"}
