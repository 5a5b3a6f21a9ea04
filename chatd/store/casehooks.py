"""Triggers that record changes of cases (chatd/team) for webhooks, in the same commit as the change. Pure.

`ganchos_siguen`: the webhooks that want events of cases; each entry expires at `hasta`. `ganchos_casos`: events that
are not delivered yet. `antes`: the state before the change; `rev`: the revision of the case, which gives the order.
"""

from __future__ import annotations

from typing import Final

CASE_TABLES: Final[tuple[str, ...]] = (
    "CREATE TABLE ganchos_siguen (clave INTEGER PRIMARY KEY, hasta INTEGER NOT NULL) STRICT",
    """
    CREATE TABLE ganchos_casos (
        clave INTEGER NOT NULL,
        con TEXT NOT NULL,
        rev INTEGER NOT NULL,
        fecha INTEGER NOT NULL,
        estado TEXT NOT NULL,
        antes TEXT NOT NULL,
        atiende TEXT,
        cerro TEXT,
        PRIMARY KEY (clave, con, rev)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX ganchos_casos_rev ON ganchos_casos (clave, rev)",
)


def _state(row: str) -> str:
    """The state of a case in SQL; see Case.of in chatd/team/case.py."""
    return (
        f"CASE WHEN {row}.atiende IS NOT NULL THEN 'atendido' "
        f"WHEN {row}.cerrado IS NOT NULL AND {row}.entrada <= {row}.resuelto THEN 'resuelto' ELSE 'abierto' END"
    )


def _tell(before: str, now: str) -> str:
    return f"""
        INSERT INTO ganchos_casos (clave, con, rev, fecha, estado, antes, atiende, cerro)
        SELECT clave, new.con, new.rev, {now}, {_state("new")}, {before}, new.atiende, new.cerro
        FROM ganchos_siguen WHERE hasta > {now}
        ON CONFLICT (clave, con, rev) DO NOTHING;
    """  # noqa: S608 - the inserted texts are constants of this module


_OPEN: Final = "'abierto'"
_IS_NEWS: Final = f"{_state('new')} <> {_OPEN}"
_HAS_CHANGED: Final = (
    f"new.rev <> old.rev AND ({_state('new')} <> {_state('old')} OR new.atiende IS {{distinct}} old.atiende)"
)
"""RESOLVE_THE_PAST (chatd/team/casesql.py) does not change `rev`, so it records no event."""

_NOW: Final = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
_NOW_POSTGRES: Final = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"

CASE_TRIGGERS: Final[tuple[str, ...]] = (
    f"CREATE TRIGGER casos_nuevo AFTER INSERT ON casos WHEN {_IS_NEWS} BEGIN {_tell(_OPEN, _NOW)} END",
    f"""
    CREATE TRIGGER casos_cambio AFTER UPDATE ON casos WHEN {_HAS_CHANGED.format(distinct="NOT")}
    BEGIN {_tell(_state("old"), _NOW)} END
    """,
)

CASE_TRIGGERS_POSTGRES: Final[tuple[str, ...]] = (
    f"""
    CREATE FUNCTION casos_nuevo() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN {_tell(_OPEN, _NOW_POSTGRES)} RETURN NULL; END $$
    """,
    f"""
    CREATE FUNCTION casos_cambio() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN {_tell(_state("old"), _NOW_POSTGRES)} RETURN NULL; END $$
    """,
    f"""
    CREATE TRIGGER casos_nuevo AFTER INSERT ON casos FOR EACH ROW WHEN ({_IS_NEWS}) EXECUTE FUNCTION casos_nuevo()
    """,
    f"""
    CREATE TRIGGER casos_cambio AFTER UPDATE ON casos FOR EACH ROW
    WHEN ({_HAS_CHANGED.format(distinct="DISTINCT FROM")}) EXECUTE FUNCTION casos_cambio()
    """,
)
