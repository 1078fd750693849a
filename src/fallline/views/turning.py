"""Frames under a turning camera, drawn by several processes: each of them has to be drawn whole."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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
            with process.stdin:
                pickle.dump((scene, range(first, count, processes)), process.stdin)
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
    scene, numbers = pickle.load(sys.stdin.buffer)
    draw = scene.open()
    for number in numbers:
        sys.stdout.buffer.write(draw(number).data)
    sys.stdout.buffer.flush()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    assert process.stdout is not None
    process.stdout.close()
    process.wait()
