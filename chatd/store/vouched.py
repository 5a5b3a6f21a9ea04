"""The time that a database vouches for, without which nothing is deleted by its age. Rule C-59 of protocol.md.

A wall clock that is 400 days ahead at one start makes every message look old, and what is deleted is gone. So the
file remembers until when it was in use; while a daemon runs, that moves on by a clock that cannot be set. A wall clock
that is not much further is believed, and remembered. One that is much further waits for the operator's word (`chatd
clock --trust`): that time, written into the file. It holds for this once, and not for the next step.

"Much further" is a week, or half of the age where that is less: so a wrong clock deletes no message before half of
its time. A daemon that was off for longer, and a backup that is older, need that word as well: nothing tells them from
a wrong clock. A wall clock that is behind deletes less, and is no danger: a machine that boots in 1970 and hears from
NTP a minute later comes back to where the file is.

The file of a chatd that did not remember begins with its newest message, and so does one that was filled by an import.
The times of the file itself are no witness: a copy gets those of the clock that is in doubt.
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

# From here on, what every database understands.
VOUCHED: Final = "SELECT fecha FROM reloj"

# ?1: milliseconds since 1970.
TRUST: Final = "INSERT INTO reloj (uno, fecha) VALUES (1, ?1) ON CONFLICT (uno) DO UPDATE SET fecha = excluded.fecha"

# ?1: the same, ?2: what was there. If it has changed meanwhile, that was the operator's word.
_MOVE_ON: Final = "UPDATE reloj SET fecha = ?1 WHERE fecha = ?2 RETURNING 1"

Execute = Callable[[str, Sequence[int]], Awaitable[list[Any]]]


def allowed_ms(age_ms: int) -> int:
    """How far the clock may be beyond what is vouched for, where messages of that age are to be deleted."""
    return min(MAX_AHEAD_MS, age_ms // 2)


def uptime_s() -> float:
    """Seconds by a clock that cannot be set; where there is one, it goes on while the machine is suspended."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class VouchedTime:
    """Of one file. `execute` runs one statement and returns its rows; raises StoreError."""

    def __init__(self, execute: Execute, wall_ms: Callable[[], int], uptime_s: Callable[[], float]) -> None:
        self._execute = execute
        self._wall_ms = wall_ms
        self._uptime_s = uptime_s
        self._written: int | None = None
        self._written_at_s = 0.0

    async def ahead_ms(self, allowed_ms: int) -> int:
        """How far the wall clock is ahead of what is vouched for; 0 if it is believed, and then remembered.

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
