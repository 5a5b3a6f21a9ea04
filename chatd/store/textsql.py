"""The SQL of the word index, for each database. Pure. Rules C-89 to C-91.

SQLite uses FTS5, PostgreSQL a tsvector. words.py folds and splits the texts for both, so no extension of PostgreSQL is
needed. The words of a message are deleted with its row, by a trigger or a foreign key.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from .history import Viewer
from .url import is_postgres

# ruff: noqa: S608 - only constants are inserted

EXAMINED: Final = 1_000
"""Matching messages that one statement reads; the reader may not be allowed to read all of them."""

MIN_PREFIX_CHARS: Final = 3
"""Shorter words match only whole words, because half of all messages have a word that starts with a given letter."""


class TextSql(NamedTuple):
    """`needs`: a module of SQLite; `key`: the column of the id; `prefix`, `whole` and `both`: parts of a query."""

    needs: str | None
    create: tuple[str, ...]
    drop: tuple[str, ...]
    key: str
    matches: str
    prefix: str
    whole: str
    both: str


# Positions of words (detail) and lengths of texts (columnsize) are not stored, because results are not ranked.
SQLITE: Final = TextSql(
    needs="fts5",
    create=(
        "CREATE VIRTUAL TABLE IF NOT EXISTS textos USING fts5 (palabras, detail=none, columnsize=0, tokenize=ascii)",
        """
        CREATE TRIGGER IF NOT EXISTS mensajes_sin_texto AFTER DELETE ON mensajes
        BEGIN DELETE FROM textos WHERE rowid = old.id; END
        """,
        """
        CREATE TRIGGER IF NOT EXISTS mensajes_con_otro_id AFTER UPDATE OF id ON mensajes
        BEGIN DELETE FROM textos WHERE rowid = old.id; END
        """,
    ),
    drop=(
        "PRAGMA secure_delete = ON",  # overwrite the pages of the index with zeros
        "DROP TRIGGER IF EXISTS mensajes_sin_texto",
        "DROP TRIGGER IF EXISTS mensajes_con_otro_id",
        "DROP TABLE IF EXISTS textos",
    ),
    key="rowid",
    matches="t.textos MATCH ?1",
    prefix='"{}"*',
    whole='"{}"',
    both=" AND ",
)

POSTGRES: Final = TextSql(
    needs=None,
    create=(
        """
        CREATE TABLE IF NOT EXISTS textos (
            id bigint PRIMARY KEY REFERENCES mensajes ON DELETE CASCADE ON UPDATE CASCADE,
            palabras tsvector NOT NULL
        )
        """,
        "CREATE INDEX IF NOT EXISTS textos_palabras ON textos USING gin (palabras)",
    ),
    drop=("DROP TABLE IF EXISTS textos",),
    key="id",
    matches="palabras @@ ?1::text::tsquery",
    prefix="'{}':*",
    whole="'{}'",
    both=" & ",
)

OPTIMIZE: Final = "INSERT INTO textos (textos) VALUES ('optimize')"
"""Makes SQLite rewrite the index without the words of deleted messages."""

SECURE_DELETE: Final = "INSERT INTO textos (textos, rank) VALUES ('secure-delete', 1)"
SECURE_DELETE_FROM: Final = (3, 42, 0)
"""The version of SQLite from which a deletion also removes the words from the file."""

HAS_MODULE: Final = "SELECT count(*) FROM pragma_module_list WHERE name = ?1"

# The last id and the number of the next few messages. Parameter: the id after which they start.
NEXT: Final = f"""
    SELECT max(id), count(*) FROM (SELECT id FROM mensajes WHERE id > ?1 ORDER BY id LIMIT {EXAMINED}) AS step
