"""Who is here, and what admins hear of it, on a clock made by hand."""

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
    """What is known from the events, in their order; forgets them."""
    events = [event for name, event in line.events if name == "presencia"]
    line.received.clear()
    assert all(event.keys() == {"user", "en_linea", "visto"} for event in events)
    return [(event["user"], event["en_linea"], event["visto"] - NOW_MS) for event in events]


def leave(line: Line) -> None:
    line.send("1")


def admin_in(rig: Rig) -> Line:
    """An admin who has heard of itself."""
    root = rig.enter(who("root", "admin"))
    rig.pass_seconds(GATHER_S)
    told(root)
    rig.wall_s = NOW
    return root


def test_admins_hear_of_the_first_socket_and_of_the_end_of_the_last() -> None:
    """C-44, C-45: last seen is when the last socket went, not when that was believed."""
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


def test_a_page_that_is_loaded_again_does_not_flicker() -> None:
    """C-45: and there is no timer for it, nor for anybody who stays."""
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


def test_users_hear_of_nobody() -> None:
    """C-46"""
    rig = Rig()
    ana = rig.enter(who("ana"))
    eva, root = rig.enter(who("eva")), rig.enter(who("root", "admin"))
    rig.pass_seconds(1)
    leave(eva)
    leave(root)
    rig.pass_seconds(10)
    assert ana.events == []


def test_admins_hear_of_admins_and_of_themselves() -> None:
    """C-44"""
    rig = Rig()
    root, boss = rig.enter(who("root", "admin")), rig.enter(who("boss", "admin"))
    rig.pass_seconds(1)
    assert told(root) == told(boss) == [("root", True, 0), ("boss", True, 0)]
    leave(boss)
    rig.pass_seconds(10)
    assert told(root) == [("boss", False, 1_000)]


def test_last_seen_is_stored_when_somebody_comes_and_when_the_last_socket_goes() -> None:
    """C-45"""
    rig = Rig()
    tabs = [rig.enter(who("ana")) for _ in range(2)]
    rig.pass_seconds(3)
    leave(tabs[0])
    assert rig.store.seen == [("ana", NOW_MS)]
    leave(tabs[1])
    assert rig.store.seen == [("ana", NOW_MS), ("ana", NOW_MS + 3_000)]


def test_presence_may_be_off() -> None:
    """C-46"""
    rig = Rig(ChatConfig(presence="off"))
    root, ana = rig.enter(who("root", "admin")), rig.enter(who("ana"))
    root.emit("conectados", ack=0)
    leave(ana)
    rig.pass_seconds(10)
    assert root.events == []
    assert root.answer(0)["error"]["code"] == "unknown_event"
    assert rig.store.seen == []


def test_a_storm_of_arrivals_is_told_in_few_writes_and_never_too_much_at_once() -> None:
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


def test_what_no_admin_is_there_to_hear_is_forgotten() -> None:
    """C-47"""
    rig = Rig()
    for number in range(2 * MAX_TOLD):
        rig.enter(who(f"user {number}"))
    rig.pass_seconds(GATHER_S)
    root = rig.enter(who("root", "admin"))
    rig.pass_seconds(1)
    assert [user for user, _, _ in told(root)] == ["root"]


def test_of_several_changes_in_one_moment_the_last_is_told() -> None:
    """C-47"""
    rig = Rig(ChatConfig(presence_grace_s=0.01))
    root = admin_in(rig)
    leave(rig.enter(who("ana")))
    rig.pass_seconds(0.05)
    leave(rig.enter(who("eva")))
    rig.pass_seconds(1)
    assert sorted((user, here) for user, here, _ in told(root)) == [("ana", False), ("eva", False)]


# Asking.


def asked(line: Line, **fields: Any) -> Any:
    line.received.clear()
    line.emit("conectados", *([fields] if fields else []), ack=0)
    line.session._outbox.flush()
    return line.answer(0)


def test_an_admin_may_ask_who_is_here() -> None:
    """C-48: somebody in the grace time has no sockets and is here."""
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


def test_who_is_here_comes_in_pages() -> None:
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


def test_users_may_not_ask() -> None:
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
def test_a_question_with_a_mistake_is_refused(argument: object, code: str) -> None:
    """C-48, C-13"""
    rig = Rig()
    root = rig.enter(who("root", "admin"))
    root.emit("conectados", argument, ack=0)
    rig.turn()
    assert root.answer(0)["error"]["code"] == code


# Against a model that is as plain as the rules.

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
def test_whoever_is_told_to_be_here_is(steps: list[tuple[str, Any]]) -> None:
    """C-44, C-45: the last word on each user is true once the grace time has passed, and words alternate."""
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
