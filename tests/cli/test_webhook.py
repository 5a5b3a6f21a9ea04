"""`chatd webhook` on a running daemon, with a real receiver."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatd.cli import EXIT_FAILED, EXIT_USAGE
from chatd.webhooks.memory import key_of
from tests.chat.daemon import ROOT, daemon
from tests.cli.command import chatd as command
from tests.cli.command import environment
from tests.cli.stored import message, store
from tests.postgresql import Server
from tests.store.rig import Base, PostgresBase, ask, change
from tests.webhooks.receiver import SECRET, receiving, write_config


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Base]:
    if request.param == "sqlite":
        yield tmp_path / "chatd.db"
        return
    server: Server = request.getfixturevalue("postgresql")
    yield PostgresBase(server)


async def webhook(*arguments: str, config: Path, db: Base) -> tuple[int | None, str]:
    """Run the verb while the receiver serves; return its exit code and output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chatd", "webhook", *arguments, "--config", str(config), "--db", str(db)),
        cwd=ROOT,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode, out.decode()


async def test_a_test_event_is_signed_and_its_answer_is_printed(tmp_path: Path) -> None:
    """W-02, W-03"""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url)
        assert await webhook("test", config=config, db=tmp_path / "none.db") == (0, "crm: it answered 204\n")
        assert [(each["type"], each["data"]) for each in receiver.taken] == [("prueba", {})]
        assert receiver.tried[0].startswith("prueba-")
        receiver.answer = lambda _: 302
        assert await webhook("test", "crm", config=config, db=tmp_path / "none.db") == (
            EXIT_FAILED,
            "crm: it answered 302\n",
        )
    code, said = await webhook("test", config=config, db=tmp_path / "none.db")
    assert code == EXIT_FAILED
    assert said.startswith("crm: no answer: ")


async def test_a_webhook_switched_off_by_410_is_listed_and_continues_after_a_replay(db: Base, tmp_path: Path) -> None:
    """W-08"""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url)
        receiver.answer = lambda _: 410
        async with daemon(db, "--config", config) as chatd:
            ana = await chatd.enter("ana")
            await ana.write("root", "one")
            await chatd.logged("webhook switched off: its receiver has answered 410")
            await ana.write("root", "two")
            code, said = await webhook("list", config=config, db=db)
            assert code == 0
            head, row = said.splitlines()
            assert head.split() == ["NAME", "STATE", "POSITION", "BEHIND", "SET", "ASIDE"]
            assert row.startswith("crm   off since 20")
            assert row.split()[-2:] == ["2", "0"]
            receiver.answer = lambda _: 204
            code, said = await webhook("replay", config=config, db=db)
            assert (code, said.splitlines()[-1]) == (
                0,
                "crm: switched on again; a running daemon goes on within seconds",
            )
            await chatd.logged("webhook is switched on again")
            await receiver.until(lambda: receiver.texts() == ["one", "two"])


async def test_events_set_aside_are_resent(db: Base, tmp_path: Path) -> None:
    """W-08"""
    messages = [message(n) for n in range(4)]
    await asyncio.to_thread(store, db, messages)
    ids = [one.id for one in messages]
    key = key_of("crm")
    change(db, f"INSERT INTO ganchos (clave, registro, hasta, apagado) VALUES ({key}, -1, {ids[2]}, 0)")
    for one in (*ids[:3], 5):  # message 5 was deleted by retention
        change(db, f"INSERT INTO ganchos_apartados (clave, id) VALUES ({key}, {one})")
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url)
        assert (await webhook("list", config=config, db=db))[1].split()[-4:] == ["on", str(ids[2]), "1", "4"]
        receiver.answer = lambda event: 400 if event == f"mensaje-{ids[1]}" else 200
        assert await webhook("replay", config=config, db=db) == (
            EXIT_FAILED,
            f"crm: mensaje-{ids[1]} was not taken: it answered 400\ncrm: 1 of 4 events stay set aside\n",
        )
        assert receiver.texts() == ["día 0", "día 2"]
        assert ask(db, "SELECT id FROM ganchos_apartados") == [(ids[1],)]
        receiver.answer = lambda _: 410
        code, said = await webhook("replay", config=config, db=db)
        assert (code, said.splitlines()[-1]) == (EXIT_FAILED, "crm: 1 of 1 events stay set aside")
        receiver.answer = lambda _: 200
        assert await webhook("replay", config=config, db=db) == (0, "crm: 0 of 1 events stay set aside\n")
        assert receiver.texts() == ["día 0", "día 2", "día 1"]


