"""Frames of a film whose camera turns, drawn by several processes: nothing in them can be reused."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from threading import Thread
from typing import Any

import numpy as np

from fallline.views.encoders import Frame

# A process takes about as long to start Python and Matplotlib as to draw a few frames.
FRAMES_EACH = 8
# Not multiprocessing: it would run the user's script again unless that is guarded by `if __name__ == "__main__"`.
_PROGRAM = "from fallline.views.turning import draw_share; draw_share()"


def drawn_by_several(scene: Any, count: int, size: tuple[int, int], draw: Callable[[int], Frame]) -> Iterator[Frame]:
    """The frames 0 ... count - 1, in order.

    Arguments:
        scene: what to draw; `scene.open()` returns, in any process, a function like `draw`.
        count: the number of frames.
        size: their width and height.
        draw: draws a frame in this process, for films too short to be worth other processes.
    """
    processes = min(os.cpu_count() or 1, count // FRAMES_EACH)
    if processes < 2:
        yield from (draw(number) for number in range(count))
        return
    with ExitStack() as stack:
        started = []
        for first in range(processes):
            process = subprocess.Popen([sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            stack.callback(_end, process)
            started.append(process)
            assert process.stdin is not None
            # Its standard input stays open: end of file tells it that this process is gone.
            pickle.dump((scene, range(first, count, processes)), process.stdin)
            process.stdin.flush()
        width, height = size
        for number in range(count):
            pipe = started[number % processes].stdout
            assert pipe is not None
            pixels = pipe.read(4 * width * height)
            if len(pixels) < 4 * width * height:
                raise RuntimeError("a process that draws frames ended early")
            yield np.frombuffer(pixels, np.uint8).reshape(height, width, 4)
        for process in started:
            process.wait()


def draw_share() -> None:
    """Draw the frames asked for on standard input, and write their pixels to standard output."""
    # Ctrl-C goes to all processes; the parent ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        scene, numbers = pickle.load(sys.stdin.buffer)
        Thread(target=_end_with_the_asking, daemon=True).start()
        draw = scene.open()
        for number in numbers:
            sys.stdout.buffer.write(draw(number).data)
        sys.stdout.buffer.flush()
    except (EOFError, pickle.UnpicklingError, BrokenPipeError):
        # The parent process is gone.
        os._exit(1)


def _end_with_the_asking() -> None:
    """Wait for the end of standard input, which comes when the parent process ends, and end this process."""
    # Not through Python's buffer, whose lock must be free when Python ends.
    os.read(0, 1)
    os._exit(1)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    assert process.stdin is not None
    assert process.stdout is not None
    # Unsent data is dropped.
    with suppress(BrokenPipeError):
        process.stdin.close()
    process.stdout.close()
    process.wait()
