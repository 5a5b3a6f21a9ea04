"""What keeps a socket from being opened."""

from __future__ import annotations

from chatd.base.errors import ChatdError


class ListenError(ChatdError):
    """The machine does not give us an address; the message says which, and what is in the way."""
