"""`conversacion` events: changes of cases, sent to a receiver."""

from __future__ import annotations

from pathlib import Path

from chatd.cli import EXIT_CONFIG
from tests.chat.daemon import complaint, daemon
from tests.chat.people import Person
from tests.store.rig import Base, ask
from tests.webhooks.receiver import Receiver, receiving, write_config

CASES = 'private_addresses = true\nevents = ["conversacion"]'
TEAM = ("--admin-messages", "team", "--payload", "full", "--presence", "on")


def told(receiver: Receiver) -> list[dict[str, str]]:
    """Accepted events without duplicates, in the order of their first acceptance."""
    found = []
    for each in receiver.taken:
        if each["type"] == "conversacion" and each["data"] not in found:
            found.append(each["data"])
    return found


async def hear_state(admin: Person, estado: str) -> None:
    """Wait for a `caso` with that state: cases are updated some time after messages."""
    while True:
        name, *arguments = await admin.hear()
        if name == "caso" and arguments[0]["estado"] == estado:
            return


async def test_changes_of_a_case_are_delivered_in_order_after_a_sigkill(db: Base, tmp_path: Path) -> None:
    """W-11, W-12: the receiver is down until the daemon was killed and restarted."""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url, CASES)
        async with daemon(db, "--config", config, *TEAM) as chatd:
            await chatd.logged("webhook follows cases")
            ana = await chatd.enter("ana")
            root, boss = await chatd.enter("root", "admin"), await chatd.enter("boss", "admin")
            await ana.write("soporte", "a question")
            await hear_state(root, "abierto")
            await root.ask("atender", {"con": "ana"})
            await receiver.until(lambda: len(told(receiver)) == 1)
            await receiver.stop()
            await boss.ask("atender", {"con": "ana", "relevo": True})
            await boss.ask("resolver", {"con": "ana"})
            await ana.write("soporte", "another question")
            await hear_state(root, "resuelto")
            await hear_state(root, "abierto")
            await boss.ask("atender", {"con": "ana"})
            await boss.ask("soltar", {"con": "ana"})
            chatd.process.kill()
            await chatd.process.wait()
        await receiver.start()
        async with daemon(db, "--config", config, *TEAM):
            await receiver.until(lambda: len(told(receiver)) == 6)
    assert told(receiver) == [
        {"con": "ana", "estado": "atendido", "antes": "abierto", "atiende": "root"},
        {"con": "ana", "estado": "atendido", "antes": "atendido", "atiende": "boss"},
        {"con": "ana", "estado": "resuelto", "antes": "atendido", "cerro": "boss"},
        {"con": "ana", "estado": "abierto", "antes": "resuelto"},
        {"con": "ana", "estado": "atendido", "antes": "abierto", "atiende": "boss"},
        {"con": "ana", "estado": "abierto", "antes": "atendido"},
    ]


async def test_a_hook_that_no_longer_has_case_events_leaves_no_rows(db: Base, tmp_path: Path) -> None:
    """W-12"""
    async with receiving() as receiver:
        await receiver.stop()
        config = write_config(tmp_path, receiver.url, CASES)
        async with daemon(db, "--config", config, *TEAM) as chatd:
            await chatd.logged("webhook follows cases")
            root = await chatd.enter("root", "admin")
            await root.ask("atender", {"con": "ana"})
            await chatd.logged("webhook does not deliver")
        config = write_config(tmp_path, receiver.url)
        async with daemon(db, "--config", config, *TEAM) as chatd:
            await chatd.logged("webhook follows cases no more")
            root = await chatd.enter("root", "admin")
            await root.ask("resolver", {"con": "ana"})
    assert ask(db, "SELECT con FROM ganchos_casos") == []


async def test_without_a_team_case_events_are_refused(tmp_path: Path) -> None:
    """W-11"""
    config = write_config(tmp_path, "http://127.0.0.1:1/hook", CASES)
    code, said = await complaint("--config", config, "--db", tmp_path / "c.db")
    assert code == EXIT_CONFIG
    assert said == (
        "chatd: webhook crm: events: only a team of admins has the event conversacion: give --admin-messages team, "
        "or take it out"
    )
