"""The vouched time: a time in the database that protects messages from a wrong clock. Rule C-59 of protocol.md.

With a wall clock that is 400 days ahead, every message looks old, and retention would delete all of them. So the
database stores the last time at which it was in use. While a daemon runs, this time advances by a monotonic clock. A
wall clock that is only a little ahead of it is trusted, and its time is stored. If it is far ahead, nothing is deleted
until the operator confirms the time (`chatd clock --trust`), which writes it into the database. The confirmation does
not cover a later step of the clock.

"Far ahead" is a week, or half of the retention age if that is less: so a wrong clock deletes no message before half of
its age. After a longer downtime, or with an older backup, the operator must confirm too, because the daemon cannot tell
this from a wrong clock. A wall clock that is behind deletes fewer messages, and does no harm: a machine may boot in
1970 and get the time from NTP a minute later.

A database of an older chatd, or of an import, starts with the time of its newest message. The modification time of the
file is not used: a copy gets it from the clock that is in doubt.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

DAY_MS: Final = 86_400_000
MAX_AHEAD_MS: Final = 7 * DAY_MS

CLOCK_TABLE: Final = """
    CREATE TABLE reloj (uno INTEGER PRIMARY KEY CHECK (uno = 1), fecha INTEGER NOT NULL) STRICT
"""

VOUCH_FOR_NEWEST: Final = """
    INSERT INTO reloj (uno, fecha)
    SELECT 1, max(fecha) FROM (
        SELECT fecha FROM (SELECT fecha FROM mensajes ORDER BY id DESC LIMIT 1) AS newest
        UNION ALL SELECT max(fecha) FROM vistos
    ) AS known HAVING max(fecha) IS NOT NULL ON CONFLICT (uno) DO UPDATE SET fecha = excluded.fecha
"""

# The following statements are for both databases.
VOUCHED: Final = "SELECT fecha FROM reloj"

# ?1: milliseconds since 1970.
TRUST: Final = "INSERT INTO reloj (uno, fecha) VALUES (1, ?1) ON CONFLICT (uno) DO UPDATE SET fecha = excluded.fecha"

# ?1: milliseconds since 1970, ?2: the value before. If that has changed, the operator has confirmed a time meanwhile.
_MOVE_ON: Final = "UPDATE reloj SET fecha = ?1 WHERE fecha = ?2 RETURNING 1"

Execute = Callable[[str, Sequence[int]], Awaitable[list[Any]]]


def allowed_ms(age_ms: int) -> int:
    """Milliseconds that the wall clock may be ahead of the vouched time, for a retention age of `age_ms`."""
    return min(MAX_AHEAD_MS, age_ms // 2)


def uptime_s() -> float:
    """Seconds of a monotonic clock; if the system has CLOCK_BOOTTIME, it also counts while the machine is suspended."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class VouchedTime:
    """The vouched time of one database. `execute` runs one statement and returns its rows; raises StoreError."""

    def __init__(self, execute: Execute, wall_ms: Callable[[], int], uptime_s: Callable[[], float]) -> None:
        self._execute = execute
        self._wall_ms = wall_ms
        self._uptime_s = uptime_s
        self._written: int | None = None
        self._written_at_s = 0.0

    async def ahead_ms(self, allowed_ms: int) -> int:
        """Milliseconds that the wall clock is ahead of the vouched time; 0 if it is trusted, and then stored.

        Raises StoreError.
        """
        remembered = await self._remembered()
        at_s, now = self._uptime_s(), self._wall_ms()
        vouched = now if remembered is None else remembered
        if remembered is not None and remembered == self._written:
            vouched += round((at_s - self._written_at_s) * 1000)
        ahead = now - vouched
        believed = ahead <= allowed_ms
        await self._remember(remembered, max(now, vouched) if believed else vouched, at_s)
        return 0 if believed else ahead

    async def _remembered(self) -> int | None:
        for (fecha,) in await self._execute(VOUCHED, ()):
            return int(fecha)
        return None

    async def _remember(self, before: int | None, fecha: int, at_s: float) -> None:
        if before is None:
            await self._execute(TRUST, (fecha,))
        elif not await self._execute(_MOVE_ON, (fecha, before)):
            return
        self._written, self._written_at_s = fecha, at_s
