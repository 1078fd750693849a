"""The output of the demonstration: printed at once, and collected as one page with tables and pictures."""

from __future__ import annotations

import html
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from fallline.errors import FalllineError
from fallline.files import whole_file
from fallline.tables import text_table

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; border-top: 2px solid #888; padding-top: 1rem; }
pre { background: #f4f4f4; padding: .8rem; overflow-x: auto; font-size: 13px; line-height: 1.35; }
table { border-collapse: collapse; font-size: 14px; display: block; overflow-x: auto; }
th, td { text-align: right; padding: .15rem .8rem; border-bottom: 1px solid #ddd; }
figure { margin: 1rem 0; } img { max-width: 100%; } figcaption { color: #555; font-size: 14px; }
.side { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1rem; }
"""


class Results:
    """The results of a demonstration in one folder.

    Arguments:
        folder: the folder for the files; created if it does not exist.
        say: called with every text at once.

    Raises:
        FalllineError: when the folder is a file, or cannot be created or written to.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except FileExistsError:
            raise FalllineError("--out", str(folder), "it must be a folder", problem="which is a file") from None
        except OSError as error:
            raise FalllineError("--out", str(folder), problem=f"which cannot be written to: {error.strerror}") from None
        self.folder = folder
        self.say = say
        self.parts: list[str] = []

    def heading(self, text: str, level: int = 2) -> None:
        """A heading: 2 for a part, 3 for a case."""
        self.say(f"\n{text}\n{('=' if level == 2 else '-') * len(text)}")
        self.parts.append(f"<h{level}>{html.escape(text)}</h{level}>")

    def text(self, text: str) -> None:
        """A paragraph."""
        self.say(text)
        self.parts.append(f"<p>{html.escape(text)}</p>")

    def block(self, text: str) -> None:
        """Preformatted lines: code, tables."""
        self.say(text)
        self.parts.append(f"<pre>{html.escape(text)}</pre>")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table of texts."""
        self.say(text_table(header, rows))
        lines = [("th", header), *(("td", row) for row in rows)]
        body = "".join(
            "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>" for tag, cells in lines
        )
        self.parts.append(f"<table>{body}</table>")

    def pictures(self, files: Sequence[tuple[str, str]]) -> None:
        """Pictures, side by side where there is room: their file names and captions."""
        figures = []
        for name, caption in files:
            file, words = html.escape(name), html.escape(caption)
            image = f'<a href="{file}"><img src="{file}" alt="{words}" loading="lazy"></a>'
            figures.append(f"<figure>{image}<figcaption>{words}</figcaption></figure>")
        self.parts.append(f'<div class="side">{"".join(figures)}</div>')

    def path(self, name: str) -> Path:
        """The path of a file with this name."""
        return self.folder / name

    def write_page(self, title: str) -> Path:
        """Write the page with everything so far."""
        page = self.path("index.html")
        head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>'
        body = "\n".join([f"<h1>{html.escape(title)}</h1>", *self.parts])
        with whole_file(page, "--out") as draft:
            draft.write_text(
                f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>\n{body}\n</body>\n</html>\n',
                encoding="utf-8",
            )
        return page
