"""How a daemon gets neighbours. Rule N-30."""

from __future__ import annotations

from chatd.chat.config import ChatConfig
from chatd.chat.neighbours.neighbours import Neighbours
from chatd.chat.redis import adapter_address
from chatd.cluster.adapter.values import Bounds
from chatd.engineio.config import EngineConfig
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
    return Neighbours(adapter_address(chat), chat, bounds, engineio.path, secure=secure)
