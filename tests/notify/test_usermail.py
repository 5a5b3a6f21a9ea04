"""Mail to users about unread answers, with a real SMTP server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatd.base.errors import ConfigError
from chatd.daemon.config import load
from chatd.webhooks.memory import key_of
from tests.chat.daemon import Daemon, daemon
from tests.chat.people import Chat, Person, chatting, cookie, join, token
from tests.notify.mailserver import PATIENCE_S, MailServer, receiving_mail
from tests.ops.operator import operated
from tests.store.rig import Base, ask, change

NEVER, SOON = "unread = 86_400", "unread = 0.2"
CLAIM = ("--email-claim", "email")
KEY = key_of("notify/users")


def write_config(folder: Path, port: int, more: str = SOON) -> Path:
    path = folder / "chatd.toml"
    path.write_text(
        '[[notify]]\nname = "users"\nevent = "no_leido"\nsmtp = "127.0.0.1"\nsecurity = "none"\n'
        f'port = {port}\nfrom = "chat@example.com"\nlink = "https://shop.example/chat"\n{more}\n'
    )
    return path


async def enter(chatd: Daemon | Chat, user: str, rol: str = "user", **claims: object) -> Person:
    """Connect; the token has a mail address unless `claims` says otherwise."""
    said: dict[str, Any] = {"email": f"{user}@example.com", **claims}
    return await join(chatd.client, headers=cookie(token(user, rol, **said)))


async def until(done: Callable[[], object]) -> None:
    """Poll until `done()`: a database has no event to wait for."""
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(done):  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.05)


def waits(db: Base) -> list[str]:
    """Users with an answer that is not known to be read."""
    return [con for (con,) in ask(db, f"SELECT con FROM ganchos_esperas WHERE clave = {KEY} ORDER BY con")]


def is_behind(db: Base, message_id: str) -> bool:
    """Whether the hook has processed that message."""
    return any(hasta >= int(message_id) for (hasta,) in ask(db, f"SELECT hasta FROM ganchos WHERE clave = {KEY}"))


def mailed(server: MailServer) -> list[str]:
    return [address for recipients in server.recipients for address in recipients]


async def test_users_with_unread_answers_get_one_mail_without_message_texts(db: Base, tmp_path: Path) -> None:
    """M-06, M-07, M-08, M-09, M-10: the daemon is killed between the answers and the mail."""
    async with receiving_mail() as server:
        config = write_config(tmp_path, server.port, NEVER)
        async with daemon(db, "--config", config, *CLAIM) as chatd:
            root, ana = await enter(chatd, "root", "admin"), await enter(chatd, "ana")
            eva, pia = await enter(chatd, "eva"), await enter(chatd, "pia")
            await enter(chatd, "zoe", email=...)
            await ana.write("root", "a question")
            for user in ("ana", "ana", "eva", "pia", "zoe"):
                answered = await root.write(user, "a secret")
                if user == "eva":
                    await eva.ask("leido", {"con": "root", "hasta": answered["id"]})
            await pia.write("root", "thank you")
            await until(lambda: waits(db) == ["ana", "eva", "pia", "zoe"])
            chatd.process.kill()
            await chatd.process.wait()
        config = write_config(tmp_path, server.port, SOON)
        async with daemon(db, "--config", config, *CLAIM, "--log-level", "debug") as chatd:
            await until(lambda: waits(db) == [])
            chatd.terminate()
            await chatd.ended()
            assert "example.com" not in str(chatd.log)
    [mail] = server.mails
    assert server.recipients == [["ana@example.com"]]
    assert (mail["To"], mail["From"]) == ("ana@example.com", "chat@example.com")
    assert mail["Subject"] == "New answers: 2"
    text = mail.get_content().replace("\r\n", "\n")
    assert text == (
        "New answers for you in the chat: 2\n\nhttps://shop.example/chat\n\n"
        "To get no such mail: switch it off in the chat.\n"
    )
    assert mail["Auto-Submitted"] == "auto-generated"


async def test_the_pause_between_mails_is_kept_per_address(tmp_path: Path) -> None:
    """M-09"""
    db = tmp_path / "c.db"
    async with receiving_mail() as server:
        config = write_config(
            tmp_path, server.port, f'{SOON}\npause = 3_600\nsubject = "{{count}}"\ntext = "Hola: {{count}}"'
        )
        async with operated(db, "--config", str(config), *CLAIM) as operator:
            root, _boss = await enter(operator.chatd, "root", "admin"), await enter(operator.chatd, "boss", "admin")
            await enter(operator.chatd, "ana")
            await root.write("boss", "no user")
            await root.write("ana", "one")
            await server.until(lambda: len(server.mails) == 1)
            await until(lambda: waits(db) == [])
            await enter(operator.chatd, "eva", email="ANA@example.com")
            await root.write("ana", "two")
            await root.write("ana", "three")
            await root.write("eva", "four")
            held = f"SELECT con FROM ganchos_esperas WHERE clave = {KEY} AND fecha > 1000 * (SELECT unixepoch() + 3000)"
            await until(lambda: sorted(ask(db, held)) == [("ana",), ("eva",)])
            seen = await operator.metrics()
            assert seen("chatd_webhook_events_total", hook="notify/users", outcome="held_back") == 2
            assert len(server.mails) == 1
            change(db, "UPDATE correos SET enviado = 0")
            change(db, "UPDATE ganchos_esperas SET fecha = 0 WHERE con = 'ana'")
            await server.until(lambda: len(server.mails) == 2)
        assert mailed(server) == ["ana@example.com"] * 2
        assert (server.mails[1]["Subject"], server.mails[1].get_content().split("\r\n")[0]) == ("2", "Hola: 2")


async def test_a_user_opts_out_of_mail_and_in_again(db: Base, tmp_path: Path) -> None:
    """M-11, M-12: at once, also while a mail is being retried."""
    async with receiving_mail() as server:
        config = write_config(tmp_path, server.port, f"{SOON}\npause = 1")
        async with daemon(db, "--config", config, *CLAIM) as chatd:
            root, ana = await enter(chatd, "root", "admin"), await enter(chatd, "ana")
            server.answer = lambda: "451 later"
            await root.write("ana", "one")
            await server.until(lambda: server.refused > 0)
            assert await ana.ask("avisos", {"correo": False}) == {"ok": True, "correo": False}
            server.answer = lambda: "250 OK"
            await until(lambda: waits(db) == [])
            second = await root.write("ana", "two")
            await until(lambda: is_behind(db, second["id"]) and waits(db) == [])
            assert server.mails == []
            await ana.ask("avisos", {"correo": True})
            await root.write("ana", "three")
            await server.until(lambda: len(server.mails) == 1)
        assert server.mails[0]["Subject"] == "New answers: 1"


async def test_the_choice_is_stored_and_an_invalid_one_is_refused(db: Base) -> None:
    """M-11"""
    async with chatting(db, email_claim="email") as chat:
        ana = await chat.enter("ana")
        assert await ana.ask("avisos") == {"ok": True, "correo": True}
        assert await ana.ask("avisos", {"correo": False}) == {"ok": True, "correo": False}
        for wish in (1, None, "no"):
            assert (await ana.ask("avisos", {"correo": wish}))["error"]["code"] == "correo_invalid"
        assert (await ana.ask("avisos", "no"))["error"]["code"] == "arguments_invalid"
    async with chatting(db, email_claim="email") as chat:
        assert await (await chat.enter("ana")).ask("avisos", {}) == {"ok": True, "correo": False}
        assert await (await chat.enter("eva")).ask("avisos", {}) == {"ok": True, "correo": True}


async def test_without_the_setting_no_address_is_stored_and_the_event_is_unknown(tmp_path: Path) -> None:
    """M-06, M-11"""
    db = tmp_path / "c.db"
    async with chatting(db) as chat:
        ana = await enter(chat, "ana")
        assert (await ana.ask("avisos", {"correo": False}))["error"]["code"] == "unknown_event"
    assert ask(db, "SELECT * FROM correos") == []


async def test_an_address_follows_the_token(db: Base) -> None:
    """M-06: a token without an address deletes it."""
    kept = "SELECT quien, correo FROM correos ORDER BY quien"
    async with chatting(db, email_claim="email") as chatd:
        await enter(chatd, "ana")
        await enter(chatd, "eva")
        await enter(chatd, "pia", email="no address")
        await until(lambda: ask(db, kept) == [("ana", "ana@example.com"), ("eva", "eva@example.com")])
        await enter(chatd, "ana", email="ana@new.example")
        await enter(chatd, "eva", email=...)
        await until(lambda: ask(db, kept) == [("ana", "ana@new.example"), ("eva", "")])


async def test_addresses_are_deleted_at_the_first_start_without_the_setting(db: Base) -> None:
    """M-06: what users wish stays."""
    kept = "SELECT quien, correo, silencio FROM correos ORDER BY quien"
    async with daemon(db, *CLAIM) as chatd:
        await (await enter(chatd, "ana")).ask("avisos", {"correo": False})
        await until(lambda: ask(db, kept) == [("ana", "ana@example.com", 1)])
    async with daemon(db):
        assert ask(db, kept) == [("ana", "", 1)]


async def test_an_address_that_the_server_does_not_know_is_not_tried_again(tmp_path: Path) -> None:
    """M-10: the next answer causes another mail, after the pause."""
    db = tmp_path / "c.db"
    async with receiving_mail() as server:
        server.unknown.add("ana@example.com")
        config = write_config(tmp_path, server.port)
        async with operated(db, "--config", str(config), *CLAIM) as operator:
            root = await enter(operator.chatd, "root", "admin")
            await enter(operator.chatd, "ana")
            await enter(operator.chatd, "eva")
            await root.write("ana", "one")
            await until(lambda: ask(db, "SELECT quien FROM correos WHERE hasta > 0") == [("ana",)])
            await until(lambda: waits(db) == [])
            await root.write("eva", "two")
            await server.until(lambda: len(server.mails) == 1)
            seen = await operator.metrics()
        assert seen("chatd_webhook_events_total", hook="notify/users", outcome="unknown_recipient") == 1
        assert mailed(server) == ["eva@example.com"]


async def test_no_log_has_an_address_that_the_server_names_in_its_refusal(tmp_path: Path) -> None:
    """M-06, M-10"""
    db = tmp_path / "c.db"
    async with receiving_mail() as server:
        server.is_busy = True
        config = write_config(tmp_path, server.port)
        async with daemon(db, "--config", config, *CLAIM, "--log-level", "debug") as chatd:
            root = await enter(chatd, "root", "admin")
            await enter(chatd, "ana")
            await root.write("ana", "one")
            await chatd.logged("webhook does not deliver")
            server.is_busy = False
            await server.until(lambda: len(server.mails) == 1)
            chatd.terminate()
            await chatd.ended()
    causes = [line["cause"] for line in chatd.log if line["message"] == "no answer of a webhook"]
    assert set(causes) == {"the server refuses a recipient for now"}
    assert "ana@example.com" not in str(chatd.log)


async def test_admins_who_opt_out_are_left_out_of_the_desks_mail(tmp_path: Path) -> None:
    """M-12"""
    db = tmp_path / "c.db"
    async with receiving_mail() as server:
        config = tmp_path / "chatd.toml"
        config.write_text(
            f'[[notify]]\nname = "desk"\nsmtp = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\nunattended = 0\n'
            'from = "chat@example.com"\nto = ["desk@example.com", "Boss@example.com"]\npause = 1\n'
        )
        async with daemon(db, "--config", config, *CLAIM) as chatd:
            boss, ana = await enter(chatd, "boss", "admin"), await enter(chatd, "ana")
            await until(lambda: ask(db, "SELECT correo FROM correos WHERE quien = 'boss'"))
            await boss.ask("avisos", {"correo": False})
            await boss.leave()
            await ana.write("root", "one")
            await server.until(lambda: len(server.mails) == 1)
            desk = await enter(chatd, "desk", "admin")
            await desk.ask("avisos", {"correo": False})
            await until(lambda: ask(db, "SELECT quien FROM correos WHERE quien = 'desk' AND correo <> ''"))
            await desk.leave()
            await (await enter(chatd, "eva")).write("root", "two")
            told = f"SELECT con FROM ganchos_esperas WHERE clave = {key_of('notify/desk')} AND avisado = 1"
            await until(lambda: ("eva",) in ask(db, told))
        assert server.recipients == [["desk@example.com"]]
        assert server.mails[0]["To"] == "desk@example.com"


@pytest.mark.parametrize(
    ("claim", "more", "why"),
    [
        ("email", 'to = ["desk@example.com"]', "to has the addresses of the desk"),
        ("email", 'subject = "a\\nBcc: b@example.com"', "link and subject are one line each"),
        ("email", '[[notify]]\nname = "b"\nevent = "no_leido"\nsmtp = "b"\nfrom = "a@b"', "take one event no_leido"),
        ("", SOON, "email_claim: mail to users needs their addresses"),
    ],
)
def test_an_invalid_table_for_users_is_refused(tmp_path: Path, claim: str, more: str, why: str) -> None:
    """M-07"""
    with pytest.raises(ConfigError, match=re.escape(why)):
        load({"config": str(write_config(tmp_path, 25, more)), **({"email_claim": claim} if claim else {})}, {})
