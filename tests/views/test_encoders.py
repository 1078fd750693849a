from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image
from tests.environments import without_coverage
from tests.views.pixels import frames
from tests.views.runs import on_bowl, two_on_bowl

from fallline import FalllineError
from fallline.views import animate
from fallline.views.encoders import Frame, write_gif, write_mp4, write_webp


def film(path: Path, **options: Any) -> Any:
    return animate(on_bowl(), path, frames=6, frames_per_second=8, size=(320, 240), resolution=24, **options)


def decoded(path: Path, size: tuple[int, int] = (320, 240)) -> tuple[str, Any]:
    """The metadata of an .mp4, and its frames."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, check=True, capture_output=True)
    about = done.stderr.decode().partition("Output #0")[0]
    return about, np.frombuffer(done.stdout, np.uint8).reshape(-1, size[1], size[0], 3)


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_frames_size_and_duration_in_picture_files(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"descent{ending}"
    film(path)
    with Image.open(path) as pictures:
        assert pictures.size == (320, 240)
        assert pictures.n_frames == 6  # type: ignore[attr-defined]
        shown = []
        for number in range(6):
            pictures.seek(number)
            pictures.load()
            shown.append(pictures.info["duration"])
    # Hundredths of a second in a .gif: an eighth of a second is rounded, and six of them are still 0.75 s.
    assert sum(shown) == 750
    assert set(shown) <= ({120, 130} if ending == ".gif" else {125})


def test_frames_size_and_duration_in_mp4(tmp_path: Path) -> None:
    path = tmp_path / "descent.mp4"
    made = film(path)
    about, pictures = decoded(path)
    for words in ("Video: h264", " 320x240", " 8 fps", "Duration: 00:00:00.75", "bt709"):
        assert words in about
    assert len(pictures) == 6
    # Colours are those that were drawn, up to the loss of the encoding and of halved colour resolution.
    for picture, drawn in zip(pictures, made.pictures(), strict=True):
        assert np.abs(picture.astype(int) - drawn[..., :3]).mean() < 4


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "exact"),
    [
        ({}, True),
        ({"quality": 50}, True),
        ({"quality": 49}, False),
        ({"quality": 100, "kind": "contour_3d", "turn": 30}, True),
        ({"kind": "contour_3d", "turn": 30}, False),
    ],
)
def test_which_webp_loses_nothing(tmp_path: Path, options: dict[str, Any], exact: bool) -> None:
    path = tmp_path / "descent.webp"
    made = film(path, **options)
    assert np.array_equal(frames(path), [frame[..., :3] for frame in made.pictures()]) == exact


def test_only_the_first_frame_of_a_webp_is_whole(tmp_path: Path) -> None:
    ground = np.random.default_rng(0).integers(0, 256, (64, 64, 4), np.uint8)
    ground[..., 3] = 255

    def drawn(count: int) -> Iterator[Frame]:
        for number in range(count):
            frame = ground.copy()
            frame[:4, number] = 0
            frame[:4, number, 3] = 255
            yield frame

    short, long = tmp_path / "short.webp", tmp_path / "long.webp"
    for path, count in ((short, 1), (long, 40)):
        write_webp(drawn(count), path, [50 * number for number in range(count + 1)], 90, lossless=True)
    # 39 frames of a few pixels are less than a second picture of this noise, of which nothing can be compressed.
    assert long.stat().st_size < 2 * short.stat().st_size


@pytest.mark.long
@pytest.mark.parametrize("ending", [".gif", ".mp4", ".webp"])
def test_less_quality_makes_smaller_files(tmp_path: Path, ending: str) -> None:
    small, large = tmp_path / f"small{ending}", tmp_path / f"large{ending}"
    film(small, quality=5)
    film(large, quality=95)
    assert small.stat().st_size < large.stat().st_size


def test_colours_of_a_gif_are_near_and_do_not_flicker(tmp_path: Path) -> None:
    path = tmp_path / "race.gif"
    made = animate(two_on_bowl(), path, frames=8, resolution=64)
    drawn = np.array([frame[..., :3] for frame in made.pictures()]).astype(int)
    read = np.array(frames(path)).astype(int)
    # A table of 230 colours for a picture of thousands: bands and grounds keep theirs, and no rim is far off.
    off = np.abs(read - drawn).max(axis=3)
    assert (off == 0).mean() > 0.8
    assert off.max() <= 32
    still = (drawn == drawn[0]).all(axis=(0, 3))
    assert (read == read[0]).all(axis=(0, 3))[still].all()


@pytest.mark.parametrize("ending", [".gif", ".mp4", ".webp"])
def test_a_film_of_one_frame(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"one{ending}"
    assert animate(on_bowl(), path, frames=1, size=(320, 240), resolution=24).frames == 1
    assert len(decoded(path)[1] if ending == ".mp4" else frames(path)) == 1


def test_frames_that_are_alike_all_count_in_a_gif(tmp_path: Path) -> None:
    still = np.full((40, 60, 4), 255, np.uint8)
    moved = still.copy()
    moved[10, 20:23, 0] = 0
    path = tmp_path / "a.gif"
    write_gif(iter([still, still, moved, still]), path, [0, 50, 100, 150, 200], 90, moved)
    with Image.open(path) as film:
        assert film.info["loop"] == 0
    np.testing.assert_array_equal(frames(path), [frame[..., :3] for frame in (still, still, moved, still)])


def test_a_full_disk_ends_a_gif() -> None:
    """Frames are written by a second thread, whose error ends the film."""
    frames = np.random.default_rng(0).integers(0, 256, (20, 64, 64, 4), np.uint8)
    with pytest.raises(OSError, match="No space left on device"):
        write_gif(iter(frames), Path("/dev/full"), list(range(0, 2100, 100)), 90, frames[0])


def test_a_gif_takes_no_more_memory_for_more_frames(tmp_path: Path) -> None:
    program = (
        "import numpy as np\n"
        "from pathlib import Path\n"
        "from fallline.views.encoders import write_gif\n"
        "peaks = []\n"
        "def drawn():\n"
        "    frame = np.full((480, 640, 4), 255, np.uint8)\n"
        "    for number in range(300):\n"
        "        frame[:40, number] = 0\n"
        "        yield frame\n"
        "        peaks.append(int(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0]))\n"
        "write_gif(drawn(), Path('a.gif'), list(range(0, 30100, 100)), 90, np.eye(4, dtype=np.uint8)[None] * 255)\n"
        "print(peaks[-1] - peaks[20])\n"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=tmp_path)
    # In KiB. The 280 frames in between, one byte a pixel, are 84,000; a few pages come with any work.
    assert int(told.stdout) < 8_000


def test_a_missing_encoder_is_named_before_any_work(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['imageio_ffmpeg'] = None\n"
        "from fallline import FalllineError, views\n"
        "try: views.animate(3, 'a.mp4')\n"
        "except FalllineError as error: sys.stdout.write(str(error))\n"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert told.stdout.startswith("path is 'a.mp4', and .mp4 needs a video encoder: pip install \"fallline[films]\"")
    assert not list(tmp_path.iterdir())


def test_an_encoder_that_is_no_program_or_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.mp4"
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "ffmpeg"))
    with pytest.raises(FalllineError, match=r"encoder: IMAGEIO_FFMPEG_EXE is '.*ffmpeg', which is no program"):
        film(path)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", sys.executable)
    with pytest.raises(FalllineError, match=f"the video encoder '{sys.executable}' failed: "):
        film(path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", [".gif", ".mp4", ".webp"])
def test_nothing_is_left_of_a_film_that_breaks_off(tmp_path: Path, ending: str) -> None:
    made = animate(on_bowl(), frames=6, resolution=24)
    title = made.stages[0].ax.title
    # Mathematics that Matplotlib cannot set, from the third frame on.
    made.stages[0].ax.title.set_text(title.get_text())
    broken = tuple(text if number < 3 else r"$\nothing$" for number, text in enumerate(made.scene.titles[0]))
    object.__setattr__(made.stages[0], "titles", broken)
    with pytest.raises(ValueError, match="nothing"):
        made.save(tmp_path / f"a{ending}")
    assert not list(tmp_path.iterdir())


def test_a_failing_encoder_is_told(tmp_path: Path) -> None:
    frame = np.zeros((60, 64, 4), np.uint8)
    with pytest.raises(FalllineError, match=r"the video encoder '.*' failed: .*No such file or directory"):
        write_mp4(iter([frame] * 3), tmp_path / "missing" / "a.mp4", (64, 60), 5.0, 90)


def test_a_full_disk_is_told_of_a_video(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").symlink_to("/dev/full")
    frame = np.zeros((60, 64, 4), np.uint8)
    with pytest.raises(FalllineError, match=r"the video encoder '.*' failed: No space left on device$"):
        write_mp4(iter([frame] * 3), tmp_path / "a.mp4", (64, 60), 5.0, 90)


@pytest.mark.parametrize(
    ("colour", "video"),
    [
        # The bars at 75 % of ITU-R BT.709 as SMPTE RP 219-1:2014 lists them for 8 bits, and both ends of the range.
        ((255, 255, 255), (235, 128, 128)),
        ((0, 0, 0), (16, 128, 128)),
        ((191, 191, 191), (180, 128, 128)),
        ((191, 191, 0), (168, 44, 136)),
        ((0, 191, 191), (145, 147, 44)),
        ((0, 191, 0), (133, 63, 52)),
        ((191, 0, 191), (63, 193, 204)),
        ((191, 0, 0), (51, 109, 212)),
        ((0, 0, 191), (28, 212, 120)),
    ],
)
def test_the_colours_of_an_mp4_are_those_of_the_standard(
    tmp_path: Path, colour: tuple[int, int, int], video: tuple[int, int, int]
) -> None:
    """A film of one colour, then of that colour on black: its luma and chromas as an encoder's user reads them."""
    plain = np.full((64, 64, 4), (*colour, 255), np.uint8)
    half = plain.copy()
    half[:, 32:, :3] = 0
    path = tmp_path / "a.mp4"
    write_mp4(iter([plain, half, plain]), path, (64, 64), 5.0, 100)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", "rawvideo", "-"]
    planes = np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.uint8).reshape(3, -1)
    luma, chromas = planes[:, :4096].reshape(3, 64, 64), planes[:, 4096:].reshape(3, 2, 32, 32)
    # One for the rounding of 191 from 75 % of 255, and one for the loss of the encoding.
    for number, columns in ((0, 32), (1, 12), (2, 32)):
        assert np.abs(luma[number, :, : 2 * columns].astype(int) - video[0]).max() <= 2
        assert np.abs(chromas[number, :, :, :columns].astype(int) - np.reshape(video[1:], (2, 1, 1))).max() <= 2
    assert np.abs(luma[1, :, 40:].astype(int) - 16).max() <= 2
    assert np.abs(chromas[1, :, :, 20:].astype(int) - 128).max() <= 2


