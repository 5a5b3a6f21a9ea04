"""Each mechanism of the core, replaced by a variant without it: the simulation must then find a fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final
from unittest import mock

from chatd.cluster.core import epoch, heal, node, stream
from chatd.cluster.core.floor import Floor
from chatd.cluster.core.frame import News
from chatd.cluster.core.heal import Read
from chatd.cluster.core.tail import Tail
from chatd.cluster.core.vector import Vector, latest_of
from tests.cluster.simulation.database import Database, Writer
from tests.cluster.simulation.message import Said


def _link_anything(applied: int, news: News[Said]) -> list[Said] | None:
    """No chain: the predecessor of a frame is not checked."""
    return [item for item in news.items if item.id > applied]


class _EagerStream(stream.Stream[Said]):
    """Gaps are detected and healed, but later messages do not wait for that."""

    def on_news(self, news: News[Said], size_bytes: int) -> list[Said]:
        delivered = super().on_news(news, size_bytes)
        if self.held.first is None:
            return delivered
        self.held.clear()
        return delivered + [item for item in news.items if item.id > self.applied]


class _NoHeal(heal.Heal):
    def ask(self, applied: int, missing: int, settled: int, now_s: float) -> Read | None:
        return None


class _HastyHeal(heal.Heal):
    """Unsettled messages are read as well."""

    def ask(self, applied: int, missing: int, settled: int, now_s: float) -> Read | None:
        return super().ask(applied, missing, missing, now_s)


class _NoTail(Tail[Said]):
    def keep(self, applied: Iterable[Said], settled: int) -> None:
        pass


class _NoFloor(Floor):
    def hides(self, message_id: int) -> bool:
        return False

    def raised(self, position: Mapping[int, int]) -> Vector:
        return dict(position)


class _BeatlessStream(stream.Stream[Said]):
    """Beats renew leases, but their position is ignored."""

    def on_news(self, news: News[Said], size_bytes: int) -> list[Said]:
        return super().on_news(news, size_bytes) if news.items else []


class _EpochlessStream(stream.Stream[Said]):
    """A new process of an origin is taken for the old one: its unstored messages are awaited for ever."""

    def begin(self, epoch: int) -> None:
        self.epoch = epoch


def _begin_behind_the_rows(origin: int, stored: int, reserved: int) -> int:
    """No reservation: ids that were published and not stored are used again."""
    return epoch_begin(origin, stored, 0)


def _release_at_once(self: Database, writer: Writer) -> None:
    """No lock: a new process starts during the last commit of the old one."""
    if not writer.is_open and self._holders.get(writer.number) is writer:
        del self._holders[writer.number]
        self._grant(writer.number)


epoch_begin: Final = epoch.begin

BROKEN: Final[Mapping[str, Callable[[], AbstractContextManager[Any]]]] = {
    "chain": lambda: mock.patch.object(stream, "link", _link_anything),
    "gap": lambda: mock.patch.object(node, "Stream", _EagerStream),
    "heal": lambda: mock.patch.object(stream, "Heal", _NoHeal),
    "heal waits until it is settled": lambda: mock.patch.object(stream, "Heal", _HastyHeal),
    "tail": lambda: mock.patch.object(stream, "Tail", _NoTail),
    "floor": lambda: mock.patch("chatd.cluster.core.receiver.Floor", _NoFloor),
    "beats": lambda: mock.patch.object(node, "Stream", _BeatlessStream),
    "epochs": lambda: mock.patch.object(node, "Stream", _EpochlessStream),
    "reservation": lambda: mock.patch.object(epoch, "begin", _begin_behind_the_rows),
    "lock": lambda: mock.patch.object(Database, "_release", _release_at_once),
}


def largest_id(position: Vector) -> Vector:
    """The naive query: all ids above the greatest that the client has seen."""
    return {origin: latest_of(origin, max(position.values())) for origin in position}


def overlapping(window_ms: int) -> Callable[[Vector], Vector]:
    """The naive query, started `window_ms` earlier; the client drops duplicates."""

    def earlier(position: Vector) -> Vector:
        since = max(max(position.values()) - (window_ms << 22), 0)
        return {origin: latest_of(origin, since) for origin in position}

    return earlier
