"""`quien_soy`: a client asks who its token says it is. Rule C-60 of protocol.md.

A page's script cannot read a cookie that is HttpOnly, as the cookie of a login should be.
"""

from __future__ import annotations

import msgspec

from chatd.auth import Identity


class WhoAmI(msgspec.Struct, frozen=True, kw_only=True):
    """The acknowledgement."""

    ok: bool = True
    user: str
    name: str
    rol: str


def who_am_i(identity: Identity) -> WhoAmI:
    return WhoAmI(user=identity.user, name=identity.name, rol=identity.rol)
