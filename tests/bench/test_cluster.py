"""The judge of a cluster run detects every mistake, and the connection to Redis can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses

import msgspec
import pytest

from bench.cluster import shown
from bench.cluster.link import Link, link
from bench.cluster.people import Heard, Person, Record, Sent
from bench.cluster.verdict import Verdict, judge

ADMINS = [Person("root", "admin", ""), Person("boss", "admin", "")]
ANA = Person("ana", "user", "")
PEOPLE = [*ADMINS, ANA]
FIRST, SECOND, PRIVATE = "2-0", "2-1", "0-2"


def sent(text: str, due: float, node: int = 1) -> Sent:
    writer = int(text[0])
    who = PEOPLE[writer]
    return Sent(writer, who.user, who.rol, "ana" if who.rol == "admin" else "root", text, due, due + 5, "id", node)


def numbered(sent: Sent) -> str:
    """An id in chatd's form."""
    return str(int(sent.due) << 22 | sent.node << 12)


def heard(*messages: tuple[float, str, int], connects: tuple[tuple[float, bool], ...] = ((0.0, False),)) -> Heard:
    ids = {each.text: numbered(each) for each in ALL}
    return Heard(list(connects), [(*each, ids.get(each[1], ids[FIRST])) for each in messages])


def without_ids(one: Heard) -> Heard:
    return Heard(one.connects, [(*each[:3], None) for each in one.heard])


ALL = [sent(FIRST, 100), sent(SECOND, 200), sent(PRIVATE, 300, node=2)]
BOTH = [(110.0, FIRST, 1), (230.0, SECOND, 1)]
WHOLE = [heard(*BOTH), heard((130.0, FIRST, 2), (210.0, SECOND, 2)), heard((304.0, PRIVATE, 2))]
GOOD = Verdict(messages=3, acknowledged=3, due=5, local_ms=30, local_median_ms=7, remote_ms=30)


def verdict(messages: list[Sent], people: list[Heard], until_ms: float = 1000) -> Verdict:
    return judge(PEOPLE, Record(messages, [], people), 0, until_ms)


def test_recipients_follow_the_rules_and_latency_counts_from_sending() -> None:
    assert verdict(ALL, WHOLE) == GOOD
    assert GOOD.perfect


@pytest.mark.parametrize(
    ("roots", "mistakes"),
    [
        (BOTH[:1], {"lost": 1}),
        ([*BOTH, BOTH[0]], {"doubled": 1}),
        (BOTH[::-1], {"late": 1}),
        ([*BOTH, (240.0, PRIVATE, 1)], {"stray": 1}),
        ([*BOTH, (240.0, "7-9", 1)], {"stray": 1}),
    ],
)
def test_every_mistake_is_counted(roots: list[tuple[float, str, int]], mistakes: dict[str, int]) -> None:
    found = verdict(ALL, [heard(*roots), *WHOLE[1:]])
    assert {
        name: getattr(found, name) for name in ("lost", "doubled", "late", "stray") if getattr(found, name)
    } == mistakes
    assert not found.perfect


def test_an_unacknowledged_message_may_be_lost_and_is_no_success() -> None:
    found = verdict([*ALL[:2], msgspec.structs.replace(ALL[2], acked=None)], [*WHOLE[:2], heard()])
    assert (found.lost, found.acknowledged, found.perfect) == (0, 2, False)


def test_only_messages_sent_in_the_given_time_count() -> None:
    assert verdict(ALL, WHOLE, until_ms=150) == Verdict(
        messages=1, acknowledged=1, due=2, local_ms=10, local_median_ms=5, remote_ms=30
    )


def test_messages_of_two_nodes_may_arrive_in_any_order() -> None:
    swapped = heard((230.0, SECOND, 1), (240.0, FIRST, 1))
    assert verdict(ALL, [swapped, *WHOLE[1:]]).late == 1
    bare = [without_ids(each) for each in (swapped, *WHOLE[1:])]
    assert verdict(ALL, bare).late == 1
    assert verdict([ALL[0], sent(SECOND, 200, node=2), ALL[2]], bare).late == 0


def test_a_refused_and_resent_message_may_arrive_after_later_ones() -> None:
    swapped = [without_ids(heard(*BOTH[::-1])), *map(without_ids, WHOLE[1:])]
    assert verdict(ALL, swapped).late == 1
    again = msgspec.structs.replace(ALL[0], sendings=2)
    assert verdict([again, *ALL[1:]], swapped).late == 0


def test_a_message_with_another_id_is_a_duplicate() -> None:
    again = Heard(WHOLE[0].connects, [*WHOLE[0].heard, (250.0, SECOND, 1, "9999999999999")])
    found = verdict(ALL, [again, *WHOLE[1:]])
    assert found == dataclasses.replace(GOOD, anew=1)
    assert verdict(ALL, [without_ids(each) for each in (again, *WHOLE[1:])]).doubled == 1


def test_reconnects_are_counted_in_their_phase() -> None:
    back = heard(*BOTH, connects=((0.0, False), (120.0, True), (150.0, False)))
    found = verdict(ALL, [back, *WHOLE[1:]])
    assert found == dataclasses.replace(GOOD, returns=2, recovered=1)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(100):
            writer.write(data)
    writer.transport.abort()


async def _said_back(between: Link, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", between.port)
    try:
        writer.write(text)
        return await reader.readexactly(len(text))
    finally:
        writer.transport.abort()


async def test_a_paused_link_delivers_late_and_a_cut_link_delivers_nothing() -> None:
    async with (
        await asyncio.start_server(_echo, "127.0.0.1", 0) as server,
        link(server.sockets[0].getsockname()[1]) as line,
    ):
        assert await _said_back(line, b"one") == b"one"
        line.hold()
        held = asyncio.create_task(_said_back(line, b"two"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(held), 0.2)
        line.restore()
        assert await held == b"two"
        line.cut()
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await _said_back(line, b"three")
        line.restore()
        assert await _said_back(line, b"four") == b"four"


def test_all_faults_are_in_the_chart_and_in_the_table() -> None:
    lossy = Verdict(lost=1_380, doubled=1, anew=1, local_ms=16_700, remote_ms=17_000)
    verdicts = {"redis-3": {"chatd": Verdict(local_ms=40), "node-redis": lossy}, "database": {"chatd": Verdict()}}
    servers = ["chatd", "node-redis"]
    pictures = dict(shown.charts(verdicts, servers))
    assert list(pictures) == ["cluster-wait", "cluster-lost"]
    assert "16.7k" in pictures["cluster-wait"]
    assert "1.38k" in pictures["cluster-lost"]
    assert not any("PostgreSQL restarted" in picture for picture in pictures.values())
    rows = shown.markdown(verdicts, servers).splitlines()[2:]
    assert rows == [
        "| Redis killed, back after 3 s | 0, 0, 40 / 0 ms | 1,380, 2, 16,700 / 17,000 ms |",
        "| PostgreSQL restarted | 0, 0, 0 / 0 ms | - |",
    ]
