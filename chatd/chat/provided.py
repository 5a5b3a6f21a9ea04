"""Checks tokens with the keys of an identity provider: sockets wait while they are requested. Rules J-03 and J-05."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from chatd.auth import AuthConfig, UnknownKeyError
from chatd.auth.jwks.provider import JwksLimit, Provider
from chatd.auth.keys import Key
from chatd.chat.door import Door
from chatd.socketio.namespace import Auth, Namespace
from chatd.socketio.socket import Socket, SocketHandler


class ProvidedKeys:
    """Works from `use` to `close`; without a provider it refuses no token. Metrics read `provider`."""

    def __init__(self, door: Door, namespace: Namespace) -> None:
        self.provider = Provider(self._take, asyncio.get_running_loop().time)
        self._door = door
        self._namespace = namespace
        self._accept = namespace.accept

    @property
    def fault(self) -> str | None:
        return self.provider.fault

    @property
    def has_no_keys(self) -> bool:
        return not self._door.has_keys

    @property
    def refused(self) -> Mapping[JwksLimit, int]:
        """How often each limit was reached."""
        return self.provider.refusals.counts

    def use(self, config: AuthConfig) -> None:
        """Use the provider that `config` names, or none."""
        is_used = config.jwks_url is not None
        self._door.ask_for_keys(self.provider.may_ask if is_used else None)
        self._namespace.accept = self._accept_provided if is_used else self._accept
        self.provider.use(config)

    async def close(self) -> None:
        """Idempotent."""
        await self.provider.end()

    def _take(self, keys: tuple[Key, ...]) -> None:
        self._door.use_provided(self._namespace, keys)

    def _accept_provided(self, socket: Socket, auth: Auth) -> SocketHandler | Coroutine[Any, Any, SocketHandler]:
        try:
            return self._accept(socket, auth)
        except UnknownKeyError:
            return self._accept_later(socket, auth)

    async def _accept_later(self, socket: Socket, auth: Auth) -> SocketHandler:
        """Wait for the keys, then accept. This repeats only if the provider was replaced meanwhile: otherwise `may_ask`
        allows no second request, and `_accept` refuses the token.
        """
        while True:
            await self.provider.asked_if_due()
            try:
                handler = self._accept(socket, auth)
            except UnknownKeyError:
                continue
            return await handler if isinstance(handler, Coroutine) else handler
