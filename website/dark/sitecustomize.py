"""Draws dark what is drawn light, in every Python that is started with this folder on its path."""

from fallline.views import theme

theme.THEMES["light"] = theme.DARK  # type: ignore[index]
