"""Presence, and the events that admins get about it, on a manual clock."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.chat.config import ChatConfig
from chatd.chat.presence.news import GATHER_S, MAX_TOLD
from chatd.chat.presence.presence import Presence
from tests.chat.rig import NOW, Line, Rig, who
from tests.clock import Clock

NOW_MS = int(NOW * 1000)


def told(line: Line) -> list[tuple[str, bool, int]]:
    """The presence events since the last call, in order."""
    events = [event for name, event in line.events if name == "presencia"]
    line.received.clear()
    assert all(event.keys() == {"user", "en_linea", "visto"} for event in events)
    return [(event["user"], event["en_linea"], event["visto"] - NOW_MS) for event in events]


def leave(line: Line) -> None:
    line.send("1")


def admin_in(rig: Rig) -> Line:
    """An admin that has received its own presence event."""
    root = rig.enter(who("root", "admin"))
    rig.pass_seconds(GATHER_S)
    told(root)
    rig.wall_s = NOW
    return root


def test_admins_are_told_of_a_user_s_first_socket_and_last_close() -> None:
    """C-44, C-45: last seen is the time at which the last socket closed, not the end of the grace time."""
    rig = Rig()
    root = admin_in(rig)
    tabs = [rig.enter(who("ana")) for _ in range(2)]
    rig.pass_seconds(10)
    assert told(root) == [("ana", True, 0)]
    leave(tabs[0])
    rig.pass_seconds(10)
    assert told(root) == []
    leave(tabs[1])
    rig.pass_seconds(4.9)
    assert told(root) == []
    rig.pass_seconds(0.2)
    assert told(root) == [("ana", False, 20_000)]


def test_a_page_reload_sends_no_presence_event() -> None:
    """C-45: without a timer for the reload or for connected users."""
    rig = Rig()
    root = admin_in(rig)
    tab = rig.enter(who("ana"))
    for _ in range(20):
        rig.pass_seconds(4)
        leave(tab)
        rig.pass_seconds(4)
        tab = rig.enter(who("ana"))
    rig.pass_seconds(60)
    assert told(root) == [("ana", True, 0)]
    assert rig.timers.armed() == 22  # heartbeats: a session outlives its socket


def test_users_get_no_presence_events() -> None:
    """C-46"""
    rig = Rig()
    ana = rig.enter(who("ana"))
    eva, root = rig.enter(who("eva")), rig.enter(who("root", "admin"))
    rig.pass_seconds(1)
    leave(eva)
    leave(root)
    rig.pass_seconds(10)
    assert ana.events == []


def test_admins_get_presence_events_of_admins_and_of_themselves() -> None:
    """C-44"""
    rig = Rig()
    root, boss = rig.enter(who("root", "admin")), rig.enter(who("boss", "admin"))
    rig.pass_seconds(1)
    assert told(root) == told(boss) == [("root", True, 0), ("boss", True, 0)]
    leave(boss)
    rig.pass_seconds(10)
    assert told(root) == [("boss", False, 1_000)]


def test_last_seen_is_stored_at_the_first_socket_and_at_the_last_close() -> None:
    """C-45"""
    rig = Rig()
    tabs = [rig.enter(who("ana")) for _ in range(2)]
    rig.pass_seconds(3)
    leave(tabs[0])
    assert rig.store.seen == [("ana", NOW_MS)]
    leave(tabs[1])
    assert rig.store.seen == [("ana", NOW_MS), ("ana", NOW_MS + 3_000)]


def test_presence_can_be_switched_off() -> None:
    """C-46"""
    rig = Rig(ChatConfig(presence="off"))
    root, ana = rig.enter(who("root", "admin")), rig.enter(who("ana"))
    root.emit("conectados", ack=0)
    leave(ana)
    rig.pass_seconds(10)
    assert root.events == []
    assert root.answer(0)["error"]["code"] == "unknown_event"
    assert rig.store.seen == []


def test_many_arrivals_are_sent_in_few_writes_of_bounded_size() -> None:
    """C-47"""
    rig = Rig()
    root = admin_in(rig)
    count = 5 * MAX_TOLD
    for number in range(count):
        rig.enter(who(f"user {number}"))
    writes: list[int] = []
    while not writes or writes[-1]:
        rig.pass_seconds(GATHER_S)
        writes.append(len(told(root)))
    assert writes == [MAX_TOLD] * 5 + [0]


def test_changes_without_an_admin_online_are_dropped() -> None:
    """C-47"""
    rig = Rig()
    for number in range(2 * MAX_TOLD):
        rig.enter(who(f"user {number}"))
    rig.pass_seconds(GATHER_S)
    root = rig.enter(who("root", "admin"))
    rig.pass_seconds(1)
    assert [user for user, _, _ in told(root)] == ["root"]


def test_only_the_last_of_several_changes_is_sent() -> None:
    """C-47"""
    rig = Rig(ChatConfig(presence_grace_s=0.01))
    root = admin_in(rig)
    leave(rig.enter(who("ana")))
    rig.pass_seconds(0.05)
    leave(rig.enter(who("eva")))
    rig.pass_seconds(1)
    assert sorted((user, here) for user, here, _ in told(root)) == [("ana", False), ("eva", False)]


# Queries.


def asked(line: Line, **fields: Any) -> Any:
    line.received.clear()
    line.emit("conectados", *([fields] if fields else []), ack=0)
    line.session._outbox.flush()
    return line.answer(0)


def test_an_admin_may_query_the_users_online() -> None:
    """C-48: a user in the grace time has no sockets and is online."""
    rig = Rig()
    root = rig.enter(who("root", "admin"))
    rig.pass_seconds(1)
    eva = [rig.enter(who("eva")) for _ in range(2)]
    leave(rig.enter(who("ana")))
    everybody = [
        {"user": "ana", "sockets": 0, "desde": NOW_MS + 1_000},
        {"user": "eva", "sockets": 2, "desde": NOW_MS + 1_000},
        {"user": "root", "sockets": 1, "desde": NOW_MS},
    ]
    assert asked(root) == {"ok": True, "conectados": everybody, "total": 3, "hay_mas": False}
    rig.pass_seconds(10)
    leave(eva[0])
    assert [(one["user"], one["sockets"]) for one in asked(root)["conectados"]] == [("eva", 1), ("root", 1)]


def test_the_users_online_are_listed_by_pages() -> None:
    """C-48"""
    rig = Rig()
    root = rig.enter(who("root", "admin"))
    for number in range(250):
        rig.enter(who(f"user {number}"))
    pages, after = [], ""
    while True:
        answer = asked(root, limite=100, despues=after)
        assert answer["total"] == 251
        pages.append([one["user"] for one in answer["conectados"]])
        after = pages[-1][-1]
        if not answer["hay_mas"]:
            break
    assert [len(page) for page in pages] == [100, 100, 51]
    assert list(itertools.chain(*pages)) == sorted(["root", *(f"user {number}" for number in range(250))])
    assert len(asked(root)["conectados"]) == 100


def test_users_may_not_query_presence() -> None:
    """C-46, C-48"""
    rig = Rig()
    assert asked(rig.enter(who("ana")))["error"]["code"] == "admins_only"


def test_without_an_acknowledgement_there_is_no_answer() -> None:
    """C-48"""
    rig = Rig()
    root = rig.enter(who("root", "admin"))
    root.emit("conectados", "nonsense")
    rig.turn()
    assert root.events == []


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("ana", "arguments_invalid"),
        (None, "arguments_invalid"),
        ({"limite": 0}, "limite_invalid"),
        ({"limite": 501}, "limite_invalid"),
        ({"limite": "10"}, "limite_invalid"),
        ({"limite": True}, "limite_invalid"),
        ({"limite": None}, "limite_invalid"),
        ({"limite": 1.5}, "limite_invalid"),
        ({"despues": 7}, "despues_invalid"),
        ({"despues": "x" * 129}, "despues_invalid"),
    ],
)
def test_an_invalid_presence_query_is_refused(argument: object, code: str) -> None:
    """C-48, C-13"""
    rig = Rig()
    root = rig.enter(who("root", "admin"))
    root.emit("conectados", argument, ack=0)
    rig.turn()
    assert root.answer(0)["error"]["code"] == code


# Against a simple model.

USERS = st.sampled_from("abc")
STEPS = st.lists(
    st.tuples(st.just("come"), USERS) | st.tuples(st.just("go"), USERS) | st.tuples(st.just("wait"), st.floats(0, 8))
)


class Witness:
    def __init__(self) -> None:
        self.seen: dict[str, int] = {}

    def saw(self, user: str, fecha_ms: int) -> None:
        self.seen[user] = fecha_ms


@given(STEPS)
def test_presence_events_match_the_model(steps: list[tuple[str, Any]]) -> None:
    """C-44, C-45: after the grace time the last event of each user is true, and events alternate."""
    clock, witness = Clock(), Witness()
    words: dict[str, list[bool]] = {}
    presence = Presence(
        5.0,
        clock.timers(),
        witness,
        lambda: int(clock.now * 1000),
        lambda user, here, _: words.setdefault(user, []).append(here),
    )
    sockets = dict.fromkeys("abc", 0)
    for step, what in steps:
        if step == "wait":
            clock.pass_seconds(what)
        elif step == "come":
            presence.came(what)
            sockets[what] += 1
        elif sockets[what]:
            presence.left(what)
            sockets[what] -= 1
            assert sockets[what] or witness.seen[what] == int(clock.now * 1000)
    clock.pass_seconds(5.1)
    here = sorted(user for user, count in sockets.items() if count)
    assert [online.user for online in presence.page("", 10)[0]] == here
    assert len(presence) == len(here)
    for user, said in words.items():
        assert said == [number % 2 == 0 for number in range(len(said))]
        assert said[-1] is bool(sockets[user])
