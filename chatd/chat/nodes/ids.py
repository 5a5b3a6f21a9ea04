"""Ids of a node among several: only so far ahead as the database has been told. Rule N-04."""

from __future__ import annotations

from collections.abc import Callable

from chatd.chat.messages.ids import IdSource, first_id_of
from chatd.cluster.core.epoch import Reservation
from chatd.store.base import MessageId, StoreCode, StoreError


class ReservedIds(IdSource):
    """Each is larger than `epoch`, and within `reservation`."""

    def __init__(self, clock_ms: Callable[[], int], node: int, epoch: int) -> None:
        super().__init__(clock_ms, node, MessageId(epoch))
        self.reservation = Reservation(node, epoch)

    @property
    def now(self) -> MessageId:
        """An id of this moment, or the newest."""
        return max(first_id_of(self._clock_ms()), self.newest)

    def next_at(self, now_ms: int) -> MessageId:
        """The next id, where the clock shows `now_ms`. Raises StoreError."""
        message_id = super().next_at(now_ms)
        if not self.reservation.allows(message_id):
            raise StoreError(StoreCode.UNAVAILABLE, "the database does not answer: try again", retry=True)
        return message_id
