"""The playing as a film: recorded from the page as it stands, played again, called off."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from tests.explorer.opened import Opened

import fallline

pytestmark = pytest.mark.long


def test_the_film_plays(browser: Any, tmp_path: Path) -> None:
    fallline.explore("himmelblau", [-0.5, -1.0], ["adam", "momentum"], max_steps=30).save(tmp_path / "page.html")
    with Opened(browser, tmp_path / "page.html") as opened:
        page = opened.page
        page.evaluate("fallline.store.change({at: 7})")
        page.click("[aria-label='Save and share']")
        with page.expect_download(timeout=60_000) as download:
            page.click(".menu >> text=Film as WebM")
            page.wait_for_selector(".menu >> text=/Recording: \\d+ %/")
        assert download.value.suggested_filename == "fallline.webm"
        download.value.save_as(tmp_path / "fallline.webm")
        page.wait_for_selector(".menu >> text=Film as WebM")
        assert opened.state["at"] == 7
        size = page.evaluate("[document.querySelector('.figure').width, document.querySelector('.figure').height]")
    assert (tmp_path / "fallline.webm").read_bytes()[:4] == b"\x1a\x45\xdf\xa3"
    player = browser.new_page()
    film = base64.b64encode((tmp_path / "fallline.webm").read_bytes()).decode()
    player.set_content(f"<video muted src='data:video/webm;base64,{film}'></video>")
    seen = player.evaluate(
        """async () => {
          const video = document.querySelector("video");
          const ended = new Promise((resolve, reject) => {
            video.onended = resolve;
            video.onerror = () => reject(new Error(video.error.message));
          });
          await video.play();
          const ink = Object.assign(document.createElement("canvas"), {width: 64, height: 64}).getContext("2d");
          const look = () => {
            ink.drawImage(video, 0, 0, 64, 64);
            return ink.getImageData(0, 0, 64, 64).data.reduce((sum, one) => sum + one, 0);
          };
          await new Promise(resolve => video.requestVideoFrameCallback(resolve));
          const first = look();
          await ended;
          return {width: video.videoWidth, height: video.videoHeight, seconds: video.currentTime,
            moved: look() !== first};
        }"""
    )
    player.close()
    assert seen["width"] == pytest.approx(size[0], abs=1)
    assert seen["height"] > size[1]
    # One second of steps, one at the end; a busy machine records fewer frames in a longer time.
    assert seen["seconds"] > 1.5
    assert seen["moved"]


def test_a_film_is_called_off(browser: Any, plain: Path) -> None:
    with Opened(browser, plain) as opened:
        page = opened.page
        downloads: list[Any] = []
        page.on("download", lambda download: downloads.append(download))
        page.click("[aria-label='Save and share']")
        page.click(".menu >> text=Film as WebM")
        page.click(".menu >> text=/Recording/")
        page.wait_for_selector(".menu >> text=Film as WebM")
        assert page.inner_text(".menu output") == "Cancelled"
        assert opened.state["at"] is None
    assert downloads == []
