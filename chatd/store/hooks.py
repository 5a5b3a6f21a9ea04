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
    # Messages whose events a receiver did not take.
    """
    CREATE TABLE ganchos_apartados (
        clave INTEGER NOT NULL,
        id INTEGER NOT NULL,
        PRIMARY KEY (clave, id)
    ) STRICT, WITHOUT ROWID
    """,
)
