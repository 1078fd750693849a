"""Writing a film's frames to a .gif, .mp4 or .webp file, each frame encoded as it is drawn."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import GifImagePlugin, Image

from fallline.errors import FalllineError
from fallline.machine_code.threads import threads

Frame: TypeAlias = npt.NDArray[np.uint8]
# The numbers of colours in a table.
Numbers: TypeAlias = npt.NDArray[np.uint8]


class Aside:
    """A second thread for the part of encoding that needs no Python, while the next frame is drawn."""

    def __enter__(self) -> Self:
        self._thread = ThreadPoolExecutor(1)
        self._last: Future[Any] = self._thread.submit(int)
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def call(self, function: Callable[..., Any], *given: Any) -> None:
        """Call a function there, when the last call has ended."""
        self.wait()
        self._last = self._thread.submit(function, *given)

    def wait(self) -> None:
        """Wait for the end of the last call, and raise its error."""
        self._last.result()


def write_gif(frames: Iterator[Frame], path: Path, moments: list[int], quality: int, sample: Frame) -> None:
    """Write a .gif that loops for ever.

    Arguments:
        frames: the pictures, each of shape (height, width, 4).
        path: the file.
        moments: the time at which each frame starts, and the last one ends, in milliseconds.
        quality: the percentage of 255 colours to use.
        sample: a picture that shows every colour of the film.
    """
    # One of the 256 colours stands for "as before", which makes small files. All frames share one table, so that
    # what does not move cannot flicker.
    table = _Table(sample, max(8, round(2.55 * quality)))
    # The format counts in hundredths of a second: end times are rounded instead of durations, so that the sum is right.
    ends = [round(moment, -1) for moment in moments]
    durations = [after - before for before, after in itertools.pairwise(ends)]
    codes = _codes(next(frames)).copy()
    shown = table.numbers(codes)
    # Pillow's own `save_all` keeps all frames in memory.
    with path.open("wb") as file, Aside() as aside:
        picture = Image.fromarray(shown)
        picture.putpalette(table.palette)
        header, _ = GifImagePlugin.getheader(picture, info={"loop": 0})
        file.writelines([*header, *GifImagePlugin.getdata(picture, duration=durations[0])])
        for frame, duration in zip(frames, durations[1:], strict=True):
            where = np.flatnonzero(_codes(frame) != codes)
            codes.put(where, _codes(frame).take(where))
            numbers = table.numbers(codes.take(where))
            changed = numbers != shown.take(where)
            where, numbers = where[changed], numbers[changed]
            shown.put(where, numbers)
            part, place = _part(where, numbers, shown.shape[1], table.as_before)
            about = {"duration": duration, "transparency": int(table.as_before)}
            # Not the public `getdata`: it keeps the interpreter's lock while it compresses.
            aside.call(GifImagePlugin._write_frame_data, file, Image.fromarray(part), place, about)
        aside.wait()
        file.write(b";")


def _part(
    where: npt.NDArray[np.intp], numbers: Numbers, width: int, as_before: np.uint8
) -> tuple[Numbers, tuple[int, int]]:
    """The smallest part of a picture with some of its pixels, the others as before; its first column and row."""
    if not where.size:
        # A .gif has no empty parts.
        return np.full((1, 1), as_before), (0, 0)
    rows, columns = np.divmod(where, width)
    top, left = int(rows[0]), int(columns.min())
    part = np.full((rows[-1] + 1 - top, columns.max() + 1 - left), as_before)
    part[rows - top, columns - left] = numbers
    return part, (left, top)


class _Table:
    """The colour table that all frames share; other colours are mapped to the nearest in it."""

    def __init__(self, sample: Frame, count: int) -> None:
        codes, seen = np.unique(_codes(sample) & 0xFFFFFF, return_counts=True)
        codes = codes[np.argsort(-seen)]
        # The frequent colours, of background and bands, are kept; others, such as letters' edges, share what is left.
        kept, others = _colours(codes[: count // 4]), _colours(codes[count // 4 :])
        self._colours = kept
        if len(others):
            rest = count - len(kept)
            shared = Image.fromarray(others[None]).quantize(rest, method=Image.Quantize.MAXCOVERAGE).getpalette()
            assert shared is not None
            self._colours = np.concatenate([kept, np.array(shared[: 3 * rest], np.uint8).reshape(-1, 3)])
        # The number after the last colour means "as before".
        self.as_before = np.uint8(len(self._colours))
        self.palette = self._colours.tobytes() + bytes(3)
        # The number for each of the 16 million colours; 255, which is never used, where it has not been looked up yet.
        self._nearest = np.full(1 << 24, 255, np.uint8)
        self._look_up(codes)

    def numbers(self, codes: npt.NDArray[np.uint32]) -> Numbers:
        """The number of each colour."""
        colours = codes & 0xFFFFFF
        numbers: Numbers = self._nearest[colours]
        new = colours[numbers == 255]
        if new.size:
            self._look_up(np.unique(new))
            numbers = self._nearest[colours]
        return numbers

    def _look_up(self, codes: npt.NDArray[np.uint32]) -> None:
        """Find the nearest colour in the table to each of some."""
        # The squared distance to each, less what is the same for all; exact, since no sum reaches 2^24.
        table = self._colours.astype(np.float32)
        far = (table**2).sum(axis=1) - 2 * (_colours(codes) @ table.T)
        self._nearest[codes] = far.argmin(axis=1)


def _codes(frame: Frame) -> npt.NDArray[np.uint32]:
    """The colour of each pixel as one number, shape (height, width); its last 24 bits are red, green and blue."""
    return np.ascontiguousarray(frame).view("<u4")[..., 0]


def _colours(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
    """The inverse of `_codes`: red, green and blue, shape (codes, 3)."""
    return np.ascontiguousarray(codes, "<u4").view(np.uint8).reshape(-1, 4)[:, :3]


def write_webp(
    frames: Iterator[Frame], path: Path | BinaryIO, moments: list[int], quality: int, *, lossless: bool
) -> None:
    """Write a .webp that loops for ever.

    Arguments:
        quality: from 1 to 100, for a lossy file.
        lossless: whether every pixel is kept.
    """
    reel = Reel(frames, len(moments) - 1)
    reel.save(
        path,
        format="WEBP",
        save_all=True,
        duration=[after - before for before, after in itertools.pairwise(moments)],
        loop=0,
        lossless=lossless,
        # For lossless files this is the encoder's effort; more effort makes drawings hardly smaller.
        quality=30 if lossless else quality,
        method=1,
        # Only the first frame is a key frame: Pillow's default, one every few frames, is slower and doubles the file.
        kmax=0,
    )


def write_mp4(frames: Iterator[Frame], path: Path, size: tuple[int, int], rate: float, quality: int) -> None:
    """Write an .mp4 (H.264), which browsers and presentation programs play.

    Raises:
        FalllineError: when the encoder is missing or fails.
    """
    # Given for input and output: ffmpeg would convert colours where they differ or one is not given.
    colours = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]
    source = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{size[0]}x{size[1]}", "-r", str(rate), *colours]
    # No B-frames: they save little in drawings, and take time.
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-crf", str(round(40 - quality / 4))]
    # One thread is left for drawing.
    coding += ["-threads", str(max(1, threads() - 1))]
    command = [encoder(), "-y", "-loglevel", "error", *source, "-i", "-", "-an", *colours, *coding]
    command += ["-movflags", "+faststart", str(path)]
    ffmpeg = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert ffmpeg.stdin is not None
    try:
        planes = _Planes(size)
        for frame in frames:
            ffmpeg.stdin.write(planes.of(frame).data)
    except BrokenPipeError:
        # ffmpeg has ended early; its message is read below.
        pass
    except BaseException:
        ffmpeg.kill()
        ffmpeg.communicate()
        raise
    _, said = ffmpeg.communicate()
    if ffmpeg.returncode:
        # An error of the system is the status itself, as a negative number in eight bits; its messages are about parts.
        status = ffmpeg.returncode
        *_, words = [f"exit status {status}", *said.decode(errors="replace").strip().splitlines()]
        words = os.strerror(256 - status) if 256 - status in errno.errorcode else words
        raise FalllineError(problem=f"the video encoder {command[0]!r} failed: {words}")


# From red, green and blue (0 to 255) to luma and two chromas in limited range: ITU-R BT.709 (2015), which players
# assume unless told otherwise.
_LUMA = np.array([0.2126, 0.7152, 0.0722])
_CHROMA = np.array([([0, 0, 1] - _LUMA) / 1.8556, ([1, 0, 0] - _LUMA) / 1.5748])
_TO_LUMA, _TO_CHROMA = (219 / 255 * _LUMA).astype(np.float32), (224 / 255 * _CHROMA.T).astype(np.float32)


# The number of 2×2 pixel blocks converted at once: about what fits into the cache.
_BATCH = 1 << 13


class _Planes:
    """Frames as planar YUV 4:2:0: the luma of each pixel, then the two chromas of each 2×2 block.

    Only the pixels that changed since the previous frame are converted.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        width, height = size[0] // 2, size[1] // 2
        self._planes = np.zeros(6 * height * width, np.uint8)
        self._luma = self._planes[: 4 * height * width].reshape(height, 2, width, 2)
        self._chroma = self._planes[4 * height * width :].reshape(2, height, width)
        self._before: npt.NDArray[np.uint64] | None = None

    def of(self, frame: Frame) -> npt.NDArray[np.uint8]:
        """The planes of a frame, valid until the next call."""
        _, height, width = self._chroma.shape
        # Two adjacent pixels as one integer.
        pairs = np.ascontiguousarray(frame).reshape(height, 2, 8 * width).view(np.uint64)
        if self._before is None:
            self._before = ~pairs
        changed = pairs != self._before
        blocks = np.flatnonzero(changed[:, 0] | changed[:, 1])
        for some in np.split(blocks, range(_BATCH, len(blocks), _BATCH)):
            rows, columns = np.divmod(some, width)
            new = pairs[rows, :, columns]
            self._before[rows, :, columns] = new
            pixels = new.view(np.uint8).reshape(-1, 2, 2, 4)[..., :3].astype(np.float32)
            self._luma[rows, :, columns] = np.rint(16 + pixels @ _TO_LUMA)
            self._chroma[:, rows, columns] = np.rint(128 + pixels.mean(axis=(1, 2)) @ _TO_CHROMA).T
        return self._planes


