"""The data of one user: shown, exported, and erased."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatd.cli import EXIT_CONFIG
from chatd.cli.erase import CLAIMS, EPILOG, ROWS
from chatd.store.schema import MIGRATIONS
from chatd.webhooks.events import CaseChange, case_changed
from tests.chat.daemon import daemon
from tests.cli.command import chatd, complaint
from tests.cli.stored import message, store
from tests.store.rig import Base, PostgresBase, ask, change

# Rows that a daemon and a team store about maria, and some about eva.
KEPT = (
    "INSERT INTO leidos (lector, con, hasta) VALUES ('maria', 'root', 1), ('root', 'maria', 1), ('eva', 'root', 1)",
    "INSERT INTO vistos VALUES ('maria', 1), ('eva', 1)",
    "INSERT INTO conversaciones VALUES ('', 'maria', 1), ('maria', 'root', 1), ('', 'eva', 1)",
    "INSERT INTO ganchos_presentes (clave, quien) VALUES (1, 'maria')",
    "INSERT INTO ganchos_esperas VALUES (1, 'maria', 1, 1, 0)",
    "INSERT INTO ganchos_guardados VALUES (1, 'e1', 'maria', '{}')",
    """INSERT INTO ganchos_guardados VALUES (1, 'e2', 'zoe', '{"data":{"con":"zoe","atiende":"maria"}}')""",
    """INSERT INTO ganchos_guardados VALUES (1, 'e3', 'zoe', '{"data":{"con":"zoe","cerro":"eva"}}')""",
    "INSERT INTO ganchos_casos VALUES (1, 'maria', 1, 1, 'abierto', 'abierto', NULL, NULL)",
    "INSERT INTO nombres (quien, nombre, admin, clave) VALUES ('maria', 'Mary', 0, 'maria')",
    "INSERT INTO correos (quien, correo) VALUES ('maria', 'maria@example.com'), ('eva', 'e@example.com')",
    "INSERT INTO casos (con, atiende) VALUES ('maria', 'root'), ('eva', 'maria')",
    "INSERT INTO notas VALUES (1, 'maria', 'root', 'a note', 1)",
)
TOLD = [
    "2 messages {}",
    "2 entries of lists {}",
    "2 read marks {}",
    "1 times last seen {}",
    "1 names {}",
    "1 e-mail addresses and wishes about mail {}",
    "1 cases {}",
    "1 notes {}",
    "1 waits of webhooks {}",
    "1 changes of cases for webhooks {}",
    "1 users whom webhooks were told of {}",
    "2 events of webhooks that were set aside {}",
    "1 claims on cases of others {}",
]

# Columns with user names. Texts of an admin about others are kept, as the help says.
NAMES = {"de", "para", "lector", "con", "user", "quien", "atiende", "cerro"}
STAYS = {("notas", "de"), ("respuestas", "de")}


def filled(base: Base) -> None:
    """Insert messages of maria and eva, the answers to them, and KEPT."""
    mine, answer = message(0, de="maria", mensaje="mine"), message(1, de="root", para="maria", supervisado=False)
    store(base, [mine, answer, message(2, de="eva", para="root"), message(3, de="root", para="eva", supervisado=False)])
    for statement in KEPT:
        change(base, statement)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "chat.db"
    filled(path)
    return path


@pytest.fixture(params=["file", "postgresql"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Base:
    """The same data on either database."""
    on: Base = tmp_path / "chat.db"
    if request.param == "postgresql":
        on = PostgresBase(request.getfixturevalue("postgresql"))
    filled(on)
    return on


def mentions(base: Base, text: str) -> dict[str, int]:
    """The tables with `text` in any column, and the number of such rows."""
    tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
    if isinstance(base, PostgresBase):
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'chatd'"
    found = {name: ask(base, f"SELECT * FROM {name}") for (name,) in ask(base, tables)}
    counts = {name: sum(any(text in str(value) for value in row) for row in rows) for name, rows in found.items()}
    return {name: count for name, count in counts.items() if count}


def test_no_table_keeps_data_of_an_erased_user(base: Base) -> None:
    """P-08: rows of eva are kept, except maria's claim on her case."""
    others = mentions(base, "eva")
    kept = mentions(base, "maria")
    assert (len(kept), sum(kept.values())) == (12, 17)
    dry = chatd("erase", "--user", "maria", "--dry-run", "--db", str(base))
    assert (dry.returncode, dry.stderr) == (0, "")
    assert dry.stdout.splitlines()[:-1] == [line.format("would be deleted") for line in TOLD]
    assert mentions(base, "maria") == kept
    done = chatd("erase", "--user", "maria", "--db", str(base))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:-1] == [line.format("deleted") for line in TOLD]
    for said in (dry, done):
        assert said.stdout.splitlines()[-1].startswith("what stays: ")
        assert ("autovacuum" in said.stdout) is isinstance(base, PostgresBase)
    assert mentions(base, "maria") == {}
    assert mentions(base, "eva") == others
    assert ask(base, "SELECT con, atiende FROM casos") == [("eva", None)]
    assert chatd("erase", "--user", "maria", "--db", str(base)).stdout == "there is nothing of maria\n"


