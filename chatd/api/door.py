"""Which requests are served: keys, scopes and rates. Rules A-02 to A-04, A-18 and A-27."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from typing import Final

from chatd.api import log
from chatd.api.config import ApiConfig
from chatd.api.held import HeldConnections
from chatd.api.keys import Key, Keys, Scope, digest_of, load_keys
from chatd.api.problem import ApiCode
from chatd.base.errors import RefusedError
from chatd.base.rates import Rates
from chatd.base.refusals import Refusals
from chatd.chat.events import EventCode
from chatd.engineio.proxies import counted_address
from chatd.engineio.request import Request
from chatd.settings.reload import Apply

_SCHEME = "bearer"

WAIT_MS: Final = 10_000
"""What a client is told whose key holds too much: nobody knows when some of it ends."""


class ApiLimit(enum.StrEnum):
    """By the name of the setting."""

    API_RATE = "api_rate"
    API_ADDRESS_RATE = "api_address_rate"
    API_MAX_BODY = "api_max_body"
    API_MAX_STREAMS = "api_max_streams"
    API_MAX_STREAMS_PER_KEY = "api_max_streams_per_key"
    API_STREAM_TIMEOUT = "api_stream_timeout"
    API_MAX_CONNECTIONS_PER_KEY = "api_max_connections_per_key"
    API_TIMEOUT = "api_timeout"


class ApiDoor:
    """Finds the key of a request. `now` is in seconds."""

    def __init__(self, config: ApiConfig, now: Callable[[], float]) -> None:
        """Raises ConfigError."""
        self.refusals = Refusals(ApiLimit, now, log)
        self._now = now
        self._held = HeldConnections(config.api_max_connections_per_key)
        self._keys = _keys(config)
        self._by_key: Rates[str] = Rates(config.api_rate, 2 * config.api_rate)
        self._by_address: Rates[str] = Rates(config.api_address_rate, 2 * config.api_address_rate)

    def prepare(self, config: ApiConfig) -> Apply:
        """Read the keys again. What is returned puts them and the rates into force. Raises ConfigError."""
        keys = _keys(config)

        def apply() -> None:
            self._keys = keys
            self._by_key.change(config.api_rate, 2 * config.api_rate)
            self._by_address.change(config.api_address_rate, 2 * config.api_address_rate)

        return apply

    def admit(self, request: Request, scope: Scope | None) -> Key | None:
        """The key of a request that may do what needs `scope`; None where no key is needed. Raises RefusedError."""
        key = self._key_of(request)
        if key is None:
            self._check_address(request)
        else:
            self._check(self._by_key, key.name, ApiLimit.API_RATE, "key", key.name)
        if scope is None:
            return key
        if key is None:
            if request.header(b"authorization") is None:
                raise RefusedError(ApiCode.KEY_MISSING, "Send the header `Authorization: Bearer KEY`.")
            raise RefusedError(ApiCode.KEY_INVALID, "This is no key of this daemon.")
        if scope not in key.scopes:
            raise RefusedError(ApiCode.SCOPE_MISSING, f"This key has not the scope {scope}.")
        return key

    def take_connection(self, key: Key, connection: asyncio.Transport) -> None:
        """A request of `key` has come on this connection. Raises RefusedError."""
        if not self._held.take(connection, key.name):
            why = "connection refused: its key has too many open"
            self.refusals.add(ApiLimit.API_MAX_CONNECTIONS_PER_KEY, why, key=key.name)
            words = "This key has too many connections open already."
            raise RefusedError(ApiCode.TOO_MANY_CONNECTIONS_OF_KEY, words, retry_after_ms=WAIT_MS)

    def holds(self, key: Key) -> bool:
        """Whether a key that was admitted would be admitted now."""
        return self._keys.get(key.digest) == key

    def _key_of(self, request: Request) -> Key | None:
        scheme, _, key = (request.header(b"authorization") or "").partition(" ")
        return self._keys.get(digest_of(key.strip())) if scheme.lower() == _SCHEME else None

    def _check_address(self, request: Request) -> None:
        address = counted_address(request.address) if request.address else ""
        self._check(self._by_address, address, ApiLimit.API_ADDRESS_RATE, "address", request.address)

    def _check(self, rates: Rates[str], who: str, limit: ApiLimit, kind: str, shown: str) -> None:
        wait_s = rates.take(who, self._now())
        if wait_s > 0:
            self.refusals.add(limit, f"request refused: its {kind} sends too many", **{kind: shown})
            wait_ms = max(1, round(wait_s * 1_000))
            words = f"Too many requests: the next one is accepted in {wait_ms} ms."
            raise RefusedError(EventCode.RATE_LIMITED, words, retry_after_ms=wait_ms)


def _keys(config: ApiConfig) -> Keys:
    return {} if config.api_keys_file is None else load_keys(config.api_keys_file)
