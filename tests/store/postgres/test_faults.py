"""Faults of the server: down, restarting, hanging, full, read-only, out of connections. Senders get an error, and the
store recovers by itself."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import pytest

from chatd.base.errors import ConfigError
from chatd.store.base import Found, Message, MessageId, Question, StoreCode, StoredAs, StoreError
from chatd.store.choose import make_store
from chatd.store.config import StoreConfig
from chatd.store.history import Range, Towards, Viewer
from chatd.store.postgres import link
from chatd.store.postgres.store import PostgresStore, UnreachableError
from tests.chat.daemon import daemon
from tests.interop.proxy import Proxy, proxy
from tests.listen.certificates import make_certificate
from tests.postgresql import Server
from tests.store.postgres.patience import PATIENCE_S, faulty, healed, opened, put, stored
from tests.store.rig import ROOT, Answers, PostgresBase, ask, change, message, rows, store_on

ANA = Viewer("ana", is_admin=False)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "MAX_PAUSE_S", 0.2)


async def test_messages_are_refused_while_the_server_restarts_and_none_is_lost(own: PostgresBase) -> None:
    """P-04"""
    async with store_on(own) as store:
        assert (await put(store, 1)).stored == [1]
        await asyncio.to_thread(own.server.stop)
        refused = await put(store, 2, 3)
        assert refused.failed == {2: StoreCode.UNAVAILABLE, 3: StoreCode.UNAVAILABLE}
        assert {error.retry for _, error in refused.seen if error} == {True}
        assert "cannot be used" in str(await store.fault())
        with pytest.raises(StoreError, match="cannot be read"):
            await store.library.page(ANA, None, Range(), Towards.PAST, 5)
        heard: list[object] = []
        store.find(Question("ana", "c", list_cids=False), heard.append)
        await store.flushed()
        assert [error.code for error in heard if isinstance(error, StoreError)] == [StoreCode.UNAVAILABLE]
        await asyncio.to_thread(own.server.start)
        await healed(store)
        assert (await put(store, 5)).stored == [5]
        page = await store.library.page(ANA, None, Range(), Towards.FUTURE, 5)
        assert [row.id for row in page.rows] == [1, 5]
    assert [row.id for row in rows(own)] == [1, 5]


async def test_a_crash_of_the_server_under_load_loses_no_acknowledged_message(own: PostgresBase) -> None:
    """P-04: acknowledged messages are stored once, and refused ones may be sent again."""
    answers, number = Answers(), 0
    async with store_on(own) as store:
        for how in (signal.SIGQUIT, signal.SIGINT, signal.SIGQUIT):
            stopping = asyncio.create_task(asyncio.to_thread(own.server.stop, how))
            while not stopping.done():
                number += 1
                answers.put(store, message(number))
                await asyncio.sleep(0)
            await asyncio.to_thread(own.server.start)
            await healed(store)
        await store.flushed()
    stored = [row.id for row in rows(own)]
    assert len(answers.seen) == number
    assert set(answers.stored) <= set(stored)
    assert len(stored) == len(set(stored))


async def test_terminated_sessions_reconnect(own: PostgresBase) -> None:
    """P-04"""
    async with store_on(own) as store:
        own.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'chatd'")
        await stored(store, 1)
        await healed(store)
        assert [row.id for row in (await store.library.page(ANA, None, Range(), Towards.PAST, 5)).rows] == [1]


async def test_a_commit_without_an_answer_is_not_acknowledged_and_is_found_at_the_retry(own: PostgresBase) -> None:
    """P-04, P-11, C-24: the proxy drops the server's answer to COMMIT while senders wait."""
    row = Message(MessageId(7), "ana", "berta", "hola", 1_700_000_000_000, supervisado=True, cid="c1")
    async with proxy(own.server.port) as between:
        store = make_store(StoreConfig(db=through(own, between), db_timeout_s=0.5))
        await store.open()
        try:
            between.lose(b"INSERT 0 1")
            answers = Answers()
            answers.put(store, row)
            await between.lost()
            await store.flushed()
            assert answers.failed == {7: StoreCode.UNAVAILABLE}
            shown: list[int] = []
            for number, error in answers.seen:
                assert error is not None
                assert error.doubt is not None
                error.doubt.if_stored(MessageId(number), functools.partial(shown.append, number))
            assert shown == []
            assert [one.id for one in rows(own)] == [7]
            between.restore()
            await healed(store)
            assert shown == [7]
            heard: list[object] = []
            store.find(Question("ana", "c1", list_cids=False), heard.append)
            await store.flushed()
            assert heard == [Found(StoredAs(MessageId(7), row.fecha), None)]
            twin = Message(MessageId(9), "ana", "berta", "hola", row.fecha, supervisado=True, cid="c1")
            errors: list[StoreError | None] = []
            store.put(twin, errors.append)
            store.put(message(11), errors.append)
            await store.flushed()
            assert [error and (error.code, error.retry) for error in errors] == [(StoreCode.UNAVAILABLE, True), None]
        finally:
            await store.close()
    assert [one.id for one in rows(own)] == [7, 11]


