"""`chatd history USER`: prints the messages from and to a user, oldest first."""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from chatd.cli.database import Database, add_database, configured, reading
from chatd.store.words import has_words, words_of

# Three parts, each of which can use an index. The newest rows of each part contain the newest of all.
_SQL: Final = """
    SELECT * FROM (
        SELECT id, de, para, mensaje, fecha FROM mensajes WHERE para = ?1 AND id < ?2
        UNION SELECT id, de, para, mensaje, fecha FROM mensajes WHERE de = ?1 AND supervisado = 1 AND id < ?2
        UNION SELECT id, de, para, mensaje, fecha FROM mensajes WHERE de = ?1 AND supervisado = 0 AND id < ?2
    ) AS walks ORDER BY id DESC LIMIT ?3
"""

_ALL: Final = 2**63 - 1
_NEWEST: Final = 2**63 - 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("user", metavar="USER", help="whose conversation")
    parser.add_argument("--last", type=_some, default=_ALL, metavar="N", help="only the newest N messages")
    parser.add_argument(
        "--search", type=_words, default=[], metavar="TEXT", help="only messages with all these words or prefixes"
    )
    parser.add_argument("--json", action="store_true", help="print each message as a line of JSON")
    add_database(parser)


def _some(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("write a number of messages, at least 1")
    return int(text)


def _words(text: str) -> list[str]:
    words = words_of(text)
    if not words:
        raise argparse.ArgumentTypeError("write at least one word")
    return words


def run(args: argparse.Namespace) -> int:
    show = as_json if args.json else conversation
    with reading(configured(args)) as connection:
        for line in show(connection, args.user, args.last, args.search):
            print(line)
    return 0


def conversation(connection: Database, user: str, last: int = _ALL, words: Sequence[str] = ()) -> Iterator[str]:
    """A line for each message, and one more for each line break in it. Raises what the database raises."""
    for _, de, para, mensaje, fecha in _messages(connection, user, last, words):
        first, *others = mensaje.split("\n")
        yield f"{_moment(fecha)}  {_shown(de)} > {_shown(para)}: {_shown(first)}"
        for other in others:
            yield f"    {_shown(other)}"


def as_json(connection: Database, user: str, last: int = _ALL, words: Sequence[str] = ()) -> Iterator[str]:
    """A line for each message. Raises what the database raises."""
    for number, de, para, mensaje, fecha in _messages(connection, user, last, words):
        yield json.dumps({"id": str(number), "de": de, "para": para, "mensaje": mensaje, "fecha": fecha})


def _messages(connection: Database, user: str, last: int, words: Sequence[str]) -> list[tuple[int, str, str, str, int]]:
    """The newest `last` messages that have all `words`, oldest first. A search reads all, so it needs no index."""
    rows = connection.execute(_SQL, (user, _NEWEST, _ALL if words else last)).fetchall()
    found = islice((row for row in rows if has_words(row[3], words)), last)
    return list(found)[::-1]


def _moment(ms: int) -> str:
    try:
        return f"{datetime.datetime.fromtimestamp(ms / 1000, datetime.UTC):%Y-%m-%d %H:%M:%S}Z"
    except (ValueError, OverflowError):  # an imported date beyond the year 9999
        return f"{ms} ms"


def _shown(text: str) -> str:
    """`text` with control characters escaped, so that a message cannot move the cursor."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
