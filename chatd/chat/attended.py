"""`atencion`: a user asks whether an admin is here to answer. Rule C-78 of protocol.md."""

from __future__ import annotations

import msgspec


class Attended(msgspec.Struct, frozen=True, kw_only=True):
    """The acknowledgement. `atendido`: whether an admin is connected."""

    ok: bool = True
    atendido: bool
