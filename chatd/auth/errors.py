"""Why a connection is refused."""

from __future__ import annotations

import enum

from chatd.base.errors import RefusedError


class AuthCode(enum.StrEnum):
    """`data.code` of the CONNECT_ERROR that a client gets.

    What it should do: TOKEN_MISSING send one, TOKEN_EXPIRED fetch a fresh one, TOKEN_INVALID log in again (it is not a
    token of ours, or not for here and now), CLAIMS_INVALID tell its developer (the token is genuine, but lacks a claim
    or has one of the wrong type).
    """

    TOKEN_MISSING = "token_missing"  # noqa: S105 - a code, no password
    TOKEN_INVALID = "token_invalid"  # noqa: S105
    TOKEN_EXPIRED = "token_expired"  # noqa: S105
    CLAIMS_INVALID = "claims_invalid"
    TOKEN_DENIED = "token_denied"  # noqa: S105


class AuthError(RefusedError):
    """A token is missing or invalid. The message never quotes the token's content."""

    def __init__(self, code: AuthCode, message: str) -> None:
        super().__init__(code, message)
