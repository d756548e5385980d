"""`make screenshots`: photograph the built site in Chromium, in light and dark, for the README."""

from __future__ import annotations

import shutil
import sys
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import ViewportSize, sync_playwright

SITE = Path("_build", "html")
FOLDER = Path("book", "figures", "screenshots")
SHOTS = {
    "landing": ("book/index.html", "article h1"),
    "chapter": ("book/chapters/05_convolution_2d.html", "#explorer-convolution"),
}
"""The page of each, and what stands at its top."""
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZE: ViewportSize = {"width": 1280, "height": 800}
ABOVE = 90  # pixels above what is at the top, under the bar of buttons
QUALITY = 40


def main() -> int:
    """Write the pictures; return 1 where there is no Chromium to take them with."""
    names = ("chromium", "chromium-browser", "google-chrome")
    executable = next(filter(None, map(shutil.which, names)), None)
    if executable is None:
        print("There is no Chromium: run requirements/chromium.sh", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--disable-gpu", "--hide-scrollbars"])
        for theme in THEMES:
            page = browser.new_page(viewport=SIZE, color_scheme=theme)
            for name, (address, top) in SHOTS.items():
                page.goto((SITE / address).resolve().as_uri())
                page.wait_for_timeout(3000)  # all sections are laid out by then, see book/_static/sections.js
                y = page.locator(top).first.evaluate("element => element.getBoundingClientRect().top")
                page.evaluate("y => scrollTo({top: y, behavior: 'instant'})", y - ABOVE)
                page.wait_for_timeout(500)  # the bar of buttons and the contents follow
                picture = Image.open(BytesIO(page.screenshot()))
                picture.save(FOLDER / f"{name}-{theme}.webp", quality=QUALITY, method=6)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
