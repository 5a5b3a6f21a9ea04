"""The user of a socket."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from chatd.auth.keys import Key

ADMIN: Final = "admin"


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """The claims of a verified token; no later input of the client can change them."""

    user: str
    name: str
    rol: str
    expires_at: float | None
    """Unix seconds from which the token is no longer accepted, leeway included; None: never."""
    token_id: str | None
    """The claim `jti`, by which a single token can be denied."""
    signed_by: Key | None = dataclasses.field(default=None, compare=False, repr=False)
    """The key that verified the signature."""
    email: str | None = dataclasses.field(default=None, compare=False, repr=False)
    """Where `email_claim` is set and the claim is an address. Never in a log."""

    @property
    def is_admin(self) -> bool:
        return self.rol == ADMIN
