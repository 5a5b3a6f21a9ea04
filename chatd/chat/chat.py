"""One chat: its parts, each made from those before it, and the list of its features."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from chatd.chat.config import ChatConfig
from chatd.chat.feature import Feature
from chatd.chat.history.historian import Historian
from chatd.chat.history.receipts import Receipts
from chatd.chat.history.standing import Standings
from chatd.chat.history.unread import Unread
from chatd.chat.limits import ChatLimits
from chatd.chat.messages.audience import ADMINS
from chatd.chat.messages.composing import Composer
from chatd.chat.messages.ids import IdSource
from chatd.chat.messages.messages import Messages
from chatd.chat.messages.supervision import Supervision
from chatd.chat.messages.writing import Writers
from chatd.chat.presence.attended import attended
from chatd.chat.presence.connected import Connections
from chatd.chat.presence.news import News
from chatd.chat.presence.presence import Presence
from chatd.chat.router import ChatRouter
from chatd.chat.whoami import WHO_AM_I
from chatd.socketio.namespace import Namespace
from chatd.store.base import Store

TeamEvent = Literal["caso", "nota", "respuesta"]


class Chat:
    """On one daemon alone. Those parts that are others on several nodes have a method that makes them."""

    def __init__(
        self,
        config: ChatConfig,
        limits: ChatLimits,
        namespace: Namespace,
        store: Store,
        ids: IdSource,
        clock_ms: Callable[[], int],
    ) -> None:
        """`clock_ms` returns milliseconds since 1970."""
        self.config = config
        self.limits = limits
        self.namespace = namespace
        self.store = store
        self.ids = ids
        self.clock_ms = clock_ms
        self.supervision = self._make_supervision()
        self.composer = Composer(ids, clock_ms, self.supervision)
        self.writers = self._make_writers()
        self.messages = self._make_messages()
        self.presence = self._make_presence(News(namespace)) if config.presence == "on" else None
        self.historian = Historian(config, store)
        self.receipts = self._make_receipts()
        self.unread = self._make_unread()
        self.router = ChatRouter(limits, self.features())

    def features(self) -> Iterator[Feature]:
        """The features, in the order in which their `on_join` is called."""
        yield Feature(events={}, use=self.supervision.use)
        yield self.messages.feature
        if self.presence is not None:
            yield Connections(self.presence).feature
            yield attended(self.supervision.is_attended)
        yield self.writers.feature
        yield self.historian.feature
        yield self.receipts.feature
        yield self.unread.feature
        yield Standings(self.store, self.presence).feature
        yield WHO_AM_I

    def tell_admins(self, event: TeamEvent, news: object) -> None:
        """An event for every admin."""
        self.namespace.emit(event, news, to=(ADMINS,))

    @property
    def sees_all(self) -> bool:
        """Whether presence knows all connected users."""
        return True

    @property
    def node(self) -> int | None:
        """Its number among several nodes; None if it is alone."""
        return None

    def _make_supervision(self) -> Supervision:
        return Supervision(self.config, self.namespace.rooms)

    def _make_writers(self) -> Writers:
        return Writers(self.namespace, self.config.typing_timeout_s, self.supervision.hearers)

    def _make_messages(self) -> Messages:
        return Messages(self.config, self.limits, self.namespace, self.store, self.composer, self.writers)

    def _make_presence(self, news: News) -> Presence:
        return Presence(self.config.presence_grace_s, self.namespace.timers, self.store, self.clock_ms, news.tell)

    def _make_receipts(self) -> Receipts:
        return Receipts(self.namespace, self.store, self.messages.newest)

    def _make_unread(self) -> Unread:
        return Unread(self.namespace, self.store, self.receipts, self.messages.newest)
