"""Examples that come with Fallline."""

from __future__ import annotations

from fallline.examples.data import challenger, recipes

__all__ = ["challenger", "recipes"]