@pytest.mark.long
def test_a_turning_camera_sees_other_frames_from_several_processes() -> None:
    made = animate(on_bowl(), None, "contour_3d", frames=16, size=(200, 160), resolution=16, turn=90)
    fixed = animate(on_bowl(), None, "contour_3d", frames=16, size=(200, 160), resolution=16)
    pictures = list(made.pictures())
    turned = pictures[-1]
    assert len(pictures) == 16
    *_, unturned = fixed.pictures()
    assert (turned != unturned).any(axis=2).mean() > 0.05
    # What another process draws is what is drawn here.
    np.testing.assert_array_equal(turned, made.scene.open()(15))


@pytest.mark.long
@pytest.mark.parametrize("moment", ["before", "while"])
def test_the_processes_of_a_killed_film_end_in_silence(moment: str) -> None:
    program = (
        "from fallline.views import animate\n"
        "from tests.views.runs import on_bowl\n"
        "film = animate(on_bowl(steps=300), None, 'contour_3d', frames=300, size=(400, 300), resolution=16, turn=90)\n"
        "print('before', flush=True)\n"
        "for _ in film.pictures(): print('while', flush=True)\n"
    )
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", program], env=without_coverage(), **pipes) as process:
        assert process.stdout is not None
        assert any(line.strip() == moment for line in process.stdout)
        process.kill()
        # The end of its messages is there when the last of the others, which write to the same, has ended.
        _, said = process.communicate()
    assert said == ""
