"""A receiver's answer to a webhook: what the fast path takes, h11 reads alike."""

from __future__ import annotations

import contextlib

import h11

from chatd.webhooks.answer import Answer, plain_answer
from chatd.webhooks.connection import GoneError, Unusual


def webhook_answer(data: bytes) -> None:
    plain = plain_answer(data)
    if plain is not None:
        unusual = Unusual()
        assert unusual.feed(data) == plain
        assert unusual.keeps_connection
        return
    whole, pieces = _read([data]), _read([data[at : at + 1] for at in range(len(data))])
    assert whole == pieces, (whole, pieces)


def _read(pieces: list[bytes]) -> Answer | None:
    """What h11 makes of it, from one read or from several; None for an error or no end."""
    unusual = Unusual()
    with contextlib.suppress(h11.RemoteProtocolError, GoneError):
        for piece in [*pieces, b""]:
            answer = unusual.feed(piece)
            if answer is not None:
                return answer
    return None
