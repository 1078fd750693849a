"""A file appears whole or not at all, whatever happens while it is written."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest
from tests.environments import without_coverage

from fallline import FalllineError
from fallline.files import whole_file


def test_a_new_file_appears_with_the_usual_permissions(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with whole_file(target) as draft:
        draft.write_text("whole")
        assert not target.exists()
        assert (draft.parent, draft.suffix) == (tmp_path, ".txt")
    plain = tmp_path / "plain.txt"
    plain.write_text("")
    assert target.read_text() == "whole"
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "plain.txt"]


@pytest.mark.parametrize("before", [None, "old"])
def test_an_error_in_the_middle_leaves_what_was_there(tmp_path: Path, before: str | None) -> None:
    target = tmp_path / "a.txt"
    if before is not None:
        target.write_text(before)

    def write_half() -> None:
        with whole_file(target) as draft:
            draft.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert [path.read_text() for path in tmp_path.iterdir()] == ([] if before is None else [before])


@pytest.mark.parametrize("old", [None, "old"])
def test_kill_9_in_the_middle_leaves_nothing_or_the_old_file(tmp_path: Path, old: str | None) -> None:
    target = tmp_path / "a.txt"
    if old is not None:
        target.write_text(old)
    script = textwrap.dedent("""
        import sys, time
        from fallline.files import whole_file
        with whole_file(sys.argv[1]) as draft, draft.open("w") as file:
            file.write("half"); file.flush()
            print("writing", flush=True)
            time.sleep(600)
    """)
    command = [sys.executable, "-c", script, str(target)]
    with subprocess.Popen(command, env=without_coverage(), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert target.exists() == (old is not None)
    assert old is None or target.read_text() == old


def test_what_a_killed_process_left_goes_with_the_next_writing_after_an_hour(tmp_path: Path) -> None:
    target = tmp_path / "film.gif"
    program = """
        import os, signal, sys
        from fallline.files import whole_file
        with whole_file(sys.argv[1]):
            os.kill(os.getpid(), signal.SIGKILL)
    """
    for _ in range(2):
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program), str(target)], check=False, env=without_coverage()
        )
    old, young = sorted(tmp_path.iterdir())
    an_hour_ago = old.stat().st_mtime - 3700
    os.utime(old, (an_hour_ago, an_hour_ago))
    with whole_file(target) as draft:
        draft.write_text("whole")
    # The young one may be another process's, which is writing now.
    assert sorted(tmp_path.iterdir()) == sorted([young, target])


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    # A limit on the size of files makes the system refuse what does not fit, as a full disk does.
    script = textwrap.dedent("""
        import resource, sys
        from fallline import FalllineError
        from fallline.files import whole_file
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            with whole_file(sys.argv[1]) as draft:
                draft.write_bytes(bytes(100_000))
        except FalllineError as error:
            print(error)
    """)
    target = tmp_path / "a.bin"
    # Coverage would write its data under the same limit, and leave a corrupt file.
    command = [sys.executable, "-c", script, str(target)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=without_coverage()).stdout
    assert said == f"path is {str(target)!r}, which cannot be written: File too large\n"
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_is_said_by_parameter_and_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    places = {
        tmp_path: "a folder; give the name of a file",
        tmp_path / "none" / "a.txt": "but the folder .*none' does not exist",
        tmp_path / "file" / "a.txt": "but the folder .*file' does not exist",
        tmp_path / ("n" * 300): "which cannot be written: File name too long",
        tmp_path / ("a." + "n" * 300): "which cannot be written: File name too long",
    }
    for place, said in places.items():
        with (
            pytest.raises(FalllineError, match=rf"^--save is '{place}'.*{said}$") as caught,
            whole_file(place, "--save") as draft,
        ):
            draft.write_text("x")
        assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_without_permission_is_said() -> None:
    # A process of its own, so that it can give up the rights that ignore permissions.
    script = textwrap.dedent("""
        import os, sys, tempfile  # while modules may be read
        from fallline import FalllineError
        from fallline.files import whole_file
        os.chmod(sys.argv[1], 0o555)
        if os.getuid() == 0:
            os.setuid(65534)
        try:
            with whole_file(sys.argv[1] + "/a.txt"):
                pass
        except FalllineError as error:
            print(error)
    """)
    # pytest's own folder is closed to others.
    open_folder = Path(tempfile.gettempdir()) / f"fallline-{os.getpid()}"
    open_folder.mkdir()
    try:
        command = [sys.executable, "-c", script, str(open_folder)]
        done = subprocess.run(command, capture_output=True, text=True, env=without_coverage())
    finally:
        open_folder.rmdir()
    assert (done.stdout, done.stderr) == (
        f"path is '{open_folder}/a.txt', which cannot be written: Permission denied\n",
        "",
    )
