"""The index of the words in messages, in the SQL of each database. Pure. Rules C-89 to C-91.

SQLite has FTS5 for it, PostgreSQL a tsvector. What the words are is decided in words.py, for both alike: the databases
are given texts that are folded and split already. So no extension of PostgreSQL is needed. A row that goes takes its
words along, whichever program deletes it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from .history import Viewer
from .url import is_postgres

# ruff: noqa: S608 - words and numbers of ours

EXAMINED: Final = 1_000
"""Messages with the words that one statement looks at, some of which the reader may not read."""

MIN_PREFIX_CHARS: Final = 3
"""A shorter word is found as a whole: half of all messages have a word that begins with some letter."""


class TextSql(NamedTuple):
    """`needs`: a module of SQLite. `key`: the column with the id. `prefix`, `whole` and `both` are parts of a query."""

    needs: str | None
    create: tuple[str, ...]
    drop: tuple[str, ...]
    key: str
    matches: str
    prefix: str
    whole: str
    both: str


# No place of a word in its text is kept (detail), nor how long texts are: who searches is not told how well it fits.
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
        "PRAGMA secure_delete = ON",  # what is deleted later must not be left in pages that were the index
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
"""SQLite writes the index anew, without the words of what was deleted."""

SECURE_DELETE: Final = "INSERT INTO textos (textos, rank) VALUES ('secure-delete', 1)"
SECURE_DELETE_FROM: Final = (3, 42, 0)
"""From this version of SQLite on, words are gone from the file with their message."""

HAS_MODULE: Final = "SELECT count(*) FROM pragma_module_list WHERE name = ?1"

# Takes the id behind which it begins: the last id of a few messages, and how many there are.
NEXT: Final = f"""
    SELECT max(id), count(*) FROM (SELECT id FROM mensajes WHERE id > ?1 ORDER BY id LIMIT {EXAMINED}) AS step
"""


_NAME: Final = "\N{MIDDLE DOT}"  # in no word, and to SQLite no separator


def of(db: str) -> TextSql:
    """That of the database which `--db` names so."""
    return POSTGRES if is_postgres(db) else SQLITE


def name_of(user: str) -> str:
    """What stands among the words for one who wrote a message, or to whom it was written."""
    return _NAME + user.encode().hex()


def missing(sql: TextSql, rows: int) -> str:
    """Takes both ends of some messages: those that are not in the index."""
    return f"""
        SELECT m.id, m.de, m.para, m.mensaje FROM mensajes AS m
        WHERE m.id > ?1 AND m.id <= ?2 AND NOT EXISTS (SELECT 1 FROM textos AS t WHERE t.{sql.key} = m.id)
        ORDER BY m.id LIMIT {rows}
    """


@functools.cache
def insert(sql: TextSql, rows: int) -> str:
    """Takes an id and its words for each row. A message that is gone meanwhile has none."""
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
    """What is matched: all words, in a message from or to all `users`. Words are letters and digits alone."""
    parts = [(sql.prefix if len(word) >= MIN_PREFIX_CHARS else sql.whole).format(word) for word in words]
    return sql.both.join([*parts, *(sql.whole.format(name_of(user)) for user in users)])


def stretch(sql: TextSql) -> str:
    """Takes the query and the id before which it ends: the first id of the newest few that match, and how many."""
    return f"""
        SELECT min(id), count(*) FROM (
            SELECT t.{sql.key} AS id FROM textos AS t WHERE {sql.matches} AND t.{sql.key} < ?2
            ORDER BY t.{sql.key} DESC LIMIT {EXAMINED}
        ) AS examined
    """


def found(sql: TextSql, viewer: Viewer, con: str | None) -> str:
    """Takes the query, both ends, how many, the reader and, if there is one, the other: the newest first. Rule C-90."""
    key = sql.key
    return f"""
        SELECT m.id, m.de, m.para, m.mensaje, m.fecha FROM textos AS t CROSS JOIN mensajes AS m
        WHERE {sql.matches} AND t.{key} < ?2 AND t.{key} >= ?3 AND m.id = t.{key} AND ({_readable(viewer, con)})
        ORDER BY t.{key} DESC LIMIT ?4
    """


def participants(viewer: Viewer, con: str | None) -> Sequence[str]:
    """Who has to be among the two of a message, whatever else its reader may read."""
    if con is None:
        return [] if viewer.is_admin else [viewer.user]
    return [con] if viewer.is_admin else [viewer.user, con]


def _readable(viewer: Viewer, con: str | None) -> str:
    """Rule C-71: the same as in history.py, as a condition on a row."""
    if con is None:
        own = "m.para = ?5 OR m.de = ?5"
        return f"m.supervisado = 1 OR {own}" if viewer.is_admin else "m.para = ?5 OR (m.de = ?5 AND m.supervisado = 1)"
    between = "(m.de = ?5 AND m.para = ?6) OR (m.de = ?6 AND m.para = ?5)"
    return f"((m.de = ?6 OR m.para = ?6) AND m.supervisado = 1) OR {between}" if viewer.is_admin else between
