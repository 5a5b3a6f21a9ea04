"""The two JSON objects inside a token, as types: the header says how it is signed, the claims what it says.

Unknown members are ignored, as https://www.rfc-editor.org/rfc/rfc7519#section-4 wants. So is `iat`: it says how old a
token is and not from when on it holds, which is `nbf`. Of claims that only a setting asks for, any type is taken here;
which values are good is in verify.py. Rule C-64 of protocol.md.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from chatd.auth.errors import AuthCode, AuthError
from chatd.base.mailaddress import is_address

MAX_CLAIM_CHARS: Final = 128

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_CLAIM_CHARS)]

# NumericDate: https://www.rfc-editor.org/rfc/rfc7519#section-2. PyJWT would take "12" and true as well.
_SECONDS: Final = msgspec.Meta(ge=0, le=2**53)
NumericDate = Annotated[int, _SECONDS] | Annotated[float, _SECONDS]

# C0, DEL and C1: they could forge lines in a log or a terminal. JSON text can hold no lone surrogate (msgspec).
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Header(msgspec.Struct, frozen=True):
    """The members of a JOSE header that matter: https://www.rfc-editor.org/rfc/rfc7515#section-4.1"""

    alg: str
    kid: str | UnsetType = UNSET
    crit: Any = UNSET
    b64: bool = True


class Claims(msgspec.Struct, frozen=True):
    """chatd's own claims and the registered ones it looks at."""

    user: Text
    name: Text
    rol: Text
    exp: NumericDate | UnsetType = UNSET
    nbf: NumericDate | UnsetType = UNSET
    iss: Any = UNSET
    aud: Any = UNSET
    jti: Any = UNSET

    @property
    def audiences(self) -> list[str]:
        """The audiences of the token; none if `aud` has another type than RFC 7519 allows."""
        named = self.aud if isinstance(self.aud, list) else [self.aud]
        return [one for one in named if isinstance(one, str) and one]

    @property
    def token_id(self) -> str | None:
        """The claim `jti`, by which an operator can deny a token: a number too, since a list of text can name it."""
        is_number = isinstance(self.jti, int) and not isinstance(self.jti, bool)
        return str(self.jti) if isinstance(self.jti, str) or is_number else None


_header = msgspec.json.Decoder(Header)
_claims = msgspec.json.Decoder(Claims)
_parts = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode_header(raw: bytes) -> Header:
    """Raises AuthError TOKEN_INVALID."""
    try:
        return _header.decode(raw.decode())
    except (ValueError, RecursionError) as error:
        raise AuthError(AuthCode.TOKEN_INVALID, "The token's header is not that of a JSON Web Token.") from error


def decode_claims(raw: bytes) -> Claims:
    """Raises AuthError CLAIMS_INVALID, which names the claim."""
    try:
        claims = _claims.decode(raw.decode())
    except msgspec.ValidationError as error:
        raise AuthError(AuthCode.CLAIMS_INVALID, f"The token's claims cannot be used: {error}.") from error
    except (ValueError, RecursionError) as error:
        raise AuthError(AuthCode.CLAIMS_INVALID, "The token's payload is not a JSON object.") from error
    if any(map(has_control, (claims.user, claims.name, claims.rol))):
        raise AuthError(AuthCode.CLAIMS_INVALID, "The claims user, name and rol must be free of control characters.")
    return claims


def address_in(raw: bytes, claim: str) -> str | None:
    """The e-mail address under `claim`; None for anything else, which refuses no token. Rule M-06.

    `raw` was taken by `decode_claims` before.
    """
    try:
        address = msgspec.json.decode(_parts.decode(raw)[claim], type=str)
    except (KeyError, ValueError, RecursionError):
        return None
    return address if is_address(address) else None


def has_control(text: str) -> bool:
    """Whether `text` holds a control character, which no user's name may."""
    return _CONTROL.search(text) is not None
