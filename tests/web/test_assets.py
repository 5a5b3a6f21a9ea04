"""Cacheable files: at addresses with a digest of their content, compressed, all referenced by the page."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatd.web.assets import digest_of
from chatd.web.console import FOLDER
from tests.web.rig import Browser, pages

FILES = {path.name: path.read_bytes() for path in FOLDER.iterdir()}


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    async with pages(tmp_path, console="true") as running:
        yield running


@pytest.mark.parametrize("path", ["/chatd/", "/chatd/panel"])
async def test_files_of_a_page_are_immutable_in_the_cache(browser: Browser, path: str) -> None:
    """E-53"""
    page = (await browser.get(path)).text
    loaded = re.findall(r'(?:href|src)="(/chatd/[0-9a-f]{16}/[\w.-]+)"', page)
    assert not re.findall(r'(?:href|src)="/chatd/[\w-]+\.(?:js|css|svg)"', page)
    for address in loaded:
        answer = await browser.get(address)
        assert (answer.status, answer.header("cache-control")) == (200, "public, max-age=31536000, immutable")


@pytest.mark.parametrize(("path", "name"), [("/chatd/", "console"), ("/chatd/panel", "panel")])
async def test_a_page_loads_one_style_sheet_and_one_script_beside_the_client(
    browser: Browser, path: str, name: str
) -> None:
    """E-53: each further file is a further request on a slow line."""
    page = (await browser.get(path)).text
    loaded = set(re.findall(r'(?:href|src)="(/chatd/[0-9a-f]{16}/)([\w.-]+)"', page))
    assert {file for _, file in loaded} == {f"{name}.css", f"{name}.js", "socket.io.esm.min.js", "icon.svg"}
    (assets,) = {folder for folder, _ in loaded}
    script = (await browser.get(f"{assets}{name}.js")).text
    assert re.findall(r"^import .*", script, re.MULTILINE) == ['import { io } from "./socket.io.esm.min.js";']
    assert (await browser.get(f"{assets}socket.io.esm.min.js")).body == FILES["socket.io.esm.min.js"]
    sheet = (await browser.get(f"{assets}{name}.css")).body
    assert sheet.startswith(FILES["theme.css"])
    assert FILES[f"{name}.css"] in sheet


async def test_files_are_compressed_if_the_client_accepts_it(browser: Browser) -> None:
    """E-53"""
    for path in ("/chatd/console.js", "/chatd/", "/chatd/widget.js"):
        plain = await browser.get(path)
        packed = await browser.get(path, Accept_Encoding="gzip, br")
        assert (plain.header("content-encoding"), packed.header("content-encoding")) == (None, "gzip")
        assert gzip.decompress(packed.body) == plain.body
        assert plain.header("vary") == packed.header("vary") == "Accept-Encoding"
        assert plain.header("etag") != packed.header("etag")
        again = await browser.get(path, Accept_Encoding="gzip", If_None_Match=packed.header("etag") or "")
        assert again.status == 304
        assert (await browser.get(path, If_None_Match=packed.header("etag") or "")).status == 200


async def test_the_compressed_console_is_small(browser: Browser) -> None:
    """1.6 Mbit/s transfer 200 KB in a second."""
    page = (await browser.get("/chatd/")).text
    total = 0
    for address in set(re.findall(r'(?:href|src)="(/chatd/[0-9a-f]{16}/[\w.-]+)"', page)):
        total += len((await browser.get(address, Accept_Encoding="gzip")).body)
    print(f"{total:,} bytes")
    assert total < 60_000


def test_the_digest_changes_with_any_file() -> None:
    digest = digest_of({"a": b"1", "b": b"2"})
    assert digest == digest_of({"b": b"2", "a": b"1"})
    others = [{"a": b"1", "b": b"3"}, {"a": b"12", "b": b""}, {"a": b"1", "c": b"2"}, {"a": b"1"}]
    assert len({digest, *map(digest_of, others)}) == 5
