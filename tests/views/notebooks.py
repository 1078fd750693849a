"""How notebooks put an output's HTML into their pages, each as its own source or its sanitizer's list says."""

from __future__ import annotations

import html
import json
from html.parser import HTMLParser
from typing import Any

# An output's elements are made from its text, and its scripts anew: those that come with such a text do not run.
PUT = """
function put(place, text) {
  place.innerHTML = text;
  for (const old of [...place.getElementsByTagName("script")]) {
    const script = document.createElement("script");
    script.text = old.innerText;
    place.appendChild(script).remove();
  }
}
function putAll(texts) {
  for (const text of texts) put(document.body.appendChild(document.createElement("div")), text);
}
"""
# The content security policy that VS Code gives the page of a notebook's outputs (backLayerWebView.ts).
VSCODE_POLICY = (
    "default-src 'none'; script-src https://*.vscode-cdn.net 'unsafe-inline' 'unsafe-eval'; "
    "style-src https://*.vscode-cdn.net 'unsafe-inline'; img-src https://*.vscode-cdn.net https: http: data:; "
    "font-src https://*.vscode-cdn.net https:; connect-src https:; child-src https: data:;"
)
GROUND = {"light": "white", "dark": "#1e1e1e"}
INK = {"light": "rgba(0, 0, 0, 0.87)", "dark": "#cccccc"}

Pages = dict[str, str]


def jupyter(outputs: list[str], theme: str) -> Pages:
    """JupyterLab: all outputs in the page itself."""
    return {"https://jupyter.test/": _page(theme, f"{PUT} putAll({_script(outputs)});")}


def vscode(outputs: list[str], theme: str) -> Pages:
    """VS Code: all outputs in one frame of another origin, under a content security policy."""
    inner = "https://1.vscode-cdn.net/index.html"
    policy = f'<meta http-equiv="Content-Security-Policy" content="{VSCODE_POLICY}">'
    return {
        "https://vscode.test/": _page(
            theme,
            f"""
            const frame = document.createElement("iframe");
            frame.sandbox = "allow-same-origin allow-scripts allow-forms allow-pointer-lock allow-downloads";
            frame.style = "width: 100%; height: 4000px; border: 0";
            frame.src = "{inner}";
            onmessage = () => frame.contentWindow.postMessage({_script(outputs)}, "*");
            document.body.append(frame);
            """,
        ),
        inner: _page(
            theme, f'{PUT} onmessage = event => putAll(event.data); parent.postMessage("ready", "*");', policy
        ),
    }


def colab(outputs: list[str], theme: str) -> Pages:
    """Colab: each output in a frame of another origin, which is as high as its contents were when it was told so."""
    inner = "https://1-colab.googleusercontent.com/outputframe.html"
    return {
        "https://colab.test/": _page(
            theme,
            f"""
            for (const text of {_script(outputs)}) {{
              const frame = document.createElement("iframe");
              frame.sandbox = "allow-downloads allow-forms allow-popups allow-same-origin allow-scripts";
              frame.style = "width: 100%; height: 50px; border: 0; display: block";
              frame.src = "{inner}";
              addEventListener("message", event => {{
                if (event.source !== frame.contentWindow) return;
                if (event.data === "ready") frame.contentWindow.postMessage(text, "*");
                else frame.style.height = event.data + "px";
              }});
              document.body.append(frame);
            }}
            """,
        ),
        inner: _page(
            theme,
            f"""
            {PUT}
            const fit = () => parent.postMessage(document.documentElement.offsetHeight, "*");
            window.google = {{colab: {{output: {{resizeIframeToContent: fit}}}}}};
            onmessage = event => {{ putAll([event.data]); fit(); }};
            parent.postMessage("ready", "*");
            """,
        ),
    }


class Sanitizer(HTMLParser):
    """What is left of an output where scripts are not trusted: no frames, and no attributes but those allowed."""

    def __init__(self, output: str, allowed: tuple[str, ...]) -> None:
        super().__init__()
        self.left, self._allowed = "", allowed
        self.feed(output)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("div", "img"):
            kept = (f' {name}="{html.escape(value or "")}"' for name, value in attrs if name in self._allowed)
            self.left += f"<{tag}{''.join(kept)}>"

    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            self.left += "</div>"


def untrusted(outputs: list[str], theme: str) -> Pages:
    """JupyterLab with a notebook that its reader did not run: of these elements it keeps the style."""
    return jupyter([Sanitizer(output, ("src", "style")).left for output in outputs], theme)


def github(outputs: list[str], theme: str) -> Pages:
    """GitHub: styles are dropped as well."""
    return jupyter([Sanitizer(output, ("src",)).left for output in outputs], theme)


def _page(theme: str, script: str, head: str = "") -> str:
    look = f"margin: 0; background: {GROUND[theme]}; color: {INK[theme]}"
    return f'<!DOCTYPE html><head>{head}</head><body style="{look}"><script>{script}</script></body>'


def _script(outputs: Any) -> str:
    return json.dumps(outputs).replace("<", "\\u003c")
