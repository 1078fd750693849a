"""Draws dark what is drawn light, in every Python that is started with this folder on its path."""

from typing import Any

from matplotlib import style

from fallline.views import theme

_use = style.use


def use(sheet: Any) -> None:
    """Take a style sheet, the dark one instead of the light one."""
    _use("fallline.views.dark" if sheet == "fallline.views.light" else sheet)


style.use = use  # type: ignore[assignment]
theme.THEMES["light"] = theme.DARK  # type: ignore[index]
