"""Sending twice is safe: of all messages of one user with the same `cid`, one is stored. Rules C-21 to C-24, C-38.

Such a message is one attempt, from its arrival until everybody who sent it has an answer. Whoever sends it again
meanwhile joins that attempt; whoever sends it later is answered with the row that the database has. That a cid is new
must be known before anything is delivered. cids.py remembers it, so that the database is asked once for a user who
comes, and not once for a message. While it is asked, what else that user sends stands in line behind; everybody else's
messages go on.

Measured: a cid that memory knows to be new takes 5 µs more than a message without. One that is looked up is delivered
0.2 ms later on an idle server; beside a busy loop 7 to 20 ms later, because the thread that reads has to wait for the
interpreter: that is what the memory saves.
"""

from __future__ import annotations

import functools
from collections import OrderedDict, deque
from sys import getsizeof
from typing import Final, Protocol

from chatd.base.shares import Shares
from chatd.chat.events import PrivateMessage, Stored
from chatd.chat.member import Author
from chatd.chat.messages.cids import Cids, Knowledge
from chatd.socketio.socket import Reply
from chatd.store.base import Done, Found, Message, Question, Store, StoreCode, StoredAs, StoreError

# What may wait for the database to be read, of all users and of one; more is refused.
MAX_HELD: Final = 10_000
MAX_HELD_EACH: Final = 1_000
MAX_HELD_BYTES: Final = 16_777_216
MAX_HELD_BYTES_EACH: Final = 4_194_304

# Cids, at some 130 bytes each. Beyond it, the user silent for longest is forgotten: the database is asked again.
MAX_REMEMBERED: Final = 50_000

_NOT_THERE: Final = Found(None, None)


class Send(Protocol):
    """Composes a message, hands it to the store with `done`, delivers it. Raises StoreError before it is delivered."""

    def __call__(self, member: Author, parsed: PrivateMessage, done: Done) -> Message: ...


Waiter = tuple[Author, Reply | None]
"""A socket that sent a message, and the callback for its outcome."""


class Sender:
    """A user who sends messages with cids."""

    __slots__ = ("attempts", "cids", "line", "user")

    def __init__(self, user: str) -> None:
        self.user = user
        self.cids = Cids()
        self.attempts: dict[str, Attempt] = {}  # that have no answer yet, by cid
        self.line: deque[Attempt] = deque()  # in the order of arrival; the database is being read for the first

    @property
    def busy(self) -> bool:
        return bool(self.attempts or self.line)

    @property
    def weight(self) -> int:
        return 1 + len(self.cids)


class Attempt:
    """One message on its way. The store calls it when the row is durable, or is not."""

    __slots__ = ("_message", "_once", "found", "parsed", "sender", "waiters")

    def __init__(self, once: Once, sender: Sender, waiter: Waiter, parsed: PrivateMessage) -> None:
        self._once = once
        self._message: Message | None = None
        self.sender = sender
        self.parsed = parsed
        self.waiters = [waiter]
        self.found: Found | StoreError | None = None  # None: the database is being read

    def send(self, send: Send) -> None:
        try:
            self._message = send(self.waiters[0][0], self.parsed, self)
        except StoreError as error:
            self.refuse(error)

    def __call__(self, error: StoreError | None) -> None:
        if error is not None and error.of_a_row and error.retry:
            self._once.look_again(self, error)
        elif error is not None:
            self.refuse(error)
        elif self._message is not None:
            self.acknowledge(StoredAs(self._message.id, self._message.fecha))

    def acknowledge(self, stored: StoredAs) -> None:
        self._once.forget(self)
        answer = Stored(id=str(stored.id), fecha=stored.fecha)
        for _, reply in self.waiters:
            if reply is not None:
                reply(answer)

    def refuse(self, error: StoreError) -> None:
        self._once.forget(self)
        for member, reply in self.waiters:
            member.refuse(reply, error)


