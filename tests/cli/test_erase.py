"""One person's data: shown, taken out, and erased."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatd.cli import EXIT_CONFIG
from chatd.cli.erase import EPILOG
from tests.chat.daemon import daemon
from tests.cli.command import chatd, complaint
from tests.cli.stored import message, store

# Every text of every table.
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """What maria and eva wrote, what they were answered, and all that a daemon and a team keep of maria."""
    path = tmp_path / "chat.db"
    store(
        path,
        [
            message(0, de="maria", mensaje="mine"),
            message(1, de="root", para="maria", supervisado=False),
            message(2, de="eva", para="root"),
            message(3, de="root", para="eva", supervisado=False),
        ],
    )
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        marks = "('maria', 'root', 1), ('root', 'maria', 1), ('eva', 'root', 1)"
        connection.execute(f"INSERT INTO leidos (lector, con, hasta) VALUES {marks}")
        connection.execute("INSERT INTO vistos VALUES ('maria', 1), ('eva', 1)")
        connection.execute("INSERT INTO ganchos_presentes (clave, quien) VALUES (1, 'maria')")
        connection.execute("INSERT INTO nombres (quien, nombre, admin, clave) VALUES ('maria', 'María', 0, 'maria')")
    return path


def mentions(path: Path, text: str) -> list[str]:
    """The tables in which a text stands in any column."""
    found = []
    with closing(sqlite3.connect(path)) as connection:
        for (table,) in connection.execute(TABLES).fetchall():
            rows = connection.execute(f"SELECT * FROM {table}").fetchall()
            if any(text in str(value) for row in rows for value in row):
                found.append(table)
    return sorted(found)


def test_nothing_of_a_user_stays_in_any_table_nor_in_the_file(db: Path) -> None:
    assert mentions(db, "maria") == ["ganchos_presentes", "leidos", "mensajes", "nombres", "vistos"]
    others = mentions(db, "eva")
    done = chatd("erase", "--user", "maria", "--db", db)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == ["2 messages deleted", "2 read marks deleted"]
    assert "what stays: backups" in done.stdout
    assert mentions(db, "maria") == []
    assert mentions(db, "eva") == others
    assert b"maria" not in db.read_bytes()
    assert chatd("erase", "--user", "maria", "--db", db).stdout == "there is nothing of maria\n"


def test_a_dry_run_says_how_much_there_is_and_changes_nothing(db: Path) -> None:
    done = chatd("erase", "--user", "maria", "--dry-run", "--db", db)
    assert "2 messages would be deleted\n" in done.stdout
    assert "1 times last seen would be deleted\n" in done.stdout
    assert mentions(db, "maria") == ["ganchos_presentes", "leidos", "mensajes", "nombres", "vistos"]


async def test_a_daemon_that_runs_is_not_erased_under(tmp_path: Path) -> None:
    async with daemon(tmp_path / "chat.db"):
        done = await asyncio.to_thread(chatd, "erase", "--user", "ana", "--db", tmp_path / "chat.db")
        assert "in use by another chatd" in complaint(done, EXIT_CONFIG)


def test_help_says_what_it_cannot_reach() -> None:
    assert "What it cannot reach: backups and exports" in EPILOG
    assert chatd("erase", "--help").returncode == 0


def test_an_export_of_one_user_has_what_it_wrote_and_was_sent(db: Path) -> None:
    for file in ((), ("-",)):
        done = chatd("export", *file, "--user", "maria", "--db", db)
        assert [json.loads(line)["de"] for line in done.stdout.splitlines()] == ["maria", "root"]
    assert not Path("-").exists()


def test_a_conversation_is_shown_for_programs_too(db: Path) -> None:
    lines = [json.loads(line) for line in chatd("history", "maria", "--json", "--db", db).stdout.splitlines()]
    assert (lines[0]["de"], lines[0]["para"], lines[0]["mensaje"]) == ("maria", "root", "mine")
    assert lines[0].keys() == {"id", "de", "para", "mensaje", "fecha"}
