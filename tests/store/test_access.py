from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from chatd.base.errors import ConfigError
from chatd.store.config import StoreConfig
from chatd.store.sqlite import SqliteStore

NOBODY = 65_534


def as_nobody(told: Callable[[], str]) -> str:
    """What `told` says in a process that has no rights, of which it has none to begin with if we are not root."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setresuid(NOBODY, NOBODY, NOBODY)
            os.write(writing, told().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def start_on(db: Path) -> str:
    """The error of opening a store."""

    async def opened() -> str:
        store = SqliteStore(StoreConfig(db=str(db)))
        try:
            await store.open()
        except ConfigError as error:
            return str(error)
        await store.close()
        return "opened"

    return asyncio.run(opened())


@pytest.mark.parametrize("name", ["chatd.db", "chatd.db.lock"])
def test_a_file_of_another_user_is_named_with_its_owner_and_mode(tmp_path: Path, name: str) -> None:
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents:
        if not folder.stat().st_mode & 0o001:  # pytest's temporary folder is not accessible to other users
            folder.chmod(0o755)
    file = tmp_path / name
    file.touch()
    file.chmod(0o000 if os.geteuid() else 0o600)
    said = as_nobody(lambda: start_on(tmp_path / "chatd.db"))
    assert f"{file} belongs to " in said
    assert "with mode 0600" in said or "with mode 0000" in said
    assert "and chatd runs as " in said
