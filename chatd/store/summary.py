"""The list of conversations, which follows the messages at a distance: nothing of it is in the way of a commit.

`conversaciones` has a row for each user who wrote to be read by every admin (its `lector` is empty), and one for each
admin and whomever it wrote to in private; `ultimo` is the last of these messages. Only what is asked for must be
complete: so the table is brought up to date for each question, and now and then in between, which keeps that short.
Measured with 20,000 users by a power law: a trigger that did it with each row took 30 to 40 µs of every insert.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

STEP_ROWS: Final = 5_000
"""Messages that are summed up in one statement, and that may come before it is done unasked."""

_NOTHING: Final = -(2**63)

Execute = Callable[[str, Sequence[int]], Awaitable[list[Any]]]
"""Runs what every database understands."""


class Summary:
    """Brings the table up to date. `execute` runs one statement and returns its rows; raises StoreError."""

    def __init__(self, execute: Execute, overlap: int = 0) -> None:
        """`overlap`: so much is read again, because others store ids that are smaller than what is summed up."""
        self._execute = execute
        self._overlap = overlap
        self._upto: int | None = None
        self._stored = 0

    def is_due(self, stored: int) -> bool:
        """Take note of so many more messages; whether it is time to go on."""
        self._stored += stored
        return self._stored >= STEP_ROWS

    async def catch_up(self, _asked: Sequence[None]) -> None:
        """Raises StoreError; then what is missing is found again."""
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

# From one reader to the next: there are as many as admins.
_LAST: Final = """
    WITH RECURSIVE readers (lector) AS (
        SELECT min(lector) FROM conversaciones
        UNION ALL SELECT (SELECT min(lector) FROM conversaciones WHERE lector > readers.lector)
        FROM readers WHERE readers.lector IS NOT NULL
    )
    SELECT max((SELECT max(ultimo) FROM conversaciones WHERE conversaciones.lector = readers.lector)) FROM readers
"""
