"""The operator's verbs, on a running daemon."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from chatd.cli import EXIT_FAILED, main, who
from chatd.cli.tables import print_table
from chatd.cli.tail import line
from tests.chat.daemon import PATIENCE_S, ROOT, daemon
from tests.chat.people import token
from tests.cli.command import environment
from tests.conformance.wire import NO_FRAME


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "chatd.db"


async def begin(db: Path, *arguments: str, stdout: int = asyncio.subprocess.PIPE) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chatd", *arguments, "--db", str(db)),
        cwd=ROOT,
        env=environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
    )


async def chatd(db: Path, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """Run a verb; return its exit code, stdout and stderr."""
    process = await begin(db, *arguments)
    async with asyncio.timeout(PATIENCE_S):
        printed, said = await process.communicate(stdin)
    assert process.returncode is not None
    return process.returncode, printed.decode(), said.decode()


def admin_socket(db: Path) -> Path:
    return db.with_name("chatd.db-admin")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_who_lists_every_socket(db: Path) -> None:
    async with daemon(db) as running:
        assert await chatd(db, "who") == (1, "", "chatd: nobody is connected\n")
        await running.enter("ana")
        await running.enter("root", "admin")
        await running.enter("ana")
        code, printed, _ = await chatd(db, "who")
        rows = [row.split("  ") for row in printed.splitlines()]
        assert (code, [row[0] for row in rows]) == (0, ["user", "ana", "ana", "root"])
        code, printed, _ = await chatd(db, "who", "--json")
        people = [json.loads(row) for row in printed.splitlines()]
        assert [(one["user"], one["rol"], one["transport"], one["address"]) for one in people] == [
            *[("ana", "user", "websocket", "127.0.0.1")] * 2,
            ("root", "admin", "websocket", "127.0.0.1"),
        ]
        assert token("ana")[:20] not in printed


def test_columns_are_aligned_whatever_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([("user", "rol"), ("日本語", "a"), ("e\u0301va", "b"), ("ana", "c")])
    assert capsys.readouterr().out.splitlines() == ["user    rol", "日本語  a", "e\u0301va     b", "ana     c"]


async def test_kick_ends_all_connections_of_one_user(db: Path) -> None:
    """C-65, E-50: the client reconnects, and the token is checked again"""
    async with daemon(db) as running:
        tabs = [await running.enter("ana") for _ in range(2)]
        eva = await running.enter("eva")
        assert await chatd(db, "kick", "ana") == (0, "2 connections of ana ended\n", "")
        for tab in tabs:
            assert await tab.hear() == [
                "desconexion",
                {"code": "kicked", "message": "An operator has ended this connection."},
            ]
            assert await tab.websocket.closed() == NO_FRAME
        assert (await eva.write("root", "still here"))["ok"] is True
        assert await chatd(db, "kick", "ana") == (1, "0 connections of ana ended\n", "")
        assert (await (await running.enter("ana")).write("root", "back"))["ok"] is True


async def test_send_delivers_to_the_user_alone_and_prints_the_id(db: Path) -> None:
    async with daemon(db) as running:
        ana, eva, root = [await running.enter(user) for user in ("ana", "eva", "root")]
        boss = await running.enter("boss", "admin")
        code, printed, _ = await chatd(db, "send", "--to", "ana", "--from", "root", "buenos días")
        assert await ana.hear() == ["mensaje_recibido", {"de": "root", "mensaje": "buenos días"}]
        assert (code, printed.strip().isdecimal()) == (0, True)
        for other in (eva, root, boss):
            assert await other.inbox() == []
        code, printed, _ = await chatd(db, "send", "--to", "ana", stdin=b"two\nlines\n")
        assert await ana.hear() == ["mensaje_recibido", {"de": "admin", "mensaje": "two\nlines"}]
        assert int((await ana.write("root", "later"))["id"]) > int(printed)


async def test_an_invalid_message_is_an_error(db: Path) -> None:
    async with daemon(db):
        code, printed, said = await chatd(db, "send", "--to", "ana", "")
        assert (code, printed) == (EXIT_FAILED, "")
        assert said == "chatd: mensaje must be a string that is not empty.\n"


async def test_tail_prints_the_messages_that_admins_get(db: Path) -> None:
    async with daemon(db) as running:
        ana, root = await running.enter("ana"), await running.enter("root", "admin")
        following = await begin(db, "tail", "--json")
        assert following.stdout is not None
        await running.logged("an operator follows the messages")
        assert (await ana.write("root", "first"))["ok"] is True
        assert (await root.write("ana", "for ana alone"))["ok"] is True
        assert (await ana.write("root", "hostile\x1b[2J\nline"))["ok"] is True
        async with asyncio.timeout(PATIENCE_S):
            shown = [json.loads(await following.stdout.readline()) for _ in range(2)]
        assert [(one["de"], one["para"], one["mensaje"]) for one in shown] == [
            ("ana", "root", "first"),
            ("ana", "root", "hostile\x1b[2J\nline"),
        ]
        running.terminate()
        assert await running.ended() == 0
        async with asyncio.timeout(PATIENCE_S):
            _, said = await following.communicate()
        assert (following.returncode, said) == (1, b"chatd: the daemon has closed the connection\n")


async def test_the_reader_of_a_tail_may_stop(db: Path) -> None:
    async with daemon(db) as running:
        ana = await running.enter("ana")
        reading, writing = os.pipe()
        following = await begin(db, "tail", "--json", stdout=writing)
        os.close(writing)
        await running.logged("an operator follows the messages")
        os.close(reading)  # `| head`
        assert (await ana.write("root", "first"))["ok"] is True
        async with asyncio.timeout(PATIENCE_S):
            _, said = await following.communicate()
        assert (following.returncode, said) == (0, b"")


async def test_the_end_of_the_daemon_is_reported_even_with_a_broken_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_: object) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(who, "run", run)
    assert (main(["who"]), capsys.readouterr().err) == (EXIT_FAILED, "chatd: broken pipe\n")


def test_a_line_of_a_tail_has_no_control_characters() -> None:
    message = {"fecha": 0, "de": "a\x1b[1m", "para": "b\r", "mensaje": "c\n\x07d ñ"}
    plain = line(message, coloured=False)
    assert plain.endswith(r" a\x1b[1m > b\r: c\n\x07d ñ")
    assert line(message, coloured=True).count("\x1b") == 6
    assert line(message, coloured=True).endswith(r": c\n\x07d ñ")


async def test_only_the_daemon_s_user_may_use_the_admin_socket(db: Path) -> None:
    async with daemon(db) as running:
        assert mode_of(admin_socket(db)) == 0o600
        running.terminate()
        assert await running.ended() == 0
    assert not admin_socket(db).exists()


async def test_without_a_daemon_the_error_names_the_socket(db: Path) -> None:
    where = f"no daemon listens at {admin_socket(db)}"
    for verb in (("who",), ("kick", "ana"), ("send", "--to", "ana", "hola"), ("tail",)):
        code, printed, said = await chatd(db, *verb)
        assert (code, printed) == (EXIT_FAILED, "")
        assert said == f"chatd: {where}: start it, or name its database with --db FILE\n"


async def test_the_admin_socket_can_be_switched_off(db: Path) -> None:
    async with daemon(db, "--no-admin-socket"):
        assert not admin_socket(db).exists()


async def test_a_daemon_starts_although_the_socket_path_is_too_long(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    async with daemon(folder / "chatd.db") as running:
        [said] = [one for one in running.log if one["message"] == "there is no admin socket"]
        assert "longer than 107 bytes" in said["cause"]
        assert (await (await running.enter("ana")).write("root", "hola"))["ok"] is True


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"[" * 200_000, "its JSON is nested too deep"),
        (b'{"verb":' * 200_000, "its JSON is nested too deep"),
        (b'{"verb":' + b"9" * 5_000 + b"}", "ValueError"),
        (b'{"verb":', "JSONDecodeError"),
        (b"\xff", "UnicodeDecodeError"),
        (b'{"verb":"kick"}', "KeyError('user')"),
        (b"[]", "as the verb"),
    ],
    ids=["lists", "objects", "a long number", "half", "no text", "no user", "no object"],
)
async def test_an_invalid_request_is_an_error(db: Path, line: bytes, why: str) -> None:
    async with daemon(db) as running:
        reader, writer = await asyncio.open_unix_connection(admin_socket(db))
        writer.write(line + b"\n")
        answer = json.loads(await reader.read())
        assert answer["ok"] is False
        assert why in answer["error"]
        writer.close()
        running.terminate()
        assert await running.ended() == 0
        assert running.faults == []


async def test_invalid_and_silent_clients_do_not_affect_others(db: Path) -> None:
    async with daemon(db) as running:
        with socket.socket(socket.AF_UNIX) as silent:
            silent.connect(str(admin_socket(db)))
            for nonsense in (b"nonsense\n", b"[]\n", b'{"verb": "fly"}\n', b'{"verb": "kick"}\n', b"\xff\n", b"1\n"):
                reader, writer = await asyncio.open_unix_connection(admin_socket(db))
                writer.write(nonsense)
                answer = json.loads(await reader.read())
                assert (answer["ok"], bool(answer["error"])) == (False, True)
                writer.close()
            running.terminate()
            assert await running.ended() == 0
        assert running.faults == []
