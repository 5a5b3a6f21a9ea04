"""The state machine with a bus, a database and a clock around it. What it decides is carried out here.

A message of this node is said in the turn in which it is delivered, and all that was said in a turn leaves in one
PUBLISH. What others say is delivered in the turn in which it comes. Nothing here is waited for by a local recipient.
Rules N-05, N-07 and N-17.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from time import monotonic
from typing import Any, Final

import msgspec

from chatd.base.tasks import Tasks
from chatd.chat.nodes import frames
from chatd.chat.nodes.frames import Frame, Kind
from chatd.chat.nodes.ids import ReservedIds
from chatd.chat.nodes.peers import Bounds, Peers
from chatd.chat.nodes.states import Phase
from chatd.cluster.core.frame import Call, Codec, FrameError, News
from chatd.cluster.core.heal import Read
from chatd.cluster.core.members import Change, Turn
from chatd.cluster.core.node import Act, Decision, Node, Poll
from chatd.cluster.core.replay import Delivery
from chatd.cluster.redis.address import RedisAddress
from chatd.cluster.redis.bus import RedisBus
from chatd.store.base import Message, MessageId, StoreError
from chatd.store.postgres.nodes import Known, NodeStore

TICK_S: Final = 0.1
PAGE_ROWS: Final = 256
"""Of one reading. No setting: the next one follows at once, so it bounds a turn of the loop and nothing else."""

MAX_FRAME_BYTES: Final = 8_388_608
"""Of one that is read. No setting: nodes publish less than half of that (MAX_WAITING_BYTES in chatd/cluster/redis), and
what is not published, or is refused here, is read from the database.
"""

_CHAR_BYTES: Final = 4  # at most, in UTF-8
_HEAD_BYTES: Final = 256

log = logging.getLogger("chatd.cluster")

Deliver = Callable[[Delivery[Message]], None]


class Shell:
    """One for the daemon. `deliver` gives a message of another node to the sockets of this one."""

    def __init__(
        self,
        store: NodeStore,
        known: Known,
        ids: ReservedIds,
        epoch: int,
        end: Callable[[], None],
        bounds: Bounds,
    ) -> None:
        """`end` ends the process: another one has its number."""
        number = store.number
        self.node: Node[Message] = Node(number, epoch, known.heads, known.first, monotonic())
        self.ids = ids
        self.deliver: Deliver
        self.peers = Peers(self.node, epoch, self, bounds)
        self.broken = 0  # frames that could not be read
        self.failed = 0  # frames that were read, and then raised: a bug
        self.newer = 0  # frames of kinds that this version does not know
        self.healed = 0  # messages that came from the database and not over the bus
        self.bus: RedisBus
        self.store = store
        self.epoch = MessageId(epoch)
        self._end = end
        self.is_displaced = False  # another process has the number of this node
        self._codec: Codec[Message] = Codec(Message, MAX_FRAME_BYTES)
        self._encode = msgspec.msgpack.Encoder().encode
        self._outgoing: list[News[Message] | Call | Frame] = []
        self._unpublished = 0  # frames, when that was last looked at
        self._unsure: MessageId | None = None  # it is unknown whether messages up to it are stored
        self._tasks = Tasks()
        self._timer: asyncio.TimerHandle | None = None
        self._has_polled = False  # since the bus was there
        self._ended = False
        self._checks_place = False
        store.on_settled = self._on_settled

    def join(self, address: RedisAddress, channel: str) -> None:
        """Where the bus is."""
        self.bus = RedisBus(address, channel, self)

    def start(self) -> None:
        """Once there is `deliver`."""
        self.bus.start()
        self._tick()

    async def close(self) -> None:
        """Idempotent. What was said leaves first."""
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        self.peers.become(Phase.ENDED)
        await asyncio.sleep(0)
        await self.bus.close()

    def stopping(self) -> None:
        """Clients are about to be sent away. Rule N-24."""
        self.peers.become(Phase.STOPPING)

    # For metrics.py.

    @property
    def fault(self) -> str | None:
        """Clients are accepted while no message is known to be missing. Rule N-09."""
        if self.bus_is_up:
            return None if self.node.is_ready else "this node has not heard yet how far the others are, or is behind"
        return None if self._has_polled else "Redis is away, and what other nodes have stored is not read yet"

    @property
    def bus_is_up(self) -> bool:
        return self.bus.fault is None

    @property
    def outages(self) -> int:
        return self.bus.client.outages

    def traffic(self) -> Iterator[tuple[str, int]]:
        """Messages of the bus since the start, by outcome."""
        counters = self.bus.counters
        yield "published", counters.published
        yield "received", counters.received
        yield "dropped", counters.dropped
        yield "overflowed", counters.overflowed
        yield "broken", self.broken
        yield "failed", self.failed
        yield "newer", self.newer
        yield "refused", self.node.refused
        yield "excess", self.peers.excess

    @property
    def connects(self) -> int:
        return self.bus.counters.connects

    @property
    def unanswered(self) -> int:
        return self.peers.questions.unanswered

    @property
    def silent_s(self) -> Mapping[int, float]:
        return self.node.members.silent_s(monotonic())

    @property
    def missing(self) -> Mapping[int, int]:
        return self.node.missing

    @property
    def living(self) -> int:
        return len(self.node.living) + 1

    @property
    def behind(self) -> int:
        return len(self.node.behind)

    # Messages of this node.

    def say(self, message: Message) -> Delivery[Message]:
        """It is to be delivered here now."""
        self.bus.wake()
        return self.node.say(message, _CHAR_BYTES * len(message.mensaje) + _HEAD_BYTES)

    # Home, for the peers.

    def cast(self, frame: News[Message] | Call | Frame) -> None:
        """Tell the other nodes, if they are there."""
        self._outgoing.append(frame)
        self.bus.wake()

    def wake(self) -> None:
        """See Home."""
        self.bus.wake()

    def _on_settled(self, message_id: MessageId, error: StoreError | None) -> None:
        """After an error the row may be there all the same, until the session that writes has its lock again."""
        if error is None:
            self._unsure = None
            self.node.settle(message_id)
        else:
            self._unsure = message_id

    # BusHandler

    def on_up(self) -> None:
        self.cast(self.node.bus_came_up(monotonic()))
        self.peers.tell_all()

    def on_down(self) -> None:
        self._has_polled = False
        self.node.bus_went_down()

    def on_message(self, data: bytes) -> None:
        try:
            if len(data) > MAX_FRAME_BYTES:
                raise FrameError(f"a frame of {len(data)} bytes; {MAX_FRAME_BYTES} may be")
            match frames.kind_of(data):
                case Kind.CORE:
                    self._hear(self._codec.decode(data), len(data))
                case Kind.OURS:
                    self._hear_peer(frames.decode(data), len(data))
                case Kind.NEWER:
                    self.newer += 1
        except FrameError as error:
            self.broken += 1
            log.warning("a frame could not be read", extra={"cause": str(error)})
        except Exception:
            self.failed += 1
            log.exception("a frame could not be taken")

    def _hear(self, frame: News[Message] | Call, size_bytes: int) -> None:
        if isinstance(frame, Call) and frame.origin != self.node.number:
            self.peers.tell_all()
        self._give(self.node.on_frame(frame, size_bytes, monotonic()))

    def _hear_peer(self, frame: Frame, size_bytes: int) -> None:
        if frame.origin != self.node.number:
            self.peers.hear(frame, size_bytes)

    def frames(self) -> Iterator[bytes]:
        """See BusHandler."""
        outgoing, self._outgoing = self._outgoing, []
        for frame in outgoing:
            yield self._encode(frame)
        yield from map(self._encode, self.peers.news())
        while (news := self.node.flush(monotonic())) is not None:
            yield self._encode(news)

    # Actions of the core.

    def _tick(self) -> None:
        if self._ended:
            return
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        if self._unsure is not None and self.store.is_up:
            self.node.settle(self._unsure)
            self._unsure = None
        if self.store.usurped:
            self._displaced()
        upto = self.ids.reservation.ask(self.ids.now)
        if upto is not None:
            self._do(self._reserve(upto), "reserving ids")
        if self._unpublished != self.bus.counters.unpublished:
            self._unpublished = self.bus.counters.unpublished
            self.peers.people.ask()  # lost messages are healed from the database; presence must be asked for again
        self._decide()
        self.peers.tick()

    def _decide(self) -> None:
        for decision in self.node.tick(monotonic()):
            self._carry_out(decision)

    def _carry_out(self, decision: Decision) -> None:
        match decision:
            case Act.BEAT:
                self.cast(self.node.beat(self._promise(), monotonic()))
            case Act.RECONNECT:
                self.bus.reconnect()
            case Act.DISPLACED:
                self._suspect()
            case Read():
                self._do(self._heal(decision), "reading what another node stored")
            case Poll():
                self._do(self._poll(decision), "asking for what other nodes stored")
            case Change(node, turn):
                log.info("node %s", turn.value, extra={"node": node})
                self.peers.on_change(decision)
                if turn is not Turn.LEFT:
                    self.cast(Call(self.node.number))

    def _promise(self) -> MessageId | None:
        """An id that is smaller than that of every message to come."""
        if self.store.unsettled or self.store.doubt is not None:
            return None
        try:
            return self.ids.next()
        except StoreError:
            return None

    async def _reserve(self, upto: int) -> None:
        try:
            first = await self.store.reserve(upto)
        except StoreError:
            self.ids.reservation.done(written=False)
        else:
            self.ids.reservation.done(written=True)
            self.node.learn(first)

    async def _heal(self, read: Read) -> None:
        try:
            rows = await self.store.read(read.origin, read.after, read.upto, PAGE_ROWS)
        except StoreError:
            self.node.on_read_failed(read, monotonic())
            return
        self.healed += len(rows)
        self._give(self.node.on_rows(read, rows, rows[-1].id if len(rows) == PAGE_ROWS else read.upto))
        self._decide()

    async def _poll(self, poll: Poll) -> None:
        try:
            rows = await self.store.poll(poll.after, PAGE_ROWS)
        except StoreError:
            self.node.on_poll_failed()
            return
        self.healed += len(rows)
        self._has_polled = len(rows) < PAGE_ROWS
        self._give(self.node.on_polled(rows, whole=self._has_polled))

    def _suspect(self) -> None:
        """A frame says that another process has this number: any client of Redis can say so. Rule N-03."""
        if not self._checks_place:
            self._checks_place = True
            self._do(self._check_place(), "looking who has the number of this node")

    async def _check_place(self) -> None:
        try:
            if not await self.store.has_place():
                self._displaced()
        except StoreError:
            pass  # it is said again
        finally:
            self._checks_place = False

    def _displaced(self) -> None:
        if not self._ended:
            self.is_displaced = self._ended = True
            log.critical("another process has the number of this node", extra={"node": self.node.number})
            self._end()

    def _give(self, deliveries: Iterable[Delivery[Message]]) -> None:
        for delivery in deliveries:
            self.deliver(delivery)

    def _do(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._tasks.start(work, name)
