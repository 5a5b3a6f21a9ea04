"""recovery.py and pages.py, over real sockets; tests/interop tests recovery with the real client."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from chatd.chat.config import ChatConfig
from chatd.chat.recovery.recovery import Recovery
from tests.chat.disk import BROKEN, Disk
from tests.chat.people import Chat, Person, chatting, connect, cookie, token
from tests.chat.rig import Rig, who
from tests.store.rig import locked


async def back(chat: Chat, user: str, rol: str = "user", **auth: object) -> tuple[dict[str, str], Person]:
    """Reconnect with that `auth`; return the data of the CONNECT answer and the person."""
    answer, websocket = await connect(chat.client, cookie(token(user, rol)), auth)
    assert answer.startswith("40{"), answer
    return json.loads(answer[2:]), Person(websocket)


async def write(person: Person, para: str, *texts: str) -> list[str]:
    return [(await person.write(para, text))["id"] for text in texts]


def told(texts: list[str], ids: list[str], de: str = "root") -> list[list[Any]]:
    """The events that a recovered socket gets."""
    return [["mensaje_recibido", {"de": de, "mensaje": t}, i] for t, i in zip(texts, ids, strict=True)]


async def test_without_recovery_the_wire_is_unchanged(chat: Chat) -> None:
    """C-28"""
    answer, root = await back(chat, "root", "admin", pid="made up", offset="0")
    assert answer.keys() == {"sid"}
    await write(root, "root", "a note")
    assert await root.inbox() == [["mensaje_recibido", {"de": "root", "mensaje": "a note"}]]


async def test_other_events_than_messages_end_in_an_object(db: Path) -> None:
    """C-28"""
    async with chatting(db, recovery="on", echo="on", presence="on") as chat:
        root, tab = await chat.enter("root", "admin"), await chat.enter("root", "admin")
        await write(root, "ana", "x")
        await root.emit("mensaje_privado", "no object")
        heard = [*await root.inbox(), *await tab.inbox()]
        assert {event[0] for event in heard} >= {"al_dia", "mensaje_error", "mensaje_enviado"}
        assert {event[0] for event in heard if isinstance(event[-1], str)} == {"al_dia"}


async def test_an_admin_recovers_the_messages_that_admins_were_sent(db: Path) -> None:
    """C-29, C-30; R01"""
    async with chatting(db, recovery="on") as chat:
        root, boss, ana = await chat.enter("root", "admin"), await chat.enter("boss", "admin"), await chat.enter("ana")
        await write(ana, "eva", "ana to eva")
        await write(boss, "ana", "boss to ana")
        await write(boss, "root", "boss to root")
        [last] = await write(root, "boss", "root to boss")
        heard = [event for event in await root.inbox() if event[0] == "mensaje_recibido"]
        _, again = await back(chat, "root", "admin", desde="0")
        assert await again.inbox() == [*heard, ["al_dia", {"ultimo": last, "completo": True}, last]]
        assert len(heard) == 2
        _, demoted = await back(chat, "root", "user", desde="0")
        assert [event[1] for event in await demoted.inbox()][:-1] == [{"de": "boss", "mensaje": "boss to root"}]


async def test_messages_to_all_admins_are_recovered_by_all_admins(db: Path) -> None:
    """C-08, C-30"""
    async with chatting(db, admin_messages="all") as chat:
        root = await chat.enter("root", "admin")
        _boss = await chat.enter("boss", "admin")
        await write(root, "boss", "for all")
        await write(root, "ana", "for one")
        _, aide = await back(chat, "aide", "admin", desde="0")
        assert [event[1] for event in await aide.inbox()][:-1] == [{"de": "root", "mensaje": "for all"}]


@pytest.mark.parametrize(
    ("user", "change"),
    [
        ("eva", {}),
        ("ana", {"pid": "AAAA.AAAA"}),
        ("ana", {"pid": 7}),
        ("ana", {"offset": None}),
        ("ana", {"offset": "x"}),
    ],
)
async def test_an_invalid_pid_starts_a_new_socket(db: Path, user: str, change: dict[str, Any]) -> None:
    """C-32; R02"""
    async with chatting(db, recovery="on") as chat:
        old, _ = await back(chat, "ana")
        said: dict[str, Any] = {"pid": old["pid"], "offset": "0"} | change
        new, person = await back(chat, user, **said)
        assert new["sid"] != old["sid"]
        assert new["pid"] != old["pid"]
        assert await person.inbox() == [["al_dia", {"ultimo": "0", "completo": False}, "0"]]


async def test_a_second_socket_with_the_same_pid_replaces_the_first(db: Path) -> None:
    """C-32; R03"""
    async with chatting(db, recovery="on", max_connections_per_user="1") as chat:
        answer, first = await back(chat, "ana")
        places = [first]
        for _ in range(3):
            again, place = await back(chat, "ana", pid=answer["pid"], offset="0")
            assert again == answer
            await place.inbox()
            assert "41" in await places[-1].last_words()
            places.append(place)
        assert chat.rooms == {"user:ana": 1}


async def test_two_concurrent_sockets_do_not_share_a_pid(db: Path) -> None:
    """C-32"""
    async with chatting(db, recovery="on") as chat:
        answer, first = await back(chat, "ana")
        first.vanish()
        came = await asyncio.gather(*(back(chat, "ana", pid=answer["pid"], offset="0") for _ in range(8)))
        assert {again["pid"] for again, _ in came} == {answer["pid"]}
        await chat.client.settled()
        assert chat.rooms == {"user:ana": 1}
        assert len({socket.id for socket in chat.namespace.sockets.values()}) == len(chat.namespace.sockets) == 1


async def test_more_messages_than_the_limit_are_not_replayed(db: Path) -> None:
    """C-33"""
    async with chatting(db, recovery="on", recovery_limit="3") as chat:
        root = await chat.enter("root", "admin")
        answer, ana = await back(chat, "ana")
        ana.vanish()
        ids = await write(root, "ana", "one", "two", "three", "four")
        again, ana = await back(chat, "ana", pid=answer["pid"], offset=ids[0])
        assert again == answer
        assert (await ana.inbox())[:-1] == told(["two", "three", "four"], ids[1:])
        again, ana = await back(chat, "ana", pid=answer["pid"], offset="0")
        assert again["pid"] != answer["pid"]
        assert await ana.inbox() == [["al_dia", {"ultimo": ids[3], "completo": False}, ids[3]]]


@pytest.mark.parametrize("days", [1.1, 400])
async def test_a_client_ahead_of_every_id_is_told_to_load_the_history(chat: Chat, days: float) -> None:
    """C-62: ids were reset since then, for example by a restored backup."""
    root = await chat.enter("root", "admin")
    [last] = await write(root, "ana", "one")
    ahead = int(last) + (int(days * 86_400_000) << 22)
    _, ana = await back(chat, "ana", desde=str(ahead))
    assert await ana.inbox() == [["al_dia", {"ultimo": last, "completo": False}]]


async def test_a_client_that_reconnects_too_often_loads_the_history(db: Path) -> None:
    """C-33, L-06"""
    async with chatting(db, message_rate="0.1", message_burst="3") as chat:
        told = [(await back(chat, "ana", desde="0"))[1] for _ in range(5)]
        heard = [(await person.hear())[1]["completo"] for person in told]
        assert heard == [True, True, True, False, False]


async def test_limits_apply_to_recovered_sockets(db: Path) -> None:
    """L-05: sockets that are still in recovery count too."""
    async with chatting(db, max_connections_per_user="3") as chat:
        came = await asyncio.gather(*(connect(chat.client, cookie(token("ana")), {"desde": "0"}) for _ in range(10)))
        assert sorted(answer[:2] for answer, _ in came) == ["40"] * 3 + ["44"] * 7
        await chat.client.settled()
        assert chat.rooms == {"user:ana": 3}


async def test_a_client_ahead_of_the_database_is_up_to_date(chat: Chat) -> None:
    """C-30: an id that was delivered and never stored."""
    root = await chat.enter("root", "admin")
    [last] = await write(root, "ana", "one")
    _, ana = await back(chat, "ana", desde=str(int(last) + 1))
    # The client knows ids of another process, so all ids of this one may be new to it.
    assert await ana.inbox() == [
        ["mensaje_recibido", {"de": "root", "mensaje": "one"}],
        ["al_dia", {"ultimo": last, "completo": True}],
    ]


@pytest.mark.parametrize("deliver", ["at_once", "stored"])
async def test_messages_waiting_for_their_commit_are_replayed(db: Path, deliver: str) -> None:
    """C-30: the read waits for the commit."""
    async with chatting(db, deliver=deliver, busy_timeout="60") as chat:
        root = await chat.enter("root", "admin")
        with locked(db):
            asked = await root.begin("mensaje_privado", {"para": "ana", "mensaje": "hola"})
            await root.inbox()
            joining = asyncio.ensure_future(back(chat, "ana", desde="0"))
            await (joining if deliver == "stored" else chat.client.settled())
            assert joining.done() is (deliver == "stored")
        _, ana = await joining
        assert (await root.answer(asked))["ok"] is True
        assert [event[0] for event in await ana.inbox()].count("mensaje_recibido") == 1


async def test_an_unreadable_database_refuses_no_client(db: Path) -> None:
    """C-37"""
    async with chatting(db, recovery="on") as chat:
        root = await chat.enter("root", "admin")
        [last] = await write(root, "ana", "one")
        await chat.sqlite("ALTER TABLE mensajes RENAME TO away")
        _, ana = await back(chat, "ana", desde="0")
        assert await ana.inbox() == [["al_dia", {"ultimo": last, "completo": False}, last]]
        await chat.sqlite("ALTER TABLE away RENAME TO mensajes")
        _, ana = await back(chat, "ana", desde="0")
        assert len(await ana.inbox()) == 2


def recovery_of(chat: Chat) -> Recovery:
    greet: Any = chat.namespace.greet
    recovery = greet.__self__
    assert isinstance(recovery, Recovery)
    return recovery


async def test_a_finished_recovery_leaves_no_state(db: Path) -> None:
    """C-31"""
    async with chatting(db, recovery="on", max_connections_per_user="0") as chat:
        root = await chat.enter("root", "admin")
        await write(root, "ana", *map(str, range(20)))
        people = [(await back(chat, "ana", desde="0"))[1] for _ in range(20)]
        for person in people[::2]:
            await person.inbox()
        for person in people[1::2]:
            person.vanish()
        await chat.client.settled()
        left = recovery_of(chat)
        assert (left._replays, left._arriving, left._feed.watchers, left._feed._kept) == ({}, {}, 0, [])
        assert (len(left._tasks), left._pages._task) == (0, None)


async def test_many_recoveries_share_statements_and_do_not_delay_others(db: Path) -> None:
    """C-31: clients wait in one queue, and live messages overtake it."""
    crowd = 200
    async with chatting(db, max_connections_per_user="0") as chat:
        root, eva = await chat.enter("root", "admin"), await chat.enter("eva")
        texts = [str(number) for number in range(10)]
        await write(root, "ana", *texts)
        sockets = [await chat.client.websocket(cookie(token("ana")), early=b"") for _ in range(crowd)]
        asked = count_statements(chat)
        await asyncio.gather(*(socket.send('40{"desde":"0"}') for socket in sockets), write(root, "eva", *texts))
        assert [event[1]["mensaje"] for event in await eva.inbox()] == texts
        for socket in sockets:
            assert str(await socket.receive()).startswith("40")
            heard = [await Person(socket).hear() for _ in range(len(texts) + 1)]
            assert [event[1].get("mensaje") for event in heard] == [*texts, None]
        assert len(asked) <= crowd / 4


def count_statements(chat: Chat) -> list[str]:
    """Record the statements on the history from now on."""
    asked: list[str] = []
    history: Any = chat.store.history
    rows = history.rows

    async def recorded(sql: str, values: Any = ()) -> list[Any]:
        asked.append(sql)
        answer: list[Any] = await rows(sql, values)
        return answer

    history.rows = recorded
    return asked


def test_a_row_found_after_an_error_is_acknowledged_and_not_delivered_again() -> None:
    """C-38"""
    disk = Disk()
    rig = Rig(ChatConfig(deliver="stored"), disk)
    ana, root = rig.enter(who("ana")), rig.enter(who("root", "admin"))
    message = {"para": "root", "mensaje": "hola", "cid": "1"}
    ana.emit("mensaje_privado", message, ack=1)
    disk.read()
    disk.commit(BROKEN, kept=True)
    rig.turn()
    assert ana.answer(1)["ok"] is False
    ana.emit("mensaje_privado", message, ack=2)
    disk.read()
    rig.turn()
    assert ana.answer(2) == {"ok": True, "id": str(disk.rows[0].id), "fecha": disk.rows[0].fecha}
    assert root.events == []
