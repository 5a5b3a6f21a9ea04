"""Message ids: 63-bit integers that grow with time and never repeat. Rules C-18, C-58 and C-62 of protocol.md.

    bit 62                      22 21            12 11               0
    ┌─────────────────────────────┬────────────────┬──────────────────┐
    │ milliseconds since 2025: 41 │    node: 10    │   sequence: 12   │
    └─────────────────────────────┴────────────────┴──────────────────┘

The milliseconds reach until September 2094, there are nodes 0 to 1023, and each makes 4,096 ids in a millisecond
before it borrows from the next one. Ids are made here, before the insert, so that a message can be delivered while
its row is still being written.

No clock and no import takes the ids into their last year: it is the reserve from which to borrow, so that a clock that
was wrong, whatever it showed, leaves ids enough. Only a database that something else has written to can be without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from chatd.base.errors import ConfigError
from chatd.store.base import MessageId, StoreCode, StoreError
from chatd.store.history import LAST_ID

EPOCH_MS: Final = 1_735_689_600_000  # 2025-01-01T00:00:00Z in milliseconds since 1970
NODE_BITS: Final = 10
SEQUENCE_BITS: Final = 12
MAX_MS: Final = 2**41 - 1
MAX_NODE: Final = 2**NODE_BITS - 1
MAX_SEQUENCE: Final = 2**SEQUENCE_BITS - 1
RESERVE_MS: Final = 366 * 86_400_000
MAX_CLOCK_MS: Final = MAX_MS - RESERVE_MS

AHEAD_MS: Final = 86_400_000
"""An id that is further ahead of the clock than this is not of that clock."""


class IdsExhaustedError(StoreError):
    """No id is greater than the one that is stored: nothing can be stored any more."""

    def __init__(self) -> None:
        message = "the server has no ids left for messages: its operator has to run chatd check"
        super().__init__(StoreCode.EXHAUSTED, message, retry=False)


class IdParts(NamedTuple):
    """What an id says; `ms` is milliseconds since 1970, and may be ahead of the clock that made it."""

    ms: int
    node: int
    sequence: int


class IdSource:
    """Makes ids, each larger than the one before and than `last`, the greatest that is stored.

    The clock only pushes the time forward. When it stands, steps back or is out of range, ids go on from where
    they were: through the sequence, then into milliseconds to come. So a clock that was wrong by years leaves
    ids of those years behind, and ids go on from there: that they grow is what positions, pages and read marks stand
    on. When a message was written says its `fecha`.
    """

    __slots__ = ("_clock_ms", "_ms", "_node", "_sequence", "start")

    def __init__(self, clock_ms: Callable[[], int], node: int, last: MessageId | None) -> None:
        """`clock_ms` returns milliseconds since 1970. Raises ConfigError for a node out of range."""
        if not 0 <= node <= MAX_NODE:
            raise ConfigError(f"node is {node}; it must be between 0 and {MAX_NODE}")
        self.start = MessageId(last or 0)  # every id that is made here is larger
        self._clock_ms = clock_ms
        self._node = node << SEQUENCE_BITS
        # As if the millisecond of `last` was used up: whichever node made it, the next one is larger.
        self._ms = 0 if last is None else max(0, last >> NODE_BITS + SEQUENCE_BITS)
        self._sequence = MAX_SEQUENCE

    @property
    def newest(self) -> MessageId:
        """No message has a greater id yet, and `last` has none."""
        return MessageId(self._ms << NODE_BITS + SEQUENCE_BITS | self._node | self._sequence)

    def is_ahead(self, message_id: MessageId) -> bool:
        """Whether an id lies so far beyond the clock and every id that is stored that it can be of neither."""
        known_ms = max(self._clock_ms() - EPOCH_MS, self._ms)
        return message_id >> NODE_BITS + SEQUENCE_BITS > known_ms + AHEAD_MS

    def next(self) -> MessageId:
        """The next id. Raises as `next_at`."""
        return self.next_at(self._clock_ms())

    def next_at(self, now_ms: int) -> MessageId:
        """The next id, where the clock shows `now_ms`. Raises IdsExhaustedError; nothing else."""
        now = now_ms - EPOCH_MS
        if self._ms < now <= MAX_CLOCK_MS:
            self._ms = now
            self._sequence = 0
        elif self._sequence < MAX_SEQUENCE:
            self._sequence += 1
        elif self._ms < MAX_MS:
            self._ms += 1
            self._sequence = 0
        else:
            raise IdsExhaustedError
        return self.newest


MAX_ID: Final = MessageId((MAX_CLOCK_MS + 1 << NODE_BITS + SEQUENCE_BITS) - 1)
"""The greatest that a clock makes and an import takes."""


def is_in_reserve(message_id: MessageId) -> bool:
    """Whether what follows that id is borrowed from the last year, and may come to an end."""
    return message_id > MAX_ID


def first_id_of(ms: int) -> MessageId:
    """An id greater than all that were made before `ms`, milliseconds since 1970, and than no other.

    Of a time that no id can have, the nearest one.
    """
    return MessageId(min(max(0, ms - EPOCH_MS), MAX_MS) << NODE_BITS + SEQUENCE_BITS)


def parts(message_id: MessageId) -> IdParts:
    """Take an id apart."""
    return IdParts(
        (message_id >> NODE_BITS + SEQUENCE_BITS) + EPOCH_MS,
        message_id >> SEQUENCE_BITS & MAX_NODE,
        message_id & MAX_SEQUENCE,
    )


MAX_DIGITS: Final = len(str(LAST_ID))


def parse_digits(value: object) -> int | None:
    """The number in a string of 1 to 19 digits, which is how ids go over the wire; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS:
        return int(value)
    return None


def parse_id(value: object) -> MessageId | None:
    """The id in such a string, or None. Never raises."""
    number = parse_digits(value)
    return None if number is None or number > LAST_ID else MessageId(number)
