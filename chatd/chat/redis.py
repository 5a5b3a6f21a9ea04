"""Which Redis a configuration names, with everything that is needed to connect. Imported only where one is named."""

from __future__ import annotations

from pathlib import Path

from chatd.chat.config import ChatConfig
from chatd.cluster.redis.address import RedisAddress, parse_address
from chatd.cluster.redis.tls import Credentials, secured
from chatd.settings.passwords import read_password


def bus_address(chat: ChatConfig) -> RedisAddress:
    """That of the bus. Raises ConfigError."""
    return _address(chat, chat.bus or "", chat.bus_password_file, "bus_password_file")


def adapter_address(chat: ChatConfig) -> RedisAddress:
    """That of the Node.js nodes, which is that of the bus if nothing else is said. Raises ConfigError."""
    if chat.bus_adapter_url is None:
        return bus_address(chat)
    return _address(chat, chat.bus_adapter_url, chat.bus_adapter_password_file, "bus_adapter_password_file")


def _address(chat: ChatConfig, url: str, password: Path | None, setting: str) -> RedisAddress:
    credentials = Credentials(
        authorities=chat.bus_ca_file, certificate=chat.bus_cert_file, key=chat.bus_key_file, name=chat.bus_tls_name
    )
    return secured(parse_address(url, read_password(password, setting)), credentials)
