"""Notebooks of JupyterLab and marimo, each served to a browser by its own program."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

# A server on a busy machine takes its time.
PATIENCE = 120


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def served(command: Sequence[str], folder: Path, ready: str, environment: Mapping[str, str]) -> Iterator[None]:
    """Run a server until its page answers, and end it afterwards."""
    log = folder / "server.log"
    with log.open("w", encoding="utf-8") as told:
        server = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment}, stdout=told, stderr=subprocess.STDOUT
        )
        try:
            until = time.monotonic() + PATIENCE
            while not _answers(ready):
                if server.poll() is not None or time.monotonic() > until:
                    raise AssertionError(f"the server did not start: {log.read_text(encoding='utf-8')[-4000:]}")
                time.sleep(0.2)
            yield
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """JupyterLab over a folder; its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    # It would ask whether it may tell of its makers' news.
    quiet = folder / ".jupyter" / "config" / "labconfig" / "page_config.json"
    quiet.parent.mkdir(parents=True, exist_ok=True)
    quiet.write_text('{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}', encoding="utf-8")
    settings = {
        f"JUPYTER_{kind}_DIR": str(folder / ".jupyter" / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"),
        *("--ServerApp.port_retries=0", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"),
        *("--LabApp.extension_manager=readonly", "--LabApp.news_url=", "--ServerApp.disable_check_xsrf=True"),
    ]
    with served(command, folder, f"{address}/api", {**settings, "JUPYTERLAB_SETTINGS_DIR": str(folder / ".lab")}):
        yield address


@contextmanager
def marimo(notebook: Path) -> Iterator[str]:
    """A notebook of marimo as an application, which runs all its cells; its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "marimo", "run", str(notebook), "--headless", "--no-token", "--host", "127.0.0.1"),
        *("--port", str(port)),
    ]
    with served(command, notebook.parent, f"{address}/health", {}):
        yield address


def notebook_of(cells: Sequence[str]) -> str:
    """A notebook file of Jupyter with cells of code."""
    made: list[dict[str, object]] = [
        {"cell_type": "code", "id": f"cell-{k}", "metadata": {}, "source": text, "outputs": [], "execution_count": None}
        for k, text in enumerate(cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps({"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})
