"""What the nodes tell each other besides messages: who is where, how each is, questions, and asides."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Final, Protocol

from chatd import __version__
from chatd.chat.nodes.asides import Aside, Back
from chatd.chat.nodes.frames import Frame
from chatd.chat.nodes.people import Here, People
from chatd.chat.nodes.questions import Answer, Found, Question, Questions
from chatd.chat.nodes.states import NodeRow, Phase, State, States, row
from chatd.cluster.core import position
from chatd.cluster.core.beat import DEAF_S
from chatd.cluster.core.members import Change, Turn
from chatd.cluster.core.node import Bus, Node
from chatd.store.base import Message

STATE_S: Final = 1.0


class Home(Protocol):
    """The shell around this node."""

    @property
    def fault(self) -> str | None:
        """Why this node is not ready; None if it is."""

    def cast(self, frame: Frame) -> None:
        """Publish it at the end of this turn."""

    def wake(self) -> None:
        """There is something in `news`."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long answers to questions are awaited, and how many users of other nodes are known."""

    answer_timeout_s: float
    max_users: int


class Peers:
    """The messages between nodes, for the process `epoch` of one node."""

    def __init__(self, node: Node[Message], epoch: int, home: Home, bounds: Bounds) -> None:
        self.people = People(node.number, epoch, home.wake, bounds.max_users)
        self.questions = Questions(node.number, home.cast, bounds.answer_timeout_s)
        self.emit: Callable[[Aside], None]
        self.make_room: Callable[[str, str], None]
        self._states = States()
        self._node = node
        self._home = home
        self._began_s = self._told_s = monotonic()
        self._last_phase: Phase | None = None  # of this node; after a stop has begun, the clock does not change it

    # What this node has to tell.

    def news(self) -> Iterator[Here]:
        """What to publish at the end of a turn."""
        return self.people.news()

    def tick(self) -> None:
        """Tell how this node is, if that is due."""
        if monotonic() - self._told_s >= STATE_S or self._phase is not self._last_phase:
            self._tell()

    def become(self, phase: Phase) -> None:
        """This node is at its end, or near it."""
        self._last_phase = phase
        self._tell()

    def tell_all(self) -> None:
        """Another node knows nothing yet, or this one was away."""
        self.people.ask()
        self._tell()

    # What others tell.

    @property
    def excess(self) -> int:
        """Frames that were not taken, or not wholly, for want of room. Rules N-40 and N-41."""
        return self.people.excess + self.questions.excess

    def hear(self, frame: Frame, size_bytes: int) -> None:
        """A frame of another node. Of one that is not known to live, who is there would never be taken back.

        Nor would what a process says that has lost its number to another one. Rule N-42.
        """
        match frame:
            case Aside():
                self.emit(frame)
            case Back():
                self.make_room(frame.sid, frame.user)
            case Question() | Answer():
                self.questions.hear(frame, size_bytes)
            case State():
                self._states.hear(frame, monotonic())
            case Here() if self._node.members.epoch(frame.origin) == frame.epoch:
                self.people.hear(frame)

    def on_change(self, change: Change) -> None:
        epoch = self._node.members.epoch(change.node)
        if change.turn is Turn.LEFT or epoch is None:
            self.people.forget(change.node)
        else:
            self.people.forget_before(change.node, epoch)

    # What is known.

    def sockets_elsewhere(self, user: str) -> int:
        """Of nodes that are silent for longer than beats are apart, none: they may have died. Rule N-20."""
        heard = self._node.members.heard_since(monotonic() - DEAF_S)
        return self.people.sockets_on(heard, user)

    def rows(self) -> list[NodeRow]:
        """All nodes, by number."""
        now_s = monotonic()
        others = self._states.rows(self._node.members.silent_s(now_s), now_s)
        return sorted([row(self._state(), 0.0, asked=True), *others], key=lambda one: one.node)

    async def ask(self, what: str, about: str = "") -> Found:
        """Ask every node that has not said goodbye; one that is not heard cannot answer. Raises RefusedError."""
        living = {node for node in self._node.living if not self._states.has_ended(node)}
        expected = living | self._states.unended
        reachable = living if self._node.bus is Bus.UP else set()
        found = await self.questions.ask(reachable, what, about)
        return Found(found.rows, sorted({*found.unanswered, *expected - reachable}))

    # Internals.

    def _tell(self) -> None:
        self._told_s = monotonic()
        state = self._state()
        self._last_phase = state.phase
        self._home.cast(state)

    @property
    def _phase(self) -> Phase:
        if self._last_phase in {Phase.STOPPING, Phase.ENDED}:
            return self._last_phase
        return Phase.READY if self._home.fault is None else Phase.BEHIND

    def _state(self) -> State:
        return State(
            origin=self._node.number,
            version=__version__,
            phase=self._phase,
            up_s=int(monotonic() - self._began_s),
            clients=self.people.sockets,
            users=len(self.people),
            missing=sum(self._node.missing.values()),
            position=position.encode(self._node.vector),
        )