def test_an_unknown_webhook_name_is_refused(tmp_path: Path) -> None:
    """W-01"""
    config = write_config(tmp_path, "http://127.0.0.1:1/")
    done = command("webhook", "list", "shop", "--config", config)
    assert (done.returncode, done.stderr) == (
        EXIT_USAGE,
        "chatd: there is no such webhook in the configuration; there is crm\n",
    )
    without = command("webhook", "list")
    assert (without.returncode, without.stderr) == (
        EXIT_USAGE,
        "chatd: no webhook is configured: name the configuration file with --config\n",
    )


async def test_other_events_set_aside_are_resent_unchanged(db: Base, tmp_path: Path) -> None:
    """W-08"""
    await asyncio.to_thread(store, db, [message(0)])
    key, body = key_of("crm"), '{"type":"sin_respuesta"}'
    change(db, f"INSERT INTO ganchos (clave, registro, hasta, apagado) VALUES ({key}, -1, {message(0).id}, 0)")
    change(
        db,
        "INSERT INTO ganchos_guardados (clave, evento, con, cuerpo) "
        f"VALUES ({key}, 'sin_respuesta-7', 'ana', '{body}')",
    )
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url)
        assert (await webhook("list", config=config, db=db))[1].split()[-1] == "1"
        assert await webhook("replay", config=config, db=db) == (0, "crm: 0 of 1 events stay set aside\n")
        assert (receiver.tried, receiver.taken) == (["sin_respuesta-7"], [{"type": "sin_respuesta"}])
    assert ask(db, "SELECT evento FROM ganchos_guardados") == []


async def test_what_a_hook_or_a_mailbox_is_not_told_of_is_not_behind(db: Base, tmp_path: Path) -> None:
    """W-02, W-08, M-05: an admin's answers, with a team and private; messages, for those that hear of waits alone."""
    said = [message(n) for n in range(3)]
    answers = [message(3, de="root", para="ana"), message(4, de="root", para="ana", supervisado=False)]
    await asyncio.to_thread(store, db, [*said, *answers])
    change(db, "INSERT INTO nombres (quien, nombre, admin, clave) VALUES ('root', 'Root', 1, 'root')")
    config = tmp_path / "chatd.toml"
    secret = tmp_path / "whsec"
    secret.write_text(SECRET)
    hook = f'[[webhook]]\nurl = "http://127.0.0.1:1/"\nsecret_file = "{secret}"\n'
    config.write_text(
        f'{hook}name = "all"\nprivate = true\n{hook}name = "few"\nprivate = true\nanswers = false\n'
        f'{hook}name = "waits"\nevents = ["sin_respuesta"]\n'
        '[[notify]]\nname = "desk"\nsmtp = "127.0.0.1"\nfrom = "a@example.com"\nto = ["b@example.com"]\n'
    )
    for name in ("all", "few", "waits", "notify/desk"):
        change(
            db, f"INSERT INTO ganchos (clave, registro, hasta, apagado) VALUES ({key_of(name)}, -1, {said[0].id}, 0)"
        )
    for name, fecha in (("waits", 0), ("notify/desk", 0), ("notify/desk", 9_000_000_000_000)):
        wait = f"{key_of(name)}, 'u{fecha}', 1, {fecha}, 0"
        change(db, f"INSERT INTO ganchos_esperas (clave, con, desde, fecha, avisado) VALUES ({wait})")
    _, listed = await webhook("list", config=config, db=db)
    behind = {row.split()[0]: row.split()[-2] for row in listed.splitlines()[1:]}
    assert behind == {"all": "4", "few": "2", "waits": "1", "notify/desk": "1"}
