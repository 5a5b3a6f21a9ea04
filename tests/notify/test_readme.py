"""README.md, "Your other systems": the tables for mail, with nothing changed but the server and the time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.test_readme import TOML, section
from tests.chat.daemon import daemon
from tests.listen.certificates import make_certificate
from tests.notify.mailserver import LOGIN, receiving_mail
from tests.notify.test_usermail import enter

pytestmark = pytest.mark.filterwarnings("ignore:Session.login_data is deprecated:DeprecationWarning")


def write_example(heading: str, folder: Path, port: int, at_once: str) -> Path:
    """The file as the page has it."""
    [text] = TOML.findall(section(heading))
    (folder / "smtp-password").write_bytes(LOGIN.password)
    for named, ours in {
        'smtp = "smtp.example.com"': f'smtp = "localhost"\nport = {port}',
        "/etc/chatd/smtp-password": str(folder / "smtp-password"),
    }.items():
        assert text.count(named) == 1
        text = text.replace(named, ours)
    path = folder / "chatd.toml"
    path.write_text(f"{text}{at_once}\n")
    return path


async def test_the_desk_gets_a_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """M-01, M-02"""
    certificate, key = make_certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with receiving_mail(certificate, key) as server:
        config = write_example("### Mail to the desk", tmp_path, server.port, "unattended = 0")
        async with daemon(tmp_path / "c.db", "--config", config) as chatd:
            await (await chatd.enter("ana")).write("root", "a question")
            await server.until(lambda: len(server.mails) == 1)
    [mail] = server.mails
    assert (mail["From"], mail["To"]) == ("chatd@example.com", "desk@example.com")
    assert "https://chat.example.com/console/" in mail.get_content()


async def test_a_user_gets_a_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """M-02, M-06, M-08"""
    certificate, key = make_certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with receiving_mail(certificate, key) as server:
        config = write_example("### Mail to users", tmp_path, server.port, "unread = 0.2")
        async with daemon(tmp_path / "c.db", "--config", config) as chatd:
            root = await enter(chatd, "root", "admin")
            await enter(chatd, "ana")
            await root.write("ana", "an answer")
            await server.until(lambda: len(server.mails) == 1)
    [mail] = server.mails
    assert (mail["From"], mail["To"], mail["Subject"]) == ("chat@example.com", "ana@example.com", "1 respuestas nuevas")
    assert mail.get_content().startswith(
        "Tienes 1 respuestas sin leer en el chat.\r\n\r\nhttps://shop.example.com/chat"
    )
