"""The error of a socket that cannot be opened."""

from __future__ import annotations

from chatd.base.errors import ChatdError


class ListenError(ChatdError):
    """The system refuses to listen on an address; the message has the address and the reason."""
