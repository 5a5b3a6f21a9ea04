"""The limit on pending events of a team."""

from __future__ import annotations

import asyncio

import msgspec

from chatd.chat.member import Member
from chatd.team.replies import Changed
from chatd.team.work import MAX_UNDER_WAY_EACH, Work
from tests.chat.rig import Line, Rig, who


async def test_events_beyond_the_limit_are_refused_for_that_admin_only() -> None:
    """D-03"""
    rig, work, go_on = Rig(), Work(), asyncio.Event()

    async def wait() -> msgspec.Struct:
        await go_on.wait()
        return Changed()

    def begin(line: Line) -> None:
        member = rig.namespace.sockets[line.session].handler
        assert isinstance(member, Member)
        work.begin(member, "nota", None, wait)

    root, boss = rig.enter(who("root", "admin")), rig.enter(who("boss", "admin"))
    for _ in range(MAX_UNDER_WAY_EACH):
        begin(root)
    begin(boss)
    rig.turn()
    assert root.events == boss.events == []
    begin(root)
    rig.turn()
    assert root.events[0][1]["code"] == "store_busy"
    go_on.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    begin(root)
    rig.turn()
    assert len(root.events) == 1
