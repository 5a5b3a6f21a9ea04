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


def test_a_conversation_is_printed_oldest_first_and_nobody_else_s(db: Path) -> None:
    done = chatd("history", "ana", "--db", db)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "2026-01-01 00:00:00Z  ana > root: hola",
        "2026-01-02 00:00:00Z  root > ana: ¿qué tal?",
        "    \\x1b[2J\\u202e fin",
        "2026-01-04 00:00:00Z  ana > root: bien",
    ]


def test_who_wrote_as_an_admin_is_found_too_and_each_message_once(db: Path) -> None:
    lines = chatd("history", "root", "--db", db).stdout.splitlines()
    assert [line.split()[-1] for line in lines] == ["hola", "tal?", "fin", "no", "bien", "nota"]


def test_the_last_few_are_the_newest(db: Path) -> None:
    assert chatd("history", "ana", "--last", "1", "--db", db).stdout == "2026-01-04 00:00:00Z  ana > root: bien\n"
    for wrong in ("0", "-1", "x"):
        assert "at least 1" in complaint(chatd("history", "ana", f"--last={wrong}", "--db", db), EXIT_USAGE)


def test_a_search_finds_all_words_by_their_beginnings_without_an_index(db: Path) -> None:
    """C-89: as `buscar` does."""
    store(db, [message(5, mensaje="Hola, QUÉ bien"), message(6, mensaje="que no"), message(7, mensaje="bienes")])

    def found(*arguments: str) -> list[str]:
        lines = chatd("history", "ana", "--db", db, "--json", *arguments).stdout.splitlines()
        return [json.loads(line)["mensaje"] for line in lines]

    assert found("--search", "BIEN") == ["bien", "Hola, QUÉ bien", "bienes"]
    assert found("--search", "bien hola") == ["Hola, QUÉ bien"]
    assert found("--search", "bi") == []
    assert found("--search", "bien", "--last", "2") == ["Hola, QUÉ bien", "bienes"]
    assert "at least one word" in complaint(chatd("history", "ana", "--search=?", "--db", db), EXIT_USAGE)


def test_a_time_beyond_all_years_is_shown_as_it_is(db: Path) -> None:
    store(db, [message(5, de="zoe", fecha=2**53 - 1)])
    assert chatd("history", "zoe", "--db", db).stdout == f"{2**53 - 1} ms  zoe > root: día 5\n"


def test_of_somebody_unknown_there_is_nothing(db: Path) -> None:
    done = chatd("history", "nobody", "--db", db)
    assert (done.returncode, done.stdout) == (0, "")


def test_without_a_database_it_says_so(tmp_path: Path) -> None:
    said = complaint(chatd("history", "ana", "--db", tmp_path / "none.db"), EXIT_CONFIG)
    assert "there is no database" in said
    assert not (tmp_path / "none.db").exists()


async def test_what_a_daemon_has_just_stored_is_there(tmp_path: Path) -> None:
    async with daemon(tmp_path / "running.db") as running:
        ana = await running.enter("ana")
        assert (await ana.write("root", "ahora"))["ok"]
        assert chatd("history", "root", "--db", tmp_path / "running.db").stdout.endswith("ana > root: ahora\n")
