"""`chatd doctor` against daemons, bare and behind real proxies that are configured well or badly."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import http.client
import sys
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import pytest

from bench.ports import free_port
from tests.auth.jwks.idp import signed
from tests.chat.daemon import PATIENCE_S, ROOT, Daemon, daemon
from tests.chat.people import token
from tests.cli.command import environment
from tests.listen.certificates import make_certificate, trusting
from tests.ops.proxies import SEVERAL_NODES, Place, Proxy, caddy, haproxy, nginx

ORIGIN = "https://shop.example.com"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "chatd.db"


class Findings:
    """What the doctor said: a verdict and a text by check."""

    def __init__(self, code: int, printed: str, said: str) -> None:
        self.code, self.printed, self.said = code, printed, said
        lines = [line for line in printed.splitlines() if not line.startswith(" ")]
        self.verdicts = {line.split()[1]: line.split()[0] for line in lines}

    @property
    def failed(self) -> list[str]:
        return [name for name, verdict in self.verdicts.items() if verdict == "FAIL"]


async def doctor(url: str, *arguments: str, stdin: str = "") -> Findings:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chatd", "doctor", url, *arguments),
        cwd=ROOT,
        env=environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(2 * PATIENCE_S):
        printed, said = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return Findings(process.returncode, printed.decode(), said.decode())


def url_of(chatd: Daemon) -> str:
    return f"http://127.0.0.1:{chatd.client.port}"


async def test_a_daemon_that_is_well_is_told_so(db: Path) -> None:
    async with daemon(db) as chatd:
        found = await doctor(url_of(chatd), "--token-file", "-", stdin=token("ana"))
        assert (found.code, found.failed, found.said) == (0, [], ""), found.printed
        assert [name for name, verdict in found.verdicts.items() if verdict == "ok"] == [
            "reach", "polling", "clock", "origin", "cookie", "websocket", "upgrade",
        ]  # fmt: skip
        assert token("ana")[:20] not in found.printed
        without = await doctor(url_of(chatd))
        assert (without.code, without.verdicts["cookie"]) == (0, "skip"), without.printed


async def test_a_token_of_an_identity_provider_is_refused_with_the_name_of_its_key(db: Path) -> None:
    """J-02"""
    async with daemon(db) as chatd:
        found = await doctor(url_of(chatd), "--token-file", "-", stdin=signed("p256"))
        assert found.failed == ["cookie"]
        assert "its key is p256 (ES256): the daemon's --jwks-url must give that one" in found.printed


async def test_no_session_is_left_for_the_daemon_to_end(db: Path) -> None:
    async with daemon(db) as chatd:
        await doctor(url_of(chatd))
        await doctor(url_of(chatd), "--token-file", "-", stdin=token("ana"))
        chatd.terminate()
        await chatd.ended()
    opened = [line["sid"] for line in chatd.log if line["message"] == "session open"]
    ended = {line["sid"]: line["reason"] for line in chatd.log if "reason" in line and "sid" in line}
    assert len(opened) == 12
    assert {sid: ended.get(sid) for sid in opened} == dict.fromkeys(opened, "transport close")


async def test_nobody_there_is_the_only_thing_that_is_said() -> None:
    found = await doctor(f"http://127.0.0.1:{free_port()}")
    assert (found.code, found.verdicts) == (1, {"reach": "FAIL"})
    assert "check that proxy and chatd run" in found.printed


async def test_a_page_that_may_not_connect_is_told_the_flag(db: Path) -> None:
    async with daemon(db) as chatd:
        found = await doctor(url_of(chatd), "--origin", ORIGIN)
        assert "origin" in found.failed
        assert f"-> start chatd with --origin {ORIGIN}" in found.printed
    async with daemon(db, "--origin", ORIGIN) as chatd:
        assert (await doctor(url_of(chatd), "--origin", ORIGIN)).failed == []


async def test_a_token_that_does_not_hold_is_told(db: Path) -> None:
    async with daemon(db) as chatd:
        found = await doctor(url_of(chatd), "--token-file", "-", stdin=token("ana", ttl_s=-60))
        assert found.failed == ["cookie"]
        assert "the token is refused: token_expired" in found.printed
        found = await doctor(url_of(chatd), "--token-file", "-", "--cookie", "other", stdin=token("ana"))
        assert found.failed == ["cookie"]
        assert "the token has not arrived" in found.printed


async def test_another_path_is_told(db: Path) -> None:
    async with daemon(db) as chatd:
        found = await doctor(url_of(chatd), "--path", "/chat/")
        assert "polling" in found.failed
        assert "compare --path with the daemon's" in found.printed


async def test_a_certificate_that_does_not_hold_or_ends_soon_is_told(db: Path, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "soon")
    async with behind(db, tmp_path, nginx.readme_configuration(), certificate, key) as (url, _):
        unknown = await doctor(url)
        assert "-> send the whole chain" in unknown.printed
        assert list(unknown.verdicts) == ["reach", "tls"]
        found = await doctor(url, "--ca", str(certificate))
        assert found.failed == ["tls"]
        assert "the certificate ends in 1 days" in found.printed


@pytest.mark.parametrize("proxy", [nginx, caddy, haproxy], ids=lambda proxy: str(proxy.name))
async def test_the_configurations_in_the_readme_work(proxy: Proxy, db: Path, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "chat", left=datetime.timedelta(days=90))
    async with behind(db, tmp_path, proxy.readme_configuration(), certificate, key, proxy, "--console") as (url, chatd):
        found = await doctor(url, "--ca", str(certificate), "--token-file", "-", stdin=token("ana"))
        assert (found.code, found.failed) == (0, []), found.printed
        assert len(found.verdicts) == 9
        assert found.verdicts["console"] == "ok", found.printed
        await asyncio.to_thread(open_from, "127.0.0.9", url, certificate)
        chatd.terminate()
        await chatd.ended()
    addresses = [line["address"] for line in chatd.log if line["message"] == "session open"]
    assert (set(addresses[:-1]), addresses[-1]) == ({"127.0.0.1"}, "127.0.0.9")


def open_from(address: str, url: str, certificate: Path) -> None:
    """A session on polling, from another address of this machine."""
    _, _, place = url.rpartition("/")
    connection = http.client.HTTPSConnection(place, source_address=(address, 0), context=trusting(certificate))
    with contextlib.closing(connection):
        connection.request("GET", "/socket.io/?EIO=4&transport=polling")
        assert connection.getresponse().status == HTTPStatus.OK


@pytest.mark.parametrize(
    ("without", "failed", "advice"),
    [
        (
            "proxy_set_header Upgrade $http_upgrade;",
            ["websocket", "upgrade"],
            "pass the headers Upgrade and Connection",
        ),
        ("proxy_set_header Host $http_host;", ["origin", "websocket", "upgrade"], "let the proxy pass Host"),
    ],
)
async def test_an_nginx_that_lacks_a_line_is_told_which(
    db: Path, tmp_path: Path, without: str, failed: list[str], advice: str
) -> None:
    certificate, key = make_certificate(tmp_path, "chat", left=datetime.timedelta(days=90))
    assert without in nginx.readme_configuration()
    worse = nginx.readme_configuration().replace(without, "")
    async with behind(db, tmp_path, worse, certificate, key) as (url, _):
        found = await doctor(url, "--ca", str(certificate))
        assert found.failed == failed, found.printed
        assert advice in found.printed


@pytest.mark.parametrize(
    ("without", "failed"), [((), []), (("least_conn;", r"~^1\. node1;", r"~^2\. node2;"), ["cookie", "upgrade"])]
)
async def test_a_proxy_that_sends_requests_to_a_node_without_their_session_is_told(
    tmp_path: Path, without: tuple[str, ...], failed: list[str]
) -> None:
    """K-01, K-02: and that of the README is not"""
    place = Place(tmp_path, free_port(), 0, *make_certificate(tmp_path, "chat", left=datetime.timedelta(days=90)))
    configuration = nginx.readme_configuration(SEVERAL_NODES)
    for line in without:
        assert line in configuration
        configuration = configuration.replace(line, "")
    proxied = ("--trusted-proxy", "127.0.0.1")
    async with (
        daemon(tmp_path / "one.db", "--node", "1", *proxied) as one,
        daemon(tmp_path / "two.db", "--node", "2", *proxied) as two,
        nginx.running(nginx.placed(configuration, place, {8401: one.client.port, 8402: two.client.port}), place),
    ):
        url = f"https://127.0.0.1:{place.port}"
        found = await doctor(url, "--ca", str(place.certificate), "--token-file", "-", stdin=token("ana"))
    assert found.failed == failed, found.printed
    assert found.printed.count("-> of several nodes, give each a --node") == len(failed)


async def test_a_proxy_without_its_chatd_is_told(db: Path, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "chat", left=datetime.timedelta(days=90))
    async with behind(db, tmp_path, nginx.readme_configuration(), certificate, key) as (url, chatd):
        chatd.terminate()
        assert await chatd.ended() == 0
        found = await doctor(url, "--ca", str(certificate))
        assert found.code == 1
        assert "status 502" in found.printed
        assert "the proxy does not reach chatd" in found.printed


OPENED = b'0{"sid":"x","pingInterval":1000,"maxPayload":1}'
LONG_AGO = b"Thu, 01 Jan 2026 00:00:00 GMT"


@pytest.mark.parametrize(
    ("body", "date", "failed", "advice"),
    [
        (OPENED, LONG_AGO, "clock", "-> run NTP on both"),
        (OPENED, b"yesterday", "clock", "the answer's Date is 'yesterday'"),
        (b"0{}", LONG_AGO, "polling", "-> something else than chatd answers here"),
        (b"0{oops", LONG_AGO, "polling", "-> something else than chatd answers here"),
    ],
)
async def test_a_server_that_says_something_odd_is_told(body: bytes, date: bytes, failed: str, advice: str) -> None:
    """One that refuses a CONNECT as a plain Node.js server would, too."""

    answered: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answered.append(writer)
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError):
            request = await reader.readuntil(b"\r\n\r\n")
            said = b'44{"message":"x"}' if b"sid=" in request else body
            head = b"HTTP/1.1 200 OK\r\nDate: %b\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (date, len(said))
            writer.write(head + said)

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        found = await doctor(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await asyncio.gather(*(writer.wait_closed() for writer in answered), return_exceptions=True)
    assert (found.code, found.said) == (1, "")
    assert failed in found.failed
    assert "cookie" in found.failed
    assert advice in found.printed


@pytest.mark.parametrize(
    "url", ["chat.example.com", "http://127.0.0.1:99999", "http://[::1", "http://a..b", f"http://{'a' * 70}.com"]
)
async def test_what_is_no_url_is_refused(url: str) -> None:
    found = await doctor(url)
    assert (found.code, found.printed) == (2, "")
    assert "write https://chat.example.com" in found.said
    assert found.said.count("\n") == 1


async def test_a_file_that_is_no_token_or_no_certificate_is_told_in_one_line(tmp_path: Path) -> None:
    file, none = tmp_path / "file", tmp_path / "none"
    file.write_bytes(b"caf\xe9")
    for flag, path, code, said in (
        ("--token-file", file, 2, f"--token-file: what is in {file} is no token"),
        ("--ca", file, 2, f"--ca: {file} has no certificate in PEM form"),
        ("--token-file", none, 1, f"{none}: no such file or directory"),
        ("--ca", none, 1, f"{none}: no such file or directory"),
    ):
        found = await doctor("http://127.0.0.1", flag, str(path))
        assert (found.code, found.printed, found.said.count("\n")) == (code, "", 1)
        assert found.said.startswith(f"chatd: {said}")


@contextlib.asynccontextmanager
async def behind(
    db: Path, folder: Path, configuration: str, certificate: Path, key: Path, proxy: Proxy = nginx, *flags: str
) -> AsyncIterator[tuple[str, Daemon]]:
    """A daemon behind a proxy: where that is."""
    port = free_port()
    async with daemon(db, "--trusted-proxy", "127.0.0.1", *flags) as chatd:
        place = Place(folder, port, chatd.client.port, certificate, key)
        async with proxy.running(proxy.placed(configuration, place), place):
            yield f"https://127.0.0.1:{port}", chatd
