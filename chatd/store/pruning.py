"""Which messages are old, and how they are deleted: a few at a time, each few in a transaction of its own. Pure.

`fecha` says how old a message is (rule C-59). Ids mostly say the same, so that the old ones lie together at the low
end: they are deleted along their ids. Ids of another time than their `fecha` are left by a clock that was wrong, or
come with an import. They have an index of their own, which is empty where all is well: there it takes no page and,
measured, no time of an insert. (An index of all messages by `fecha` takes a page of each commit, and 8 % of its CPU.)

The newest message always stays: the next id must be greater than it.
"""

from __future__ import annotations

from typing import Final

ROWS_PER_STEP: Final = 250
"""A few milliseconds of a writer."""

AGREED_MS: Final = 60_000
"""An id and a `fecha` agree if they are not further apart."""

# The times in ids count from 2025 (chat/messages/ids.py). A part of a released step of the schema: it never changes.
ASTRAY: Final = "(id >> 22) + 1735689600000 NOT BETWEEN fecha - 60000 AND fecha + 60000"
ASTRAY_INDEX: Final = f"CREATE INDEX mensajes_desfasados ON mensajes (fecha) WHERE {ASTRAY}"

_NEWEST: Final = "(SELECT max(id) FROM mensajes)"

# Every database understands it. ?1: above this id, ?2: below this one and the newest, ?3: so many rows. NULL when there
# are none.
LAST_OF_STEP: Final = f"""
    SELECT max(id) FROM (
        SELECT id FROM mensajes WHERE id > ?1 AND id < ?2 AND id < {_NEWEST} ORDER BY id LIMIT ?3
    ) AS step
"""  # noqa: S608  # words of ours

# ?1: above this id, ?2: up to this one, ?3: milliseconds since 1970.
DELETE_STEP: Final = "DELETE FROM mensajes WHERE id > ?1 AND id <= ?2 AND fecha < ?3 RETURNING 1"

# ?1: milliseconds since 1970, ?2: so many rows. PostgreSQL is told of no index.
DELETE_ASTRAY: Final = f"""
    DELETE FROM mensajes WHERE id IN (
        SELECT id FROM mensajes INDEXED BY mensajes_desfasados
        WHERE {ASTRAY} AND fecha < ?1 AND id < {_NEWEST} ORDER BY fecha LIMIT ?2
    ) RETURNING 1
"""  # noqa: S608  # words of ours

# ?1: the id up to which the steps go, ?2: milliseconds since 1970.
COUNT: Final = f"""
    SELECT (SELECT count(*) FROM mensajes WHERE id < ?1 AND id < {_NEWEST} AND fecha < ?2)
        + (SELECT count(*) FROM mensajes INDEXED BY mensajes_desfasados
            WHERE {ASTRAY} AND fecha < ?2 AND id >= ?1 AND id < {_NEWEST})
"""  # noqa: S608  # words of ours

_READER: Final = "CASE old.supervisado WHEN 1 THEN '' ELSE old.de END"
_CON: Final = "CASE old.supervisado WHEN 1 THEN old.de ELSE old.para END"
_ENTRY: Final = f"lector = {_READER} AND con = {_CON}"

# In the list of conversations, the message before one that goes takes its place; the last one takes the entry along.
LIST_TRIGGER: Final = f"""
    CREATE TRIGGER mensajes_borrados AFTER DELETE ON mensajes
    WHEN EXISTS (SELECT 1 FROM conversaciones WHERE {_ENTRY} AND ultimo = old.id)
    BEGIN
        UPDATE conversaciones SET ultimo = coalesce(CASE old.supervisado
            WHEN 1 THEN (SELECT max(id) FROM mensajes INDEXED BY mensajes_de WHERE de = old.de AND supervisado = 1)
            ELSE (SELECT max(id) FROM mensajes INDEXED BY mensajes_privados
                WHERE para = old.para AND de = old.de AND supervisado = 0)
        END, ultimo) WHERE {_ENTRY};
        DELETE FROM conversaciones WHERE {_ENTRY} AND ultimo = old.id;
    END
"""  # noqa: S608  # words of ours

FORGET_LIST: Final = "DELETE FROM conversaciones"
"""The next daemon makes the list of conversations again, from nothing."""
