"""`make run` after cloning: its two links in one browser, one for each role."""

from __future__ import annotations

import re
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
from playwright.async_api import Browser

from bench.ports import free_port
from tests.interop.processes import ROOT, START_S, Server, running
from tests.web.chromium.window import Window

MADE = (".git", ".venv", ".build", "node_modules", ".*_cache", "__pycache__", "*.egg-info")


@pytest.mark.timeout(300)  # it installs chatd
async def test_both_links_open_a_chat_in_one_browser(browser: Browser, tmp_path: Path) -> None:
    shutil.copytree(ROOT, tmp_path / "chatd", ignore=shutil.ignore_patterns(*MADE))
    port = free_port()
    here = ["env", f"CHATD_PORT={port}", f"XDG_STATE_HOME={tmp_path}/state"]
    command = [*here, "make", "-C", str(tmp_path / "chatd"), f"PYTHON={sys.executable}", "run"]
    with running(command, port, tmp_path / "chatd.log", ends_with=-signal.SIGTERM) as server:
        for_user, for_admin = links(server)
        one = await Window.open(browser, width=1180, height=760, phone=False, dark=False, language="en-US")
        other = await one.beside(width=1000, height=760)
        try:
            await one.go(for_admin)
            await one.until("location.pathname === '/chatd/'")  # the link redirects there
            await one.see("#whoami", "admin")
            await other.go(for_user)
            await other.until("location.pathname === '/chatd/demo'")
            await other.click("chatd-widget button, button")
            await other.see("#messages li:not(.notLoaded)")
            await other.say("hola desde la página")
            await one.click("#list a", "hola desde la página")
            await one.say("hola desde la consola")
            await other.see(".bubble", "hola desde la consola")
            assert "enter" not in await one.evaluate("location.href")
            assert await one.evaluate("document.cookie") == await other.evaluate("document.cookie") == ""
            one.allowed.add("404")
            await one.go(for_admin)
            assert "has been used" in await one.text()
        finally:
            await one.close()
    assert not one.faults
    assert not other.faults


def links(server: Server) -> list[str]:
    """The links that are printed above the line with the address."""
    deadline = time.monotonic() + START_S
    while '"listening"' not in (said := server.log.read_text()):
        assert time.monotonic() < deadline, said
        time.sleep(0.02)
    found = re.findall(r"http://\S+/chatd/enter/\S+", said)
    assert len(found) == 2, said
    return found
