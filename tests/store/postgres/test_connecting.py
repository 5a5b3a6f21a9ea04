"""Connecting to PostgreSQL, and the errors if that fails."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chatd.base.errors import ConfigError
from chatd.store.config import StoreConfig
from chatd.store.postgres.connecting import Connector
from chatd.store.postgres.store import UnreachableError
from tests.cli.command import chatd
from tests.interop.proxy import proxy
from tests.store.postgres.patience import PATIENCE_S, opened
from tests.store.rig import PostgresBase


@pytest.mark.parametrize(
    "url", ["postgresql://127.0.0.1:54x2/chat", "postgresql://127.0.0.1/chat?sslmode", "postgresql:///c?sslmode=maybe"]
)
async def test_a_url_that_the_driver_does_not_understand_ends_the_start(url: str) -> None:
    """P-02"""
    with pytest.raises(ConfigError, match="check its port and its parameters"):
        await opened(url)


async def test_half_a_password_in_a_url_is_not_repeated() -> None:
    """P-03: a password may contain &, which ends a parameter."""
    with pytest.raises(ConfigError) as caught:
        await opened("postgresql://127.0.0.1/chat?sslpassword=open&sesame")
    assert "sesame" not in str(caught.value)


def test_check_says_that_the_url_is_wrong() -> None:
    """P-09"""
    done = chatd("check", "--db", "postgresql://127.0.0.1:54x2/chat", CHATD_JWT_SECRET="0123456789abcdef" * 4)
    assert done.returncode == 78
    assert "error   db: " in done.stdout
    assert "check its port and its parameters" in done.stdout


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
async def test_a_password_file_that_cannot_be_read_ends_the_start(
    own: PostgresBase, tmp_path: Path, content: bytes | None
) -> None:
    """P-03: the error names the file."""
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=f"db_password_file: .*{file}"):
        await opened(str(own), db_password_file=file)


async def test_a_server_that_hangs_while_a_session_begins_times_out(own: PostgresBase) -> None:
    """P-05: it accepts connections and answers no statement."""
    async with proxy(own.server.port) as between:
        between.swallow(b"server_version_num")
        url = str(own).replace(str(own.server.port), str(between.port))
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(UnreachableError, match="did not answer in time"):
                await opened(url, db_timeout_s=0.1)


@pytest.mark.parametrize(("synchronous", "level"), [("full", "on"), ("normal", "off")])
async def test_a_tool_sets_synchronous_commit_as_the_daemon_does(
    own: PostgresBase, synchronous: str, level: str
) -> None:
    """P-08: the default of the database does not matter."""
    own.server.sql(f"ALTER DATABASE {own.name} SET synchronous_commit = off")
    try:
        tool = await Connector(StoreConfig(db=str(own), synchronous=synchronous)).tool()
        assert await tool.fetchval("SHOW synchronous_commit") == level
        await tool.close()
    finally:
        own.server.sql(f"ALTER DATABASE {own.name} RESET synchronous_commit")