def through(base: PostgresBase, between: Proxy) -> str:
    """The URL of the database through the proxy `between`."""
    return str(base).replace(str(base.server.port), str(between.port))


@pytest.mark.parametrize(("heard", "stored"), [(b"INSERT 0 1", [7]), (b"", [])])
async def test_senders_wait_until_the_outcome_of_a_commit_is_known(
    own: PostgresBase, heard: bytes, stored: list[int]
) -> None:
    """P-11: either the answer or the statement itself is lost."""
    async with proxy(own.server.port) as between, store_on(own, db=through(own, between)) as store:
        answers = Answers()
        if heard:
            between.lose(heard)
        else:
            between.swallow(b"INSERT INTO mensajes")
        answers.put(store, message(7))
        if heard:
            await between.lost()
            between.restore()
        else:
            await between.swallowed()
            between.cut()
        await store.flushed()
        assert (answers.stored, [row.id for row in rows(own)]) == (stored, stored)
        between.swallow(b"")
        assert (await put(store, 9)).stored == [9]


async def test_a_server_that_hangs_times_out_and_is_reconnected(own: PostgresBase) -> None:
    """P-05"""
    async with store_on(own, db_timeout_s=1.0) as store:  # a healthy server answers within that on a busy machine
        await put(store, 1)
        own.server.freeze(frozen=True)
        try:
            assert (await put(store, 2)).failed == {2: StoreCode.UNAVAILABLE}
        finally:
            own.server.freeze(frozen=False)
        await healed(store)
        assert (await put(store, 3)).stored == [3]


async def test_a_read_only_database_is_reported_and_recovers(own: PostgresBase) -> None:
    """P-04"""
    async with store_on(own) as store:
        await put(store, 1)
        own.server.sql("ALTER SYSTEM SET default_transaction_read_only = on")
        own.server.sql("SELECT pg_reload_conf()")
        try:
            await faulty(store, "read-only")
            assert (await put(store, 2)).failed == {2: StoreCode.UNAVAILABLE}
        finally:
            own.server.sql("ALTER SYSTEM RESET default_transaction_read_only")
            own.server.sql("SELECT pg_reload_conf()")
        await healed(store)
        assert (await put(store, 3)).stored == [3]


async def test_the_store_waits_for_a_free_connection(own: PostgresBase) -> None:
    """P-04: as an ordinary user, since superusers have reserved connections."""
    own.server.sql(f"CREATE USER few CONNECTION LIMIT 4; ALTER DATABASE {own.name} OWNER TO few")
    url = own.server.url(own.name, "few")
    store = make_store(StoreConfig(db=url))
    await store.open()
    try:
        own.server.sql("ALTER USER few CONNECTION LIMIT 0")
        own.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'few'")
        await faulty(store, "too many connections")
        assert (await put(store, 1)).failed == {1: StoreCode.UNAVAILABLE}
        own.server.sql("ALTER USER few CONNECTION LIMIT 4")
        await healed(store)
        assert (await put(store, 2)).stored == [2]
    finally:
        await store.close()


async def test_errors_that_an_operator_must_correct_end_the_start(own: PostgresBase) -> None:
    """P-02, P-04, P-07"""
    cases: list[tuple[str, str]] = [
        (own.server.url("absent"), "createdb"),
        (own.server.url(own.name, "stranger"), 'role "stranger" does not exist'),
        (own.server.url(own.server.new_base("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")), "LATIN1"),
    ]
    for url, words in cases:
        with pytest.raises(ConfigError, match=words):
            await opened(url)
    with pytest.raises(UnreachableError, match="rejected SSL"):
        await opened(f"{own}?sslmode=require", db_timeout_s=0.1)


