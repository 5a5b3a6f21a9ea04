"""A socket that comes back to one of several nodes: for now, it is told to load the history."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from chatd.chat.member import Member
from chatd.chat.nodes.shell import Shell
from chatd.chat.recovery import Recovery
from chatd.socketio.namespace import Auth


class NodeRecovery(Recovery):
    """A plain id is no position among several nodes."""

    def __init__(self, shell: Shell, *parts: Any) -> None:
        super().__init__(*parts)
        self._shell = shell

    def admit(self, member: Member, auth: Auth) -> Member | Coroutine[Any, Any, Member]:
        """See Recovery.admit."""
        return super().admit(member, {**auth, "desde": ""} if "desde" in auth or "offset" in auth else auth)
