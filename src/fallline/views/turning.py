"""Frames under a turning camera, drawn by several processes: each of them has to be drawn whole."""

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

# Python itself and Matplotlib take as long to start as a handful of frames take to be drawn.
FRAMES_EACH = 8
# Processes of Python's multiprocessing would run the user's script once more, unless it is guarded.
_PROGRAM = "from fallline.views.turning import draw_share; draw_share()"


def drawn_by_several(scene: Any, count: int, size: tuple[int, int], draw: Callable[[int], Frame]) -> Iterator[Frame]:
    """The frames 0 ... count - 1 in their order.

    Arguments:
        scene: what to draw: `scene.open()` gives, in any process, a function like `draw`.
        count: the number of frames.
        size: their width and height.
        draw: draws a frame here, for films too short to be worth other processes.
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
            # It stays open: its end tells the process that this one is gone.
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
    # Ctrl-C goes to all processes; the one that the user started ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        scene, numbers = pickle.load(sys.stdin.buffer)
        Thread(target=_end_with_the_asking, daemon=True).start()
        draw = scene.open()
        for number in numbers:
            sys.stdout.buffer.write(draw(number).data)
        sys.stdout.buffer.flush()
    except (EOFError, pickle.UnpicklingError, BrokenPipeError):
        # The process that asked is gone, and nobody is left to be told.
        os._exit(1)


def _end_with_the_asking() -> None:
    """Wait for the end of standard input, which comes with that of the process that asked, and end this one."""
    # Past Python's buffer, whose lock must be free when Python ends.
    os.read(0, 1)
    os._exit(1)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    assert process.stdin is not None
    assert process.stdout is not None
    # What was not sent yet has nobody to go to.
    with suppress(BrokenPipeError):
        process.stdin.close()
    process.stdout.close()
    process.wait()
