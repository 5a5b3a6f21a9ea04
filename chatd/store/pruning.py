"""How old messages are deleted: along the ids, a few at a time, each few in a transaction of its own. Pure.

Ids grow with time, so the old ones lie together; `fecha` decides all the same, because a clock may have been wrong. The
newest message always stays: the next id must be greater than it.
"""

from __future__ import annotations

from typing import Final

ROWS_PER_STEP: Final = 250
"""A few milliseconds of a writer."""

# ?1: above this id, ?2: below this one and the newest, ?3: so many rows. NULL when there are none.
LAST_OF_STEP: Final = """
    SELECT max(id) FROM (
        SELECT id FROM mensajes WHERE id > ?1 AND id < min(?2, (SELECT max(id) FROM mensajes)) ORDER BY id LIMIT ?3
    )
"""

# ?1: above this id, ?2: up to this one, ?3: milliseconds since 1970.
DELETE_STEP: Final = "DELETE FROM mensajes WHERE id > ?1 AND id <= ?2 AND fecha < ?3 RETURNING 1"

# A list of conversations, each with the id of its last message, which may be made again from the messages.
HAS_LIST: Final = "SELECT count(*) FROM sqlite_master WHERE name = 'conversaciones'"

# ?1: below this id. Without their last message they have none.
FORGET_EMPTY: Final = """
    DELETE FROM conversaciones WHERE ultimo < ?1 AND NOT EXISTS (SELECT 1 FROM mensajes WHERE id = ultimo)
"""

FORGET_LIST: Final = "DELETE FROM conversaciones"
