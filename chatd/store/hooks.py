"""The tables of webhooks (chatd/webhooks), empty without one. Written for both databases. Pure.

`clave` is a number made from the name of a webhook (chatd/webhooks/memory.py).
"""

from __future__ import annotations

from typing import Final

HOOK_TABLES: Final[tuple[str, ...]] = (
    # `hasta`: everything up to this id of the log `registro` (chatd/store/positions.py) is delivered. `apagado`: the
    # receiver has switched the webhook off.
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
    # Users who are online, as the receiver was last told (chatd/webhooks/presencenews.py).
    """
    CREATE TABLE ganchos_presentes (
        clave INTEGER NOT NULL,
        quien TEXT NOT NULL,
        PRIMARY KEY (clave, quien)
    ) STRICT, WITHOUT ROWID
    """,
)

WAIT_TABLES: Final[tuple[str, ...]] = (
    # Users who wait for an answer (chatd/webhooks/waits.py). `desde`: the first unanswered message; `fecha`: its time;
    # `avisado`: whether the receiver was told.
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
    # Other events that a receiver did not accept, as they were sent.
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
