"""Admission to the chat, and later checks: a token becomes an Identity, or a refusal.

Rules C-01 to C-04, C-25 to C-27, C-63, J-05.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from typing import Final

from chatd.auth import (
    AuthCode,
    AuthConfig,
    AuthError,
    Found,
    Identity,
    Key,
    Pay,
    Verifier,
    find_tokens,
    load_deny_list,
    load_keys,
    pay_nothing,
)
from chatd.auth.verify import MayAsk
from chatd.chat.member import Member
from chatd.engineio.session import Handshake
from chatd.settings.reload import Apply
from chatd.socketio.namespace import Auth, ConnectRefusedError, Namespace

log = logging.getLogger("chatd.chat")

COOKIE: Final = b"cookie"
AUTHORIZATION: Final = b"authorization"

KEPT_HEADERS: Final = frozenset({COOKIE, AUTHORIZATION})
"""The parts of a handshake that authentication needs."""


class Door:
    """Authenticates sockets."""

    def __init__(self, config: AuthConfig, verifier: Verifier) -> None:
        self._config = config
        self._verifier = verifier
        self.refused: Counter[str] = Counter()  # sockets, by code

    def identify(self, handshake: Handshake, auth: Auth, pay: Pay = pay_nothing) -> Identity:
        """Raises ConnectRefusedError, with `data.code` one of AuthCode. For `pay` see Verifier.verify."""
        headers = handshake.headers
        try:
            found = find_tokens(headers.get(COOKIE), headers.get(AUTHORIZATION), auth, self._config)
            identity, token = self._first_that_holds(found, pay)
        except AuthError as error:
            self.refused[error.code] += 1
            raise ConnectRefusedError(error.message, {"code": error.code}) from error
        self._let_go(handshake, token)
        return identity

    def _first_that_holds(self, found: Iterable[Found], pay: Pay) -> tuple[Identity, str]:
        """A page cannot take back a cookie that is HttpOnly and has expired, so it must not hide a fresh `auth.token`.

        Raises AuthError, with the code of the last token that is genuine: what a proxy adds may be none of ours.
        """
        faults: dict[str, AuthError] = {}  # by where the token was
        for where, token in found:
            try:
                return self._verifier.verify(token, pay), token
            except AuthError as error:
                faults[where] = error
        genuine = [fault for fault in faults.values() if fault.code != AuthCode.TOKEN_INVALID]
        last = (genuine or [*faults.values()])[-1]
        if len(faults) == 1:
            raise last
        told = [f"In {where}: {fault.message}" for where, fault in faults.items()]
        raise AuthError(AuthCode(last.code), " ".join(told))

    def check_again(self, identity: Identity) -> None:
        """Check whether a connected user would still be accepted. Raises as `identify`."""
        try:
            self._verifier.check_again(identity)
        except AuthError as error:
            raise ConnectRefusedError(error.message, {"code": error.code}) from error

    @property
    def has_keys(self) -> bool:
        return self._verifier.has_keys

    def ask_for_keys(self, may_ask: MayAsk | None) -> None:
        """See Verifier.ask_for_keys; `identify` then raises UnknownKeyError too."""
        self._verifier.ask_for_keys(may_ask)

    def use_provided(self, namespace: Namespace, keys: tuple[Key, ...]) -> None:
        """Apply the current keys of an identity provider. Rule J-05."""
        self._verifier.use_provided(keys)
        self._expel_unwelcome(namespace)

    def prepare(self, namespace: Namespace, config: AuthConfig) -> Apply:
        """Read the keys and the deny list that `config` names. What is returned puts them into force.

        Raises ConfigError.
        """
        keys, denied = load_keys(config), load_deny_list(config)

        def apply() -> None:
            self._verifier.use(keys, denied)
            self._expel_unwelcome(namespace)

        return apply

    def _expel_unwelcome(self, namespace: Namespace) -> None:
        """Disconnect sockets whose token would be refused now."""
        for socket in list(namespace.sockets.values()):
            member = socket.handler
            if isinstance(member, Member):
                try:
                    self._verifier.check_again(member.identity)
                except AuthError as error:
                    log.info("token no longer holds", extra={**member.logged, "code": error.code})
                    member.expel(error.code, error.message)

    def _let_go(self, handshake: Handshake, token: str) -> None:
        """Keep only the data for a second CONNECT on the session: browsers send kilobytes of other cookies."""
        kept = {name: value for name, value in handshake.headers.items() if token in value}
        if COOKIE in kept:
            kept[COOKIE] = f"{self._config.cookie}={token}"
        handshake.headers = kept
