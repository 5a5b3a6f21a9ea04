"""N-30"""

from __future__ import annotations

import subprocess
import sys
from os import EX_CONFIG
from pathlib import Path
from typing import Final

import pytest

from chatd.base.errors import ConfigError
from chatd.chat.neighbours.making import make_neighbours
from chatd.chat.neighbours.neighbours import uid_of
from chatd.daemon.config import Config, load

ON = {"bus_adapter": "socket.io"}


def address(**settings: str) -> str:
    config = load({**ON, **settings}, {})
    made = make_neighbours(config.chat, config.engineio, config.socketio, secure=False)
    return str(made._client._address)


def test_the_adapter_needs_redis_and_works_with_sqlite() -> None:
    with pytest.raises(ConfigError, match="--bus-adapter-url"):
        load(ON, {})
    assert address(bus_adapter_url="redis://cache:7000", db="chat.db") == "cache:7000"
    assert Config().chat.bus_adapter == "off"


def test_the_redis_of_the_bus_is_the_default() -> None:
    bus = {"bus": "redis://bus", "db": "postgresql://x/y"}
    assert address(**bus) == "bus:6379"
    assert address(**bus, bus_adapter_url="redis://cache") == "cache:6379"


def test_the_password_is_read_from_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--bus-adapter-password-file"):
        load({**ON, "bus_adapter_url": "redis://u:secret@cache"}, {})
    with pytest.raises(ConfigError, match="bus_adapter_password_file"):
        address(bus_adapter_url="redis://cache", bus_adapter_password_file=str(tmp_path / "missing"))


def test_all_daemons_of_a_chat_and_no_other_have_the_same_uid() -> None:
    """N-32"""
    assert uid_of(b"one") == uid_of(b"one") != uid_of(b"other")
    assert len(uid_of(b"one")) > len("emitter")


HIDE: Final = """
import runpy, sys
class Hidden:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "hiredis":
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Hidden)
sys.argv = ["chatd", *sys.argv[1:]]
runpy.run_module("chatd", run_name="__main__")
"""


def test_without_hiredis_the_error_names_the_package(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret of forty-two characters, exactly..")
    secret.chmod(0o600)
    flags = ["--bus-adapter", "socket.io", "--bus-adapter-url", "redis://cache", "--jwt-secret-file", str(secret)]
    command = [sys.executable, "-c", HIDE, "serve", "--port", "0", "--db", str(tmp_path / "chat.db"), *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == EX_CONFIG
    assert "bus_adapter: it needs the package hiredis: pip install 'chatd[cluster]'" in done.stderr
    assert not (tmp_path / "chat.db").exists()
