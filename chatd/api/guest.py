"""A system of the operator that acts in the chat as a user or an admin, without a socket. Rules A-07 and A-08."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from chatd.api.keys import Key, Scope
from chatd.api.problem import ApiCode
from chatd.auth import Identity
from chatd.auth.identity import ADMIN
from chatd.base.errors import RefusedError
from chatd.engineio.session import Session
from chatd.socketio.socket import Reply


class Guest:
    """An Author (see chat/member.py) of one event. `fail` is called with the reason if that is refused."""

    __slots__ = ("_fail", "_refused", "identity")

    session: Session | None = None
    is_there = True

    def __init__(self, identity: Identity, refused: Counter[str], fail: Callable[[RefusedError], None]) -> None:
        self.identity = identity
        self._refused = refused
        self._fail = fail

    @property
    def logged(self) -> dict[str, str]:
        return {"user": self.identity.user}

    def charge(self, price: int) -> None:
        """Charge nothing: the API connection has paid for its request."""

    def refuse(self, reply: Reply | None, error: RefusedError) -> None:
        """See Member.refuse."""
        self._refused[error.code] += 1
        self._fail(error)

    def expel(self, code: str, message: str) -> None:
        """An API client has no session to end; it gets the error in the answer."""


def speaker(key: Key, name: str | None, rol: str | None) -> Identity:
    """The sender: the key itself as an admin, or with the scope `impersonate` any name, as a user unless `rol` differs.

    Raises RefusedError.
    """
    own = name is None or name == key.name
    if not own and Scope.IMPERSONATE not in key.scopes:
        words = f"This key speaks for {key.name}; for others it needs the scope {Scope.IMPERSONATE}."
        raise RefusedError(ApiCode.SCOPE_MISSING, words)
    user = key.name if name is None else name
    return Identity(user, user, rol or (ADMIN if own else "user"), None, None)
