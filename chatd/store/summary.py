"""The list of conversations. It is updated from stored messages afterwards, so that it does not slow down commits.

`conversaciones` has a row for each user with supervised messages (`lector` is empty), and a row for each admin and each
user to whom the admin wrote in private; `ultimo` is the last of these messages. The table is brought up to date before
each query of it, and at intervals in between, which keeps that update short. A trigger for each row took 30 to 40 µs of
every insert (measured with 20,000 users by a power law).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

STEP_ROWS: Final = 5_000
"""Messages of one statement, and new messages after which the list is updated without a query."""

_NOTHING: Final = -(2**63)

Execute = Callable[[str, Sequence[int]], Awaitable[list[Any]]]
"""Runs one statement in SQL of both databases."""


class Summary:
    """Brings the table up to date. `execute` runs one statement and returns its rows; raises StoreError."""

    def __init__(self, execute: Execute, overlap: int = 0) -> None:
        """`overlap`: the range of ids that is read again, because other nodes may store smaller ids later."""
        self._execute = execute
        self._overlap = overlap
        self._upto: int | None = None
        self._stored = 0

    def is_due(self, stored: int) -> bool:
        """Count `stored` new messages. Returns whether the list should be updated."""
        self._stored += stored
        return self._stored >= STEP_ROWS

    async def catch_up(self, _asked: Sequence[None]) -> None:
        """Update the table from all new messages. Raises StoreError; the next call repeats what is missing."""
        self._stored = 0
        rows = STEP_ROWS
        if self._upto is None:
            [(last,)] = await self._execute(_LAST, ())
            upto = _NOTHING if last is None else int(last) - self._overlap
        else:
            upto = self._upto - self._overlap
        while rows == STEP_ROWS:
            [(reached, rows)] = await self._execute(_NEXT, (upto, STEP_ROWS))
            if rows:
                await self._execute(_SUM_UP, (upto, reached))
                upto = reached
            self._upto = upto


SUM_UP_ALL: Final = """
    INSERT INTO conversaciones (lector, con, ultimo)
    SELECT CASE supervisado WHEN 1 THEN '' ELSE de END, CASE supervisado WHEN 1 THEN de ELSE para END, max(id)
    FROM mensajes WHERE id > {after} AND id <= {upto} GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (lector, con) DO UPDATE SET ultimo = excluded.ultimo WHERE excluded.ultimo > conversaciones.ultimo
"""

_SUM_UP: Final = SUM_UP_ALL.format(after="?1", upto="?2")

_NEXT: Final = "SELECT max(id), count(*) FROM (SELECT id FROM mensajes WHERE id > ?1 ORDER BY id LIMIT ?2) AS step"

# Steps from one `lector` to the next, because there are only as many as admins.
_LAST: Final = """
    WITH RECURSIVE readers (lector) AS (
        SELECT min(lector) FROM conversaciones
        UNION ALL SELECT (SELECT min(lector) FROM conversaciones WHERE lector > readers.lector)
        FROM readers WHERE readers.lector IS NOT NULL
    )
    SELECT max((SELECT max(ultimo) FROM conversaciones WHERE conversaciones.lector = readers.lector)) FROM readers
"""