"""


_NAME: Final = "\N{MIDDLE DOT}"  # in no word, and to SQLite no separator


def of(db: str) -> TextSql:
    """The SQL for the database `db`."""
    return POSTGRES if is_postgres(db) else SQLITE


def name_of(user: str) -> str:
    """The word in the index for the sender or the recipient of a message."""
    return _NAME + user.encode().hex()


def missing(sql: TextSql, rows: int) -> str:
    """Messages that are not indexed. Parameters: ids in (?1, ?2]."""
    return f"""
        SELECT m.id, m.de, m.para, m.mensaje FROM mensajes AS m
        WHERE m.id > ?1 AND m.id <= ?2 AND NOT EXISTS (SELECT 1 FROM textos AS t WHERE t.{sql.key} = m.id)
        ORDER BY m.id LIMIT {rows}
    """


@functools.cache
def insert(sql: TextSql, rows: int) -> str:
    """Adds messages to the index. Parameters: id and words of each. Messages deleted meanwhile are skipped."""
    if sql is SQLITE:
        values = ", ".join(f"(?{2 * row + 1}, ?{2 * row + 2})" for row in range(rows))
        return f"""
            INSERT INTO textos (rowid, palabras) SELECT column1, column2 FROM (VALUES {values}) AS new
            WHERE EXISTS (SELECT 1 FROM mensajes WHERE id = column1)
        """
    values = ", ".join(f"(?{2 * row + 1}::bigint, ?{2 * row + 2}::text)" for row in range(rows))
    return f"""
        INSERT INTO textos (id, palabras) SELECT new.id, array_to_tsvector(string_to_array(new.palabras, ' '))
        FROM (VALUES {values}) AS new (id, palabras) JOIN mensajes AS m ON m.id = new.id ON CONFLICT DO NOTHING
    """


def query(sql: TextSql, words: Iterable[str], users: Iterable[str]) -> str:
    """The query for messages with all `words`, from or to all `users`. Words consist of letters and digits."""
    parts = [(sql.prefix if len(word) >= MIN_PREFIX_CHARS else sql.whole).format(word) for word in words]
    return sql.both.join([*parts, *(sql.whole.format(name_of(user)) for user in users)])


def stretch(sql: TextSql) -> str:
    """The smallest id and the number of the newest EXAMINED matches below an id. Parameters: the query, the id."""
    return f"""
        SELECT min(id), count(*) FROM (
            SELECT t.{sql.key} AS id FROM textos AS t WHERE {sql.matches} AND t.{sql.key} < ?2
            ORDER BY t.{sql.key} DESC LIMIT {EXAMINED}
        ) AS examined
    """


def found(sql: TextSql, viewer: Viewer, con: str | None) -> str:
    """The matches that `viewer` may read, newest first. Rule C-90.

    Parameters: the query, ids less than ?2 and from ?3 on, the number of rows, the reader, and `con` if it is given.
    """
    key = sql.key
    return f"""
        SELECT m.id, m.de, m.para, m.mensaje, m.fecha FROM textos AS t CROSS JOIN mensajes AS m
        WHERE {sql.matches} AND t.{key} < ?2 AND t.{key} >= ?3 AND m.id = t.{key} AND ({_readable(viewer, con)})
        ORDER BY t.{key} DESC LIMIT ?4
    """


def participants(viewer: Viewer, con: str | None) -> Sequence[str]:
    """Users who must be sender or recipient of each message that is searched."""
    if con is None:
        return [] if viewer.is_admin else [viewer.user]
    return [con] if viewer.is_admin else [viewer.user, con]


def _readable(viewer: Viewer, con: str | None) -> str:
    """Rule C-71, as a condition on a row; the same rule as in history.py."""
    if con is None:
        own = "m.para = ?5 OR m.de = ?5"
        return f"m.supervisado = 1 OR {own}" if viewer.is_admin else "m.para = ?5 OR (m.de = ?5 AND m.supervisado = 1)"
    between = "(m.de = ?5 AND m.para = ?6) OR (m.de = ?6 AND m.para = ?5)"
    return f"((m.de = ?6 OR m.para = ?6) AND m.supervisado = 1) OR {between}" if viewer.is_admin else between