class Once:
    """All senders who use cids. `send` is called for new messages, in the order of each sender."""

    def __init__(self, store: Store, send: Send, *, alone: bool = True) -> None:
        """`alone`: no other process writes to the database, so memory knows what is new. Else it is asked each time."""
        self._alone = alone
        self._store = store
        self._send = send
        self._senders: OrderedDict[str, Sender] = OrderedDict()  # who sent last is last
        self._weight = 0
        self._held: Shares[str] = Shares(MAX_HELD, MAX_HELD_EACH)  # in lines, and repeats that wait with an attempt
        self._held_bytes: Shares[str] = Shares(MAX_HELD_BYTES, MAX_HELD_BYTES_EACH)

    def has_line(self, user: str) -> bool:
        """Whether a message of `user` that has no cid must come here all the same, to stay behind others."""
        sender = self._senders.get(user)
        return sender is not None and bool(sender.line)

    def submit(self, member: Author, parsed: PrivateMessage, reply: Reply | None) -> None:
        """Take a message. Raises StoreError, and then it is not taken."""
        sender, cid = self._sender(member.identity.user), parsed.cid
        waiter = member, reply
        running = None if cid is None else sender.attempts.get(cid)
        if running is not None:
            if not self._held.take(sender.user):
                raise _busy()
            running.waiters.append(waiter)
            return
        attempt = Attempt(self, sender, waiter, parsed)
        if cid is None or (self._alone and sender.cids.is_new(cid)):
            attempt.found = _NOT_THERE
        if sender.line or attempt.found is None:
            self._stand_in_line(attempt)
        if cid is not None:
            sender.attempts[cid] = attempt
        if attempt.found is not None and not sender.line:
            self._settle(attempt, attempt.found)

    def forget(self, attempt: Attempt) -> None:
        """Called by an attempt that has its answer."""
        self._held.give_back(attempt.sender.user, len(attempt.waiters) - 1)
        if attempt.parsed.cid is not None:
            del attempt.sender.attempts[attempt.parsed.cid]

    def look_again(self, attempt: Attempt, error: StoreError) -> None:
        """Called if the row of an attempt is a duplicate: answer with the stored row. Rule N-10."""
        cid = attempt.parsed.cid
        if cid is None:
            attempt.refuse(error)
            return
        question = Question(attempt.sender.user, cid, list_cids=False)
        try:
            self._store.find(question, functools.partial(_on_twin, attempt, error))
        except StoreError:
            attempt.refuse(error)

    # The inside.

    def _sender(self, user: str) -> Sender:
        sender = self._senders.get(user)
        if sender is not None:
            self._senders.move_to_end(user)
            return sender
        sender = self._senders[user] = Sender(user)
        self._weigh(sender.weight)
        return sender

    def _stand_in_line(self, attempt: Attempt) -> None:
        self._hold(attempt)
        if attempt.found is None and attempt.parsed.cid is not None:
            try:
                self._ask(attempt, attempt.parsed.cid)
            except StoreError:
                self._release(attempt)
                raise
        attempt.sender.line.append(attempt)

    def _hold(self, attempt: Attempt) -> None:
        user = attempt.sender.user
        if not self._held.take(user):
            raise _busy()
        if not self._held_bytes.take(user, getsizeof(attempt.parsed.mensaje)):
            self._held.give_back(user)
            raise _busy()

    def _release(self, attempt: Attempt) -> None:
        self._held.give_back(attempt.sender.user)
        self._held_bytes.give_back(attempt.sender.user, getsizeof(attempt.parsed.mensaje))

    def _ask(self, attempt: Attempt, cid: str) -> None:
        sender = attempt.sender
        question = Question(sender.user, cid, list_cids=sender.cids.knowledge is Knowledge.NOTHING)
        self._store.find(question, functools.partial(self._on_found, attempt, question))
        if question.list_cids:
            sender.cids.ask()

    def _on_found(self, attempt: Attempt, question: Question, found: Found | StoreError) -> None:
        attempt.found = found
        if question.list_cids:
            self._learn(attempt.sender, found)
        line = attempt.sender.line
        while line and (outcome := line[0].found) is not None:
            first = line.popleft()
            self._release(first)
            self._settle(first, outcome)

    def _settle(self, attempt: Attempt, found: Found | StoreError) -> None:
        if isinstance(found, StoreError):
            attempt.refuse(found)
        elif found.stored is not None:
            attempt.acknowledge(found.stored)
        else:
            if attempt.parsed.cid is not None:
                self._weigh(attempt.sender.cids.add(attempt.parsed.cid))
            attempt.send(self._send)

    def _learn(self, sender: Sender, found: Found | StoreError) -> None:
        if isinstance(found, StoreError):
            sender.cids.learn_nothing()
        else:
            self._weigh(sender.cids.learn(found.cids))

    def _weigh(self, more: int) -> None:
        self._weight += more
        if self._weight > MAX_REMEMBERED:
            self._forget_senders()

    def _forget_senders(self) -> None:
        """Forget the least recent senders, except those with a pending message: its cid is not in the database yet."""
        while self._weight > MAX_REMEMBERED:
            user, oldest = next(iter(self._senders.items()))
            if oldest.busy:
                self._senders.move_to_end(user)
                return
            del self._senders[user]
            self._weight -= oldest.weight


def _on_twin(attempt: Attempt, error: StoreError, found: Found | StoreError) -> None:
    if isinstance(found, Found) and found.stored is not None:
        attempt.acknowledge(found.stored)
    else:
        attempt.refuse(error)


def _busy() -> StoreError:
    return StoreError(StoreCode.BUSY, "too many messages are waiting to be looked up: try again", retry=True)
