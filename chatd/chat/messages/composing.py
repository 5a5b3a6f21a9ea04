"""A message gets its id, its date, and whether all admins may read it. Rules C-18 and C-19."""

from __future__ import annotations

from collections.abc import Callable

from chatd.auth import Identity
from chatd.chat.events import PrivateMessage
from chatd.chat.messages.ids import IdSource
from chatd.chat.messages.supervision import Supervision
from chatd.store.base import Message


class Composer:
    """`clock_ms` returns milliseconds since 1970."""

    def __init__(self, ids: IdSource, clock_ms: Callable[[], int], supervision: Supervision) -> None:
        self.ids = ids
        self._clock_ms = clock_ms
        self._supervision = supervision

    def compose(self, sender: Identity, parsed: PrivateMessage) -> Message:
        """Raises StoreError when no id is left."""
        now_ms = self._clock_ms()
        return Message(
            id=self.ids.next_at(now_ms),
            de=sender.user,
            para=parsed.para,
            mensaje=parsed.mensaje,
            fecha=now_ms,
            supervisado=self._supervision.includes(sender, parsed.para),
            cid=parsed.cid,
        )