async def test_a_schema_of_a_newer_chatd_or_another_program_is_left_alone(own: PostgresBase) -> None:
    """P-07"""
    async with store_on(own):
        pass
    change(own, "UPDATE esquema SET version = 1000")
    with pytest.raises(ConfigError, match="newer chatd"):
        await opened(str(own))
    strange = own.other()
    strange.server.sql("CREATE SCHEMA chatd; CREATE TABLE chatd.recipes (id int)", strange.name)
    with pytest.raises(ConfigError, match="another program"):
        await opened(str(strange))
    assert ask(strange, "SELECT count(*) FROM pg_tables WHERE schemaname = 'chatd'") == [(1,)]


async def test_a_start_waits_for_the_server_and_gives_up_in_the_end(own: PostgresBase) -> None:
    """P-04: the exit code is not that of a configuration error, so that a supervisor tries again."""
    await asyncio.to_thread(own.server.stop)
    with pytest.raises(UnreachableError, match="cannot use the database"):
        await opened(str(own), db_timeout_s=0.3)
    opening = asyncio.create_task(opened(str(own), db_timeout_s=PATIENCE_S))
    await asyncio.to_thread(own.server.start)
    await opening


async def test_a_second_chatd_on_the_same_database_is_refused(own: PostgresBase) -> None:
    """P-05"""
    async with store_on(own) as store:
        second = PostgresStore(StoreConfig(db=str(own), busy_timeout_s=0.05), held_s=0.1)
        with pytest.raises(UnreachableError, match="in use by another chatd"):
            await second.open()
        assert (await put(store, 1)).stored == [1]
    await opened(str(own))


async def test_a_database_replaced_under_the_same_url_is_refused(own: PostgresBase) -> None:
    """P-05: as after a restore."""
    async with store_on(own) as store:
        change(own, "UPDATE secretos SET valor = 'another' WHERE nombre = 'recuperacion'")
        own.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'chatd'")
        await faulty(store, "another database")
        assert (await put(store, 1)).failed == {1: StoreCode.UNAVAILABLE}


async def test_a_database_of_the_wrong_encoding_in_the_same_place_is_refused_until_ours_is_back(
    own: PostgresBase,
) -> None:
    """P-02, P-04: what a restore by hand may make."""
    async with store_on(own) as store:
        name, aside = own.name, f"{own.name}_aside"
        for statement in (
            f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
            f"ALTER DATABASE {name} RENAME TO {aside}",
            f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
        ):
            own.server.sql(statement)
        await faulty(store, "LATIN1")
        assert (await put(store, 1)).failed == {1: StoreCode.UNAVAILABLE}
        for statement in (
            f"DROP DATABASE {name} WITH (FORCE)",
            f"ALTER DATABASE {aside} ALLOW_CONNECTIONS true",
            f"ALTER DATABASE {aside} RENAME TO {name}",
        ):
            own.server.sql(statement)
        await healed(store)
        assert (await put(store, 2)).stored == [2]


