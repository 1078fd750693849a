"""The reference: a page of each room's public names, which mkdocstrings fills from their docstrings."""

from __future__ import annotations

from fallline.names import NAMES

# The rooms that have a page, with what is in them.
ROOMS = {
    "minimizing": "One run",
    "experiments": "Many runs",
    "fitting": "Fits to data",
    "optimizers": "Update rules",
    "schedules": "Schedules",
    "line_search": "Line searches",
    "stopping": "Stopping conditions",
    "penalties": "Penalties and sets",
    "objectives": "Objectives",
    "gradients": "Gradients",
    "models": "Models",
    "results": "Results",
    "diagnosis": "Diagnosis",
    "explorer": "Explorer",
    "recipes": "Recipes",
    "engines": "Engines",
    "errors": "Errors",
}


def pages() -> dict[str, str]:
    """The text of each page, by its name: one of each room, and the list of them."""
    rooms = {room: list(names_of(room)) for room in ROOMS}
    listed = [
        f"- [{ROOMS[room]}]({room}.md): {', '.join(f'[`{name}`][{home}.{name}]' for home, name in names)}"
        for room, names in rooms.items()
    ]
    index = "\n".join(["# Reference", "", "All public names, each `fallline.NAME`.", "", *listed, ""])
    return {"index": index, **{room: _page(room, names) for room, names in rooms.items()}}


def names_of(room: str) -> list[tuple[str, str]]:
    """The public names of a room, each with the module that defines it."""
    return [
        (home, name)
        for home, names in NAMES.items()
        for name in names
        if home == f"fallline.{room}" or home.startswith(f"fallline.{room}.")
    ]


def _page(room: str, names: list[tuple[str, str]]) -> str:
    parts = [f"::: {home}.{name}\n" for home, name in names]
    return "\n".join([f"# {ROOMS[room]}\n", *parts])
