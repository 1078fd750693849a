"""The explorer as one HTML file, which computes in the browser and asks for nothing."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from functools import cache
from importlib.resources import files
from typing import Any


def page(given: dict[str, Any], title: str = "Fallline") -> str:
    """The page.

    Arguments:
        given: what it shows at first, as the page's own link says it: see js/src/fragment.ts.
        title: the page's title.
    """
    parts = {
        "title": html.escape(title),
        # Inside a script element only "<" has a meaning in HTML.
        "given": json.dumps(given, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
    }
    before, code, after = _template()
    for name, text in parts.items():
        before, after = before.replace(f"__{name}__", text), after.replace(f"__{name}__", text)
    return before + code + after


@cache
def _template() -> tuple[str, str, str]:
    """The page before the script, the script, and the page after it."""
    room = files("fallline.explorer")
    code = room.joinpath("bundle/explorer.js").read_text(encoding="utf-8")
    # In strings and regular expressions, where alone it stands in a bundle, "\x3c" means the same.
    code = code.replace("</script", "\\x3c/script").replace("<!--", "\\x3c!--")
    # Only this script runs, whatever else a page might be made to hold.
    code_hash = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode("ascii")
    template = room.joinpath("page.html").read_text(encoding="utf-8").replace("__hash__", code_hash)
    before, _, after = template.partition("__code__")
    return before, code, after


if __name__ == "__main__":
    import sys
    from pathlib import Path

    Path(sys.argv[1]).write_text(page({}), encoding="utf-8")
