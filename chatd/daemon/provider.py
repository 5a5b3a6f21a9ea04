"""The identity provider. A reload may add and remove it; its code is loaded with the first one."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING

from chatd.auth import AuthConfig
from chatd.base.part import Live, Part
from chatd.chat.door import Door
from chatd.socketio.namespace import Namespace

if TYPE_CHECKING:
    from chatd.chat.provided import ProvidedKeys


class ProviderOnDemand:
    """Creates `ProvidedKeys` when the configuration has the first provider."""

    def __init__(self, config: AuthConfig, door: Door, namespace: Namespace) -> None:
        self._door = door
        self._namespace = namespace
        self._provided: ProvidedKeys | None = None
        self._is_used = False
        self._use(config)

    @property
    def part(self) -> Part:
        return Part(
            close=self._close,
            live=[Live("identity provider", lambda read: functools.partial(self._use, read.auth))],
            refusals={"provider": self._refused},
            shown={"provider": lambda: None if (used := self._used) is None else used.provider},
            fault=lambda: used.fault if (used := self._used) is not None and used.has_no_keys else None,
            worry=lambda: None if (used := self._used) is None else used.fault,
        )

    def _use(self, config: AuthConfig) -> None:
        """Never raises: the modules that it imports were already imported when keys were read."""
        self._is_used = config.jwks_url is not None
        if self._is_used and self._provided is None:
            from chatd.chat.provided import ProvidedKeys  # noqa: PLC0415 - loaded only when used

            self._provided = ProvidedKeys(self._door, self._namespace)
        if self._provided is not None:
            self._provided.use(config)

    @property
    def _used(self) -> ProvidedKeys | None:
        return self._provided if self._is_used else None

    def _refused(self) -> Iterable[tuple[str, int]]:
        return () if self._provided is None else self._provided.refused.items()

    async def _close(self) -> None:
        if self._provided is not None:
            await self._provided.close()
