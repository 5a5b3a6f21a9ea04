from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from chatd.base.errors import ConfigError
from chatd.daemon.config import OPTIONS, Config, load
from chatd.daemon.live import take_over
from tests.chat.daemon import Daemon, daemon
from tests.chat.people import SECRET, cookie, join, refused, token
from tests.conformance.wire import RefusedUpgradeError

NONE: dict[str, str] = {}


def test_live_settings_are_applied_and_others_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """C-27"""
    running = load({"port": "1", "message_rate": "5"}, NONE)
    read = load({"port": "2", "host": "::1", "message_rate": "7", "origin": "https://a.example"}, NONE)
    taken = take_over(running, read)
    assert (taken.listen.port, taken.listen.host) == (1, ("127.0.0.1",))
    assert (taken.chat.message_rate, taken.engineio.origin) == (7.0, ("https://a.example",))
    (record,) = caplog.records
    assert record.__dict__["settings"] == "host, port"


def test_a_reload_without_changes_logs_no_setting(caplog: pytest.LogCaptureFixture) -> None:
    assert take_over(Config(), load(NONE, NONE)) == Config()
    assert caplog.records == []


def test_any_origin_needs_two_settings() -> None:
    """E-14"""
    read = load({"origin": "*", "insecure_any_origin": "true"}, NONE)
    assert take_over(Config(), read).engineio.origin == ("*",)
    with pytest.raises(ConfigError):
        take_over(Config(), load({"origin": "*"}, NONE))


def test_the_live_settings_are_those_that_the_daemon_can_change() -> None:
    """C-27: the documented subset."""
    assert {option.name for option in OPTIONS if option.about.live} == {
        *("jwt_secret", "jwt_secret_file", "jwt_public_key_file", "deny_file"),
        *("jwks_url", "jwks_file", "jwks_refresh", "jwks_cooldown", "jwks_timeout", "jwks_keep", "max_jwks"),
        *("max_message", "max_connections_per_user", "message_rate", "message_burst", "admin_messages"),
        "max_chars_per_minute",
        *("max_connections", "max_connections_per_address", "accept_rate"),
        "accept_rate_per_address",
        *("origin", "require_origin", "insecure_any_origin", "cors_credentials"),
        *("typing_rate", "retention", "log_level"),
        *("api_keys_file", "api_rate", "api_address_rate"),
    }


async def reload(chatd: Daemon, expected: str = "reloaded") -> dict[str, Any]:
    """Send SIGHUP; return the log line that answers it."""
    chatd.process.send_signal(signal.SIGHUP)
    return await chatd.logged(expected)


async def status(chatd: Daemon, origin: str) -> int:
    """The HTTP status of a handshake by a page of `origin`."""
    answer = await chatd.client.request("GET", {"EIO": "4", "transport": "polling"}, {"Origin": origin})
    return answer.status


async def test_a_reload_applies_the_whole_file_or_nothing(tmp_path: Path) -> None:
    """C-27"""
    path = tmp_path / "chatd.toml"
    path.write_text("[listen]\nstop_rate = 5\n")
    async with daemon(tmp_path / "chatd.db", "--config", path) as chatd:
        ana = await chatd.enter("ana")
        assert (await ana.write("root", "x" * 100))["ok"]
        assert await status(chatd, "https://shop.example") == 403

        path.write_text(
            '[chat]\nmax_message = 99\n[engineio]\norigin = "https://shop.example"\n[listen]\nstop_rate = 6\n'
        )
        await reload(chatd)
        (told,) = [line for line in chatd.log if "next start" in line["message"]]
        assert told["settings"] == "stop_rate"
        assert await status(chatd, "https://shop.example") == 200
        assert (await ana.write("root", "x" * 100))["error"]["code"] == "mensaje_too_long"
        assert (await ana.write("root", "x" * 99))["ok"]

        # One setting is invalid, so none is changed.
        path.write_text('[chat]\nmax_message = 1\n[engineio]\norigin = "shop.example"\n')
        refused = await reload(chatd, "nothing was reloaded")
        assert f"({path}:4)" in refused["cause"]
        assert (await ana.write("root", "x" * 99))["ok"]
        assert await status(chatd, "https://shop.example") == 200

        # A setting without a line is back at its default.
        path.write_text("[engineio]\nmax_connections = 1\n")
        await reload(chatd)
        assert (await ana.write("root", "x" * 100))["ok"]
        assert await status(chatd, "https://shop.example") == 403
        with pytest.raises(RefusedUpgradeError) as caught:
            await chatd.enter("eva")
        assert caught.value.answer.status == 503


async def test_static_pages_use_the_reloaded_origins(tmp_path: Path) -> None:
    """C-27: a folder that does not exist any more leaves all settings unchanged."""
    path, bundle = tmp_path / "chatd.toml", tmp_path / "socket.io.js"
    path.write_text("")
    bundle.write_text("// socket.io-client")
    async with daemon(tmp_path / "chatd.db", "--config", path, "--client-dir", tmp_path) as chatd:

        async def allowed() -> str | None:
            connection = await chatd.client.connect()
            answer = await connection.request("GET", "/socket.io/socket.io.js", headers={"Origin": "https://a.example"})
            assert answer.status == 200
            return answer.header("access-control-allow-origin")

        assert await allowed() is None
        path.write_text("[engineio]\norigin = 'https://a.example'\n")
        await reload(chatd)
        assert await allowed() == "https://a.example"
        path.write_text("")
        bundle.unlink()
        assert "client_dir" in (await reload(chatd, "nothing was reloaded"))["cause"]
        assert await allowed() == "https://a.example"


async def test_a_reload_applies_the_log_level(tmp_path: Path) -> None:
    """C-27"""
    path = tmp_path / "chatd.toml"
    path.write_text("")
    async with daemon(tmp_path / "chatd.db", "--config", path) as chatd:
        ana = await chatd.enter("ana")
        path.write_text("[log]\nlog_level = 'warning'\n[chat]\nmax_message = 3\n")
        chatd.process.send_signal(signal.SIGHUP)
        while (await ana.write("root", "hola"))["ok"]:
            pass  # the reload is not done yet
        await chatd.enter("eva")
        chatd.terminate()
        assert await chatd.ended() == 0
        assert [line["message"] for line in chatd.log].count("session open") == 1
        assert chatd.log[-1]["message"] == "session open"


async def test_a_reload_adds_and_removes_keys(tmp_path: Path) -> None:
    """C-26, C-27"""
    old, new, path = tmp_path / "old", tmp_path / "new", tmp_path / "chatd.toml"
    old.write_text(SECRET)
    new.write_text(SECRET[::-1])
    path.write_text(f"[auth]\njwt_secret_file = ['{old}']\n")
    without_secret = ("env", "-u", "CHATD_JWT_SECRET")
    async with daemon(tmp_path / "chatd.db", "--config", path, before=without_secret) as chatd:
        fresh = cookie(token("eva", secret=SECRET[::-1]))
        assert (await refused(chatd.client, fresh))[0] == "token_invalid"
        path.write_text(f"[auth]\njwt_secret_file = ['{old}', '{new}']\n")
        await reload(chatd)
        eva, ana = await join(chatd.client, fresh), await chatd.enter("ana")
        path.write_text(f"[auth]\njwt_secret_file = ['{new}']\n")
        await reload(chatd)
        assert (await ana.hear())[0] == "desconexion"
        assert (await eva.write("root", "hola"))["ok"]
