"""Moving a chat to another database with all its data: `chatd export --all` and `chatd import`."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from chatd.chat.messages.ids import first_id_of
from chatd.cli import EXIT_CONFIG, EXIT_FAILED, EXIT_USAGE, kept
from chatd.cli.kept import TABLES
from tests.chat.daemon import daemon
from tests.chat.people import Person
from tests.cli.command import chatd, complaint, environment
from tests.cli.stored import START_MS, message, store
from tests.conftest import number_of
from tests.postgresql import Server
from tests.store.rig import Base, PostgresBase, ask, store_on
from tests.webhooks.receiver import Receiver, receiving, write_config

MADE_ANEW = {"conversaciones", "reloj", "secretos", "mensajes"}
"""Tables whose rows are not moved unchanged; messages have lines of their own."""

BIG = str(2**63 - 1)

ROWS: list[kept.Row] = [
    *(kept.Read("root", "ana", "7"), kept.Read("root", "eva", BIG, "5"), kept.Read("", "ana", "0")),
    *(kept.Seen("ana", START_MS), kept.Seen("ñ\0\1📦", 2**53 - 1)),
    *(kept.Name("ana", "Ana María", 0), kept.Name("root", "", 1), kept.Name("bot", "bot", 2)),
    *(kept.Case("ana", "7", "7", "5", "0", 3, "7", "root", START_MS), kept.Case("eva", "0", "0", "0", "0", 1)),
    kept.Case("zoe", "9", "8", "9", "9", 2, None, None, None, "root", START_MS),
    *(kept.Note("7", "ana", "root", '"\n\\ñ\0\u2028', 5), kept.Note(BIG, "ana", "root", "more", 5)),
    kept.Reply("hours", "9 to 5", "root", START_MS),
    *(kept.Mail("ana", "ana@example.com", 1, "7", START_MS), kept.Mail("eva", "", 1, "0", 0)),
    *(kept.Hook(BIG, -1, "7", 0), kept.Hook("1", 12, "-1", START_MS)),
    kept.SetAside(BIG, "7"),
    kept.Present(BIG, "ana"),
    *(kept.Wait(BIG, "ana", "7", START_MS, 0), kept.Wait(BIG, "eva", "8", START_MS, 1)),
    kept.Stored(BIG, "presencia.ana.5", "ana", '{"type":"presencia"}'),
    *(kept.CaseEvent(BIG, "ana", 3, 5, "atendido", "abierto", "root"), kept.CaseEvent(BIG, "eva", 3, 5, "x", "y")),
    kept.Follows(BIG, 2**53 - 1),
]


@pytest.fixture
def postgres(postgresql: Server) -> PostgresBase:
    return PostgresBase(postgresql)


def lines_of(rows: list[kept.Row]) -> bytes:
    return kept.HEAD + b"".join(map(kept.to_line, rows))


def exported(base: Base, *flags: str) -> str:
    done = chatd("export", *flags, "--db", str(base))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def imported(file: Path, base: Base) -> str:
    done = chatd("import", file, "--db", str(base))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_row_of_every_table_is_moved(base: Base, tmp_path: Path) -> None:
    """P-13"""
    assert {type(row) for row in ROWS} == set(TABLES)
    file = tmp_path / "all.jsonl"
    file.write_bytes(lines_of(ROWS))
    assert imported(file, base) == f"0 messages imported, 0 were there already; {len(ROWS)} other rows\n"
    assert sorted(exported(base, "--all").splitlines()) == sorted(file.read_text("utf-8").splitlines())
    assert ask(base, "SELECT clave FROM nombres WHERE quien = 'ana'") == [("ana\nana maria",)]
    assert imported(file, base) == "0 messages imported, 0 were there already; 0 other rows\n"


async def test_every_table_and_column_is_moved_or_listed(base: Base) -> None:
    """P-13: a column of a later schema must be moved too, or be named in chatd/cli/kept.py."""
    async with store_on(base):
        pass
    moved = {str(table.__struct_config__.tag): set(table.__struct_fields__) for table in TABLES}
    moved["nombres"].add("clave")
    if isinstance(base, Path):
        tables = [name for (name,) in ask(base, "SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {name: {row[1] for row in ask(base, f"PRAGMA table_info({name})")} for name in tables}
    else:
        found = ask(base, "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'chatd'")
        columns = {table: {name for other, name in found if other == table} for table, _ in found}
        for of_one_database in ("nodos", "esquema"):
            del columns[of_one_database]
    assert {name: columns[name] for name in moved} == moved
    assert columns.keys() - moved.keys() == MADE_ANEW


def test_tables_with_many_rows_are_moved_completely(base: Base, tmp_path: Path) -> None:
    """P-13: more than a page and a batch, with two key columns, and a duplicate key."""
    rows: list[kept.Row] = [
        kept.Read(f"admin {reader}", f"user {con:04}", str(con + 1)) for reader in (1, 2) for con in range(1_203)
    ]
    file = tmp_path / "all.jsonl"
    file.write_bytes(lines_of([*rows[:5], *rows]))
    imported(file, base)
    assert exported(base, "--all").encode() == lines_of(rows)


def test_existing_rows_win_except_that_marks_move_forward(base: Base, tmp_path: Path) -> None:
    """P-13"""
    there: list[kept.Row] = [
        *(kept.Read("root", "ana", "9"), kept.Seen("ana", 9), kept.Name("ana", "new", 0)),
        *(kept.Mail("ana", "new@example.com", 0, "9", 9), kept.Reply("hours", "new", "root", 9)),
    ]
    moved: list[kept.Row] = [
        *(kept.Read("root", "ana", "7"), kept.Seen("ana", 7), kept.Name("ana", "old", 1)),
        *(kept.Mail("ana", "old@example.com", 1, "7", 7), kept.Reply("hours", "old", "root", 7)),
        *(kept.Read("root", "ana", "11"), kept.Seen("ana", 11)),
    ]
    for name, rows in (("there", there), ("moved", moved)):
        (tmp_path / name).write_bytes(lines_of(rows))
        imported(tmp_path / name, base)
    assert exported(base, "--all").encode() == lines_of(
        [
            *(kept.Read("root", "ana", "11"), kept.Seen("ana", 11), there[2]),
            *(kept.Reply("hours", "new", "root", 9), kept.Mail("ana", "new@example.com", 1, "9", 9)),
        ]
    )


BAD = [
    (b'{"tabla":"secretos","nombre":"x"}', "this is no row of a table"),
    (b'{"tabla":"leidos","lector":"root","con":"ana"}', "missing required field `hasta`"),
    (b'{"tabla":"leidos","lector":"root","con":"ana","hasta":7}', "Expected `str`"),
    (b'{"tabla":"leidos","lector":"root","con":"ana","hasta":"07"}', "matching regex"),
    (b'{"tabla":"leidos","lector":"root","con":"ana","hasta":"9223372036854775808"}', "greater than any id"),
    (b'{"tabla":"vistos","user":"ana","fecha":1,"more":1}', "unknown field `more`"),
    (b'{ "tabla": "vistos"', "truncated"),
    (b'{"formato":3}', "the format 3 is that of another chatd"),
    (b'{"formato":"2"}', "this says no format"),
]


@pytest.mark.parametrize(("line", "said"), BAD)
def test_an_invalid_row_is_named_and_nothing_is_imported(tmp_path: Path, line: bytes, said: str) -> None:
    """P-13"""
    base = tmp_path / "chatd.db"
    file = tmp_path / "bad.jsonl"
    file.write_bytes(lines_of(ROWS[:1]) + line + b"\n")
    told = complaint(chatd("import", file, "--db", str(base)), EXIT_FAILED)
    assert told.startswith(f"chatd: {file}:3: ")
    assert said in told
    assert told.endswith("nothing was imported")
    assert ask(base, "SELECT * FROM leidos") == []
    done = chatd("import", "--keep-going", file, "--db", str(base))
    assert done.stdout == "0 messages imported, 0 were there already, 1 refused; 1 other rows\n"


def test_without_all_an_export_has_only_messages(base: Base, tmp_path: Path) -> None:
    """P-13: an export of one user cannot have more."""
    store(base, [message(0)])
    file = tmp_path / "rows.jsonl"
    file.write_bytes(lines_of(ROWS))
    imported(file, base)
    assert '"tabla"' not in exported(base)
    both = chatd("export", "--all", "--user", "ana", "--db", str(base))
    assert both.returncode == EXIT_USAGE
    assert "not allowed with" in both.stderr


def test_a_full_export_of_an_older_schema_needs_a_start_first(tmp_path: Path) -> None:
    db = tmp_path / "old.db"
    store(db, [message(0)])
    with sqlite3.connect(db) as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()
    told = complaint(chatd("export", "--all", "--db", db), EXIT_CONFIG)
    assert "start this one" in told


TEAM = ("--admin-messages", "team", "--payload", "full", "--presence", "on", "--email-claim", "email", "--config")


async def used_chat(base: Base, config: Path, receiver: Receiver) -> None:
    """A chat of a team with a row in every table, and a receiver that is down at the end."""
    async with daemon(base, *TEAM, config) as running:
        root, boss = await running.enter("root", "admin"), await running.enter("boss", "admin")
        ana, eva = await running.enter("ana"), await running.enter("eva")
        asked = [await ana.write("soporte", f"¿hola {number}?") for number in range(3)]
        await eva.write("soporte", "una pregunta")
        await eva.write("soporte", "y otra")
        await receiver.until(lambda: len(receiver.taken) == 5)
        await receiver.stop()
        answered = await root.write("ana", "dime")
        for event, argument in (
            ("leido", {"con": "ana", "hasta": asked[1]["id"]}),
            ("atender", {"con": "eva"}),
            ("nota", {"con": "ana", "texto": "paga tarde"}),
            ("respuesta", {"atajo": "horas", "texto": "9 a 5"}),
        ):
            assert (await root.ask(event, argument))["ok"], event
        assert (await boss.ask("leido", {"con": "ana", "hasta": asked[2]["id"]}))["ok"]
        assert (await boss.ask("no_leido", {"con": "ana", "desde": asked[1]["id"]}))["ok"]
        assert (await boss.ask("resolver", {"con": "ana", "relevo": True}))["ok"]
        assert (await ana.ask("leido", {"con": "root", "hasta": answered["id"]}))["ok"]
        assert (await ana.ask("avisos", {"correo": False}))["ok"]
        running.terminate()
        assert await running.ended() == 0


async def visible_state(base: Base, config: Path) -> dict[str, Any]:
    async with daemon(base, *TEAM, config) as running:
        root, boss = await running.enter("root", "admin"), await running.enter("boss", "admin")
        ana = await running.enter("ana")

        async def asked(who: Person, *events: str) -> list[Any]:
            return [await who.ask(event, *([{"con": "ana"}] if event in WITH_ANA else [])) for event in events]

        found = {
            "root": await asked(root, "no_leidos", "conversaciones", "conversacion", "notas", "respuestas"),
            "boss": await asked(boss, "no_leidos", "conversaciones"),
            "ana": await asked(ana, "no_leidos", "avisos"),
        }
        del found["root"][2]["visto"]  # the time of this test's own visit
        return found


WITH_ANA = ("conversacion", "notas")

MAIL = '[[notify]]\nname = "users"\nevent = "no_leido"\nsmtp = "127.0.0.1"\nsecurity = "none"\nfrom = "a@example.com"\n'


@pytest.mark.parametrize("to_postgres", [True, False])
async def test_a_chat_continues_on_the_other_kind_of_database(
    postgres: PostgresBase, tmp_path: Path, to_postgres: bool
) -> None:
    """P-13: read marks, claims, notes and opt-outs are kept, and a receiver gets each remaining event once."""
    file, lines = tmp_path / "chat.db", tmp_path / "all.jsonl"
    old, new = (file, postgres) if to_postgres else (postgres, file)
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url, "private_addresses = true\ntimeout = 1\n" + MAIL)
        await used_chat(old, config, receiver)
        assert chatd("export", "--all", lines, "--db", str(old)).returncode == 0
        imported(lines, new)
        assert exported(new, "--all") == exported(old, "--all")
        before = await visible_state(old, config)
        await receiver.start()
        assert await visible_state(new, config) == before
        await receiver.until(lambda: len(receiver.taken) == 6)
        assert receiver.texts()[-1] == "dime"
    root, boss, ana = before["root"], before["boss"], before["ana"]
    assert (root[0]["no_leidos"], boss[0]["no_leidos"]) == ({"eva": 2}, {"ana": 2, "eva": 2})
    assert (ana[0]["no_leidos"], ana[1]["correo"]) == ({}, False)
    assert ([note["texto"] for note in root[3]["notas"]], root[4]["respuestas"][0]["texto"]) == (
        ["paga tarde"],
        "9 a 5",
    )
    cases = {each["con"]: (each["caso"]["estado"], each["caso"].get("atiende")) for each in root[1]["conversaciones"]}
    assert cases == {"ana": ("resuelto", None), "eva": ("atendido", "root")}


class Took(NamedTuple):
    """The resources that a verb used."""

    seconds: float
    peak_mib: float


# A small process in between: the peak memory of a child starts at that of its parent.
MEASURE = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-m", "chatd", *sys.argv[1:]], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def timed(*arguments: str | Path) -> Took:
    started_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *map(str, arguments)],
        env=environment(),
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return Took(time.monotonic() - started_s, int(done.stdout) / 1024)


def many(db: Path, count: int) -> None:
    """Insert `count` messages of up to 20,000 users, read by ten admins."""
    users = max(1, min(20_000, count // 50))

    def messages() -> Iterator[tuple[Any, ...]]:
        for number in range(count):
            fecha = START_MS + 1_000 * number
            user, of_user = f"user{number % users}", number // users % 4
            whose = ("admin1", user) if of_user == 3 else (user, "soporte")
            yield first_id_of(fecha), *whose, f"message {number} ñ", fecha, int(of_user != 3), f"c{number}"

    asyncio.run(_made(db))
    with sqlite3.connect(db) as connection:
        connection.executemany("INSERT INTO mensajes VALUES (?, ?, ?, ?, ?, ?, ?)", messages())
        marks = [(f"admin{n}", f"user{u}", first_id_of(START_MS)) for n in range(10) for u in range(users)]
        connection.executemany("INSERT INTO leidos (lector, con, hasta) VALUES (?, ?, ?)", marks)
        connection.executemany("INSERT INTO vistos VALUES (?, ?)", [(f"user{u}", START_MS) for u in range(users)])
    connection.close()


async def _made(db: Path) -> None:
    async with store_on(db):
        pass


def test_a_chat_of_many_messages_moves_to_postgresql(
    postgres: PostgresBase, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """P-13: with bounded memory. `make move ROWS=1000000` moves a million messages."""
    count = round(number_of(request, "--move-rows"))
    db, lines, back = tmp_path / "chat.db", tmp_path / "all.jsonl", tmp_path / "back.jsonl"
    many(db, count)
    read = timed("export", "--all", lines, "--db", db)
    written = timed("import", lines, "--db", str(postgres))
    again = timed("export", "--all", back, "--db", str(postgres))
    with lines.open("rb") as one, back.open("rb") as other:
        assert all(left == right for left, right in zip(one, other, strict=True))
    assert ask(postgres, "SELECT count(*) FROM mensajes") == [(count,)]
    size_mib = lines.stat().st_size / 2**20
    for what, took in (("export", read), ("import", written), ("export of PostgreSQL", again)):
        print(f"{what}: {took.seconds:.1f} s, {count / took.seconds:,.0f} messages/s, {took.peak_mib:.0f} MiB")
        assert took.peak_mib < 120
    print(f"{count:,} messages, {size_mib:.0f} MiB of lines")
