"""A daemon whose tokens come from an identity provider."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.auth.jwks.idp import PATIENCE_S, PRIVATE_KEYS, Idp, key_set, providing, signed
from tests.chat.daemon import Daemon, daemon
from tests.chat.people import SECRET, Person, connect, cookie, join, refused, token
from tests.listen.certificates import make_certificate
from tests.ops.operator import Operator

BETWEEN_TRIES_S = 0.05  # L-10 allows 200 clients a second of one address


@pytest.fixture
def idp() -> Iterator[Idp]:
    with providing() as idp:
        idp.body = key_set(*PRIVATE_KEYS)
        yield idp


@contextlib.asynccontextmanager
async def provided(folder: Path, idp: Idp, *flags: str, before: tuple[str, ...] = ()) -> AsyncIterator[Daemon]:
    """A daemon whose only keys are those of the provider."""
    without_secret = ("env", "-u", "CHATD_JWT_SECRET", *before)
    settings = ("--jwks-url", idp.url, "--internal", "127.0.0.1:0", *flags)
    async with daemon(folder / "chatd.db", *settings, before=without_secret) as chatd:
        yield chatd


async def enter(chatd: Daemon, kid: str, user: str = "ana") -> Person:
    return await join(chatd.client, cookie(signed(kid, user)))


async def after_cooldown(chatd: Daemon, kid: str) -> Person:
    """Join as eva; retry until the cooldown for unknown keys is over."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer, websocket = await connect(chatd.client, cookie(signed(kid, "eva")))
            if answer.startswith("40"):
                return Person(websocket)
            websocket.close()
            await asyncio.sleep(BETWEEN_TRIES_S)


async def test_tokens_of_every_key_of_the_provider_are_accepted(tmp_path: Path, idp: Idp) -> None:
    """J-01, J-02"""
    async with provided(tmp_path, idp) as chatd:
        for kid in PRIVATE_KEYS:
            person = await enter(chatd, kid, user=kid)
            assert (await person.write("root", "hola"))["ok"]
        assert (await refused(chatd.client, cookie(token("ana", secret=SECRET))))[0] == "token_invalid"
    assert len(idp.asked) == 1


async def test_the_provider_is_reached_over_https_with_a_valid_certificate(tmp_path: Path) -> None:
    """J-01"""
    certificate = make_certificate(tmp_path, "login")
    with providing(certificate) as idp:
        async with provided(tmp_path, idp, before=(f"SSL_CERT_FILE={certificate[0]}",)) as chatd:
            await enter(chatd, "rsa")
        async with provided(tmp_path, idp) as chatd:
            assert (await refused(chatd.client, cookie(signed("rsa"))))[0] == "token_invalid"
            chatd.terminate()
            assert await chatd.ended() == 0
    [told] = [line for line in chatd.log if line["message"] == "the identity provider does not give its keys"]
    assert "CERTIFICATE_VERIFY_FAILED" in told["cause"]


async def test_a_token_with_a_new_key_waits_for_a_fetch(tmp_path: Path, idp: Idp) -> None:
    """J-03: also if the cookie has an old token, and `auth` a fresh one."""
    idp.body = key_set("rsa")
    async with provided(tmp_path, idp, "--jwks-cooldown", "1") as chatd:
        ana = await enter(chatd, "rsa")
        idp.body = key_set("rsa", "rsa-2")
        eva = await after_cooldown(chatd, "rsa-2")
        assert (await eva.write("ana", "hola"))["ok"]
        assert (await ana.hear())[0] == "mensaje_recibido"
        assert len(idp.asked) == 2


async def test_a_key_rotation_and_the_removal_of_the_old_key(tmp_path: Path, idp: Idp) -> None:
    """J-05: sockets of a removed key are disconnected, as after SIGHUP (C-27)."""
    idp.body = key_set("rsa")
    async with provided(tmp_path, idp, "--jwks-cooldown", "1") as chatd:
        ana = await enter(chatd, "rsa")
        idp.body = key_set("rsa-2")
        await after_cooldown(chatd, "rsa-2")
        assert (await ana.hear())[0] == "desconexion"
        assert (await refused(chatd.client, cookie(signed("rsa"))))[0] == "token_invalid"


async def test_random_kids_cause_one_fetch(tmp_path: Path, idp: Idp) -> None:
    """J-03"""
    async with provided(tmp_path, idp) as chatd:
        await enter(chatd, "rsa")
        for number in range(30):
            code, _ = await refused(chatd.client, cookie(signed("rsa", named=f"key {number}")))
            assert code == "token_invalid"
        seen = await Operator(chatd).metrics()
        assert seen("chatd_refusals_total", by="provider", reason="jwks_cooldown") == 30
        assert seen("chatd_refusals_total", by="door", reason="token_invalid") == 30
        await enter(chatd, "ed")
    assert len(idp.asked) == 1


