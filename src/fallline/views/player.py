"""The page that plays a film: one file with the frames in it, which needs no network."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence

# Controls by name, since the page holds no fonts or icons; everything is found from the script's own element,
# so that several players can stand in one notebook.
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>%(title)s</title>
<style>
body { margin: 0; font: 14px sans-serif; background: white; color: #202020; }
figure { margin: 0; width: %(width)dpx; max-width: 100%%; }
img { display: block; width: 100%%; }
div { display: flex; gap: 6px; align-items: center; padding: 6px; }
button { font: inherit; min-width: 3.5em; }
input { flex: 1; min-width: 4em; }
</style>
</head>
<body>
<figure>
<img alt="%(title)s">
<div>
<button id="play">Pause</button>
<button id="back" aria-label="one frame back">&minus;1</button>
<button id="on" aria-label="one frame on">+1</button>
<input id="frame" type="range" min="0" max="%(last)d" value="0" aria-label="frame">
<output id="count"></output>
<label>Speed <select id="speed">
<option value="0.25">1/4</option><option value="0.5">1/2</option><option value="1" selected>1</option>
<option value="2">2</option><option value="4">4</option>
</select></label>
</div>
</figure>
<script>
{
const frames = %(frames)s, milliseconds = %(milliseconds)d;
const [image, play, back, on, frame, count, speed] =
  ["img", "#play", "#back", "#on", "#frame", "#count", "#speed"].map(name => document.querySelector(name));
let timer = null;
function show(number) {
  frame.value = number;
  image.src = "data:image/png;base64," + frames[number];
  count.textContent = (number + 1) + " / " + frames.length;
}
function move(by) { show((Number(frame.value) + by + frames.length) %% frames.length); }
function pause() { clearInterval(timer); timer = null; play.textContent = "Play"; }
function start() {
  clearInterval(timer);
  timer = setInterval(() => move(1), milliseconds / Number(speed.value));
  play.textContent = "Pause";
}
play.onclick = () => timer === null ? start() : pause();
back.onclick = () => { pause(); move(-1); };
on.onclick = () => { pause(); move(1); };
frame.oninput = () => { pause(); show(Number(frame.value)); };
speed.onchange = () => { if (timer !== null) start(); };
show(0);
start();
}
</script>
</body>
</html>
"""


def page(frames: Sequence[bytes], title: str, width: int, frames_per_second: float) -> str:
    """The page for frames that are PNG files.

    Arguments:
        frames: the files' contents.
        title: what the film shows, as plain text.
        width: the width of a frame in pixels.
        frames_per_second: the usual speed.
    """
    return _PAGE % {
        "title": html.escape(title),
        "width": width,
        "last": len(frames) - 1,
        "frames": json.dumps([base64.b64encode(frame).decode("ascii") for frame in frames]),
        "milliseconds": round(1000 / frames_per_second),
    }


def inline(whole_page: str, width: int, height: int) -> str:
    """The page as a part of another one, such as a notebook: fenced off, with room for the controls."""
    return (
        f'<iframe width="{width}" height="{height + 48}" style="border: 0; max-width: 100%" '
        f'srcdoc="{html.escape(whole_page)}"></iframe>'
    )
