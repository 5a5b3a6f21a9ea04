"""`sin_respuesta` events: users who wait for an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chat.daemon import daemon
from tests.store.rig import Base, ask
from tests.webhooks.receiver import Receiver, receiving, write_config

AT_ONCE = 'private_addresses = true\nevents = ["sin_respuesta"]\nunattended = 0'
LATER = 'private_addresses = true\nevents = ["sin_respuesta"]\nunanswered = 0.5'
NEVER = 'private_addresses = true\nevents = ["sin_respuesta"]\nunanswered = 86_400'


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """Waiting users and the message since which they wait, without duplicates, in the order of first acceptance."""
    waits = [each["data"] for each in receiver.taken if each["type"] == "sin_respuesta"]
    return list(dict.fromkeys((each["con"], each["id"]) for each in waits))


async def test_without_an_admin_online_a_wait_is_sent_at_once_and_once(db: Base, tmp_path: Path) -> None:
    """W-09, W-10"""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url, AT_ONCE)
        async with daemon(db, "--config", config) as chatd:
            ana, eva = await chatd.enter("ana"), await chatd.enter("eva")
            first = await ana.write("root", "is anybody there?")
            await receiver.until(lambda: len(receiver.taken) == 1)
            await ana.write("root", "hello?")
            second = await eva.write("root", "me too")
            await receiver.until(lambda: len(told(receiver)) == 2)
        async with daemon(db, "--config", config) as chatd:
            third = await (await chatd.enter("pia")).write("root", "and I")
            await receiver.until(lambda: len(told(receiver)) == 3)
        assert told(receiver) == [("ana", first["id"]), ("eva", second["id"]), ("pia", third["id"])]
        assert receiver.tried[0] == f"sin_respuesta-{first['id']}"
        assert receiver.tried.count(receiver.tried[0]) == 1
        assert receiver.taken[0]["data"] == {"con": "ana", "id": first["id"], "fecha": first["fecha"]}


@pytest.mark.parametrize("mode", ["direct", "team"])
async def test_a_wait_ends_with_an_answer_and_the_next_message_begins_another(
    db: Base, tmp_path: Path, mode: str
) -> None:
    """W-09, W-10"""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url, LATER)
        flags = ("--admin-messages", mode, "--payload", "full", "--presence", "on")
        async with daemon(db, "--config", config, *flags) as chatd:
            ana, eva = await chatd.enter("ana"), await chatd.enter("eva")
            root = await chatd.enter("root", "admin")
            await ana.write("root", "quick")
            await root.write("ana", "an answer")
            second = await eva.write("root", "slow")
            await receiver.until(lambda: told(receiver) == [("eva", second["id"])])
            await root.write("eva", "a late answer")
            third = await eva.write("root", "and another thing")
            await receiver.until(lambda: len(told(receiver)) == 2)
            assert told(receiver)[1] == ("eva", third["id"])


async def test_a_wait_is_sent_after_a_sigkill_and_after_the_receiver_was_down(db: Base, tmp_path: Path) -> None:
    """W-10"""
    async with receiving() as receiver:
        await receiver.stop()
        config = write_config(tmp_path, receiver.url, NEVER)
        async with daemon(db, "--config", config) as chatd:
            ana = await chatd.enter("ana")
            await chatd.enter("root", "admin")
            waits = await ana.write("root", "is anybody there?")
            chatd.process.kill()
            await chatd.process.wait()
        config = write_config(tmp_path, receiver.url, AT_ONCE)
        async with daemon(db, "--config", config) as chatd:
            await chatd.logged("webhook does not deliver")
            chatd.process.kill()
            await chatd.process.wait()
        await receiver.start()
        async with daemon(db, "--config", config):
            await receiver.until(lambda: len(receiver.taken) == 1)
        assert told(receiver) == [("ana", waits["id"])]


async def test_an_event_that_is_set_aside_is_stored_as_it_was_sent(db: Base, tmp_path: Path) -> None:
    """W-08"""
    more = AT_ONCE.replace('"sin_respuesta"', '"mensaje", "sin_respuesta"') + "\nmax_tries = 1"
    async with receiving() as receiver:
        receiver.answer = lambda event: 400 if event.startswith("sin_respuesta") else 200
        async with daemon(db, "--config", write_config(tmp_path, receiver.url, more)) as chatd:
            ana, eva = await chatd.enter("ana"), await chatd.enter("eva")
            waits = await ana.write("root", "is anybody there?")
            await receiver.until(lambda: len(receiver.tried) >= 2)
            await eva.write("root", "others are taken")
            assert (await chatd.logged("event set aside"))["event"] == f"sin_respuesta-{waits['id']}"
    [(con, event)] = [tuple(row) for row in ask(db, "SELECT con, evento FROM ganchos_guardados WHERE con = 'ana'")]
    assert (con, event) == ("ana", f"sin_respuesta-{waits['id']}")
