"""Webhooks hear of cases (chatd/team) by triggers: the change and its event are one commit. Pure.

`ganchos_siguen`: which hooks want to hear of cases, and until when they are believed to be there. `ganchos_casos`: what
each of them has not delivered. `antes`: the state before; `rev` is that of the case, so it is in order for each.
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
    """See Case.of in chatd/team/case.py."""
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
    """  # noqa: S608 - words of ours


_OPEN: Final = "'abierto'"
_IS_NEWS: Final = f"{_state('new')} <> {_OPEN}"
_HAS_CHANGED: Final = (
    f"new.rev <> old.rev AND ({_state('new')} <> {_state('old')} OR new.atiende IS {{distinct}} old.atiende)"
)
"""What resolves a past without a team (RESOLVE_THE_PAST) leaves `rev` as it is."""

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
