"""The tables of webhooks (chatd/webhooks), which stand empty without one. Written for both databases. Pure.

`clave` is a number for the name of a hook (chatd/webhooks/memory.py).
"""

from __future__ import annotations

from typing import Final

HOOK_TABLES: Final[tuple[str, ...]] = (
    # Up to which id of a log (chatd/store/positions.py) all is delivered; `apagado`: switched off by its receiver.
    """
    CREATE TABLE ganchos (
        clave INTEGER NOT NULL,
        registro INTEGER NOT NULL,
        hasta INTEGER NOT NULL,
        apagado INTEGER NOT NULL,
        PRIMARY KEY (clave, registro)
    ) STRICT, WITHOUT ROWID
    """,
    # Messages whose events a receiver did not accept.
    """
    CREATE TABLE ganchos_apartados (
        clave INTEGER NOT NULL,
        id INTEGER NOT NULL,
        PRIMARY KEY (clave, id)
    ) STRICT, WITHOUT ROWID
    """,
)

PRESENCE_TABLES: Final[tuple[str, ...]] = (
    # Users who are here, as a receiver was told (chatd/webhooks/presencenews.py).
    """
    CREATE TABLE ganchos_presentes (
        clave INTEGER NOT NULL,
        quien TEXT NOT NULL,
        PRIMARY KEY (clave, quien)
    ) STRICT, WITHOUT ROWID
    """,
)

WAIT_TABLES: Final[tuple[str, ...]] = (
    # Users who wait for an answer (chatd/webhooks/waits.py): since which message, and when that was written. `avisado`:
    # whether the receiver was told.
    """
    CREATE TABLE ganchos_esperas (
        clave INTEGER NOT NULL,
        con TEXT NOT NULL,
        desde INTEGER NOT NULL,
        fecha INTEGER NOT NULL,
        avisado INTEGER NOT NULL,
        PRIMARY KEY (clave, con)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX ganchos_esperas_fecha ON ganchos_esperas (clave, fecha) WHERE avisado = 0",
    # Other events that a receiver did not take, as they were sent.
    """
    CREATE TABLE ganchos_guardados (
        clave INTEGER NOT NULL,
        evento TEXT NOT NULL,
        con TEXT NOT NULL,
        cuerpo TEXT NOT NULL,
        PRIMARY KEY (clave, evento)
    ) STRICT, WITHOUT ROWID
    """,
)
