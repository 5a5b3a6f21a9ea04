"""Any sequence of sends, repeats, reads, commits, failures and kills, checked against the rules."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chatd.chat.config import ChatConfig
from chatd.chat.messages import cids, once
from chatd.store.base import Message
from tests.chat.disk import BROKEN, Disk
from tests.chat.rig import Line, Rig, who

# So few values that they collide, and that every bound is reached.
USERS = ("ana", "eva")
CIDS = (None, "c0", "c1", "c2")
MAX_CIDS = 2
MAX_REMEMBERED = 3


@dataclasses.dataclass(frozen=True)
class Sent:
    """A message that a client sent; its number is its text and its acknowledgement id."""

    number: int
    user: str
    cid: str | None
    line: Line


class Promises(RuleBasedStateMachine):
    """C-15, C-21 to C-24"""

    def __init__(self) -> None:
        super().__init__()
        self._small = (
            mock.patch.multiple(once, MAX_REMEMBERED=MAX_REMEMBERED),
            mock.patch.object(cids, "MAX_CIDS", MAX_CIDS),
        )
        for patch in self._small:
            patch.start()
        self.disk = Disk(max_cids=MAX_CIDS)
        self.sent: list[Sent] = []
        self.seen: list[int] = []  # messages that root received from killed daemons
        self.given_up: Counter[tuple[str, str | None]] = Counter()  # attempts that failed or whose daemon was killed
        self.told: dict[tuple[str, str], Any] = {}

    @initialize(deliver=st.sampled_from(["at_once", "stored"]))
    def start(self, deliver: str) -> None:
        self.config = ChatConfig(message_rate=0, deliver=deliver)
        self._start()

    @rule(user=st.sampled_from(USERS), cid=st.sampled_from(CIDS), tab=st.integers(0, 1))
    def send(self, user: str, cid: str | None, tab: int) -> None:
        sent = Sent(len(self.sent), user, cid, self.tabs[user][tab])
        self.sent.append(sent)
        named = {} if cid is None else {"cid": cid}
        sent.line.emit("mensaje_privado", {"para": "nobody", "mensaje": str(sent.number), **named}, ack=sent.number)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), tab=st.integers(0, 1))
    def send_again(self, data: st.DataObject, tab: int) -> None:
        before = data.draw(st.sampled_from(self.sent[-6:]))
        self.send(before.user, before.cid, tab)

    @rule()
    def pass_time(self) -> None:
        self.disk.read()
        self.disk.commit()

    @rule()
    def begin_reading(self) -> None:
        self.disk.begin_reading()

    @rule()
    def end_reading(self) -> None:
        self.disk.end_reading()

    @rule()
    def fail_reading(self) -> None:
        self.disk.end_reading(BROKEN)

    @rule(count=st.integers(1, 4))
    def commit(self, count: int) -> None:
        self.disk.commit(count=count)

    @rule(count=st.integers(1, 4), kept=st.booleans())
    def fail_to_commit(self, count: int, kept: bool) -> None:
        self._give_up(self.disk.commit(BROKEN, kept=kept, count=count))

    @rule(kept=st.integers(0, 3), seldom=st.integers(0, 3))
    def kill(self, kept: int, seldom: int) -> None:
        if seldom:
            return
        self.rig.turn()
        self.seen += self._seen_now()
        self._give_up(self.disk.kill(kept))
        self._start()

    @invariant()
    def a_cid_has_one_row_and_one_acknowledgement(self) -> None:
        assert self.disk.doubled() == []
        ids = {str(row.id): row for row in self.disk.rows}
        for sent in self.sent:
            for answer in self._answers(sent):
                if not answer["ok"]:
                    continue
                row = ids[answer["id"]]
                assert (row.de, row.cid, row.fecha) == (sent.user, sent.cid, answer["fecha"])
                if sent.cid is not None:
                    assert self.told.setdefault((sent.user, sent.cid), answer) == answer

    @invariant()
    def no_message_is_delivered_twice(self) -> None:
        seen = self.seen + self._seen_now()
        assert len(seen) == len(set(seen))
        named = Counter((self.sent[number].user, self.sent[number].cid) for number in seen)
        for (user, cid), times in named.items():
            again = 0 if self.config.deliver == "stored" else self.given_up[user, cid]
            assert cid is None or times <= 1 + again

    @invariant()
    def the_order_of_each_sender_is_kept(self) -> None:
        for user in USERS:
            seen = [number for number in self.seen + self._seen_now() if self.sent[number].user == user]
            assert seen == sorted(seen)

    @invariant()
    def with_stored_only_stored_messages_are_delivered(self) -> None:
        if self.config.deliver == "stored":
            assert {str(number) for number in self.seen + self._seen_now()} <= {row.mensaje for row in self.disk.rows}

    def teardown(self) -> None:
        try:
            if hasattr(self, "rig"):
                self._settle()
        finally:
            for patch in self._small:
                patch.stop()

    def _settle(self) -> None:
        """When the disk works again, every message is answered, and no state is left."""
        while not self.disk.idle:
            self.disk.read()
            self.disk.commit()
        self.a_cid_has_one_row_and_one_acknowledgement()
        self.no_message_is_delivered_twice()
        self.the_order_of_each_sender_is_kept()
        for sent in self.sent:
            if sent.line in [line for tabs in self.tabs.values() for line in tabs]:
                assert len(self._answers(sent)) == 1
        left = self.rig.chat.messages._once
        assert (left._held.taken, left._held_bytes.taken) == (0, 0)
        assert not any(sender.busy for sender in left._senders.values())
        assert left._weight == sum(sender.weight for sender in left._senders.values())

    def _start(self) -> None:
        self.rig = Rig(self.config, self.disk)
        if self.disk.rows:
            self.rig.wall_s = max(row.fecha for row in self.disk.rows) / 1000 + 1  # ids must grow
        self.tabs = {user: [self.rig.enter(who(user)) for _ in range(2)] for user in USERS}
        self.root = self.rig.enter(who("root", "admin"))

    def _give_up(self, messages: list[Message]) -> None:
        for message in messages:
            self.given_up[message.de, message.cid] += 1

    def _seen_now(self) -> list[int]:
        self.rig.turn()
        return [int(event[1]["mensaje"]) for event in self.root.events]

    def _answers(self, sent: Sent) -> list[Any]:
        self.rig.turn()
        mine = [text for text in sent.line.received if text.startswith(f"43{sent.number}[")]
        return [sent.line.answer(sent.number)] if len(mine) == 1 else mine


TestPromises = Promises.TestCase
TestPromises.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