async def test_clients_wait_for_the_first_fetch(tmp_path: Path, idp: Idp) -> None:
    """J-03"""
    answer = asyncio.Event()
    loop = asyncio.get_running_loop()

    def reply(request: BaseHTTPRequestHandler) -> None:
        asyncio.run_coroutine_threadsafe(answer.wait(), loop).result(PATIENCE_S)
        request.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + idp.body)

    idp.reply = reply
    async with provided(tmp_path, idp, "--jwks-timeout", "60") as chatd:
        early = asyncio.create_task(join(chatd.client, cookie(signed("rsa"))))
        idp.until_asked(1)
        ready = await Operator(chatd).get("/readyz")
        assert (ready.status, "has not given its keys yet" in ready.text) == (503, True)
        answer.set()
        await early
        ready = await Operator(chatd).get("/readyz")
        assert (ready.status, ready.text) == (200, "ready\n")
    assert len(idp.asked) == 1


async def test_an_outage_of_the_provider_ends_no_session_and_is_logged(tmp_path: Path, idp: Idp) -> None:
    """J-04"""
    async with provided(tmp_path, idp, "--jwks-cooldown", "1") as chatd:
        ana = await enter(chatd, "rsa")
        idp.status = 500
        async with asyncio.timeout(PATIENCE_S):
            while len(idp.asked) == 1:
                await refused(chatd.client, cookie(signed("rsa", named="another")))
                await asyncio.sleep(BETWEEN_TRIES_S)
        assert (await chatd.logged("the identity provider does not give its keys"))["cause"] == "it answers 500"
        assert (await ana.write("root", "hola"))["ok"]
        await enter(chatd, "p256", "eva")
        ready = await Operator(chatd).get("/readyz")
        assert ready.status == 200
        assert ready.text.startswith("ready, but the identity provider has not given its keys for ")
        seen = await Operator(chatd).metrics()
        assert seen("chatd_jwks_keys") == len(PRIVATE_KEYS)
        assert 0 < seen("chatd_jwks_age_seconds") < PATIENCE_S
        assert seen("chatd_jwks_questions_total", outcome="failed") >= 1
        assert seen("chatd_jwks_questions_total", outcome="answered") == 1


async def test_sighup_starts_and_ends_the_use_of_a_provider(tmp_path: Path, idp: Idp) -> None:
    """J-01, J-05, C-27: together with a secret, which stays valid."""
    path, secret = tmp_path / "chatd.toml", tmp_path / "secret"
    secret.write_text(SECRET)
    own = f"[auth]\njwt_secret_file = '{secret}'\n"
    path.write_text(own)
    async with daemon(tmp_path / "chatd.db", "--config", path, before=("env", "-u", "CHATD_JWT_SECRET")) as chatd:

        async def reload(settings: str) -> None:
            path.write_text(settings)
            chatd.process.send_signal(signal.SIGHUP)
            await chatd.logged("reloaded")

        eva = await chatd.enter("eva")
        assert (await refused(chatd.client, cookie(signed("rsa"))))[0] == "token_invalid"
        await reload(f"{own}jwks_url = '{idp.url}'\n")
        ana = await enter(chatd, "rsa")
        path.write_text(f"{own}jwks_url = 'http://login.example/keys'\n")
        chatd.process.send_signal(signal.SIGHUP)
        assert "jwks_url" in (await chatd.logged("nothing was reloaded"))["cause"]
        assert (await ana.write("eva", "hola"))["ok"]
        await reload(own)
        assert (await ana.hear())[0] == "desconexion"
        assert (await refused(chatd.client, cookie(signed("rsa"))))[0] == "token_invalid"
        assert (await eva.write("root", "hola"))["ok"]


async def test_a_file_with_a_set_is_read_again_at_sighup(tmp_path: Path) -> None:
    """J-01, C-27"""
    path = tmp_path / "jwks.json"
    path.write_bytes(key_set("rsa"))
    without_secret = ("env", "-u", "CHATD_JWT_SECRET")
    async with daemon(tmp_path / "chatd.db", "--jwks-file", path, before=without_secret) as chatd:
        ana = await enter(chatd, "rsa")
        path.write_bytes(key_set("ed"))
        chatd.process.send_signal(signal.SIGHUP)
        assert (await ana.hear())[0] == "desconexion"
        await enter(chatd, "ed")