async def test_no_log_line_has_a_message_or_a_password(
    own: PostgresBase, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """P-03"""
    monkeypatch.setenv("PGPASSWORD", "open sesame")
    (tmp_path / "password").write_text("open barley\n")
    caplog.set_level(logging.DEBUG)
    async with store_on(own, db_password_file=tmp_path / "password") as store:
        secret = Message(MessageId(1), "ana", "berta", "a secret \ud800", 1, supervisado=True, cid="c")
        store.put(secret, lambda error: None)
        await store.flushed()
        twins = [Message(MessageId(n), "ana", "berta", "a secret", 1, supervisado=True, cid="our cid") for n in (2, 3)]
        for twin in twins:
            store.put(twin, lambda error: None)
        await store.flushed()
        own.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'chatd'")
        await healed(store)
    said = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "row rejected" in said
    assert not re.search("secret|sesame|barley|our cid", said)


async def test_the_password_file_is_read_at_each_connection(own_server: Server, tmp_path: Path) -> None:
    """P-03"""
    hba = own_server.data / "pg_hba.conf"
    before = hba.read_text()
    base = PostgresBase(own_server)
    own_server.sql(f"CREATE USER guarded PASSWORD 'first'; ALTER DATABASE {base.name} OWNER TO guarded")
    hba.write_text(f"host all guarded 127.0.0.1/32 scram-sha-256\n{before}")
    own_server.sql("SELECT pg_reload_conf()")
    url, file = own_server.url(base.name, "guarded"), tmp_path / "password"
    try:
        file.write_text("wrong\n")
        with pytest.raises(ConfigError, match="password authentication failed"):
            await opened(url, db_password_file=file)
        file.write_text("first\n")
        store = make_store(StoreConfig(db=url, db_password_file=file))
        await store.open()
        try:
            own_server.sql("ALTER USER guarded PASSWORD 'second'")
            file.write_text("second")
            own_server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'guarded'")
            await stored(store, 1)
        finally:
            await store.close()
    finally:
        hba.write_text(before)
        own_server.sql("SELECT pg_reload_conf()")


async def test_a_login_that_is_refused_while_it_runs_is_told_and_heals(own_server: Server, tmp_path: Path) -> None:
    """P-04: a password that was changed on the server first, and a user who may not connect any more."""
    base, file = PostgresBase(own_server), tmp_path / "password"
    hba = own_server.data / "pg_hba.conf"
    before = hba.read_text()
    own_server.sql(f"CREATE USER changing PASSWORD 'first'; ALTER DATABASE {base.name} OWNER TO changing")
    hba.write_text(f"host all changing 127.0.0.1/32 scram-sha-256\n{before}")
    own_server.sql("SELECT pg_reload_conf()")
    file.write_text("first")
    store = make_store(StoreConfig(db=own_server.url(base.name, "changing"), db_password_file=file))
    await store.open()
    faults = (
        (
            "ALTER USER changing PASSWORD 'second'",
            "password authentication failed",
            "ALTER USER changing PASSWORD 'first'",
        ),
        ("ALTER USER changing NOLOGIN", "is not permitted to log in", "ALTER USER changing LOGIN"),
    )
    try:
        for number, (breaks, words, mends) in enumerate(faults):
            own_server.sql(breaks)
            own_server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'changing'")
            await faulty(store, words)
            refused = await put(store, 10 * number + 1)
            assert refused.failed == {10 * number + 1: StoreCode.UNAVAILABLE}
            assert {error.retry for _, error in refused.seen if error} == {True}
            own_server.sql(mends)
            await healed(store)
            assert (await put(store, 10 * number + 2)).stored == [10 * number + 2]
    finally:
        await store.close()
        hba.write_text(before)
        own_server.sql("SELECT pg_reload_conf()")


async def test_a_full_disk_is_reported_as_full_and_recovers() -> None:
    """P-04"""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk for another user's server")
    process = await asyncio.create_subprocess_exec(
        *("unshare", "-m", sys.executable, "-m", "tests.store.postgres.full_disk"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    heard = json.loads(printed)
    assert "the disk of the server is full" in heard.pop("fault when full")
    assert heard == {
        "before": None,
        "full": "store_full",
        "still full": "store_full",
        "fault when there is room": None,
        "after": None,
        "stored": [1, 4],
    }


async def test_the_url_sets_the_tls_mode(own: PostgresBase, tmp_path: Path) -> None:
    """P-02: sslmode and sslrootcert, as with psql."""
    (good, key), (other, _) = make_certificate(tmp_path, "server"), make_certificate(tmp_path, "other")
    for file, name in ((good, "server.crt"), (key, "server.key")):
        there = own.server.data / name
        there.write_bytes(file.read_bytes())
        there.chmod(0o600)
        shutil.chown(there, own.server.data.owner(), own.server.data.group())
    await asyncio.to_thread(own.server.stop)
    await asyncio.to_thread(own.server.start, ssl="on")
    try:
        store = make_store(StoreConfig(db=f"{own}?sslmode=verify-full&sslrootcert={good}"))
        await store.open()
        sessions = "pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'chatd'"
        assert set(own.server.sql(f"SELECT ssl FROM {sessions}")) == {"t"}
        await store.close()
        async with daemon(f"{own}?sslmode=require", "--no-admin-socket") as running:
            ana = await running.enter("ana")
            assert (await ana.write("root", "hola"))["ok"] is True
            assert set(own.server.sql(f"SELECT ssl FROM {sessions}")) == {"t"}
        with pytest.raises((ConfigError, UnreachableError), match="certificate verify failed"):
            await opened(f"{own}?sslmode=verify-full&sslrootcert={other}", db_timeout_s=0.1)
    finally:
        await asyncio.to_thread(own.server.stop)
        await asyncio.to_thread(own.server.start)
