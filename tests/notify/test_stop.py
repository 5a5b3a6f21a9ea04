"""The link by which a user gets no more mail, with a real SMTP server and the daemon's own listener."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from chatd.base.errors import ConfigError
from chatd.daemon.config import load
from chatd.notify.stop import MAX_BODY_BYTES, key_of, link_of, user_of
from tests.chat.daemon import Daemon, daemon
from tests.conformance.wire import Answer
from tests.notify.mailserver import receiving_mail
from tests.notify.test_usermail import CLAIM, SOON, enter, is_behind, until, waits, write_config
from tests.store.rig import Base, ask

SECRET = "a-secret-of-the-chat"
HOST = "https://chat.example.com"

ONE_CLICK: dict[str, Any] = {
    "body": b"List-Unsubscribe=One-Click",
    "headers": {"Content-Type": "application/x-www-form-urlencoded"},
}


def write_file(folder: Path, port: int) -> Path:
    (folder / "secret-of-links").write_text(SECRET)
    links = f'public_url = "{HOST}/"\nemail_secret_file = "{folder / "secret-of-links"}"'
    return write_config(folder, port, f"{SOON}\npause = 1\n{links}")


async def request(chatd: Daemon, method: str, path: str, **more: Any) -> Answer:
    connection = await chatd.client.connect()
    return await connection.request(method, path, **more)


async def test_one_click_ends_the_mail_to_a_user(db: Base, tmp_path: Path) -> None:
    """M-15: as a mail program does it; to look at the page changes nothing."""
    user = "ana Ñ/" + "x" * 40
    async with receiving_mail() as server:
        config = write_file(tmp_path, server.port)
        async with daemon(db, "--config", config, *CLAIM) as chatd:
            root, ana = await enter(chatd, "root", "admin"), await enter(chatd, user, email="ana@example.com")
            await root.write(user, "one")
            await server.until(lambda: len(server.mails) == 1)
            [mail] = server.mails
            raw = dict(mail.raw_items())
            link = re.fullmatch(r"<(\S+)>", str(raw["List-Unsubscribe"]))
            assert link is not None, "RFC 2369 has the URL as it is, on one line"
            assert raw["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            assert link[1] in mail.get_content()
            path = link[1].removeprefix(HOST)
            page = await request(chatd, "GET", path)
            assert (page.status, page.header("content-type")) == (200, "text/html; charset=UTF-8")
            assert b'<form method="post">' in page.body
            assert page.header("content-security-policy") is not None
            assert await ana.ask("avisos") == {"ok": True, "correo": True}
            done = await request(chatd, "POST", path, **ONE_CLICK)
            assert (done.status, b"You get no more of these mails." in done.body) == (200, True)
            assert await ana.ask("avisos") == {"ok": True, "correo": False}
            second = await root.write(user, "two")
            await until(lambda: is_behind(db, second["id"]) and waits(db) == [])
            assert len(server.mails) == 1


async def test_a_link_that_chatd_has_not_signed_does_nothing(tmp_path: Path) -> None:
    """M-15"""
    db = tmp_path / "c.db"
    good = link_of(HOST, key_of(SECRET), "ana").removeprefix(HOST)
    async with daemon(db, "--config", write_file(tmp_path, 25), *CLAIM) as chatd:
        for path in (good[:-1], good + "a", good.replace("YW5h", "ZXZh"), "/chatd/correo/", "/chatd/correo/%C3%B1.x"):
            assert (await request(chatd, "POST", path, **ONE_CLICK)).status == 404
        assert (await request(chatd, "PUT", good, **ONE_CLICK)).status == 405
        assert (await request(chatd, "POST", good, body=b"x" * (MAX_BODY_BYTES + 1))).status == 413
        assert (await request(chatd, "HEAD", good)).status == 200
        assert (await request(chatd, "GET", "/chatd/other")).status == 404
        assert ask(db, "SELECT * FROM correos") == []


async def test_without_the_setting_there_is_no_such_page(tmp_path: Path) -> None:
    """M-15"""
    path = link_of(HOST, key_of(SECRET), "ana").removeprefix(HOST)
    async with receiving_mail() as server:
        config = write_config(tmp_path, server.port)
        async with daemon(tmp_path / "c.db", "--config", config, *CLAIM) as chatd:
            assert (await request(chatd, "POST", path, **ONE_CLICK)).status == 404
            root = await enter(chatd, "root", "admin")
            await enter(chatd, "ana")
            await root.write("ana", "one")
            await server.until(lambda: len(server.mails) == 1)
        assert server.mails[0]["List-Unsubscribe"] is None


def test_a_link_says_whose_it_is_to_its_own_key_alone() -> None:
    """M-15"""
    for user in ("ana", "ñandú 🦜", "a.b/c", "x" * 300):
        path = link_of(HOST, key_of(SECRET), user).removeprefix(HOST)
        assert user_of(key_of(SECRET), path) == user
        assert user_of(key_of("another secret of a chat"), path) is None


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ('public_url = "https://chat.example.com"', "as public_url and email_secret_file do"),
        ('public_url = "chat.example.com"\nemail_secret_file = "a"', "public_url must be such as https://"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused(tmp_path: Path, more: str, why: str) -> None:
    """M-15"""
    with pytest.raises(ConfigError, match=re.escape(why)):
        load({"config": str(write_config(tmp_path, 25, more)), "email_claim": "email"}, {})
