"""The judgement of the messages received in a period: pure functions on times, texts and ids."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.cluster.people import Heard, Person, Record, Sent
from chatd.cluster.core.vector import origin_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Of all messages sent in that period, and their recipients.

    A delivery is lost if the message was acknowledged and not received; doubled if it was received twice; late if a
    later one of the same stream was received before it; stray if another person received it, or it was never sent. It
    came anew if it was received again with another id: it was refused, and its sender has resent it. The waits are the
    longest from the time of sending: local if the recipient was on the sender's node, remote on another.
    """

    messages: int = 0
    acknowledged: int = 0
    due: int = 0
    lost: int = 0
    doubled: int = 0
    anew: int = 0
    late: int = 0
    stray: int = 0
    local_ms: float = 0.0
    local_median_ms: float = 0.0
    remote_ms: float = 0.0
    returns: int = 0  # reconnects in that period
    recovered: int = 0

    @property
    def perfect(self) -> bool:
        mistakes = (self.lost, self.doubled, self.late, self.stray)
        return 0 < self.messages == self.acknowledged and self.due > 0 and mistakes == (0, 0, 0, 0)


class Delivery(NamedTuple):
    """A message as received by one socket. `stream` and `place`: within a stream, places grow.

    A message without a stream may be received at any time.
    """

    at_ms: float
    sent: Sent
    id: str | None
    is_local: bool
    stream: Hashable | None
    place: float


def judge(people: Sequence[Person], record: Record, since_ms: float, until_ms: float) -> Verdict:
    written = {each.text: each for each in record.sent}
    sent = [each for each in record.sent if since_ms <= each.due < until_ms]
    total: Counter[str] = Counter()
    local_ms, remote_ms = [0.0], [0.0]
    for person, heard in zip(people, record.people, strict=True):
        unknown = (text for at, text, _, _ in heard.heard if text not in written and since_ms <= at < until_ms)
        deliveries = [one for one in _deliveries(heard, written) if since_ms <= one.sent.due < until_ms]
        total["stray"] += sum(1 for _ in unknown) + sum(not person.hears(one.sent) for one in deliveries)
        total += _counts([each for each in sent if person.hears(each)], deliveries)
        for one in _first(deliveries):
            (local_ms if one.is_local else remote_ms).append(one.at_ms - one.sent.due)
        again = [recovered for at, recovered in heard.connects[1:] if since_ms <= at < until_ms]
        total.update(returns=len(again), recovered=sum(again))
    return Verdict(
        messages=len(sent),
        acknowledged=sum(each.acked is not None for each in sent),
        local_ms=max(local_ms),
        local_median_ms=statistics.median(local_ms),
        remote_ms=max(remote_ms),
        **total,
    )


def _deliveries(heard: Heard, written: Mapping[str, Sent]) -> Iterable[Delivery]:
    """With ids of chatd, messages of a node are in order. Without ids, those of one sender that were sent once are."""
    for at_ms, text, here, number in heard.heard:
        if text not in written:
            continue
        sent = written[text]
        if number is None:
            stream = (sent.writer, sent.node) if sent.sendings == 1 else None
            yield Delivery(at_ms, sent, None, here == sent.node, stream, sent.due)
        else:
            node = origin_of(int(number))
            yield Delivery(at_ms, sent, number, here == node, node, int(number))


def _counts(mine: Sequence[Sent], deliveries: Sequence[Delivery]) -> Counter[str]:
    first = _first(deliveries)
    times = {one.sent.text for one in first}
    copies = len({(one.sent.text, one.id) for one in deliveries})
    counts = Counter(due=len(mine), doubled=len(deliveries) - copies, anew=copies - len(first))
    counts["lost"] = sum(each.acked is not None and each.text not in times for each in mine)
    newest: dict[Hashable, float] = {}
    for one in (each for each in first if each.stream is not None):
        counts["late"] += one.place < newest.get(one.stream, 0)
        newest[one.stream] = max(newest.get(one.stream, 0), one.place)
    return counts


def _first(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """The first delivery of each message."""
    seen: dict[str, Delivery] = {}
    for one in deliveries:
        seen.setdefault(one.sent.text, one)
    return list(seen.values())
