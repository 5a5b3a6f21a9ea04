"""The settings of the Socket.IO layer. Defaults are the reference's, where it has the setting."""

from __future__ import annotations

import dataclasses

from chatd.settings.setting import setting


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SocketIoConfig:
    """Everything an operator can change about packets and namespaces."""

    connect_timeout_s: float = setting(
        45.0, "seconds that a client has to join its first namespace", minimum=0.01, maximum=3600
    )
    max_namespaces: int = setting(
        10, "namespaces that one connection may be in; 0: without limit", minimum=0, maximum=10_000
    )
    max_refused: int = setting(
        20, "refused CONNECTs in a row that a connection may have; 0: without limit", minimum=0, maximum=1_000_000
    )
    max_attachments: int = setting(10, "binary attachments in one packet", minimum=0, maximum=10)
    max_depth: int = setting(64, "nested arrays and objects in one packet", minimum=4, maximum=256)
