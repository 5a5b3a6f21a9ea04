"""`chatd doctor` on daemons, directly and behind real proxies with good and bad configurations."""

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
    """The result of doctor: a verdict and a text for each check."""

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


async def test_a_healthy_daemon_passes_every_check(db: Path) -> None:
    async with daemon(db) as chatd:
        found = await doctor(url_of(chatd), "--token-file", "-", stdin=token("ana"))
        assert (found.code, found.failed, found.said) == (0, [], ""), found.printed
        assert [name for name, verdict in found.verdicts.items() if verdict == "ok"] == [
            "reach", "polling", "clock", "origin", "cookie", "websocket", "upgrade",
        ]  # fmt: skip
        assert token("ana")[:20] not in found.printed
        without = await doctor(url_of(chatd))
        assert (without.code, without.verdicts["cookie"]) == (0, "skip"), without.printed


async def test_the_error_of_a_provider_s_token_names_its_key(db: Path) -> None:
    """J-02"""
    async with daemon(db) as chatd:
        found = await doctor(url_of(chatd), "--token-file", "-", stdin=signed("p256"))
        assert found.failed == ["cookie"]
        assert "its key is p256 (ES256): the daemon's --jwks-url must give that one" in found.printed


async def test_doctor_closes_its_sessions(db: Path) -> None:
    async with daemon(db) as chatd:
        await doctor(url_of(chatd))
        await doctor(url_of(chatd), "--token-file", "-", stdin=token("ana"))
        chatd.terminate()
        await chatd.ended()
    opened = [line["sid"] for line in chatd.log if line["message"] == "session open"]
    ended = {line["sid"]: line["reason"] for line in chatd.log if "reason" in line and "sid" in line}
    assert len(opened) == 12
    assert {sid: ended.get(sid) for sid in opened} == dict.fromkeys(opened, "transport close")


async def test_a_refused_connection_is_the_only_finding() -> None:
    found = await doctor(f"http://127.0.0.1:{free_port()}")
    assert (found.code, found.verdicts) == (1, {"reach": "FAIL"})
    assert "check that proxy and chatd run" in found.printed


async def test_the_finding_of_a_refused_origin_names_the_flag(db: Path) -> None:
    async with daemon(db) as chatd:
        found = await doctor(url_of(chatd), "--origin", ORIGIN)
        assert "origin" in found.failed
        assert f"-> start chatd with --origin {ORIGIN}" in found.printed
    async with daemon(db, "--origin", ORIGIN) as chatd:
        assert (await doctor(url_of(chatd), "--origin", ORIGIN)).failed == []


async def test_an_invalid_token_is_reported(db: Path) -> None:
    async with daemon(db) as chatd:
        found = await doctor(url_of(chatd), "--token-file", "-", stdin=token("ana", ttl_s=-60))
        assert found.failed == ["cookie"]
        assert "the token is refused: token_expired" in found.printed
        found = await doctor(url_of(chatd), "--token-file", "-", "--cookie", "other", stdin=token("ana"))
        assert found.failed == ["cookie"]
        assert "the token has not arrived" in found.printed


async def test_a_wrong_path_is_reported(db: Path) -> None:
    async with daemon(db) as chatd:
        found = await doctor(url_of(chatd), "--path", "/chat/")
        assert "polling" in found.failed
        assert "compare --path with the daemon's" in found.printed


async def test_an_invalid_or_expiring_certificate_is_reported(db: Path, tmp_path: Path) -> None:
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
    """A polling session from another address of this machine."""
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
async def test_a_missing_line_in_nginx_is_named(
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
async def test_a_proxy_without_session_affinity_is_reported(
    tmp_path: Path, without: tuple[str, ...], failed: list[str]
) -> None:
    """K-01, K-02: the configuration of the README passes"""
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


async def test_a_proxy_without_its_daemon_is_reported(db: Path, tmp_path: Path) -> None:
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
async def test_an_unexpected_answer_of_a_server_is_reported(body: bytes, date: bytes, failed: str, advice: str) -> None:
    """Also a server that refuses a CONNECT as a plain Node.js server does."""

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
async def test_an_invalid_url_is_refused(url: str) -> None:
    found = await doctor(url)
    assert (found.code, found.printed) == (2, "")
    assert "write https://chat.example.com" in found.said
    assert found.said.count("\n") == 1


async def test_a_file_without_a_token_or_a_certificate_is_a_one_line_error(tmp_path: Path) -> None:
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
    """A daemon behind a proxy; yields the URL of the proxy, and the daemon."""
    port = free_port()
    async with daemon(db, "--trusted-proxy", "127.0.0.1", *flags) as chatd:
        place = Place(folder, port, chatd.client.port, certificate, key)
        async with proxy.running(proxy.placed(configuration, place), place):
            yield f"https://127.0.0.1:{port}", chatd
