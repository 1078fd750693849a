"""The page as a widget of a notebook, where Python answers what the page cannot compute."""

from __future__ import annotations

import uuid
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from fallline.explorer.answers import Answers


class ExplorerWidget(anywidget.AnyWidget):
    """The page in a frame, for JupyterLab, VS Code, Colab and marimo.

    Attributes:
        html: the whole page.
        link: what is shown, as a link says it; setting it shows something else.
        picture: what was last seen, as a data address; empty before anything was.
        mark: the class of the still pictures that stand in for this widget, which it hides where it runs.
    """

    _esm = files("fallline.explorer").joinpath("bundle/widget.js").read_text(encoding="utf-8")
    html = traitlets.Unicode().tag(sync=True)
    link = traitlets.Unicode().tag(sync=True)
    picture = traitlets.Unicode().tag(sync=True)
    mark = traitlets.Unicode().tag(sync=True)

    def __init__(self, title: str, html: str, link: str, answers: Answers) -> None:
        super().__init__(html=html, link=link, mark=f"fallline-{uuid.uuid4().hex}")
        self._title = title
        self._answers = answers
        self.on_msg(self._answer)

    def __repr__(self) -> str:
        return f"Explorer: {self._title}"

    def _answer(self, _widget: Any, question: dict[str, Any], _buffers: Any) -> None:
        answer, arrays = self._answers.to(question)
        # The number tells the page whether it still waits for it.
        answer |= {"kind": question["kind"], "id": question["id"]}
        self.send(answer, buffers=[array.astype("<f8").tobytes() for array in arrays])
