"""The widget's request whether the visitor is logged in, before any click."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.rig import pages

SHOP = "https://shop.example"


@pytest.mark.parametrize(
    ("cookie", "session"),
    [("token=abc", True), ("a=b; token=abc", True), ("token=", False), ("tokens=abc", False), ("a=token=abc", False)],
)
async def test_it_answers_whether_there_is_a_valid_login_cookie(tmp_path: Path, cookie: str, *, session: bool) -> None:
    """E-52"""
    async with pages(tmp_path, console="true") as browser:
        answer = await browser.get("/chatd/session", Cookie=cookie)
        assert (answer.status, answer.json()) == (200, {"session": session})
        assert answer.header("cache-control") == "no-store"
        assert answer.header("access-control-allow-origin") is None


async def test_pages_of_listed_origins_may_ask_and_others_may_not(tmp_path: Path) -> None:
    """E-52, E-14"""
    async with pages(tmp_path, console="true", origin=[SHOP], cookie="login") as browser:
        answer = await browser.get("/chatd/session", Cookie="login=abc", Origin=SHOP)
        assert answer.json() == {"session": True}
        assert answer.header("access-control-allow-origin") == SHOP
        assert answer.header("access-control-allow-credentials") == "true"
        other = await browser.get("/chatd/session", Cookie="login=abc", Origin="https://evil.example")
        assert other.header("access-control-allow-origin") is None
        assert (await browser.get("/chatd/session", "POST")).status == 405


async def test_without_the_console_there_is_no_such_path(tmp_path: Path) -> None:
    async with pages(tmp_path) as browser:
        assert (await browser.get("/chatd/session")).status == 404
