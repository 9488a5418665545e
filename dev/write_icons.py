"""Draws the icons for phones from static/img/mark.svg with the system's Chromium.

`python -m dev.write_icons`, once after the mark has changed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from dev.pictures import FLAGS, NO_BROWSER, find_browser

IMAGES = Path(__file__).resolve().parent.parent / "static" / "img"
# A phone may cut a maskable icon to any shape within its middle four fifths: the mark is drawn smaller on
# its ground, which has no corners of its own.
MASKED = '<g transform="translate(1.9 1.9) scale(0.88)" fill="#fff">'


def write_icons() -> None:
    """Write the three files that the card's manifest names."""
    mark = (IMAGES / "mark.svg").read_text()
    maskable = mark.replace(' rx="9"', "").replace('<g fill="#fff">', MASKED)
    found = find_browser()
    if found is None:
        sys.exit(NO_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        for name, drawing, size in (
            ("icon-192.png", mark, 192),
            ("icon-512.png", mark, 512),
            ("icon-maskable-512.png", maskable, 512),
        ):
            page = browser.new_page(viewport={"width": size, "height": size})
            sized = drawing.replace("<svg ", f'<svg width="{size}" height="{size}" ', 1)
            page.set_content(f"<!DOCTYPE html><style>body{{margin:0}}svg{{display:block}}</style>{sized}")
            page.screenshot(path=IMAGES / name, omit_background=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    write_icons()
