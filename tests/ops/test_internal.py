"""The internal listener of a running daemon, for load balancers and Prometheus."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
from pathlib import Path

import pytest

from chatd.cli import EXIT_CONFIG
from tests.chat.daemon import complaint, daemon
from tests.chat.people import refused
from tests.cli.command import chatd
from tests.ops.operator import listening_sockets, operated, resident_kb
from tests.store.rig import locked

# Memory limit at start: section 5 of the design, in kB of 1024 bytes.
MAX_RESIDENT_KB = 30 * 1024


async def test_a_daemon_that_serves_is_healthy_and_ready(db: Path) -> None:
    async with operated(db) as operator:
        health = await operator.get("/healthz")
        assert (health.status, health.text[:3]) == (200, "ok,")
        ready = await operator.get("/readyz")
        assert (ready.status, ready.text) == (200, "ready\n")
        assert ready.header("cache-control") == "no-store"
        head = await operator.get("/readyz", "HEAD")
        assert (head.status, head.body) == (200, b"")


async def test_a_daemon_with_too_little_room_on_its_disk_is_healthy_and_not_ready(db: Path) -> None:
    """L-14"""
    async with operated(db, "--min-free", str(2**50)) as operator:
        answer = await operator.get("/readyz")
        assert answer.status == 503
        assert answer.text.startswith("only ")
        assert "min_free is 1073741824 MiB" in answer.text
        assert (await operator.get("/healthz")).status == 200
        seen = await operator.metrics()
        assert 0 < seen("chatd_store_free_bytes") < 2**50
        assert seen("chatd_store_bytes") + seen("chatd_store_log_bytes") > 4_096


async def test_a_daemon_whose_database_is_locked_is_healthy_and_not_ready(db: Path) -> None:
    async with operated(db, "--busy-timeout", "0") as operator:
        with locked(db):
            answer = await operator.get("/readyz")
            assert (answer.status, answer.text) == (
                503,
                "the database cannot be written: it is locked by another program: stop that one\n",
            )
            assert (await operator.get("/healthz")).status == 200
        assert (await operator.get("/readyz")).status == 200


async def test_a_database_that_does_not_answer_in_time_is_not_ready(db: Path) -> None:
    async with operated(db, "--busy-timeout", "4") as operator:
        with locked(db):
            answer = await operator.get("/readyz")
        assert (answer.status, answer.text) == (503, "the database has not answered for 2 s\n")
        assert (await operator.get("/readyz")).status == 200


async def test_a_probe_writes_nothing_that_is_part_of_a_message(db: Path) -> None:
    async with operated(db) as operator:
        ana = await operator.chatd.enter("ana")
        asked = [await ana.begin("mensaje_privado", {"para": "root", "mensaje": "hola"}) for _ in range(50)]
        assert (await operator.get("/readyz")).status == 200
        assert [(await ana.answer(ack))["ok"] for ack in asked] == [True] * 50


async def test_a_daemon_that_stops_is_not_ready_before_anything_is_closed(db: Path) -> None:
    async with operated(db, "--stop-delay", "5", "--stop-timeout", "20") as operator:
        ana = await operator.chatd.enter("ana")
        operator.chatd.terminate()
        await operator.chatd.logged("stopping")
        answer = await operator.get("/readyz")
        assert (answer.status, answer.text) == (503, "stopping\n")
        assert (await operator.metrics())("chatd_ready") == 0
        assert (await ana.write("root", "still served"))["ok"] is True
        operator.chatd.process.send_signal(signal.SIGTERM)


async def test_answers_to_other_paths_and_methods_name_the_valid_ones(db: Path) -> None:
    async with operated(db) as operator:
        answer = await operator.get("/")
        assert (answer.status, answer.text) == (404, "there are /healthz, /readyz, /metrics\n")
        answer = await operator.get("/metrics", "POST")
        assert (answer.status, answer.header("allow")) == (405, "GET, HEAD")


async def test_chat_and_internal_listener_do_not_serve_each_others_paths(db: Path) -> None:
    async with operated(db) as operator:
        assert (await operator.get("/socket.io/?EIO=4&transport=polling")).status == 404
        async with daemon(db.with_name("other.db")) as other:
            for path in ("/healthz", "/readyz", "/metrics"):
                connection = await other.client.connect()
                assert (await connection.request("GET", path)).status == 404


async def test_metrics_count_what_has_happened(db: Path) -> None:
    async with operated(db) as operator:
        before = await operator.metrics()
        assert before("chatd_sessions", transport="websocket") == 0
        ana = await operator.chatd.enter("ana")
        roots = [await operator.chatd.enter("root", "admin") for _ in range(2)]
        polling = await operator.chatd.client.polling()
        assert (await ana.write("root", "x" * 1000))["ok"] is True
        assert (await ana.write("", "to nobody"))["ok"] is False
        for root in roots:
            await root.hear()
        await refused(operator.chatd.client)
        seen = await operator.metrics()
        assert seen("chatd_sessions", transport="websocket") == 4
        assert seen("chatd_sessions", transport="polling") == 1
        assert seen("chatd_sessions_opened_total") == 5
        assert (seen("chatd_users"), seen("chatd_admin_sockets")) == (2, 2)
        assert seen("chatd_events_received_total") == 2
        assert seen("chatd_acknowledgements_total") == 2
        assert seen("chatd_deliveries_total") >= 2
        assert seen("chatd_refusals_total", by="door", reason="token_missing") == 1
        assert seen("chatd_refusals_total", by="chat", reason="para_invalid") == 1
        assert seen("chatd_stored_total") == seen("chatd_commit_seconds_count") == seen("chatd_commit_rows_sum") == 1
        assert seen("chatd_acknowledgement_seconds_count") == 1
        assert 0 < seen("chatd_commit_seconds_sum") <= seen("chatd_acknowledgement_seconds_sum") < 5
        assert seen("chatd_received_bytes_total") > 1000
        assert seen("chatd_sent_bytes_total") > 2000
        assert seen("chatd_loop_lag_seconds_bucket", le="+Inf") == seen("chatd_loop_lag_seconds_count")
        assert seen("process_resident_memory_bytes") > 10_000_000
        await polling.post("1")
        assert (await operator.metrics())("chatd_disconnects_total", reason="transport close") == 1


async def test_without_the_flag_nothing_is_opened(db: Path) -> None:
    async with daemon(db) as chatd:
        assert "listening for operators" not in [line["message"] for line in chatd.log]
        assert listening_sockets(chatd) == 1
    async with operated(db) as operator:
        assert listening_sockets(operator.chatd) == 2


@pytest.mark.parametrize("flags", [(), ("--internal", "127.0.0.1:0")])
async def test_at_start_it_takes_no_more_memory_than_promised(db: Path, flags: tuple[str, ...]) -> None:
    async with daemon(db.with_name("warm.db"), *flags):
        """Compile modules that have no bytecode yet."""
    async with daemon(db, *flags) as chatd:
        assert resident_kb(chatd) <= MAX_RESIDENT_KB


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--internal", "0.0.0.0:9464"), "0.0.0.0 is not 127.0.0.1, ::1 or localhost"),
        (("--internal", "example.org:1"), "example.org is not 127.0.0.1"),
        (("--internal", "9464"), "'9464' is no HOST:PORT; write 127.0.0.1:9464"),
        (("--internal", "127.0.0.1:http"), "is no HOST:PORT"),
        (("--internal", "127.0.0.1:65536"), "is no HOST:PORT"),
    ],
)
async def test_a_wrong_address_is_refused(db: Path, flags: tuple[str, ...], said: str) -> None:
    code, line = await complaint("--db", db, *flags)
    assert (code, said in line) == (EXIT_CONFIG, True), line


async def test_a_public_address_is_served_with_the_explicit_flag(db: Path) -> None:
    async with operated(db, "--internal", "0.0.0.0:0", "--internal-anywhere") as operator:
        assert (await operator.get("/healthz")).status == 200


async def test_metrics_show_that_retention_waits_for_clock_trust(db: Path) -> None:
    """C-59"""
    async with operated(db, "--retention", "30") as operator:
        assert (await operator.metrics())("chatd_retention_waits") == 0
    with contextlib.closing(sqlite3.connect(db)) as connection:
        connection.execute("UPDATE reloj SET fecha = fecha - 400 * 86400000")
        connection.commit()
    async with operated(db, "--retention", "30") as operator:
        await operator.chatd.logged(
            "old messages are not deleted: the clock is far ahead of what the database knows; see chatd clock"
        )
        assert (await operator.metrics())("chatd_retention_waits") == 1
        trusted = await asyncio.to_thread(chatd, "clock", "--trust", "--db", db)
        assert trusted.returncode == 0
        await operator.chatd.logged("the clock is believed again")
        seen = await operator.metrics()
        assert (seen("chatd_retention_waits"), seen("chatd_deleted_total")) == (0, 0)
