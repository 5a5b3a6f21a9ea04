"""`--client-dir`: the bundles of socket.io-client, as a Node.js server serves them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatd.base.errors import ConfigError
from chatd.web.bundles import MAX_BYTES, NAMES, load_bundles
from tests.web.rig import pages

DIST = Path(__file__).parents[1] / "interop" / "node_modules" / "socket.io-client-4.8" / "dist"
VERSION = json.loads((DIST.parent / "package.json").read_text())["version"]


async def test_the_real_bundles_are_served_with_the_headers_of_the_reference(tmp_path: Path) -> None:
    async with pages(tmp_path, client_dir=str(DIST)) as browser:
        for name in NAMES:
            answer = await browser.get(f"/socket.io/{name}")
            assert (answer.status, answer.body) == (200, (DIST / name).read_bytes())
            kind = "json" if name.endswith(".map") else "javascript"
            assert answer.header("content-type") == f"application/{kind}; charset=utf-8"
            assert answer.header("cache-control") == "public, max-age=0"
            assert answer.header("etag") == f'"{VERSION}"'
        assert (await browser.get("/chatd/")).status == 404


async def test_a_matching_etag_gets_304_without_a_body(tmp_path: Path) -> None:
    async with pages(tmp_path, client_dir=str(DIST)) as browser:
        for tag in (f'"{VERSION}"', f'W/"{VERSION}"'):
            assert (await browser.get("/socket.io/socket.io.js", If_None_Match=tag)).status == 304
        assert (await browser.get("/socket.io/socket.io.js", If_None_Match='"4.0.0"')).status == 200


async def test_only_bundles_of_the_folder_are_served(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    for name in ("socket.io.js", "secret.txt", "socket.io.js.bak"):
        (dist / name).write_text("x")
    async with pages(tmp_path, client_dir=str(dist), path="/chat") as browser:
        assert (await browser.get("/chat/socket.io.js?v=1")).status == 200
        for path in ("secret.txt", "socket.io.js.bak", "../dist/socket.io.js", "socket.io.min.js", ""):
            assert (await browser.get(f"/chat/{path}")).status in (400, 404)
        assert (await browser.get("/socket.io/socket.io.js")).status == 404


async def test_pages_of_listed_origins_may_load_the_module(tmp_path: Path) -> None:
    async with pages(tmp_path, client_dir=str(DIST), origin=["https://shop.example"]) as browser:
        answer = await browser.get("/socket.io/socket.io.esm.min.js", Origin="https://shop.example")
        assert answer.header("access-control-allow-origin") == "https://shop.example"
        other = await browser.get("/socket.io/socket.io.esm.min.js", Origin="https://evil.example")
        assert other.header("access-control-allow-origin") is None


def test_the_etag_comes_from_the_package_the_banner_or_the_content(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    bundle = dist / "socket.io.js"
    bundle.write_bytes(b"x")
    by_content = load_bundles(dist, "/")["/socket.io.js"].etag
    bundle.write_bytes(b"/*!\n * Socket.IO v4.7.1-beta.1\n */ x")
    assert load_bundles(dist, "/")["/socket.io.js"].etag == '"4.7.1-beta.1"' != by_content
    (tmp_path / "package.json").write_text('{"name":"socket.io-client","version":"4.9.0"}')
    assert load_bundles(dist, "/")["/socket.io.js"].etag == '"4.9.0"'
    (tmp_path / "package.json").write_text('{"name":"shop","version":"1.0.0"}')
    assert load_bundles(dist, "/")["/socket.io.js"].etag == '"4.7.1-beta.1"'


def test_a_folder_without_bundles_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ConfigError, match=r"node_modules/socket\.io-client/dist"):
            load_bundles(folder, "/socket.io/")


def test_a_file_that_is_too_large_for_a_bundle_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "socket.io.js").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ConfigError, match="no bundle"):
        load_bundles(tmp_path, "/socket.io/")


def test_a_symlink_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "private.pem").write_text("secret")
    (tmp_path / "dist" / NAMES[0]).symlink_to(tmp_path / "private.pem")
    with pytest.raises(ConfigError, match=r"is a link to .* outside of the folder"):
        load_bundles(tmp_path / "dist", "/socket.io/")


def test_symlinks_to_the_folder_and_within_it_are_followed(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "4.8.js").write_text("script")
    (tmp_path / "dist" / NAMES[0]).symlink_to("4.8.js")
    (tmp_path / "current").symlink_to("dist")
    assert load_bundles(tmp_path / "current", "/socket.io/")[f"/socket.io/{NAMES[0]}"].body == b"script"
