"""Headless Chromium of the system, driven by Playwright.

One process serves all tests; each window has its own cookies and storage, unless it is opened beside another.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from typing import Final

from playwright.async_api import Browser, async_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# All its subdomains resolve to this machine. They are same-site, so that their cookies are sent across them.
DOMAIN: Final = "example.test"
# Instead of Playwright's, which disable the back-forward cache, timer throttling and storage partitioning.
FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-extensions",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio", "--lang=en-US", "--remote-debugging-pipe",
    f"--host-resolver-rules=MAP *.{DOMAIN} 127.0.0.1",
)  # fmt: skip


def chromium() -> str | None:
    """The path of Chromium, or None. The variable CHROMIUM overrides it."""
    wanted = os.environ.get("CHROMIUM")
    return wanted or next((found for name in NAMES if (found := shutil.which(name))), None)


@contextlib.asynccontextmanager
async def running_chromium() -> AsyncIterator[Browser]:
    """A browser with an empty profile."""
    executable = chromium()
    assert executable is not None
    # Chromium may still write into its profile while it ends.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=executable, args=[*FLAGS, f"--user-data-dir={profile}"], ignore_default_args=True
            )
            yield browser
            await browser.close()
