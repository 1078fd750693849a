"""The output of the demonstration: printed at once, and collected as one page of pictures with tables folded away."""

from __future__ import annotations

import html
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from fallline.errors import FalllineError
from fallline.files import whole_file
from fallline.tables import text_table

STYLE = """
:root { color-scheme: light dark; --ground: #fbfbfa; --ink: #1b1f24; --soft: #57606a; --line: #d8dee4; --card: #fff;
  --accent: #0a5fa3; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161c; --ink: #f2f2f2; --soft: #a3acb8; --line: #333a44;
  --card: #1b2129; --accent: #7cc4ff; } }
html { scroll-behavior: smooth; scroll-padding-top: 4rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { font: 17px/1.6 system-ui, sans-serif; margin: 0; background: var(--ground); color: var(--ink);
  overflow-wrap: anywhere; }
header, main { max-width: 76rem; margin: 0 auto; padding: 0 clamp(1rem, 4vw, 2.5rem); }
header { padding-top: 1.6rem; }
h1 { font-size: clamp(1.9rem, 5vw, 3rem); line-height: 1.15; margin: 0 0 .5rem; }
h2 { font-size: clamp(1.5rem, 3.5vw, 2.1rem); line-height: 1.2; margin: 5rem 0 1rem; }
h3 { font-size: 1.15rem; margin: 3rem 0 .3rem; }
p { max-width: 44rem; margin: .4rem 0 1rem; } header p { color: var(--soft); font-size: 1.1rem; }
a { color: var(--accent); }
nav { position: sticky; top: 0; background: var(--ground); border-bottom: 1px solid var(--line); z-index: 1; }
nav div { max-width: 76rem; margin: 0 auto; padding: .6rem clamp(1rem, 4vw, 2.5rem); display: flex; gap: 1.4rem;
  overflow-x: auto; white-space: nowrap; }
nav a { text-decoration: none; font-size: .95rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); gap: 1.2rem;
  align-items: start; margin: 1rem 0; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
figure a { display: block; background: #fff; } img { display: block; width: 100%; height: auto; }
iframe { display: block; width: 100%; height: min(46rem, 88vh); border: 1px solid var(--line); border-radius: 10px; }
.links { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); gap: .8rem;
  list-style: none; margin: 1rem 0; padding: 0; }
.links a { display: block; height: 100%; box-sizing: border-box; padding: .6rem .9rem; border: 1px solid var(--line);
  border-radius: 10px; background: var(--card); text-decoration: none; font-weight: 600; line-height: 1.35; }
.links a:hover { border-color: var(--accent); }
.links small { display: block; color: var(--soft); font-weight: 400; }
.chips { display: flex; overflow-x: auto; gap: .5rem; padding-bottom: .3rem; scrollbar-width: thin; }
.chips li { flex: none; } .chips a { font-size: .92rem; padding: .35rem .8rem; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .3rem 1.2rem; max-width: 60rem;
  margin: 0 0 1rem; }
dt { color: var(--soft); } dd { margin: 0; }
figcaption { padding: .5rem .9rem .7rem; color: var(--soft); font-size: .95rem; }
details { border-top: 1px solid var(--line); margin-top: .6rem; }
summary { cursor: pointer; color: var(--soft); padding: .5rem 0; font-size: .95rem; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .8rem; overflow-x: auto;
  font-size: 13px; line-height: 1.4; overflow-wrap: normal; }
table { border-collapse: collapse; font-size: 14px; display: block; overflow-x: auto; overflow-wrap: normal; }
th, td { text-align: right; padding: .2rem .8rem; border-bottom: 1px solid var(--line); }
"""
# The folded part of a section.
FOLDED = "the lines that make it, and its figures beside those expected"