def encoder(parameter: str = "path", path: str = "film.mp4") -> str:
    """The path of the ffmpeg program, which encodes .mp4.

    Raises:
        FalllineError: when it is not installed; it says what to install.
    """
    needs = f"{parameter} is {path!r}, and .mp4 needs a video encoder: "
    try:
        import imageio_ffmpeg

        program = str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        raise FalllineError(
            problem=f'{needs}pip install "fallline[films]"', allowed="or choose .gif, .webp or .html"
        ) from None
    if shutil.which(program) is None:
        raise FalllineError(problem=f"{needs}IMAGEIO_FFMPEG_EXE is {program!r}, which is no program")
    return program


def picture_of(frame: Frame) -> Image.Image:
    """A frame as an opaque Pillow image."""
    return Image.fromarray(frame).convert("RGB")


class Reel(Image.Image):
    """Frames as a multi-frame Pillow image: each is drawn on `seek`, so that only one is in memory."""

    def __init__(self, frames: Iterator[Frame], count: int) -> None:
        super().__init__()
        self._frames, self._at = frames, -1
        self.n_frames = count
        self.seek(0)

    def seek(self, frame: int) -> None:
        """Go to the next frame; going back is not possible."""
        if frame == self._at + 1:
            picture: Any = picture_of(next(self._frames))
            self.im, self._mode, self._size, self._at = picture.im, picture.mode, picture.size, frame

    def tell(self) -> int:
        """The number of the current frame."""
        return self._at
