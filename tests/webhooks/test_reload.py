"""SIGHUP adds, removes and changes hooks."""

from __future__ import annotations

import base64
import signal
import ssl
from pathlib import Path

import pytest

from tests.chat.daemon import Daemon, daemon
from tests.listen.certificates import make_certificate
from tests.ops.operator import Operator
from tests.webhooks.receiver import receiving, write_config


async def reload(chatd: Daemon, expected: str = "reloaded") -> None:
    chatd.process.send_signal(signal.SIGHUP)
    await chatd.logged(expected)


async def finished(chatd: Daemon, *hooks: str) -> None:
    """Wait until the daemon has read every answer: an event whose answer a reload cuts off is sent again."""
    while any([(await Operator(chatd).metrics())("chatd_webhook_unfinished", hook=hook) for hook in hooks]):
        pass


async def test_hooks_begin_change_and_end_with_the_file(tmp_path: Path) -> None:
    """W-13"""
    async with receiving() as crm, receiving() as shop:
        write_config(tmp_path, crm.url)
        file = tmp_path / "chatd.toml"
        only_crm = file.read_text()
        file.write_text("")
        async with daemon(tmp_path / "c.db", "--config", file, "--internal", "127.0.0.1:0") as chatd:
            ana = await chatd.enter("ana")
            await ana.write("root", "before any")
            file.write_text(only_crm)
            await reload(chatd)
            await ana.write("root", "one")
            await crm.until(lambda: crm.texts() == ["one"])

            file.write_text(only_crm + only_crm.replace("crm", "shop").replace(crm.url, shop.url))
            await reload(chatd)
            await ana.write("root", "two")
            await shop.until(lambda: shop.texts() == ["two"])
            await crm.until(lambda: crm.texts() == ["one", "two"])
            assert crm.connections == 1  # unchanged: its connection stays open
            await finished(chatd, "crm", "shop")

            file.write_text(only_crm.replace(crm.url, shop.url))  # one hook is removed, the other gets a new URL
            await reload(chatd)
            await shop.left()  # the removed hook may deliver until its connection is closed
            await ana.write("root", "three")
            await shop.until(lambda: shop.texts() == ["two", "three"])
            assert shop.tried.count(shop.tried[-1]) == 1
            await finished(chatd, "crm")

            file.write_text(only_crm.replace("whsec", "nowhere"))
            await reload(chatd, "nothing was reloaded")
            file.write_text(only_crm)
            await reload(chatd)
            await ana.write("root", "four")
            await crm.until(lambda: crm.texts() == ["one", "two", "four"])

            file.write_text("")
            await reload(chatd)
            chatd.terminate()
            assert await chatd.ended() == 0
            assert [fault["message"] for fault in chatd.faults] == ["nothing was reloaded"]


async def test_a_reload_changes_the_signing_secret(tmp_path: Path) -> None:
    """W-13, W-03: each receiver accepts signatures of its own secret only."""
    async with receiving() as crm:
        file = write_config(tmp_path, crm.url)
        right = (tmp_path / "whsec").read_text()
        (tmp_path / "whsec").write_text("whsec_" + base64.b64encode(bytes(32)).decode())
        async with daemon(tmp_path / "c.db", "--config", file) as chatd:
            await (await chatd.enter("ana")).write("root", "one")
            await chatd.logged("webhook does not deliver")
            assert crm.texts() == []
            (tmp_path / "whsec").write_text(right)
            await reload(chatd)
            await crm.until(lambda: crm.texts() == ["one"])


async def test_a_reload_adds_a_tls_receiver_but_the_first_one_needs_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """W-05, W-13"""
    certificate, key = make_certificate(tmp_path, "receiver")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    async with receiving(tls) as crm:
        file = write_config(tmp_path, crm.url)
        with_tls = file.read_text()
        file.write_text("")
        async with daemon(tmp_path / "c.db", "--config", file) as chatd:
            file.write_text(with_tls)
            await reload(chatd, "nothing was reloaded")
            assert chatd.log[-1]["cause"].startswith("the first webhook or mail server that needs TLS needs a restart")
        async with daemon(tmp_path / "c.db", "--config", file) as chatd:
            await (await chatd.enter("ana")).write("root", "over TLS")
            await crm.until(lambda: crm.texts() == ["over TLS"])
