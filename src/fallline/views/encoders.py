"""How a film's frames become a file: each is handed on to the encoder as it is drawn."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from fallline.errors import FalllineError

Frame: TypeAlias = npt.NDArray[np.uint8]


def write_gif(frames: Iterator[Frame], path: Path, moments: list[int], quality: int, sample: Frame) -> None:
    """Write a .gif, repeated for ever.

    Arguments:
        frames: the pictures, each of shape (height, width, 4).
        path: the file.
        moments: when each frame is shown, and when the last one ends, in milliseconds.
        quality: the share of 255 colours that all frames have in common, in percent.
        sample: a picture that shows every colour of the film.
    """
    # One of the 256 colours stands for "as before", which makes small files. The same table for all frames:
    # what does not move cannot flicker.
    table = _Table(sample, max(8, round(2.55 * quality)))
    pictures = (table.picture(frame) for frame in frames)
    # The format counts in hundredths of a second: the frames' ends are rounded, so that their sum is right.
    ends = [round(moment, -1) for moment in moments]
    next(pictures).save(
        path,
        format="GIF",
        save_all=True,
        append_images=pictures,
        duration=[after - before for before, after in itertools.pairwise(ends)],
        loop=0,
    )


class _Table:
    """A few colours for all frames, and for every other colour the nearest of them."""

    def __init__(self, sample: Frame, count: int) -> None:
        codes, seen = np.unique(_codes(sample) & 0xFFFFFF, return_counts=True)
        codes = codes[np.argsort(-seen)]
        # Grounds and bands keep their colours, and the rims of letters share what is left.
        kept, others = _colours(codes[: count // 4]), _colours(codes[count // 4 :])
        self._colours = kept
        if len(others):
            rest = count - len(kept)
            shared = Image.fromarray(others[None]).quantize(rest, method=Image.Quantize.MAXCOVERAGE).getpalette()
            assert shared is not None
            self._colours = np.concatenate([kept, np.array(shared[: 3 * rest], np.uint8).reshape(-1, 3)])
        # Which of them stands for each of the 16 million, as far as met; there are never 256 of them.
        self._nearest = np.full(1 << 24, 255, np.uint8)
        self._before, self._numbers = np.zeros((0, 0), np.uint32), np.zeros((0, 0), np.uint8)

    def picture(self, frame: Frame) -> Image.Image:
        """A frame in these colours; most of it is as it was in the frame before."""
        codes = _codes(frame)
        if codes.shape != self._before.shape:
            self._before, self._numbers = ~codes, np.zeros(codes.shape, np.uint8)
        changed = codes != self._before
        met = codes[changed] & 0xFFFFFF
        numbers = self._nearest[met]
        new = np.unique(met[numbers == 255])
        if new.size:
            far = ((_colours(new)[:, None].astype(np.int32) - self._colours) ** 2).sum(axis=2)
            self._nearest[new] = far.argmin(axis=1)
            numbers = self._nearest[met]
        self._before, self._numbers[changed] = codes, numbers
        picture = Image.fromarray(self._numbers.copy())
        picture.putpalette(self._colours.tobytes())
        return picture


def _codes(frame: Frame) -> npt.NDArray[np.uint32]:
    """The colour of each pixel as one number, shape (height, width); its last 24 bits are red, green and blue."""
    return np.ascontiguousarray(frame).view("<u4")[..., 0]


def _colours(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
    """The other way: red, green and blue, shape (codes, 3)."""
    return np.ascontiguousarray(codes, "<u4").view(np.uint8).reshape(-1, 4)[:, :3]


def write_webp(frames: Iterator[Frame], path: Path | BinaryIO, moments: list[int], quality: int) -> None:
    """The same for a .webp; quality 100 loses nothing."""
    reel = Reel(frames, len(moments) - 1)
    reel.save(
        path,
        format="WEBP",
        save_all=True,
        duration=[after - before for before, after in itertools.pairwise(moments)],
        loop=0,
        lossless=quality == 100,
        quality=30 if quality == 100 else quality,
        # Slower methods make hardly smaller files of drawings.
        method=1,
    )


def write_mp4(frames: Iterator[Frame], path: Path, size: tuple[int, int], rate: float, quality: int) -> None:
    """Write an .mp4, H.264, as every browser and every presentation plays it.

    Raises:
        FalllineError: when the encoder is missing or fails.
    """
    # Players take video for BT.709 colours unless told otherwise, and the converter must do the same.
    # Nothing is scaled, so the quickest way of scaling is as good as any.
    converted = "scale=out_color_matrix=bt709:out_range=tv:flags=fast_bilinear"
    colours = ["-vf", converted, "-colorspace", "bt709"]
    colours += ["-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]
    source = ["-f", "rawvideo", "-pix_fmt", "rgba", "-s", f"{size[0]}x{size[1]}", "-r", str(rate), "-i", "-"]
    # Pictures between two others save little in drawings, and take time.
    coding = [
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-bf",
        "0",
        "-crf",
        str(round(40 - quality / 4)),
        "-pix_fmt",
        "yuv420p",
    ]
    command = [encoder(), "-y", "-loglevel", "error", *source, "-an", *colours, *coding]
    command += ["-movflags", "+faststart", str(path)]
    ffmpeg = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert ffmpeg.stdin is not None
    try:
        for frame in frames:
            ffmpeg.stdin.write(frame.data)
    except BrokenPipeError:
        # It has ended early, and says why below.
        pass
    except BaseException:
        ffmpeg.kill()
        ffmpeg.communicate()
        raise
    _, said = ffmpeg.communicate()
    if ffmpeg.returncode:
        words = said.decode(errors="replace").strip().splitlines() or [f"exit status {ffmpeg.returncode}"]
        raise FalllineError(f"path: the video encoder failed: {words[-1]}")


def encoder(parameter: str = "path", path: str = "film.mp4") -> str:
    """The program that encodes .mp4.

    Raises:
        FalllineError: naming what to install, when it is not there.
    """
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        raise FalllineError(
            f'{parameter} is {path!r}, and .mp4 needs a video encoder: pip install "fallline[films]"; '
            "or choose .gif, .webp or .html"
        ) from None


def picture_of(frame: Frame) -> Image.Image:
    """A frame as an opaque picture."""
    return Image.fromarray(frame).convert("RGB")


class Reel(Image.Image):
    """Frames as Pillow sees a film: each is drawn when it is turned to, so that only one is held."""

    def __init__(self, frames: Iterator[Frame], count: int) -> None:
        super().__init__()
        self._frames, self._at = frames, -1
        self.n_frames = count
        self.seek(0)

    def seek(self, frame: int) -> None:
        """Turn to the next frame; there is no way back."""
        if frame == self._at + 1:
            picture: Any = picture_of(next(self._frames))
            self.im, self._mode, self._size, self._at = picture.im, picture.mode, picture.size, frame

    def tell(self) -> int:
        """The frame turned to."""
        return self._at
