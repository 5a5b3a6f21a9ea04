"""Who comes in: the token of a handshake becomes an Identity, or a CONNECT_ERROR. Rules C-01 to C-04."""

from __future__ import annotations

from typing import Final

from chatd.auth import AuthConfig, AuthError, Identity, Verifier, find_token
from chatd.engineio.session import Handshake
from chatd.socketio.namespace import Auth, ConnectRefusedError

COOKIE: Final = b"cookie"
AUTHORIZATION: Final = b"authorization"

KEPT_HEADERS: Final = frozenset({COOKIE, AUTHORIZATION})
"""What the door needs of a handshake."""


class Door:
    """Identifies sockets."""

    def __init__(self, config: AuthConfig, verifier: Verifier) -> None:
        self._config = config
        self._verifier = verifier

    def identify(self, handshake: Handshake, auth: Auth) -> Identity:
        """Raises ConnectRefusedError, with `data.code` one of AuthCode."""
        headers = handshake.headers
        try:
            token = find_token(headers.get(COOKIE), headers.get(AUTHORIZATION), auth, self._config)
            identity = self._verifier.verify(token)
        except AuthError as error:
            raise ConnectRefusedError(error.message, {"code": error.code}) from error
        self._let_go(handshake, token)
        return identity

    def _let_go(self, handshake: Handshake, token: str) -> None:
        """Keep only what a second CONNECT on the same session needs: browsers send kilobytes of other cookies."""
        kept = {name: value for name, value in handshake.headers.items() if token in value}
        if COOKIE in kept:
            kept[COOKIE] = f"{self._config.cookie}={token}"
        handshake.headers = kept
