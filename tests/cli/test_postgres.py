"""Verbs on a PostgreSQL database, and moving to it from a file."""

from __future__ import annotations

import asyncio
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chatd.cli import EXIT_FAILED
from chatd.cli.rows import from_line, to_line
from chatd.store.history import Viewer
from tests.cli.command import chatd, environment
from tests.cli.stored import message, store
from tests.postgresql import Server, programs
from tests.reference import README
from tests.store.rig import PostgresBase, ask, store_on

BATCH_ROWS = importlib.import_module("chatd.cli.import").BATCH_ROWS

SECRET = {"CHATD_JWT_SECRET": "a secret of forty-two characters, exactly.."}
SERVE = [sys.executable, "-m", "chatd", "serve", "--port", "0", "--log-format", "json"]


@pytest.fixture
def base(postgresql: Server) -> PostgresBase:
    return PostgresBase(postgresql)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A SQLite database with messages, as a daemon leaves it."""
    path = tmp_path / "chatd.db"
    odd = message(3, de="root", para="ana", supervisado=False, mensaje='"\n\\ñ🎈\0\1')
    store(path, [*map(message, range(3)), odd])
    return path


def moved(file: Path, base: PostgresBase) -> None:
    lines = file.with_name("all.jsonl")
    assert chatd("export", lines, "--db", file).returncode == 0
    assert chatd("import", lines, "--db", str(base)).stdout == "4 messages imported, 0 were there already\n"


def test_a_file_moves_to_postgresql_and_back(file: Path, base: PostgresBase, tmp_path: Path) -> None:
    """P-08"""
    moved(file, base)
    lines = chatd("export", "--db", file).stdout
    assert chatd("export", "--db", str(base)).stdout == lines
    back = tmp_path / "back.jsonl"
    assert chatd("export", back, "--db", str(base)).returncode == 0
    assert chatd("import", back, "--db", tmp_path / "back.db").returncode == 0
    assert chatd("export", "--db", tmp_path / "back.db").stdout == lines


async def test_messages_answered_before_an_import_are_read(base: PostgresBase, tmp_path: Path) -> None:
    """C-88"""
    answered = [message(0), message(1, de="root", para="ana", supervisado=False), message(2), message(3, de="eva")]
    file = tmp_path / "answered.db"
    await asyncio.to_thread(store, file, answered)
    assert chatd("export", file.with_name("all.jsonl"), "--db", file).returncode == 0
    assert chatd("import", file.with_name("all.jsonl"), "--db", str(base)).returncode == 0
    async with store_on(base) as opened:
        counts = [await opened.library.unread_with(Viewer("boss", is_admin=True), con) for con in ("ana", "eva")]
    assert counts == [1, 1]


def test_a_chat_of_several_batches_is_moved_completely(base: PostgresBase, tmp_path: Path) -> None:
    """P-08"""
    db, lines = tmp_path / "chatd.db", tmp_path / "all.jsonl"
    store(db, [message(0, id=message(0).id + number, cid=f"c{number}") for number in range(2 * BATCH_ROWS + 7)])
    assert chatd("export", lines, "--db", db).returncode == 0
    count = len(lines.read_bytes().splitlines())
    assert chatd("import", lines, "--db", str(base)).stdout == f"{count} messages imported, 0 were there already\n"
    assert chatd("export", "--db", str(base)).stdout == lines.read_text(encoding="utf-8")


def test_a_second_import_adds_nothing_and_an_invalid_line_rolls_back(file: Path, base: PostgresBase) -> None:
    """P-08"""
    moved(file, base)
    lines = file.with_name("all.jsonl")
    assert chatd("import", lines, "--db", str(base)).stdout == "0 messages imported, 4 were there already\n"
    first = from_line(lines.read_bytes().splitlines()[1])
    news = to_line((first[0] + 7, *first[1:6], None))
    other = to_line((first[0], "eva", *first[2:6], None))
    twin = to_line((first[0] + 9, *first[1:]))
    wrong = file.with_name("wrong.jsonl")
    wrong.write_bytes(news + other + b"nonsense\n" + twin)
    done = chatd("import", wrong, "--db", str(base))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"wrong.jsonl:2: another message has the id {first[0]}; nothing was imported" in done.stderr
    assert ask(base, "SELECT count(*) FROM mensajes") == [(4,)]
    done = chatd("import", "--keep-going", wrong, "--db", str(base))
    assert done.stdout == "1 messages imported, 0 were there already, 3 refused\n"
    assert [line.split(":")[1] for line in done.stderr.splitlines()] == ["2", "3", "4"]
    assert "ana has another message with that cid" in done.stderr


def test_verbs_print_the_same_for_postgresql_as_for_a_file(file: Path, base: PostgresBase) -> None:
    """P-08"""
    moved(file, base)
    other = file.with_name("other.db")
    assert chatd("import", file.with_name("all.jsonl"), "--db", other).returncode == 0
    for verb in (
        ("history", "ana"),
        ("history", "ana", "--last", "2"),
        ("prune", "--before", "2026-01-03", "--dry-run"),
        ("clock",),
        ("prune", "--before", "2026-01-03"),
        ("export",),
        ("renumber",),
        ("clock", "--trust"),
    ):
        here, there = chatd(*verb, "--db", other), chatd(*verb, "--db", str(base))
        assert here.returncode == 0
        assert (there.returncode, there.stdout, there.stderr) == (0, here.stdout, here.stderr)


def test_a_verb_for_files_names_the_alternative_for_postgresql(base: PostgresBase, tmp_path: Path) -> None:
    """P-10"""
    done = chatd("backup", tmp_path / "copy.db", "--db", str(base))
    assert done.returncode == 78
    assert "pg_dump" in done.stderr


def test_a_database_without_tables_and_a_missing_database_have_different_errors(base: PostgresBase) -> None:
    """P-08"""
    for url, words in ((str(base), "no tables of chatd's"), (base.server.url("nowhere"), "createdb")):
        done = chatd("export", "--db", url)
        assert done.returncode == 78
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def test_an_import_is_refused_while_a_daemon_runs(file: Path, base: PostgresBase) -> None:
    """P-05, P-08"""
    moved(file, base)
    with subprocess.Popen(
        [*SERVE, "--db", str(base), "--admin-socket-file", str(file.with_name("admin"))],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**SECRET),
    ) as daemon:
        assert daemon.stderr is not None
        try:
            assert any('"listening"' in line for line in daemon.stderr)
            done = chatd("import", file.with_name("all.jsonl"), "--db", str(base))
            assert done.returncode == 78
            assert "in use by another chatd" in done.stderr
            who = chatd("who", "--db", str(base), "--admin-socket-file", str(file.with_name("admin")))
            assert (who.returncode, who.stderr) == (1, "chatd: nobody is connected\n")
        finally:
            daemon.kill()


def test_the_commands_of_the_page_move_a_chat(postgresql: Server, file: Path) -> None:
    """P-01, P-08: as an operator pastes them."""
    page = README.read_text(encoding="utf-8").partition("\n### PostgreSQL\n")[2].partition("</details>")[0]
    commands = re.findall(r"^    (.*)$", page, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["pip", "createdb", *["chatd"] * 4]
    file.rename(file.with_name("chat.db"))
    path = os.pathsep.join([str(Path(sys.executable).parent), str(programs()), os.environ["PATH"]])
    here = environment(
        PATH=path, PGPORT=str(postgresql.port), PGHOST="127.0.0.1", PGUSER="chatd", CHATD_PORT="0", **SECRET
    )
    _, createdb, check, serve, *move = commands
    for command in (createdb, check):
        subprocess.run(["sh", "-ec", command], cwd=file.parent, env=here, check=True, stdout=subprocess.DEVNULL)
    for _ in range(2):  # the first start creates the tables
        with subprocess.Popen(
            ["sh", "-ec", f"exec {serve} --log-format json"],
            cwd=file.parent,
            env=here,
            stderr=subprocess.PIPE,
            text=True,
        ) as daemon:
            assert daemon.stderr is not None
            assert any('"listening"' in line for line in daemon.stderr)
            daemon.terminate()
            assert any('"stopped"' in line for line in daemon.stderr)
        assert daemon.returncode == 0
    said = [
        subprocess.run(
            ["sh", "-ec", command], cwd=file.parent, env=here, check=True, capture_output=True, text=True
        ).stdout
        for command in move
    ]
    assert said == ["", "4 messages imported, 0 were there already; 0 other rows\n"]


def test_check_reports_unsafe_server_settings(base: PostgresBase, file: Path) -> None:
    """P-09"""
    checked = ("check", "--db", str(base), "--retention", "30")
    assert "no tables yet; a start creates them" in chatd(*checked, **SECRET).stdout
    moved(file, base)
    said = chatd(*checked, **SECRET).stdout
    assert re.search(r"schema \d+, no daemon runs on it", said)
    assert "fsync = off: a power cut destroys what was acknowledged" in said
    assert "retention: " in said
    gone = chatd("check", "--db", base.server.url("nowhere"), **SECRET)
    assert gone.returncode == 78
    assert "error   db: cannot use the database" in gone.stdout


def test_a_password_in_the_url_is_refused_and_not_printed() -> None:
    """P-03"""
    for url in ("postgresql://ana:sesame@127.0.0.1/x", "postgresql://ana@127.0.0.1/x?password=sesame"):
        for verb in ("config", "check", "export"):
            done = chatd(verb, "--db", url)
            assert done.returncode == 78
            assert "--db-password-file" in done.stderr + done.stdout
            assert "sesame" not in done.stderr + done.stdout


def test_without_the_driver_the_error_names_the_package(tmp_path: Path) -> None:
    """P-01"""
    (tmp_path / "asyncpg.py").write_text("raise ImportError('not installed')")
    done = chatd("export", "--db", "postgresql://ana@127.0.0.1/x", PYTHONPATH=str(tmp_path))
    assert done.returncode == 78
    assert done.stderr == (
        "chatd: db: PostgreSQL needs the package asyncpg: pip install 'chatd[cluster]', or let --db name a file\n"
    )


async def test_prune_waits_for_the_sweep_of_a_daemon(file: Path, base: PostgresBase) -> None:
    """N-14"""
    moved(file, base)
    prune = ("prune", "--before", "2026-01-03", "--db", str(base))
    async with store_on(base) as daemon, daemon.sweep_turn():
        refused = chatd(*prune)
        assert (refused.returncode, "is deleting old messages" in refused.stderr) == (EXIT_FAILED, True)
    assert chatd(*prune).returncode == 0
