"""Collects the packets of one turn of the event loop; at its end, each session gets one write.

Fan-out is limited by the kernel: a `send` takes 4 to 6 µs whatever its size, so fewer sends make more deliveries.
There is no timer: a single message is written when the turn that made it ends, and batches form under load.

Successive broadcasts to the same audience form a *run*: one list for all members instead of one append per member and
message. A run is settled (appended to the list of each member) before something could break the order: a member is sent
another packet, the audience is about to change, or another run begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set

from chatd.engineio.direct import Recipient, deliver_to_all
from chatd.engineio.outgoing import Outgoing, OutgoingBatch


class _Run:
    """Broadcasts to one audience, in order."""

    __slots__ = ("audience", "packets")

    def __init__(self, audience: Set[Recipient]) -> None:
        self.audience = audience
        self.packets: list[Outgoing] = []

    def joined(self) -> Outgoing:
        return join(self.packets)


class Outbox:
    """The outgoing packets of the current turn, for all sessions, in the order of their emission."""

    __slots__ = ("_at_turn_end", "_run", "_scheduled", "_waiting", "sent_bytes")

    def __init__(self, at_turn_end: Callable[[Callable[[], None]], object]) -> None:
        self._at_turn_end = at_turn_end
        self._waiting: dict[Recipient, list[Outgoing]] = {}
        self._run: _Run | None = None
        self._scheduled = False
        self.sent_bytes = 0  # as WebSocket frames, whatever carries them

    def send(self, recipient: Recipient, packet: Outgoing) -> None:
        """Send `packet` to one session. Never blocks, never raises."""
        run = self._run
        if run is not None and recipient in run.audience:
            self._settle(run)
        self._append(recipient, packet)

    def broadcast(self, audience: Set[Recipient], packet: Outgoing) -> None:
        """Send `packet` to all present members of `audience`.

        Call `before_change` before the audience changes. Cost: O(1) while the run lasts.
        """
        run = self._run
        if run is None or run.audience is not audience:
            if run is not None:
                self._settle(run)
            run = self._run = _Run(audience)
            self._schedule()
        run.packets.append(packet)

    def before_change(self, audience: Set[Recipient]) -> None:
        """`audience` is about to gain or lose a member."""
        run = self._run
        if run is not None and run.audience is audience:
            self._settle(run)

    def flush_one(self, recipient: Recipient) -> None:
        """Deliver the packets of `recipient` before the end of the turn, because it is about to be closed."""
        run = self._run
        if run is not None and recipient in run.audience:
            self._settle(run)
        packets = self._waiting.pop(recipient, None)
        if packets:
            joined = join(packets)
            self.sent_bytes += len(joined.frame)
            recipient.transport.deliver(joined)

    def flush(self) -> None:
        """End of the turn: one write for each session that has anything waiting."""
        self._scheduled = False
        run, self._run = self._run, None
        waiting, self._waiting = self._waiting, {}
        if run is not None:
            self._flush_run(run, waiting)
        joined: dict[tuple[Outgoing, ...], Outgoing] = {}
        for recipient, packets in waiting.items():
            if len(packets) == 1:
                one = packets[0]
            else:
                key = tuple(packets)  # the same frames for several sessions: join them once
                if key not in joined:
                    joined[key] = OutgoingBatch(packets)
                one = joined[key]
            self.sent_bytes += len(one.frame)
            recipient.transport.deliver(one)

    def _append(self, recipient: Recipient, packet: Outgoing) -> None:
        packets = self._waiting.get(recipient)
        if packets is None:
            self._waiting[recipient] = [packet]
            self._schedule()
        else:
            packets.append(packet)

    def _settle(self, run: _Run) -> None:
        self._run = None
        joined = run.joined()
        for recipient in run.audience:
            self._append(recipient, joined)

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._at_turn_end(self.flush)

    def _flush_run(self, run: _Run, waiting: dict[Recipient, list[Outgoing]]) -> None:
        """Deliver the last run of the turn, after the other packets of its members."""
        joined = run.joined()
        audience = run.audience
        if waiting:
            for recipient in audience & waiting.keys():
                waiting[recipient].append(joined)
            audience = audience - waiting.keys()
        self.sent_bytes += len(joined.frame) * len(audience)
        deliver_to_all(audience, joined)


def join(packets: Sequence[Outgoing]) -> Outgoing:
    """`packets` as one."""
    return packets[0] if len(packets) == 1 else OutgoingBatch(packets)
