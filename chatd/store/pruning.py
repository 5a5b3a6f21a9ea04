"""The SQL that deletes old messages, a few in each transaction. Pure.

The age of a message is that of its `fecha` (rule C-59). Ids contain a time too, mostly the same one, so old messages
have the smallest ids, and are deleted in the order of ids. A wrong clock or an import can leave messages whose `fecha`
differs from the time in their id. They have a partial index, which is usually empty and then takes no measurable time
of an insert. (An index of all messages by `fecha` would write one page more in each commit, and take 8 % of its CPU.)

The newest message is never deleted: the next id must be greater than it.
"""

from __future__ import annotations

from typing import Final

ROWS_PER_STEP: Final = 250
"""Rows of one transaction; it takes a few milliseconds."""

AGREED_MS: Final = 60_000
"""The time in an id and `fecha` agree if they differ by at most this."""

# The times in ids count from 2025 (chat/messages/ids.py). A part of a released step of the schema: never change it.
ASTRAY: Final = "(id >> 22) + 1735689600000 NOT BETWEEN fecha - 60000 AND fecha + 60000"
ASTRAY_INDEX: Final = f"CREATE INDEX mensajes_desfasados ON mensajes (fecha) WHERE {ASTRAY}"

_NEWEST: Final = "(SELECT max(id) FROM mensajes)"

# For both databases. ?1: ids greater than this, ?2: less than this and than the newest, ?3: number of rows. NULL if
# there are no rows.
LAST_OF_STEP: Final = f"""
    SELECT max(id) FROM (
        SELECT id FROM mensajes WHERE id > ?1 AND id < ?2 AND id < {_NEWEST} ORDER BY id LIMIT ?3
    ) AS step
"""  # noqa: S608  # only constants are inserted

# ?1: ids greater than this, ?2: up to this one, ?3: milliseconds since 1970.
DELETE_STEP: Final = "DELETE FROM mensajes WHERE id > ?1 AND id <= ?2 AND fecha < ?3 RETURNING 1"

# ?1: milliseconds since 1970, ?2: number of rows. The name of the index is removed for PostgreSQL (dialect.py).
DELETE_ASTRAY: Final = f"""
    DELETE FROM mensajes WHERE id IN (
        SELECT id FROM mensajes INDEXED BY mensajes_desfasados
        WHERE {ASTRAY} AND fecha < ?1 AND id < {_NEWEST} ORDER BY fecha LIMIT ?2
    ) RETURNING 1
"""  # noqa: S608  # only constants are inserted

# ?1: the id up to which the steps go, ?2: milliseconds since 1970.
COUNT: Final = f"""
    SELECT (SELECT count(*) FROM mensajes WHERE id < ?1 AND id < {_NEWEST} AND fecha < ?2)
        + (SELECT count(*) FROM mensajes INDEXED BY mensajes_desfasados
            WHERE {ASTRAY} AND fecha < ?2 AND id >= ?1 AND id < {_NEWEST})
"""  # noqa: S608  # only constants are inserted

_READER: Final = "CASE old.supervisado WHEN 1 THEN '' ELSE old.de END"
_CON: Final = "CASE old.supervisado WHEN 1 THEN old.de ELSE old.para END"
_ENTRY: Final = f"lector = {_READER} AND con = {_CON}"

# Updates the list of conversations: the previous message replaces a deleted one; without one, the entry is deleted.
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
"""  # noqa: S608  # only constants are inserted

FORGET_LIST: Final = "DELETE FROM conversaciones"
"""Empties the list of conversations; the next start builds it again."""
