"""`presencia` events, sent to a receiver."""

from __future__ import annotations

import asyncio
from pathlib import Path

from chatd.cli import EXIT_CONFIG
from tests.chat.daemon import complaint, daemon
from tests.chat.people import Person
from tests.store.rig import Base, ask
from tests.webhooks.receiver import PATIENCE_S, Receiver, receiving, write_config

PRESENCE = 'private_addresses = true\nevents = ["presencia"]'
BRIEFLY = ("--presence", "on", "--presence-grace", "0.1")


def told(receiver: Receiver) -> list[tuple[str, bool]]:
    """Accepted events without duplicates, in the order of their first acceptance."""
    events = [each["data"] for each in receiver.taken if each["type"] == "presencia"]
    return list({str(each): (each["user"], each["en_linea"]) for each in events}.values())


async def hear_gone(admin: Person, user: str) -> None:
    """Wait until the admin receives that `user` is offline."""
    while True:
        name, *arguments = await admin.hear()
        if name == "presencia" and (arguments[0]["user"], arguments[0]["en_linea"]) == (user, False):
            return


async def stored(db: Base, *users: str) -> None:
    """Wait until the database records that the receiver got these users as online."""
    async with asyncio.timeout(PATIENCE_S):
        sql = "SELECT quien FROM ganchos_presentes ORDER BY quien"
        while [row[0] for row in ask(db, sql)] != list(users):  # noqa: ASYNC110 - a table rings no bell
            await asyncio.sleep(0.01)


async def test_presence_events_keep_the_order_of_each_user(db: Base, tmp_path: Path) -> None:
    """W-14, W-15"""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url, PRESENCE)
        async with daemon(db, "--config", config, *BRIEFLY) as chatd:
            ana = await chatd.enter("ana")
            await receiver.until(lambda: told(receiver) == [("ana", True)])
            await chatd.enter("root", "admin")
            await receiver.until(lambda: len(told(receiver)) == 2)
            await ana.leave()
            await receiver.until(lambda: len(told(receiver)) == 3)
            await chatd.enter("ana")
            await receiver.until(lambda: len(told(receiver)) == 4)
    assert told(receiver) == [("ana", True), ("root", True), ("ana", False), ("ana", True)]
    came, _, went, back = (each["data"]["visto"] for each in receiver.taken)
    assert came <= went <= back
    assert len(receiver.tried) == len(set(receiver.tried)) == 4
    assert receiver.tried[0].startswith("presencia-")


async def test_a_page_reload_causes_no_event(db: Base, tmp_path: Path) -> None:
    """W-14"""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url, PRESENCE)
        async with daemon(db, "--config", config, "--presence", "on") as chatd:
            ana = await chatd.enter("ana")
            await receiver.until(lambda: told(receiver) == [("ana", True)])
            ana.vanish()
            await chatd.enter("ana")
            await chatd.enter("eva")
            await receiver.until(lambda: len(told(receiver)) == 2)
    assert told(receiver) == [("ana", True), ("eva", True)]


async def test_after_a_sigkill_users_count_as_offline_after_a_grace_period(db: Base, tmp_path: Path) -> None:
    """W-15, W-16: the receiver is down during the kill."""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url, PRESENCE)
        async with daemon(db, "--config", config, *BRIEFLY) as chatd:
            for user in ("ana", "eva"):
                await chatd.enter(user)
                await receiver.until(lambda user=user: (user, True) in told(receiver))  # type: ignore[misc]
            await stored(db, "ana", "eva")
            await receiver.stop()
            chatd.process.kill()
            await chatd.process.wait()
        await receiver.start()
        async with daemon(db, "--config", config, "--presence", "on") as chatd:
            await chatd.enter("eva")
            await chatd.enter("pia")
            await receiver.until(lambda: ("pia", True) in told(receiver))
            await stored(db, "ana", "eva", "pia")
        assert told(receiver) == [("ana", True), ("eva", True), ("pia", True)]
        async with daemon(db, "--config", config, *BRIEFLY):
            await receiver.until(lambda: len(told(receiver)) == 6)
    assert set(told(receiver)[3:]) == {("ana", False), ("eva", False), ("pia", False)}


async def test_a_receiver_that_was_down_gets_the_current_state_only(db: Base, tmp_path: Path) -> None:
    """W-15"""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url, PRESENCE)
        async with daemon(db, "--config", config, *BRIEFLY) as chatd:
            ana = await chatd.enter("ana")
            await receiver.until(lambda: len(told(receiver)) == 1)
            await receiver.stop()
            root = await chatd.enter("root", "admin")
            await chatd.logged("webhook does not deliver")
            for _ in range(3):
                await ana.leave()
                await hear_gone(root, "ana")
                ana = await chatd.enter("ana")
            await ana.leave()
            await hear_gone(root, "ana")
            await receiver.start()
            await receiver.until(lambda: ("root", True) in told(receiver) and ("ana", False) in told(receiver))
    assert told(receiver).count(("ana", False)) == 1


async def test_a_hook_that_no_longer_has_presence_events_leaves_no_rows(db: Base, tmp_path: Path) -> None:
    """W-16"""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url, PRESENCE)
        async with daemon(db, "--config", config, *BRIEFLY) as chatd:
            await chatd.enter("ana")
            await stored(db, "ana")
        config = write_config(tmp_path, receiver.url)
        async with daemon(db, "--config", config, *BRIEFLY) as chatd:
            await (await chatd.enter("eva")).write("root", "hola")
            await receiver.until(lambda: receiver.texts() == ["hola"])
    assert ask(db, "SELECT quien FROM ganchos_presentes") == []


async def test_without_presence_presence_events_are_refused(tmp_path: Path) -> None:
    """W-14"""
    config = write_config(tmp_path, "http://127.0.0.1:1/hook", PRESENCE)
    code, said = await complaint("--config", config, "--db", tmp_path / "c.db")
    assert code == EXIT_CONFIG
    assert said == "chatd: webhook crm: events: presencia needs --presence on: give it, or take the event out"
