"""Presence over real sockets, and its rows in the database."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path

import pytest

from tests.chat.people import Event, Person, chatting


def last_seen(db: Path) -> dict[str, int]:
    with contextlib.closing(sqlite3.connect(db)) as connection:
        return dict(connection.execute("SELECT user, fecha FROM vistos"))


async def news(person: Person, user: str) -> dict[str, object]:
    """The next presence event of `user` that this admin gets."""
    while True:
        name, event = await person.hear()
        assert name == "presencia"
        if event["user"] == user:
            return dict(event)


async def leave(person: Person) -> None:
    """Close the socket; return when the server has closed its side."""
    await person.leave()
    await person.websocket.send("40/settled,")
    assert await person.websocket.receive() == '44/settled,{"message":"Invalid namespace"}'


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def test_admins_get_presence_events_and_last_seen_is_stored(db: Path) -> None:
    """C-44, C-45"""
    async with chatting(db, presence="on", presence_grace="0.05") as chat:
        root = await chat.enter("root", "admin")
        before = now_ms()
        ana = await chat.enter("ana")
        came = await news(root, "ana")
        assert before <= int(str(came["visto"])) <= now_ms()
        assert came == {"user": "ana", "en_linea": True, "visto": came["visto"]}
        ana.vanish()
        went = await news(root, "ana")
        assert went == {"user": "ana", "en_linea": False, "visto": went["visto"]}
        await chat.store.flushed()
        assert last_seen(db)["ana"] == went["visto"]


async def test_last_seen_survives_a_stop_in_the_grace_time(db: Path) -> None:
    """C-45"""
    async with chatting(db, presence="on", presence_grace="3600") as chat:
        ana = await chat.enter("ana")
        await chat.store.flushed()
        assert last_seen(db)["ana"]
        await chat.sqlite("UPDATE vistos SET fecha = 0")
        await leave(ana)
    assert last_seen(db)["ana"]


async def test_closing_one_of_two_sockets_sends_no_event(db: Path) -> None:
    """C-44: even without a grace time."""
    async with chatting(db, presence="on", presence_grace="0") as chat:
        root = await chat.enter("root", "admin")
        first, second = await chat.enter("ana"), await chat.enter("ana")
        assert (await news(root, "ana"))["en_linea"] is True
        await leave(first)
        listed = await root.ask("conectados")
        assert [(one["user"], one["sockets"]) for one in listed["conectados"]] == [("ana", 1), ("root", 1)]
        await leave(second)
        assert (await news(root, "ana"))["en_linea"] is False


@pytest.mark.parametrize("presence", ["on", "off"])
async def test_a_client_without_presence_is_served_as_before(db: Path, presence: str) -> None:
    """C-46: a client without a listener for `presencia` gets the same events as before."""
    async with chatting(db, presence=presence) as chat:
        root, ana = await chat.enter("root", "admin"), await chat.enter("ana")
        await ana.write("root", "hola")
        heard: list[Event] = [event for event in await root.inbox() if event[0] != "presencia"]
        assert heard == [["mensaje_recibido", {"de": "ana", "mensaje": "hola"}]]
        assert await ana.inbox() == []
