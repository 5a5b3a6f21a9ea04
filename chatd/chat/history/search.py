"""`buscar`: finds messages by their words. Needs the index of `--search on`. Rules C-89 and C-90."""

from __future__ import annotations

from typing import Final, Self

import msgspec

from chatd.base.errors import RefusedError
from chatd.base.part import Part
from chatd.chat.chat import Chat
from chatd.chat.events import EventCode, parse_fields, parse_limit, parse_user
from chatd.chat.feature import Feature
from chatd.chat.history.historian import within_bytes
from chatd.chat.history.questions import PastMessage, parse_before
from chatd.chat.member import Author
from chatd.socketio.socket import Reply
from chatd.store import textsql
from chatd.store.config import StoreConfig
from chatd.store.history import Viewer
from chatd.store.textindex import TextIndex
from chatd.store.words import words_of

DEFAULT_ROWS: Final = 20
MAX_ROWS: Final = 100

MAX_SOUGHT_CHARS: Final = 200
MAX_SOUGHT_WORDS: Final = 8


class AskSearch(msgspec.Struct, frozen=True, gc=False):
    """`buscar {texto, con?, antes?, limite?}`; other keys are ignored."""

    words: list[str]
    con: str | None
    before: int
    limit: int

    @classmethod
    def parse(cls, args: list[object]) -> Self:
        """Raises RefusedError."""
        fields = parse_fields(args, "buscar takes one object: {texto, con?, antes?, limite?}.")
        con = fields.get("con")
        return cls(
            _words(fields.get("texto")),
            None if con is None else parse_user(con, "con", EventCode.CON_INVALID),
            parse_before(fields),
            parse_limit(fields, DEFAULT_ROWS, MAX_ROWS),
        )


class Hits(msgspec.Struct, frozen=True, kw_only=True):
    """The acknowledgement of `buscar`, newest first. `sigue` is the `antes` of the next page."""

    ok: bool = True
    encontrados: list[PastMessage]
    sigue: str | None


class Search:
    """The arguments of `buscar`."""

    def __init__(self, chat: Chat, index: TextIndex) -> None:
        self._historian = chat.historian
        self._index = index

    @property
    def feature(self) -> Feature:
        return Feature(events={"buscar": self._search})

    def _search(self, member: Author, args: list[object], reply: Reply | None) -> None:
        viewer = Viewer(member.identity.user, member.identity.is_admin)
        self._historian.begin(member, reply, lambda: self._find(viewer, AskSearch.parse(args)))

    async def _find(self, viewer: Viewer, asked: AskSearch) -> Hits:
        await self._index.catch_up()
        limit = min(asked.limit, self._historian.max_rows)
        hits, onward = await self._index.search(viewer, asked.con, asked.words, asked.before, limit)
        shown = within_bytes([PastMessage.of(row) for row in hits])
        if len(shown) < len(hits):
            onward = hits[len(shown) - 1].id
        return Hits(encontrados=shown, sigue=None if onward is None else str(onward))


def _words(value: object) -> list[str]:
    words = words_of(value) if isinstance(value, str) and len(value) <= MAX_SOUGHT_CHARS else []
    if not 0 < len(words) <= MAX_SOUGHT_WORDS:
        raise RefusedError(
            EventCode.TEXTO_INVALID,
            f"texto must be 1 to {MAX_SOUGHT_WORDS} words, of at most {MAX_SOUGHT_CHARS} characters.",
        )
    return words


def join_search(config: StoreConfig, chat: Chat) -> Part:
    """Add search to `chat`. The part creates the index at its start, which raises ConfigError."""
    overlap = 0
    if chat.node is not None:
        from chatd.store.postgres.nodes import OVERLAP  # noqa: PLC0415 - not every installation has the driver

        overlap = OVERLAP
    index = TextIndex(chat.store, textsql.of(config.db), max_chars=chat.messages.max_chars, overlap=overlap)
    chat.router.add(Search(chat, index).feature)

    async def start() -> None:
        await index.make()
        index.start()

    return Part(start=start, close=index.close)
