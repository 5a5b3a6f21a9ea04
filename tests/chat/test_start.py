"""Errors at the start of the daemon: one clear line and the right exit code."""

from __future__ import annotations

import socket
from pathlib import Path

from chatd.cli import EXIT_CONFIG, EXIT_FAILED
from tests.chat.daemon import complaint, daemon
from tests.store.rig import locked


async def test_a_second_daemon_on_the_same_file_is_refused(db: Path) -> None:
    async with daemon(db) as first:
        code, line = await complaint("--db", db)
        assert code == EXIT_CONFIG
        assert line == (
            f"chatd: {db} is in use by another chatd (process {first.process.pid}): "
            "stop that one, or choose another --db"
        )
        ana = await first.enter("ana")
        assert (await ana.write("root", "unharmed"))["ok"] is True


async def test_a_second_daemon_is_refused_by_any_path_of_the_file(db: Path) -> None:
    (db.parent / "link.db").symlink_to(db)
    async with daemon(db):
        code, line = await complaint("--db", db.parent / "link.db")
        assert code == EXIT_CONFIG
        assert "in use by another chatd" in line


async def test_after_a_kill_the_lock_is_free(db: Path) -> None:
    async with daemon(db) as first:
        ana = await first.enter("ana")
        stored = await ana.write("root", "before")
        first.process.kill()
        await first.process.wait()
        async with daemon(db) as second:
            ana = await second.enter("ana")
            assert int((await ana.write("root", "after"))["id"]) > int(stored["id"])


async def test_a_port_in_use_is_named(db: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, line = await complaint("--db", db, "--port", str(port))
    assert code == EXIT_FAILED
    assert line.startswith(f"chatd: cannot listen on 127.0.0.1:{port}: Address already in use: ")
    assert line.endswith("choose another port with --port")


async def test_an_address_of_another_machine_is_named(db: Path) -> None:
    code, line = await complaint("--db", db, "--host", "192.0.2.1", "--port", "8400")
    assert code == EXIT_FAILED
    assert line.startswith("chatd: cannot listen on 192.0.2.1:8400: ")


async def test_a_host_that_does_not_exist_is_named(db: Path) -> None:
    code, line = await complaint("--db", db, "--host", "nowhere.invalid")
    assert code == EXIT_FAILED
    assert line.startswith("chatd: cannot listen on nowhere.invalid:0: ")


async def test_a_database_that_another_program_locks_is_named(db: Path) -> None:
    async with daemon(db) as first:
        first.terminate()
        assert await first.ended() == 0
    with locked(db):
        code, line = await complaint("--db", db, "--busy-timeout", "0")
    assert code == EXIT_CONFIG
    assert line == f"chatd: cannot use the database {db}: it is locked by another program: stop that one"


async def test_a_missing_directory_is_named(db: Path) -> None:
    missing = db.parent / "missing" / "chatd.db"
    code, line = await complaint("--db", missing)
    assert code == EXIT_CONFIG
    assert line == f"chatd: the directory {missing.parent} does not exist: create it, or choose another --db"