@dataclass
class Section:
    """A part of the page: a heading, a few words, pictures, and what is folded away below them.

    Attributes:
        level: 2 for a part, 3 for a case.
        heading: its heading.
        words: what stands above the pictures, as HTML.
        pictures: the pictures' file names and captions.
        folded: code, tables and what is said after them, as HTML.
    """

    level: int
    heading: str
    words: list[str] = field(default_factory=list)
    pictures: list[tuple[str, str]] = field(default_factory=list)
    folded: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The heading as HTML, in words where it is a case's name."""
        words = self.heading.replace("_", " ").replace("/", ", ")
        return html.escape(words[:1].upper() + words[1:])

    @property
    def short(self) -> str:
        """The same for a link."""
        return re.split("[,:]", self.title)[0]

    @property
    def name(self) -> str:
        """Its name in links."""
        return re.sub(r"[^a-z0-9]+", "-", self.heading.lower()).strip("-")


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
        self.sections = [Section(1, "")]

    def heading(self, text: str, level: int = 2) -> None:
        """A heading: 2 for a part, 3 for a case."""
        self.say(f"\n{text}\n{('=' if level == 2 else '-') * len(text)}")
        self.sections.append(Section(level, text))

    def text(self, text: str) -> None:
        """A paragraph: above the pictures, or after code and tables folded away with them."""
        self.say(text)
        section = self.sections[-1]
        (section.folded or section.words).append(f"<p>{html.escape(text)}</p>")

    def block(self, text: str) -> None:
        """Preformatted lines: code, tables."""
        self.say(text)
        self.sections[-1].folded.append(f"<pre>{html.escape(text)}</pre>")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table of texts."""
        self.say(text_table(header, rows))
        lines = [("th", header), *(("td", row) for row in rows)]
        body = "".join(
            "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>" for tag, cells in lines
        )
        self.sections[-1].folded.append(f"<table>{body}</table>")

    def pictures(self, files: Sequence[tuple[str, str]]) -> None:
        """Pictures, side by side where there is room: their file names and captions."""
        self.sections[-1].pictures += files

    def facts(self, facts: Mapping[str, str]) -> None:
        """What is known, each under its name."""
        self.say("\n".join(f"{name}: {text}" for name, text in facts.items()))
        rows = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>" for name, text in facts.items())
        self.sections[-1].words.append(f"<dl>{rows}</dl>")

    def frame(self, title: str, pages: Sequence[tuple[str, str, str]]) -> None:
        """Pages in one frame, the first shown at once and the others when they are chosen.

        Arguments:
            title: what the frame holds, for readers of the screen.
            pages: the file name of each, its title, and a few words on it.
        """
        self._links(pages, 'class="links chips"', ' target="frame"')
        first, name = html.escape(pages[0][0]), html.escape(title)
        self.sections[-1].words.append(f'<iframe name="frame" title="{name}" src="{first}"></iframe>')

    def links(self, pages: Sequence[tuple[str, str, str]]) -> None:
        """Pages to open: the file name of each, its title, and a few words on it."""
        self._links(pages, 'class="links"')

    def _links(self, pages: Sequence[tuple[str, str, str]], of_list: str, of_link: str = "") -> None:
        self.say("\n".join(f"{title}: {self.path(file)}" for file, title, _ in pages))
        items = "".join(
            f'<li><a href="{file}"{of_link}>{name}<small>{words}</small></a></li>'
            for file, name, words in (map(html.escape, page) for page in pages)
        )
        self.sections[-1].words.append(f"<ul {of_list}>{items}</ul>")

    def path(self, name: str) -> Path:
        """The path of a file with this name."""
        return self.folder / name

    def write_page(self, title: str) -> Path:
        """Write the page with everything so far; the pictures are drawn already."""
        page = self.path("index.html")
        viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">'
        name = html.escape(title)
        head = f'<meta charset="utf-8">{viewport}<title>{name}</title><style>{STYLE}</style>'
        opening, *others = self.sections
        links = "".join(f'<a href="#{part.name}">{part.short}</a>' for part in others if part.level == 2)
        body = "\n".join(
            [
                f"<header><h1>{name}</h1>{self._inside(opening)}</header>",
                f'<nav aria-label="parts"><div>{links}</div></nav>',
                "<main>",
                *(
                    f'<section id="{each.name}"><h{each.level}>{each.title}</h{each.level}>\n'
                    f"{self._inside(each)}</section>"
                    for each in others
                ),
                "</main>",
            ]
        )
        with whole_file(page, "--out") as draft:
            draft.write_text(
                f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>\n{body}\n</body>\n</html>\n',
                encoding="utf-8",
            )
        return page

    def _inside(self, section: Section) -> str:
        """What stands below the heading of a section."""
        parts = list(section.words)
        if section.pictures:
            parts.append(f'<div class="pictures">{"".join(map(self._figure, section.pictures))}</div>')
        if section.folded:
            parts.append(f"<details><summary>{FOLDED}</summary>{''.join(section.folded)}</details>")
        return "\n".join(parts)

    def _figure(self, picture: tuple[str, str]) -> str:
        """A picture that is fetched when it comes into view, and opens by itself when it is clicked."""
        file, words = map(html.escape, picture)
        # With its size, nothing moves when it comes.
        size = ""
        if self.path(picture[0]).exists():
            with Image.open(self.path(picture[0])) as image:
                size = f' width="{image.width}" height="{image.height}"'
        image_tag = f'<a href="{file}"><img src="{file}" alt="{words}"{size} loading="lazy"></a>'
        return f"<figure>{image_tag}<figcaption>{words}</figcaption></figure>"