def test_an_admin_with_only_a_claim_is_reported(tmp_path: Path) -> None:
    db = tmp_path / "chat.db"
    store(db, [message(0, de="eva", para="ana")])
    change(db, "INSERT INTO casos (con, atiende) VALUES ('eva', 'root')")
    for flag, done in (("--dry-run", "would be deleted"), ("", "deleted")):
        said = chatd("erase", "--user", "root", *filter(None, [flag]), "--db", db).stdout
        assert said.splitlines()[0] == f"1 claims on cases of others {done}"
    assert ask(db, "SELECT atiende FROM casos") == [(None,)]


@pytest.mark.parametrize("field", CLAIMS)
def test_an_event_that_was_set_aside_goes_with_the_admin_whom_it_names(base: Base, field: str) -> None:
    """P-08: by the name as JSON has it, and no other."""
    admin = 'ana "la\\jefa"'
    names = {"mine": admin, "longer": f"x{admin}", "case": admin.upper()}
    for event, name in names.items():
        admins = (name, None) if field == "atiende" else (None, name)
        resolved = CaseChange("zoe", 1, 1, "resuelto", "atendido", *admins)
        put = "INSERT INTO ganchos_guardados VALUES (2, '{}', 'zoe', '{}')"
        change(base, put.format(event, case_changed(resolved).body.decode()))
    assert chatd("erase", "--user", admin, "--db", str(base)).returncode == 0
    assert ask(base, "SELECT evento FROM ganchos_guardados WHERE clave = 2 ORDER BY evento") == [("case",), ("longer",)]


def test_every_column_with_a_user_name_is_erased() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in itertools.chain.from_iterable(MIGRATIONS):
            connection.execute(statement)
        tables = "SELECT t.name, c.name FROM sqlite_master AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'"
        named = {(table, column) for table, column in connection.execute(tables) if column in NAMES}
    looked_at = {(table, column) for table, rows in ROWS.values() for column in re.findall(r"(\w+)\"? = ", rows)}
    assert named - STAYS == looked_at | {("casos", column) for column in CLAIMS}


def test_erased_texts_are_not_in_the_file(db: Path) -> None:
    assert chatd("erase", "--user", "maria", "--db", db).returncode == 0
    assert b"maria" not in db.read_bytes()


async def test_erase_is_refused_while_a_daemon_runs(tmp_path: Path) -> None:
    async with daemon(tmp_path / "chat.db"):
        done = await asyncio.to_thread(chatd, "erase", "--user", "ana", "--db", tmp_path / "chat.db")
        assert "in use by another chatd" in complaint(done, EXIT_CONFIG)


def test_the_help_names_the_copies_that_are_not_erased() -> None:
    assert "Does not delete: backups and exports" in EPILOG
    assert chatd("erase", "--help").returncode == 0


def test_an_export_of_one_user_has_its_sent_and_received_messages(base: Base) -> None:
    for file in ((), ("-",)):
        done = chatd("export", *file, "--user", "maria", "--db", str(base))
        assert [json.loads(line)["de"] for line in done.stdout.splitlines()] == ["maria", "root"]
    assert not Path("-").exists()


def test_a_conversation_can_be_printed_as_json(base: Base) -> None:
    lines = [json.loads(line) for line in chatd("history", "maria", "--json", "--db", str(base)).stdout.splitlines()]
    assert (lines[0]["de"], lines[0]["para"], lines[0]["mensaje"]) == ("maria", "root", "mine")
    assert lines[0].keys() == {"id", "de", "para", "mensaje", "fecha"}
