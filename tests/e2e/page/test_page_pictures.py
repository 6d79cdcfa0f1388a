"""A picture of each view. docs/page has them; with POSTHORN_PICTURES=1 they are made anew."""

import base64
import os
import re

import pytest
from env.paths import ROOT

FOLDER = ROOT / "docs/page"
BYTES_MAX = 100_000
PICTURES = {
    "webhooks": ("webhooks", "light", 1280), "webhook": ("webhook", "light", 1280), "webhook-dark": ("webhook", "dark", 1280),
    "deliveries": ("deliveries", "light", 1280), "deliveries-telephone": ("deliveries", "dark", 380), "story": ("story", "light", 1280),
    "story-telephone": ("story", "light", 380), "keys": ("keys", "light", 1280), "edit": ("edit", "light", 1280), "enter": ("enter", "light", 1280),
}  # fmt: skip


def taken(page, width, height):
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    options = {"format": "webp", "quality": 72, "clip": clip, "captureBeyondViewport": True}
    return base64.b64decode(page.driver.execute_cdp_cmd("Page.captureScreenshot", options)["data"])


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_each_view(filled, name):
    view, scheme, width = PICTURES[name]
    filled.show(view)
    filled.page.prefer(scheme)
    filled.page.resize(width, 800)
    try:
        height = min(filled.page.script("return document.documentElement.scrollHeight"), 1000)
        picture = taken(filled.page, width, max(height, 600))
    finally:
        filled.page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert picture[:4] == b"RIFF" and 4000 < len(picture) < BYTES_MAX
    if os.environ.get("POSTHORN_PICTURES"):
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{name}.webp").write_bytes(picture)
    assert 4000 < (FOLDER / f"{name}.webp").stat().st_size < BYTES_MAX


def test_no_other_pictures():
    """Each is of a view that there is, and the document shows those that there are."""
    assert {each.name for each in FOLDER.iterdir()} == {f"{name}.webp" for name in PICTURES}
    shown = re.findall(r"\(page/([\w-]+)\.webp\)", (ROOT / "docs/api.md").read_text())
    assert shown and set(shown) <= PICTURES.keys()
