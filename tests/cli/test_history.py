from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatd.cli import EXIT_CONFIG, EXIT_USAGE
from tests.chat.daemon import daemon
from tests.cli.command import chatd, complaint
from tests.cli.stored import message, store


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "chatd.db"
    store(
        path,
        [
            message(0, mensaje="hola"),
            message(1, de="root", para="ana", supervisado=False, mensaje="¿qué tal?\n\x1b[2J\u202e fin"),
            message(2, de="eva", mensaje="yo no"),
            message(3, mensaje="bien"),
            message(4, de="root", para="root", supervisado=False, mensaje="nota"),
        ],
    )
    return path


def test_only_the_given_conversation_is_printed_oldest_first(db: Path) -> None:
    done = chatd("history", "ana", "--db", db)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "2026-01-01 00:00:00Z  ana > root: hola",
        "2026-01-02 00:00:00Z  root > ana: ¿qué tal?",
        "    \\x1b[2J\\u202e fin",
        "2026-01-04 00:00:00Z  ana > root: bien",
    ]


def test_messages_of_an_admin_are_found_and_printed_once(db: Path) -> None:
    lines = chatd("history", "root", "--db", db).stdout.splitlines()
    assert [line.split()[-1] for line in lines] == ["hola", "tal?", "fin", "no", "bien", "nota"]


def test_last_prints_the_newest_messages(db: Path) -> None:
    assert chatd("history", "ana", "--last", "1", "--db", db).stdout == "2026-01-04 00:00:00Z  ana > root: bien\n"
    for wrong in ("0", "-1", "x"):
        assert "at least 1" in complaint(chatd("history", "ana", f"--last={wrong}", "--db", db), EXIT_USAGE)


def test_a_search_matches_prefixes_of_all_words_without_an_index(db: Path) -> None:
    """C-89: like `buscar`."""
    store(db, [message(5, mensaje="Hola, QUÉ bien"), message(6, mensaje="que no"), message(7, mensaje="bienes")])

    def found(*arguments: str) -> list[str]:
        lines = chatd("history", "ana", "--db", db, "--json", *arguments).stdout.splitlines()
        return [json.loads(line)["mensaje"] for line in lines]

    assert found("--search", "BIEN") == ["bien", "Hola, QUÉ bien", "bienes"]
    assert found("--search", "bien hola") == ["Hola, QUÉ bien"]
    assert found("--search", "bi") == []
    assert found("--search", "bien", "--last", "2") == ["Hola, QUÉ bien", "bienes"]
    assert "at least one word" in complaint(chatd("history", "ana", "--search=?", "--db", db), EXIT_USAGE)


def test_an_impossible_date_is_printed_as_a_number(db: Path) -> None:
    store(db, [message(5, de="zoe", fecha=2**53 - 1)])
    assert chatd("history", "zoe", "--db", db).stdout == f"{2**53 - 1} ms  zoe > root: día 5\n"


def test_the_history_of_an_unknown_user_is_empty(db: Path) -> None:
    done = chatd("history", "nobody", "--db", db)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_missing_database_is_an_error(tmp_path: Path) -> None:
    said = complaint(chatd("history", "ana", "--db", tmp_path / "none.db"), EXIT_CONFIG)
    assert "there is no database" in said
    assert not (tmp_path / "none.db").exists()


async def test_history_shows_messages_of_a_running_daemon(tmp_path: Path) -> None:
    async with daemon(tmp_path / "running.db") as running:
        ana = await running.enter("ana")
        assert (await ana.write("root", "ahora"))["ok"]
        assert chatd("history", "root", "--db", tmp_path / "running.db").stdout.endswith("ana > root: ahora\n")
