"""SIGHUP renews the certificate while the daemon runs."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from tests.chat.daemon import Daemon, daemon
from tests.listen.certificates import make_certificate, subject_of, trusting


async def shown(chatd: Daemon, *trusted: Path) -> str:
    """The subject of the certificate that a new connection gets."""
    context = trusting(*trusted)
    _, writer = await asyncio.open_connection(chatd.client.host, chatd.client.port, ssl=context)
    subject = subject_of(writer.get_extra_info("ssl_object").getpeercert())
    writer.close()
    await writer.wait_closed()
    return subject


async def test_a_reload_renews_the_certificate_together_with_all_settings_or_not_at_all(tmp_path: Path) -> None:
    """C-27"""
    first_folder, second_folder = tmp_path / "first", tmp_path / "second"
    for folder in (first_folder, second_folder):
        folder.mkdir()
    cert, key = make_certificate(first_folder, "first")
    new_cert, new_key = make_certificate(second_folder, "second")
    (tmp_path / "denied").write_text("")
    first, second = cert.read_bytes(), new_cert.read_bytes()
    flags: list[str | Path] = ["--tls-cert", cert, "--tls-key", key, "--deny-file", tmp_path / "denied"]
    trusted = tmp_path / "both"
    trusted.write_bytes(first + second)
    async with daemon(tmp_path / "chatd.db", *flags) as chatd:
        assert await shown(chatd, trusted) == "first"
        for content, said, name in (
            (b"user:", "nothing was reloaded", "first"),
            (b"user:ana", "reloaded", "second"),
        ):
            cert.write_bytes(second)
            key.write_bytes(new_key.read_bytes())
            (tmp_path / "denied").write_bytes(content)
            chatd.process.send_signal(signal.SIGHUP)
            await chatd.logged(said)
            assert await shown(chatd, trusted) == name
        key.write_bytes(b"")
        chatd.process.send_signal(signal.SIGHUP)
        assert "tls_cert" in (await chatd.logged("nothing was reloaded"))["cause"]
        assert await shown(chatd, trusted) == "second"
