"""The HTML page that plays runs: one file with their data and the player (js/src/player.ts), which needs no network."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import math
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.colors import to_hex
from PIL import Image

from fallline.arrays import FloatArray
from fallline.pictures import paths, words
from fallline.pictures.clock import Spacing, progress
from fallline.pictures.curve import Descent
from fallline.pictures.landscape import Landscape
from fallline.pictures.paths import Labelled
from fallline.results.series import time_of
from fallline.views import contour, space
from fallline.views.theme import THEMES

# The page draws 4 : 3, with the histories beside it and some lines of text.
WIDTH, HEIGHT = 1000, 600
# The code for NaN in the landscape; the codes below it rise from the lowest value to the highest.
MISSING = 65535
# Script of the page around the player, run once: it sends its text colour, and sets the height that the player requests
# (0 requests none). In Colab that page is itself a frame, as high as its contents were at first.
_MEETING = """
const {port1, port2} = new MessageChannel();
port1.onmessage = ({data}) => {
  this.previousElementSibling?.remove();
  this.height = data || this.height;
  this.parentNode.style.minHeight = this.height + "px";
  window.google?.colab?.output?.resizeIframeToContent?.();
};
this.contentWindow.postMessage(getComputedStyle(this).color, "*", [port2]);
""".replace("\n", " ").strip()


def page(
    pairs: Sequence[Labelled],
    data: Landscape | Descent,
    seconds: float,
    spacing: Spacing,
    *,
    camera: tuple[float, float] | None = None,
    dark: bool = False,
) -> str:
    """The page for runs on a curve or a landscape.

    Arguments:
        pairs: the runs.
        data: what is drawn of them.
        seconds: how long the film plays at its usual speed.
        spacing: whether it goes by the length of the paths or by time.
        camera: the azimuth and the elevation, in degrees, from which a landscape is first seen as a surface that the
            mouse turns; None: it is flat.
        dark: whether it starts dark regardless of the reader's system setting.
    """
    scene = _landscape(data) if isinstance(data, Landscape) else _curve(data)
    times = np.unique(np.concatenate([path.times for path in data.paths]))
    scene |= {
        "done": column(progress(data, times, spacing)),
        "unit": data.unit,
        "seconds": seconds,
        "dark": dark,
        "paths": [
            _path(pair, path, number)
            for pair, path, number in zip(pairs, data.paths, paths.numbers_of(data.paths), strict=True)
        ],
    }
    if camera is not None:
        assert isinstance(data, Landscape)
        low, high = data.heights
        ticks = zip(*space.height_ticks(data), strict=True)
        scene["solid"] = {
            "name": data.height_name,
            "ticks": [((float(height) - low) / (high - low), said) for height, said in ticks],
            "camera": [math.radians(angle) for angle in camera],
        }
        for packed, path in zip(scene["paths"], data.paths, strict=True):
            packed["height"] = column((space.inside(data, path, len(path))[2] - low) / (high - low))
    scene["remarks"] += [f"{path.label}: {path.remark}" for path in data.paths if path.remark]
    code = _part("player.js")
    parts = {
        "title": html.escape(scene["title"]),
        # Inside a script element only "<" has a meaning in HTML.
        "data": json.dumps(scene, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
        "code": code,
        # Nothing but the player runs, whatever else a page might be made to hold.
        "hash": base64.b64encode(hashlib.sha256(code.encode()).digest()).decode("ascii"),
    }
    return re.sub("__([a-z]+)__", lambda place: parts[place[1]], _part("player.html"))


def inline(whole_page: str, still: npt.NDArray[np.uint8]) -> str:
    """The page embedded in another, such as a notebook, isolated in a frame.

    Arguments:
        whole_page: the player.
        still: the pixels of a picture, shape (height, width, 4), shown until the player has loaded, and in its place
            on sites that allow no player, such as GitHub.
    """
    file = io.BytesIO()
    # 256 colours make it a third as large without a visible difference: these pictures have few colours.
    few = Image.fromarray(still).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(file, format="png", optimize=True)
    return (
        f'<div style="position: relative; min-height: {HEIGHT}px">{image(file.getvalue())}'
        f'<iframe sandbox="allow-scripts" width="{WIDTH}" height="{HEIGHT}" '
        'style="position: absolute; left: 0; top: 0; border: 0; max-width: 100%" '
        f'onload="{html.escape(_MEETING)}" srcdoc="{html.escape(whole_page)}"></iframe></div>'
    )


def image(png: bytes) -> str:
    """A PNG as an HTML element with the data inside."""
    return f'<img style="max-width: 100%" src="data:image/png;base64,{base64.b64encode(png).decode("ascii")}">'


def column(numbers: FloatArray) -> dict[str, Any]:
    """Numbers as the page stores them: evenly spaced ones by start and step, otherwise as bytes in base64.

    Four bytes per number where that keeps seven digits of each, otherwise eight.

    >>> column(np.array([0.0, 0.5, 1.0]))
    {'from': 0.0, 'by': 0.5, 'count': 3}
    >>> column(np.array([1.0, 1e300, 0.0])).keys()
    dict_keys(['f8'])
    """
    count = len(numbers)
    if np.isfinite(numbers).all():
        by = float(numbers[1] - numbers[0]) if count > 1 else 0.0
        if np.isfinite(by) and np.array_equal(numbers, numbers[0] + by * np.arange(count)):
            return {"from": float(numbers[0]), "by": by, "count": count}
    with np.errstate(over="ignore", under="ignore"):
        short = numbers.astype("<f4")
        enough = np.isclose(short, numbers, rtol=1e-6, atol=0, equal_nan=True).all()
    return {"f4": _bytes(short)} if enough else {"f8": _bytes(numbers.astype("<f8"))}


def _landscape(data: Landscape) -> dict[str, Any]:
    over = data.grid
    # Scaled like the contour levels, so that the bands are evenly spaced.
    share = np.interp(over.value, bounds := data.bounds_of_bands, np.linspace(0, 1, len(bounds)))
    codes = np.where(np.isnan(share), MISSING, np.round(share * (MISSING - 1))).astype("<u2")
    return {
        "title": words.objective_words(data.title),
        "symbol": data.symbol,
        "names": over.names,
        "x": [float(over.x[0]), float(over.x[-1])],
        "y": [float(over.y[0]), float(over.y[-1])],
        "grid": {
            "columns": len(over.x),
            "rows": len(over.y),
            "bounds": bounds.tolist(),
            "bands": _bands(data),
            "codes": {"u2": _bytes(codes)},
        },
        "remarks": [data.held] if data.held else [],
    }


def _curve(data: Descent) -> dict[str, Any]:
    curve = data.curve
    return {
        "title": words.objective_words(curve.title),
        "symbol": curve.symbol,
        "names": [curve.name, f"{curve.symbol}({curve.name})"],
        "x": [float(curve.x[0]), float(curve.x[-1])],
        "y": list(data.heights),
        "curve": {"x": column(curve.x), "y": column(curve.value)},
        "remarks": [],
    }


def _bands(data: Landscape) -> dict[str, list[str]]:
    """The colours of the bands, from the lowest to the highest, light and dark."""
    middles = contour.colour_norm(data)((data.bounds_of_bands[1:] + data.bounds_of_bands[:-1]) / 2)
    return {name: [to_hex(colour) for colour in theme.landscape(middles)] for name, theme in THEMES.items()}


def _path(pair: Labelled, path: paths.Path, number: int) -> dict[str, Any]:
    # The run's own numbers, at the rows that the path shows.
    run = pair.run
    rows = np.searchsorted(time_of(run), path.times)
    return {
        "label": path.label,
        "outcome": path.title[1],
        "number": number,
        "times": column(path.times),
        "x": column(path.x[:, 0]),
        "y": column(path.x[:, 1] if path.x.shape[1] == 2 else path.value),
        "value": column(run.value[rows]),
        "gradient": column(run.gradient_norm[rows]),
        "rate": column(run.rate[rows]),
    }


def _bytes(numbers: Any) -> str:
    return base64.b64encode(numbers.tobytes()).decode("ascii")


@cache
def _part(name: str) -> str:
    return files("fallline.views").joinpath(name).read_text(encoding="utf-8")
