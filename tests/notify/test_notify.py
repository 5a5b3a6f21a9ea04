"""Mail to the desk about waiting users, with a real SMTP server."""

from __future__ import annotations

import asyncio
import ssl
import sys
from pathlib import Path

import pytest

from chatd.cli import EXIT_CONFIG
from chatd.webhooks.memory import key_of
from tests.chat.daemon import ROOT, complaint, daemon
from tests.chat.people import SECRET
from tests.cli.command import chatd as command
from tests.cli.command import environment
from tests.listen.certificates import make_certificate
from tests.notify.mailserver import LOGIN, PATIENCE_S, receiving_mail
from tests.store.rig import ask, change


def write_config(folder: Path, port: int, more: str = 'security = "none"') -> Path:
    path = folder / "chatd.toml"
    path.write_text(
        f'[[notify]]\nname = "desk"\nsmtp = "127.0.0.1"\nport = {port}\nfrom = "chatd@example.com"\n'
        f'to = ["desk@example.com", "boss@example.com"]\nlink = "https://desk.example/"\nunattended = 0\n{more}\n'
    )
    return path


async def test_waiting_users_are_in_one_mail_without_message_texts(tmp_path: Path) -> None:
    """M-01, M-03, M-04: the next mail comes after a pause, without the users who have been answered."""
    async with receiving_mail() as server:
        config = write_config(tmp_path, server.port, 'security = "none"\npause = 3')
        async with daemon(tmp_path / "c.db", "--config", config) as chatd:
            ana, odd = await chatd.enter("ana"), await chatd.enter("Eva Ñ")
            await ana.write("root", "a secret")
            await odd.write("root", "a secret")
            await server.until(lambda: len(server.mails) >= 1)
            await ana.write("root", "another secret")
            pia = await chatd.enter("pia")
            await pia.write("root", "a secret")
            await server.until(lambda: any("pia" in mail.get_content() for mail in server.mails))
        texts = [mail.get_content().replace("\r\n", "\n") for mail in server.mails]
        assert sum(text.count("ana, since ") for text in texts) == 1
        assert sum(text.count("Eva Ñ, since ") for text in texts) == 1
        assert all(
            "secret" not in text and "\n\nhttps://desk.example/\n\nTo get no such mail: " in text for text in texts
        )
        first = server.mails[0]
        assert (first["From"], first["To"]) == ("chatd@example.com", "desk@example.com, boss@example.com")
        assert first["Subject"] in ("2 users wait for an answer", "1 user waits for an answer")
        assert first.get_content_type() == "text/plain"
        assert server.recipients[0] == ["desk@example.com", "boss@example.com"]


@pytest.mark.filterwarnings("ignore:Session.login_data is deprecated:DeprecationWarning")
async def test_a_mail_is_retried_at_a_busy_server_by_starttls_with_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M-02, M-05: the daemon is killed between the attempts."""
    certificate, key = make_certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    password = tmp_path / "password"
    password.write_bytes(LOGIN.password + b"\n")
    async with receiving_mail(certificate, key) as server:
        server.answer = lambda: "451 later"
        config = write_config(tmp_path, server.port, f'user = "chatd"\npassword_file = "{password}"')
        async with daemon(tmp_path / "c.db", "--config", config) as chatd:
            await (await chatd.enter("ana")).write("root", "a secret")
            await server.until(lambda: server.refused > 1)
            chatd.process.kill()
            await chatd.process.wait()
        server.answer = lambda: "250 OK"
        async with daemon(tmp_path / "c.db", "--config", config):
            await server.until(lambda: len(server.mails) == 1)
        assert "ana, since 20" in server.mails[0].get_content()


async def test_a_server_with_a_certificate_for_another_name_gets_no_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M-02: a trusted authority signed it for 127.0.0.1, not for localhost."""
    certificate, key = make_certificate(tmp_path, "another")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    async with receiving_mail(tls=tls) as server:
        config = write_config(tmp_path, server.port, 'security = "tls"')
        trusted = config.read_text()
        config.write_text(trusted.replace('smtp = "127.0.0.1"', 'smtp = "localhost"'))
        async with daemon(tmp_path / "c.db", "--config", config) as chatd:
            await (await chatd.enter("ana")).write("root", "a secret")
            failed = await chatd.logged("webhook does not deliver")
            assert failed["level"] == "warning"
            assert "certificate is not valid for 'localhost'" in failed["cause"]
        assert server.mails == []
        config.write_text(trusted)
        async with daemon(tmp_path / "c.db", "--config", config):
            await server.until(lambda: len(server.mails) == 1)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ('user = "chatd"', "user and password_file go together"),
        ('security = "none"\nuser = "a"\npassword_file = "b"', "a password is sent over TLS alone"),
        ('cc = "x"', "Object contains unknown field `cc`"),
    ],
)
async def test_an_invalid_notify_table_is_refused(tmp_path: Path, more: str, why: str) -> None:
    """M-01, M-02"""
    code, said = await complaint("--config", write_config(tmp_path, 25, more), "--db", tmp_path / "c.db")
    assert code == EXIT_CONFIG
    assert said.startswith(f"chatd: {tmp_path}/chatd.toml:1: [[notify]]: ")
    assert why in said


async def test_without_the_package_the_error_says_what_to_install(tmp_path: Path) -> None:
    """M-01"""
    flags = ["serve", "--db", str(tmp_path / "c.db"), "--port", "0", "--config", str(write_config(tmp_path, 25))]
    code = f"import sys; sys.modules['aiosmtplib'] = None; from chatd.cli import main; sys.exit(main({flags}))"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code),
        cwd=ROOT,
        env=environment(CHATD_JWT_SECRET=SECRET),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == EXIT_CONFIG
    assert "notify: it needs the package aiosmtplib: pip install 'chatd[mail]'" in said.decode()


async def test_a_mail_that_was_given_up_is_listed_and_sent_again(tmp_path: Path) -> None:
    """M-05, W-08"""
    db = tmp_path / "c.db"
    async with receiving_mail() as server:
        config = write_config(tmp_path, server.port, 'security = "none"\npause = 1')
        async with daemon(db, "--config", config) as chatd:
            await (await chatd.enter("ana")).write("root", "a secret")
            await server.until(lambda: len(server.mails) == 1)
            async with asyncio.timeout(PATIENCE_S):
                while not ask(db, "SELECT con FROM ganchos_esperas WHERE avisado = 1"):  # noqa: ASYNC110 - rings no bell
                    await asyncio.sleep(0.01)
            key = key_of("notify/desk")
            kept = "INSERT INTO ganchos_guardados (clave, evento, con, cuerpo)"
            change(db, f"{kept} VALUES ({key}, 'sin_respuesta-7', 'ana', '{{}}')")
            listed = (await verb("webhook", "list", "--config", config, "--db", db)).splitlines()
            assert listed[1].split()[::4] == ["notify/desk", "1"]
            said = await verb("webhook", "replay", "notify/desk", "--config", config, "--db", db)
            assert said == "notify/desk: 1 waits go into the next mail, unless they have been answered\n"
            await server.until(lambda: len(server.mails) == 2)
        assert "ana, since " in server.mails[1].get_content()
    assert ask(db, "SELECT evento FROM ganchos_guardados") == []


async def verb(*words: str | Path) -> str:
    """Run `chatd` without blocking the mail server. Returns its output."""
    done = await asyncio.to_thread(command, *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
