"""`chatd export` and `chatd import`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.chat.messages.ids import MAX_ID, IdSource, first_id_of
from chatd.cli import EXIT_CONFIG, EXIT_FAILED
from chatd.cli.database import reading, writing
from chatd.cli.rows import RowError, Values, from_line, to_line
from chatd.store.base import MessageId
from chatd.store.beside import BESIDE
from chatd.store.config import StoreConfig
from tests.chat.daemon import daemon
from tests.cli.command import chatd, complaint, environment
from tests.cli.stored import DAY_MS, conversations, list_conversations, message, rows, store

GOOD = b'{"id":"7","de":"ana","para":"root","mensaje":"hola","fecha":1767225600000,"supervisado":true}'


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "chatd.db"
    store(path, [message(0), message(1), message(2, de="root", para="ana", supervisado=False, mensaje='"\n\\ñ🎈')])
    return path


def test_an_export_and_an_import_give_the_same_messages(db: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "all.jsonl", tmp_path / "other.db"
    done = chatd("export", "--jsonl", file, "--db", db)
    assert (done.returncode, done.stdout) == (0, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert chatd("export", "--db", db).stdout == file.read_text(encoding="utf-8")
    assert chatd("import", file, "--db", other).stdout == "3 messages imported, 0 were there already\n"
    assert rows(other) == rows(db)


def test_a_line_has_the_fields_of_the_full_payload(db: Path) -> None:
    first, second, _ = map(json.loads, chatd("export", "--db", db).stdout.splitlines())
    assert first == {
        "id": str(message(0).id),
        "de": "ana",
        "para": "root",
        "mensaje": "día 0",
        "fecha": message(0).fecha,
        "supervisado": True,
    }
    assert second["cid"] == "c1"


def test_a_second_import_changes_nothing(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    chatd("export", file, "--db", db)
    before = rows(db)
    store(db, [message(3)])
    assert chatd("import", file, "--db", db).stdout == "0 messages imported, 3 were there already\n"
    assert rows(db)[:3] == before
    lines = file.read_bytes() + GOOD + b"\n"
    done = subprocess.run(
        [sys.executable, "-m", "chatd", "import", "-", "--db", db],
        input=lines,
        capture_output=True,
        check=True,
        env=environment(),
    )
    assert done.stdout == b"1 messages imported, 3 were there already\n"


def test_a_message_to_any_name_that_the_chat_accepts_is_imported(db: Path, tmp_path: Path) -> None:
    """No token has such a name, but a client may send to it."""
    file = tmp_path / "control.jsonl"
    file.write_bytes(GOOD.replace(b"root", b"ro\\u001bot"))
    assert chatd("import", file, "--db", db).returncode == 0
    assert "ro\x1bot" in [para for _, _, para, *_ in rows(db)]


@pytest.mark.parametrize("way", [reading, writing])
def test_a_verb_creates_no_world_readable_write_ahead_log(
    db: Path, way: Callable[[StoreConfig], AbstractContextManager[sqlite3.Connection]]
) -> None:
    """Also if the permissions of the database are too wide."""
    db.chmod(0o644)
    with way(StoreConfig(db=str(db))) as connection:
        connection.execute("SELECT count(*) FROM mensajes").fetchall()
        modes = {end: stat.S_IMODE(db.with_name(db.name + end).stat().st_mode) for end in BESIDE}
    assert modes == dict.fromkeys(BESIDE, 0o600)


@pytest.mark.parametrize("days", [2, 400, None])
def test_an_id_ahead_of_the_clock_is_refused_without_a_flag(db: Path, tmp_path: Path, days: int | None) -> None:
    """C-58: all new ids would be above it."""
    before = rows(db)
    now_ms = int(time.time() * 1000)
    ahead = MAX_ID if days is None else first_id_of(now_ms + days * DAY_MS)
    file = tmp_path / "ahead.jsonl"
    file.write_bytes(
        GOOD.replace(b'"7"', f'"{first_id_of(now_ms)}"'.encode()) + b"\n" + GOOD.replace(b'"7"', f'"{ahead}"'.encode())
    )
    told = complaint(chatd("import", file, "--db", db), EXIT_FAILED)
    assert told.startswith(f"chatd: {file}:2: the id {ahead} is of 20")
    assert "--ids-ahead" in told
    assert told.endswith("nothing was imported")
    assert rows(db) == before
    done = chatd("import", "--ids-ahead", file, "--db", db)
    assert (done.stdout, done.stderr) == ("2 messages imported, 0 were there already\n", "")
    assert rows(db)[-1][0] == ahead


def test_a_verb_run_by_root_creates_files_of_the_daemon_s_user(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_bytes(GOOD)
    (tmp_path / "chatd.db.lock").unlink()
    if os.geteuid() == 0:
        os.chown(db, 65_534, 65_534)
        assert "sudo -u '#65534'" in complaint(chatd("import", file, "--db", db), EXIT_CONFIG)
        assert not (tmp_path / "chatd.db.lock").exists()
    else:  # other users than root create their own files
        assert chatd("import", file, "--db", db).returncode == 0
        assert (tmp_path / "chatd.db.lock").stat().st_uid == os.geteuid()


def test_after_an_import_the_list_of_conversations_is_rebuilt(db: Path, tmp_path: Path) -> None:
    """By the next daemon, from scratch: imported messages may be older than the list."""
    file = tmp_path / "old.jsonl"
    file.write_bytes(GOOD)
    list_conversations(db, {"ana": message(1).id})
    chatd("import", file, "--db", db)
    assert conversations(db) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (GOOD.replace(b"ana", b"a" * 129), "de is longer than 128 characters"),
        (GOOD.replace(b"root", b"r" * 200), "para is longer than 128 characters"),
        (GOOD.replace(b"ana", b"a\\u0007na"), "de holds a control character"),
        (GOOD.replace(b"hola", b"x" * 5_000_000), "mensaje is longer than 10000 characters"),
        (GOOD.replace(b"true}", b'true,"cid":"' + b"c" * 65 + b'"}'), "cid must be a string of 1 to 64 characters"),
        (b"{", "truncated"),
        (b"[]", "a message is an object"),
        (b'{"id":"7"}', "de, para, mensaje, fecha, supervisado are missing"),
        (GOOD.replace(b"1767225600000", b"-1"), "fecha must be a whole number of milliseconds"),
        (GOOD.replace(b'"hola"', b'""'), "mensaje must be a string that is not empty"),
        (GOOD.replace(b'"7"', b"7"), "id must be a string of 1 to 19 digits"),
        (GOOD.replace(b'"7"', b'"-7"'), "id must be a string of 1 to 19 digits"),
        (GOOD.replace(b'"7"', b'"9223372036854775807"'), "greater than any"),
        (GOOD.replace(b"true}", b'true,"leido":1}'), "'leido' is no field of a message"),
        (GOOD.replace(b"true}", b'true,"cid":"c1"}'), "ana has another message with that cid"),
        (GOOD.replace(b'"7"', f'"{message(0).id}"'.encode()), "another message has the id"),
    ],
)
def test_with_one_invalid_line_nothing_is_imported(db: Path, tmp_path: Path, line: bytes, said: str) -> None:
    before = rows(db)
    file = tmp_path / "bad.jsonl"
    file.write_bytes(GOOD.replace(b'"7"', b'"1"') + b"\n" + line + b"\n")
    told = complaint(chatd("import", file, "--db", db), EXIT_FAILED)
    assert f"{file}:2: " in told
    assert said in told
    assert told.endswith("nothing was imported")
    assert rows(db) == before


def test_blank_lines_and_a_byte_order_mark_are_ignored(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "edited.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD + b"\r\n\n \n")
    done = chatd("import", file, "--db", db)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "1 messages imported, 0 were there already\n"


def test_keep_going_imports_the_valid_lines_and_names_the_others(db: Path, tmp_path: Path) -> None:
    before = len(rows(db))
    file = tmp_path / "mixed.jsonl"
    file.write_bytes(b"\n".join([b"{", GOOD, GOOD.replace(b"ana", b"a" * 129), GOOD.replace(b'"7"', b'"8"'), GOOD]))
    done = chatd("import", file, "--keep-going", "--db", db)
    assert done.returncode == EXIT_FAILED
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == [f"{file}:1", f"{file}:3"]
    assert done.stdout == "2 messages imported, 1 were there already, 2 refused\n"
    assert len(rows(db)) == before + 2


def test_the_length_limit_of_an_import_is_that_of_the_chat(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "long.jsonl"
    file.write_bytes(GOOD.replace(b"hola", b"x" * 20_000))
    assert chatd("import", file, "--max-message", "20000", "--db", db).returncode == 0


async def test_while_a_daemon_runs_an_export_works_and_an_import_is_refused(tmp_path: Path) -> None:
    db, file = tmp_path / "running.db", tmp_path / "all.jsonl"
    async with daemon(db) as running:
        ana = await running.enter("ana")
        stored = await ana.write("root", "hola")
        assert chatd("export", file, "--db", db).returncode == 0
        assert from_line(file.read_bytes())[0] == int(stored["id"])
        assert "in use by another chatd" in complaint(chatd("import", file, "--db", db), EXIT_CONFIG)
        assert (await ana.write("root", "hola"))["ok"]


def test_an_export_overwrites_no_file_and_its_reader_may_stop(db: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    assert "nothing is overwritten" in complaint(chatd("export", tmp_path / "taken", "--db", db), EXIT_FAILED)
    store(db, [message(number, mensaje="x" * 5000) for number in range(3, 300)])
    with subprocess.Popen(
        [sys.executable, "-m", "chatd", "export", "--db", db],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_database_of_the_first_schema_can_be_exported(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE mensajes (id INTEGER PRIMARY KEY, de TEXT, para TEXT, mensaje TEXT, fecha INTEGER, "
            "supervisado INTEGER)"
        )
        connection.execute("INSERT INTO mensajes VALUES (7, 'ana', 'root', 'hola', 1767225600000, 1)")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    assert chatd("export", "--db", path).stdout.encode() == GOOD + b"\n"


def test_above_the_greatest_accepted_id_there_are_more_ids() -> None:
    assert IdSource(lambda: 0, 0, MAX_ID).next() > MAX_ID
    with pytest.raises(RowError):
        from_line(GOOD.replace(b'"7"', f'"{MAX_ID + 1}"'.encode()))
    assert MessageId(from_line(GOOD.replace(b'"7"', f'"{MAX_ID}"'.encode()))[0]) == MAX_ID


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(
    st.tuples(
        *(st.integers(1, MAX_ID), TEXTS, TEXTS, TEXTS),
        *(st.integers(0, 2**53 - 1), st.integers(0, 1), TEXTS | st.none()),
    )
)
def test_every_message_survives_encoding_and_decoding(values: Values) -> None:
    line = to_line(values)
    assert line.count(b"\n") == 1
    assert from_line(line) == values


def test_a_line_has_no_control_characters() -> None:
    text = "\x00\x1b\x7f\x85\x9b\u200b\u202e\u2028\u2029\ufeff\U000e0001 ñ日🎈"
    values = (7, text, "root", text, 1, 1, None)
    line = to_line(values)
    assert line.decode().removesuffix("\n").isprintable()
    assert "ñ日🎈" in line.decode()
    assert from_line(line) == values


@given(st.binary())
def test_any_line_is_a_message_or_an_error(line: bytes) -> None:
    with contextlib.suppress(RowError):
        from_line(line)


async def test_messages_answered_before_an_import_are_read_for_every_admin(tmp_path: Path) -> None:
    """C-88: unanswered messages and messages between admins stay unread."""
    file, db = tmp_path / "all.jsonl", tmp_path / "chatd.db"
    said = [
        message(0, de="ana"),
        message(1, de="eva"),
        message(2, de="root", para="ana", supervisado=False),
        message(3, de="root", para="eva", supervisado=False),
        message(4, de="eva"),
        message(5, de="zoe"),
        message(6, de="boss", para="root", supervisado=False),
        message(7, de="root", para="boss", supervisado=False),
    ]
    await asyncio.to_thread(store, tmp_path / "other.db", said)
    assert chatd("export", file, "--db", tmp_path / "other.db").returncode == 0
    for added in (8, 0):
        assert chatd("import", file, "--db", db).stdout.startswith(f"{added} messages imported")
        async with daemon(db) as running:
            root, boss = await running.enter("root", "admin"), await running.enter("boss", "admin")
            assert (await root.ask("no_leidos"))["no_leidos"] == {"boss": 1, "eva": 1, "zoe": 1}
            assert (await boss.ask("no_leidos"))["no_leidos"] == {"eva": 1, "root": 1, "zoe": 1}
            ana = await running.enter("ana")
            assert (await ana.ask("no_leidos"))["no_leidos"] == {"root": 1}
            assert (await ana.ask("conversacion", {"con": "root"}))["leido_por"] is None
