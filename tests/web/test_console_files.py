"""The pages over HTTP: types, headers, policies, and 404 for all other paths."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatd.base.errors import ConfigError
from chatd.web.config import WebConfig
from chatd.web.console import FOLDER, PAGES, TYPES, load_console
from tests.web.rig import Browser, pages

CLIENT = FOLDER / "socket.io.esm.min.js"
PINNED = Path(__file__).parents[1] / "interop/node_modules/socket.io-client-4.8"

FILES = sorted(path.name for path in FOLDER.iterdir())
PATHS = sorted("/chatd/" + PAGES.get(name, name) for name in FILES)


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    async with pages(tmp_path, console="true") as running:
        yield running


async def test_every_file_is_served_with_its_type_and_security_headers(browser: Browser) -> None:
    for name in FILES:
        answer = await browser.get("/chatd/" + PAGES.get(name, name))
        assert (answer.status, answer.header("content-type")) == (200, TYPES[name.rpartition(".")[2]]), name
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("referrer-policy") == "no-referrer"
        assert answer.header("cache-control") == "no-cache"
        if not name.endswith(".html"):
            assert answer.body == (FOLDER / name).read_bytes()
        assert b"{{" not in answer.body or name == CLIENT.name


async def test_the_csp_allows_only_the_pages_own_scripts(browser: Browser) -> None:
    for path in ("/chatd/", "/chatd/panel", "/chatd/demo"):
        policy = (await browser.get(path)).header("content-security-policy") or ""
        rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
        assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
        assert rules["require-trusted-types-for"] == "'script'"
        assert "unsafe" not in policy
        assert rules["frame-ancestors"] == ("'self'" if path == "/chatd/panel" else "'none'")


async def test_allowed_origins_may_embed_the_panel(tmp_path: Path) -> None:
    origins = ["https://shop.example", "http://[::1]:5173", "https://*.shop.example"]  # a CSP cannot express the second
    async with pages(tmp_path, console="true", origin=origins) as browser:
        policy = (await browser.get("/chatd/panel")).header("content-security-policy") or ""
        assert policy.endswith("frame-ancestors 'self' https://shop.example https://*.shop.example")
        assert (await browser.get("/chatd/")).header("content-security-policy") == (
            policy.replace("'self' https://shop.example https://*.shop.example", "'none'")
        )


async def test_a_matching_etag_gets_304(browser: Browser) -> None:
    for path in PATHS:
        first = await browser.get(path)
        etag = first.header("etag")
        assert etag is not None
        again = await browser.get(path, If_None_Match=f'"other", W/{etag}')
        assert (again.status, again.body, again.header("content-length")) == (304, b"", None)
        assert again.header("etag") == etag
        assert again.header("content-security-policy") == first.header("content-security-policy")
        assert (await browser.get(path, If_None_Match='"other"')).status == 200


async def test_a_connection_goes_on_after_a_304_and_a_head(browser: Browser) -> None:
    connection = await browser.client.connect()
    full = await connection.request("GET", "/chatd/console.css")
    head = await connection.request("HEAD", "/chatd/console.css")
    assert head.header("content-length") == str(len(full.body))
    assert {name for name, _ in head.headers} == {name for name, _ in full.headers}
    same = {"If-None-Match": full.header("etag") or ""}
    assert (await connection.request("HEAD", "/chatd/console.css", headers=same)).status == 304
    assert (await connection.request("GET", "/chatd/console.css", headers=same)).status == 304
    assert (await connection.request("GET", "/chatd/console.css")).body == full.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_pages_allow_get_and_head_only(browser: Browser, method: str) -> None:
    answer = await browser.get("/chatd/", method)
    assert (answer.status, answer.header("allow"), answer.body) == (405, "GET, HEAD", b"")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/chatd/../config.py",
        "/chatd/../../../../etc/passwd",
        "/chatd/%2e%2e/config.py",
        "/chatd/..%2fconfig.py",
        "/chatd/%2e%2e%2fpage.py",
        "/chatd/..\\page.py",
        "/chatd/./console.css",
        "/chatd//console.css",
        "//chatd/console.css",
        "/chatd/console.css/",
        "/chatd/console.css%00",
        "/chatd/console.css.map",
        "/chatd/CONSOLE.css",
        "/chatd/console.html",
        "/chatd/static/console.css",
        "/chatd/etc/passwd",
        "/etc/passwd",
        "/chatd/~root",
        "/chatd/enter/abc",
        "/socket.io/socket.io.js",
    ],
)
async def test_other_paths_are_not_found(browser: Browser, path: str) -> None:
    answer = await browser.get(path)
    assert (answer.status, answer.body) == (404, b"not found\n")


async def test_an_absolute_request_target_is_served_by_its_path_or_refused(browser: Browser) -> None:
    assert (await browser.get("http://evil.example/chatd/../../etc/passwd")).status == 404


async def test_the_path_without_its_slash_redirects_to_the_console(browser: Browser) -> None:
    answer = await browser.get("/chatd")
    assert (answer.status, answer.header("location")) == (308, "/chatd/")
    assert (await browser.get("/chatd/?lang=es")).status == 200


async def test_no_page_is_served_unless_the_console_is_on(tmp_path: Path) -> None:
    async with pages(tmp_path) as browser:
        for path in (*PATHS, "/chatd"):
            assert (await browser.get(path)).status == 404


async def test_socket_io_is_served_beside_the_console(browser: Browser) -> None:
    answer = await browser.get("/socket.io/?EIO=4&transport=polling")
    assert (answer.status, answer.body[:1]) == (200, b"0")


def test_pages_contain_the_socket_io_path_escaped() -> None:
    page = load_console('/chat"><script>/', [])["/chatd/"].body.decode()
    assert 'content="/chat&quot;&gt;&lt;script&gt;/"' in page


@pytest.mark.parametrize("page", ["https://example.com/login?next=%2F", "http://[::1]:8000", "/login"])
async def test_pages_contain_the_login_address(tmp_path: Path, page: str) -> None:
    async with pages(tmp_path, console="true", login_url=page) as browser:
        for path in ("/chatd/", "/chatd/panel"):
            assert f'<meta name="chatd-login" content="{page}">' in (await browser.get(path)).text


@pytest.mark.parametrize("page", ["", "login", "javascript:alert(1)", "//evil.example", "/\\evil.example", "https://"])
def test_an_invalid_login_address_is_refused(page: str) -> None:
    with pytest.raises(ConfigError, match="login_url"):
        WebConfig(login_url=page)


def test_pages_load_nothing_from_another_host_and_hold_no_code() -> None:
    for path in FOLDER.iterdir():
        if path.name == CLIENT.name:
            continue  # npm's bundle: see the test below
        text = path.read_text()
        hosts = set(re.findall(r"https?://([\w.-]+)", text)) - {"www.w3.org", "chat.example.com"}  # named, not loaded
        assert not hosts, f"{path.name} names {hosts}"
        assert "innerHTML" not in text
        assert "eval(" not in text
        if path.suffix == ".html":
            assert not re.search(r"<script(?![^>]* src=)|\son\w+=|\sstyle=|<style|javascript:", text), path.name


def test_the_client_is_the_bundle_that_the_interop_tests_are_pinned_to() -> None:
    """And has its licence, which the first lines of the bundle name."""
    assert CLIENT.read_bytes() == (PINNED / "dist" / CLIENT.name).read_bytes()
    assert b"Released under the MIT License" in CLIENT.read_bytes()[:200]


def test_all_pages_together_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 270_000


def test_the_licence_of_everything_in_the_bundle_is_in_the_package() -> None:
    carried = (FOLDER.parent / "licences/socket.io-client.txt").read_text(encoding="utf-8")
    parts = (PINNED / "node_modules", ("engine.io-client", "engine.io-parser", "socket.io-parser"))
    imported = (PINNED.parent, ("@socket.io/component-emitter", "base64-arraybuffer", "parseqs", "parseuri"))
    packages = [PINNED, *(folder / name for folder, names in (parts, imported) for name in names)]
    texts = [text for package in packages for text in package.glob("LICEN[SC]E*")]
    assert len(texts) == len(packages)
    for text in texts:
        assert text.read_text(encoding="utf-8").strip() in carried, text
