"""How a daemon gets neighbours. Rule N-30."""

from __future__ import annotations

from chatd.chat.config import ChatConfig
from chatd.chat.neighbours.neighbours import Neighbours
from chatd.cluster.adapter.values import Bounds
from chatd.cluster.redis.address import RedisAddress, parse_address
from chatd.engineio.config import EngineConfig
from chatd.passwords import read_password
from chatd.socketio.config import SocketIoConfig
from chatd.socketio.jsontext import MAX_CONTAINERS, MAX_VALUES


def make_neighbours(chat: ChatConfig, engineio: EngineConfig, socketio: SocketIoConfig, *, secure: bool) -> Neighbours:
    """Raises ConfigError."""
    bounds = Bounds(
        max_bytes=engineio.max_payload_bytes,
        max_depth=socketio.max_depth,
        max_attachments=socketio.max_attachments,
        max_containers=MAX_CONTAINERS,
        max_values=MAX_VALUES,
    )
    return Neighbours(_address(chat), chat, bounds, engineio.path, secure=secure)


def _address(chat: ChatConfig) -> RedisAddress:
    """Their Redis, which is that of the bus if nothing else is said."""
    if chat.bus_adapter_url is None:
        return parse_address(chat.bus or "", read_password(chat.bus_password_file, "bus_password_file"))
    password = read_password(chat.bus_adapter_password_file, "bus_adapter_password_file")
    return parse_address(chat.bus_adapter_url, password)
