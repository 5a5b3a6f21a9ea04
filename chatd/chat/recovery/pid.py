"""The `pid` of a socket: what lets a later socket take its place, after hours and in another process. Pure. Rule C-29.

    <socket id>.<keyed BLAKE2 of the socket id and the user, 16 bytes in base64>

Nothing is remembered of it: the key, which is in the database, checks it. It says nothing of rooms
or roles, and is good for nothing without a token of the same user. BLAKE2 (RFC 7693) is a MAC where it has a key, and
takes a quarter of the time of HMAC-SHA256, which every CONNECT would spend.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

_MAC_BYTES: Final = 16
_PURPOSE: Final = b"chatd pid"

MAX_PID_CHARS: Final = 128


class Pids:
    """Makes pids, and knows its own again."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def mint(self, sid: str, user: str) -> str:
        """The pid of the socket `sid` of `user`; the same for the same two."""
        return f"{sid}.{self._mac(sid, user)}"

    def verify(self, pid: object, user: str) -> str | None:
        """The id of the socket that `pid` was made for, if it was made here and for `user`. Never raises."""
        if not isinstance(pid, str) or len(pid) > MAX_PID_CHARS or not pid.isascii():
            return None
        sid, dot, mac = pid.rpartition(".")
        if not dot or not hmac.compare_digest(mac, self._mac(sid, user)):
            return None
        return sid

    def _mac(self, sid: str, user: str) -> str:
        # A zero byte between them: a user's name has none (C-02), so no two pairs make the same text.
        told = f"{sid}\0{user}".encode()
        mac = hashlib.blake2b(told, key=self._key, person=_PURPOSE, digest_size=_MAC_BYTES)
        return base64.urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()
