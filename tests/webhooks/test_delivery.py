"""Delivery by a running daemon to a receiver with faults."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

from chatd.store.positions import WHOLE
from tests.chat.daemon import daemon
from tests.ops.operator import resident_kb
from tests.webhooks.receiver import CLOSE, HANG, LATE, Answer, receiving, write_config


async def test_a_message_is_delivered_signed_and_once(tmp_path: Path) -> None:
    """W-01, W-02, W-03"""
    async with receiving() as receiver:
        async with daemon(tmp_path / "c.db", "--config", write_config(tmp_path, receiver.url)) as chatd:
            ana, root = await chatd.enter("ana"), await chatd.enter("root", "admin")
            stored = await ana.write("root", "hola ñ")
            await root.write("ana", "between us")
            await ana.write("root", "again")
            await receiver.until(lambda: len(receiver.taken) == 2)
        first = receiver.taken[0]
        assert first["type"] == "mensaje"
        assert first["data"] == {
            "id": stored["id"], "de": "ana", "para": "root", "mensaje": "hola ñ", "fecha": stored["fecha"],
            "supervisado": True,
        }  # fmt: skip
        assert receiver.texts() == ["hola ñ", "again"]
        assert receiver.headers["content-type"] == "application/json"
        assert receiver.tried[0] == f"mensaje-{stored['id']}"
        assert receiver.connections == 1


async def test_private_messages_go_to_a_hook_with_that_setting(tmp_path: Path) -> None:
    """W-02"""
    more = "private_addresses = true\nprivate = true"
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url, more)
        async with daemon(tmp_path / "c.db", "--config", config) as chatd:
            await (await chatd.enter("root", "admin")).write("ana", "between us")
            await receiver.until(lambda: receiver.texts() == ["between us"])


async def test_events_of_a_conversation_keep_their_order_under_all_faults(tmp_path: Path) -> None:
    """W-04, W-05, W-07"""
    script: list[Answer] = [503, CLOSE, LATE, HANG, 500, 302]
    more = "private_addresses = true\ntimeout = 0.2"
    async with receiving() as receiver:
        calls = iter(range(10_000))

        def answer(_event: str) -> Answer:
            number = next(calls)
            return script[number] if number < len(script) else 200

        receiver.answer = answer
        async with daemon(tmp_path / "c.db", "--config", write_config(tmp_path, receiver.url, more)) as chatd:
            people = [await chatd.enter(user) for user in ("ana", "eva")]
            for n in range(6):
                for person, name in zip(people, ("ana", "eva"), strict=True):
                    await person.write("root", f"{name} {n}")
            await receiver.until(lambda: len(receiver.texts()) == 12)
            assert receiver.texts("ana") == [f"ana {n}" for n in range(6)]
            assert receiver.texts("eva") == [f"eva {n}" for n in range(6)]


async def test_a_receiver_that_was_down_gets_every_event_after_a_sigkill_of_the_daemon(tmp_path: Path) -> None:
    """W-04"""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url)
        async with daemon(tmp_path / "c.db", "--config", config) as chatd:
            ana = await chatd.enter("ana")
            await ana.write("root", "before")
            await receiver.until(lambda: receiver.texts() == ["before"])
            await receiver.stop()
            for n in range(300):
                await ana.write("root", f"away {n}")
            chatd.process.kill()
            await chatd.process.wait()
        await receiver.start()
        async with daemon(tmp_path / "c.db", "--config", config):
            await receiver.until(lambda: len(receiver.texts()) == 301)
        assert receiver.texts() == ["before", *(f"away {n}" for n in range(300))]


async def test_a_single_daemon_continues_from_the_position_of_several_nodes(tmp_path: Path) -> None:
    """W-04"""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url)
        async with daemon(tmp_path / "c.db", "--config", config) as chatd:
            await (await chatd.enter("ana")).write("root", "before")
            await receiver.until(lambda: receiver.texts() == ["before"])
        with contextlib.closing(sqlite3.connect(tmp_path / "c.db")) as db, db:
            db.execute("UPDATE ganchos SET registro = 1")
            db.execute("INSERT INTO ganchos SELECT clave, 2, hasta, apagado FROM ganchos")
        async with daemon(tmp_path / "c.db", "--config", config) as chatd:
            await (await chatd.enter("ana")).write("root", "after")
            await receiver.until(lambda: len(receiver.texts()) == 2)
        with contextlib.closing(sqlite3.connect(tmp_path / "c.db")) as db:
            assert db.execute("SELECT registro FROM ganchos").fetchall() == [(WHOLE,)]
        assert receiver.texts() == ["before", "after"]


async def test_a_new_hook_gets_only_later_events(tmp_path: Path) -> None:
    """W-04"""
    async with receiving() as receiver:
        async with daemon(tmp_path / "c.db") as chatd:
            await (await chatd.enter("ana")).write("root", "long ago")
        async with daemon(tmp_path / "c.db", "--config", write_config(tmp_path, receiver.url)) as chatd:
            await (await chatd.enter("ana")).write("root", "now")
            await receiver.until(lambda: bool(receiver.taken))
        assert receiver.texts() == ["now"]


async def test_a_hook_is_switched_off_after_410(tmp_path: Path) -> None:
    """W-08"""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url)
        receiver.answer = lambda _: 410
        async with daemon(tmp_path / "c.db", "--config", config) as chatd:
            await (await chatd.enter("ana")).write("root", "one")
            assert (await chatd.logged("webhook switched off: its receiver has answered 410"))["hook"] == "crm"
        async with daemon(tmp_path / "c.db", "--config", config) as chatd:
            await chatd.logged("webhook is switched off")
            await (await chatd.enter("ana")).write("root", "two")
        assert len(receiver.tried) == 1


async def test_an_event_that_is_always_refused_is_set_aside_while_others_are_delivered(tmp_path: Path) -> None:
    """W-08"""
    more = "private_addresses = true\nmax_tries = 2"
    async with receiving() as receiver:
        async with daemon(tmp_path / "c.db", "--config", write_config(tmp_path, receiver.url, more)) as chatd:
            ana, eva = await chatd.enter("ana"), await chatd.enter("eva")
            bad = (await ana.write("root", "poison"))["id"]
            receiver.answer = lambda event: 400 if event == f"mensaje-{bad}" else 200
            await ana.write("root", "behind it")
            while "behind it" not in receiver.texts():
                tried = len(receiver.tried)
                await eva.write("root", "others are taken")
                await receiver.until(lambda tried=tried: len(receiver.tried) > tried)  # type: ignore[misc]
            assert (await chatd.logged("event set aside"))["event"] == f"mensaje-{bad}"
        with sqlite3.connect(tmp_path / "c.db") as file:
            assert file.execute("SELECT id FROM ganchos_apartados").fetchall() == [(int(bad),)]


async def test_a_private_address_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    """W-06"""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url, "")
        async with daemon(tmp_path / "c.db", "--config", config, "--log-level", "debug") as chatd:
            await (await chatd.enter("ana")).write("root", "one")
            refused = await chatd.logged("no answer of a webhook")
            assert refused["cause"] == "127.0.0.1 is an address of this machine or a private network"
        assert receiver.connections == 0


async def test_memory_is_flat_while_a_receiver_is_down(tmp_path: Path) -> None:
    """W-04: undelivered events stay in the log, not in memory."""
    async with receiving() as receiver:
        await receiver.stop()
        async with daemon(tmp_path / "c.db", "--config", write_config(tmp_path, receiver.url)) as chatd:
            ana = await chatd.enter("ana")

            async def resident_after(messages: int) -> int:
                for _ in range(messages // 100):
                    asked = [
                        await ana.begin("mensaje_privado", {"para": "root", "mensaje": "x" * 1_000}) for _ in range(100)
                    ]
                    await asyncio.gather(*(ana.answer(ack) for ack in asked[:1]))
                    for ack in asked[1:]:
                        await ana.answer(ack)
                return resident_kb(chatd)

            first = await resident_after(1_000)
            assert await resident_after(4_000) < first + 2_000  # kB; the texts alone are 4,000
