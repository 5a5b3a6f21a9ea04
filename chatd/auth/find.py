"""Where a request carries its tokens: the cookie, then `auth.token`, then `Authorization: Bearer`. Rule C-01."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from chatd.auth.config import AuthConfig
from chatd.auth.errors import AuthCode, AuthError

MAX_NAMES_SHOWN: Final = 8
MAX_NAME_CHARS: Final = 32

_NOT_IN_A_NAME: Final = re.compile(r"[^!#$%&'*+\-.^_`|~0-9A-Za-z]")


class Found(NamedTuple):
    """A token, unverified, and where it was."""

    where: str
    token: str


def find_tokens(
    cookie_header: str | None, authorization: str | None, auth_payload: object, config: AuthConfig
) -> Iterator[Found]:
    """The tokens that the request carries, one of each source at most, in the order in which they count.

    `cookie_header` is the value of the Cookie header (several joined by "; "), `authorization` that of the header of
    this name, `auth_payload` what the CONNECT packet brought. Where there is none, raises AuthError TOKEN_MISSING.
    """
    in_cookie = _cookie(cookie_header or "", config.cookie)
    if in_cookie:
        yield Found(f"the cookie {config.cookie}", in_cookie)
    in_auth = _auth_token(auth_payload) if config.auth_token else ""
    if in_auth and in_auth != in_cookie:
        yield Found("auth.token", in_auth)
    in_header = _bearer(authorization or "") if config.bearer_token else ""
    if in_header and in_header not in (in_cookie, in_auth):
        yield Found("the header Authorization", in_header)
    if not (in_cookie or in_auth or in_header):
        raise AuthError(AuthCode.TOKEN_MISSING, _what_was_expected(cookie_header or "", config))


def cookies(header: str) -> Iterator[tuple[str, str]]:
    """Names and values of a Cookie header, in order. Never raises; linear in the header's length.

    As browsers do, a piece without "=" is taken for a value without a name, and left out. Values keep their percent
    signs; quotes around the whole value go. https://www.rfc-editor.org/rfc/rfc6265#section-5.4
    """
    for piece in header.split(";"):
        name, equals, value = piece.partition("=")
        name, value = name.strip(" \t"), value.strip(" \t")
        if name and equals:
            yield name, value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def _cookie(header: str, wanted: str) -> str:
    """The first cookie that is not empty: of two with one name, browsers send the one with the longer path first."""
    return next((value for name, value in cookies(header) if name == wanted and value), "")


def _auth_token(payload: object) -> str:
    token = payload.get("token") if isinstance(payload, Mapping) else None
    return token if isinstance(token, str) else ""


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.strip(" \t").partition(" ")
    return token.strip(" \t") if scheme.lower() == "bearer" else ""


def _what_was_expected(header: str, config: AuthConfig) -> str:
    """A sentence with the names of the received cookies, escaped and cut, never with a value."""
    names = list(dict.fromkeys(_NOT_IN_A_NAME.sub("?", name[:MAX_NAME_CHARS]) for name, _ in cookies(header)))
    more = ", ..." if len(names) > MAX_NAMES_SHOWN else ""
    seen = f"cookies seen: {', '.join(names[:MAX_NAMES_SHOWN])}{more}" if names else "no cookies came"
    others = [
        *(["auth.token"] if config.auth_token else []),
        *(["the header Authorization: Bearer"] if config.bearer_token else []),
    ]
    alternatives = f" or in {' or '.join(others)}" if others else ""
    return f"No token: it was expected in the cookie {config.cookie}{alternatives} ({seen})."
