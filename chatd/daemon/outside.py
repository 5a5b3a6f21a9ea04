"""Parts of the daemon that use the chat from outside: retention, metrics, API, webhooks, identity provider.

Parts that are off are not imported.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

from chatd.base.metric import Group
from chatd.base.part import Live, Part
from chatd.chat.messages.ids import first_id_of
from chatd.daemon.config import Config
from chatd.daemon.floors import Floors
from chatd.daemon.hooks import HooksOnDemand
from chatd.daemon.opening import now_ms
from chatd.daemon.provider import ProviderOnDemand
from chatd.ops.operations import Operations
from chatd.store.base import Store
from chatd.store.retention import Retention
from chatd.store.vouched import VouchedTime, uptime_s


def outside(floors: Floors, operations: Operations) -> Iterator[Part]:
    """The parts, in the order of their start. Raises ConfigError and ListenError."""
    config, chat = floors.config, floors.chat
    yield _retention(config, floors.watched.store)
    groups = _groups(config)
    yield operations.part(floors.watched, groups)
    if config.api.api or chat.chat.node is not None:
        yield from _api(floors, operations, groups)
    yield HooksOnDemand(config, chat.chat).part
    yield ProviderOnDemand(config.auth, chat.door, chat.chat.namespace).part


def _groups(config: Config) -> Sequence[Group[Any]]:
    """The metrics of all parts, or none if no listener serves them."""
    if not config.ops.internal and not config.api.api:
        return ()
    from chatd.daemon.metrics import GROUPS  # noqa: PLC0415 - loaded only when used

    return GROUPS


def _retention(config: Config, store: Store) -> Part:
    vouched = VouchedTime(store.run, now_ms, uptime_s)
    retention = Retention(store, vouched, now_ms, first_id_of, config.store.retention_days)
    live = Live("retention", lambda read: functools.partial(retention.use, read.store.retention_days))
    return Part(start=retention.start, close=retention.close, live=[live])


def _api(floors: Floors, operations: Operations, groups: Sequence[Group[Any]]) -> Iterator[Part]:
    """The API, and the deny list that it changes: one node sends a new entry to all others."""
    from chatd.chat.denials import Denials  # noqa: PLC0415 - loaded only when used

    config, chat = floors.config, floors.chat
    denials = Denials(config.auth, lambda auth: chat.door.prepare(chat.chat.namespace, auth)())
    chat.desk.answer_denials(denials)
    yield Part(live=[Live("deny list of other systems", lambda read: functools.partial(denials.use, read.auth))])
    if config.api.api:
        from chatd.api.opening import api_part  # noqa: PLC0415 - loaded only when used

        yield api_part(config, chat, denials, operations.sources(floors.watched, groups))
