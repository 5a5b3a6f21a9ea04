"""What `mensaje_recibido` carries, by the setting `payload`. Pure. Rules C-40 and C-41 of protocol.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from chatd.chat.events import Received, ReceivedInFull
from chatd.store.base import Message


def brief(message: Message) -> Received:
    """What clients that know the reference alone expect, to the letter."""
    return Received(message.de, message.mensaje)


def full(message: Message) -> ReceivedInFull:
    """Everything that a client needs to show, date and find the message again."""
    return ReceivedInFull(message.de, message.mensaje, str(message.id), message.para, message.fecha, message.cid)


PAYLOADS: Final[Mapping[str, Callable[[Message], Received | ReceivedInFull]]] = {"brief": brief, "full": full}
