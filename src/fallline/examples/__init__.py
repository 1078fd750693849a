"""Examples that come with Fallline."""

from __future__ import annotations

from fallline.examples.data import challenger, four_blobs, recipes

__all__ = ["challenger", "four_blobs", "recipes"]
