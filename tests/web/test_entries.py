"""One-time login links."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatd.web.entries import Entries, Entry, is_this_machine
from tests.web.rig import Browser, pages

HERE = "127.0.0.1:8400"


@pytest.fixture
def entries() -> Entries:
    return Entries()


@pytest.fixture
def link(entries: Entries) -> str:
    return entries.add(Entry("token=abc", "/chatd/", 60, secure=False))


@pytest.fixture
async def browser(tmp_path: Path, entries: Entries) -> AsyncIterator[Browser]:
    async with pages(tmp_path, entries, console="true") as running:
        yield running


async def test_a_link_sets_the_cookie_and_redirects_to_its_page(browser: Browser, link: str) -> None:
    answer = await browser.get(link, "POST", Host=HERE)
    assert (answer.status, answer.header("location")) == (303, "/chatd/")
    assert answer.header("set-cookie") == "token=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"
    assert (answer.header("cache-control"), answer.header("referrer-policy")) == ("no-store", "no-referrer")


async def test_a_link_works_once(browser: Browser, link: str) -> None:
    assert (await browser.get(link, "POST", Host=HERE)).status == 303
    assert (await browser.get(link, Host=HERE)).status == 404
    again = await browser.get(link, "POST", Host=HERE)
    assert (again.status, again.header("set-cookie")) == (404, None)
    assert "new ones" in again.text


async def test_a_preview_of_a_link_does_not_use_it_up(browser: Browser, link: str) -> None:
    """Requests by link previews and by curl."""
    for method, status in (("HEAD", 200), ("GET", 200), ("OPTIONS", 405)):
        answer = await browser.get(link, method, Host=HERE)
        assert (answer.status, answer.header("set-cookie")) == (status, None)
    assert (await browser.get(link, Host=HERE, Sec_Purpose="prefetch;prerender")).status == 503
    assert (await browser.get(link + "x", Host=HERE)).status == 404
    assert (await browser.get(link, "POST", Host=HERE)).status == 303


async def test_the_page_at_the_root_lists_the_pages(browser: Browser) -> None:
    answer = await browser.get("/", Host=HERE)
    assert (answer.status, "/chatd/demo" in answer.text) == (200, True)


async def test_without_links_the_root_is_not_found(tmp_path: Path) -> None:
    async with pages(tmp_path, console="true") as served:
        assert (await served.get("/", Host=HERE)).status == 404


async def test_a_foreign_host_name_is_refused_against_dns_rebinding(browser: Browser, link: str) -> None:
    assert (await browser.get(link, Host="evil.example:8400")).status == 403
    assert (await browser.get(link, "POST", Host=HERE)).status == 303


async def test_only_issued_links_exist(tmp_path: Path, link: str) -> None:
    async with pages(tmp_path, console="true") as browser:
        answer = await browser.get(link, Host=HERE)
        assert (answer.status, answer.header("set-cookie")) == (404, None)


def test_a_cookie_of_a_tls_server_stays_on_tls_and_links_differ(entries: Entries) -> None:
    one, two = (entries.add(Entry("token=abc", "/chatd/", 60, secure=True)) for _ in range(2))
    assert one != two
    assert len(one.removeprefix("/chatd/enter/")) == 24


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:80", "[::1]:8400", "[::1]"])
def test_host_names_of_this_machine(host: str) -> None:
    assert is_this_machine(host)


@pytest.mark.parametrize(
    "host", ["", "localhost.evil.example", "10.0.0.1", "[::2]:8400", "::1x", "127.0.0.1.evil.example"]
)
def test_other_host_names(host: str) -> None:
    assert not is_this_machine(host)
