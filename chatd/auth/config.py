"""The settings of identity: where a token is found and what makes it hold."""

# ruff: noqa: RUF009 - setting() gives a field, whose default is immutable

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Final

from chatd.errors import ConfigError
from chatd.settings import METADATA_KEY, Setting, setting

SECRET_ALGORITHMS: Final = ("HS256", "HS384", "HS512")
PUBLIC_KEY_ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)

# cookie-name = token, https://www.rfc-editor.org/rfc/rfc6265#section-4.1.1
_COOKIE_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AuthConfig:
    """Everything an operator can change about tokens. A secret or a key is needed.

    Several secrets and keys may hold at once. `kid=FILE` gives one a name; see keys.py for what that means.
    """

    cookie: str = setting("token", "name of the cookie that carries the token")
    auth_token: bool = setting(
        True, "without a cookie that holds, take the token from the client's option `auth: {token}`"
    )
    bearer_token: bool = setting(True, "where neither holds, take the token from the header Authorization: Bearer")
    jwt_secret: str | None = dataclasses.field(
        default=None,
        repr=False,
        metadata={METADATA_KEY: Setting("secret that signs the tokens, at least 32 bytes", secret=True, live=True)},
    )
    jwt_secret_file: tuple[Path, ...] = setting(
        (),
        "file with a secret that signs tokens, at least 32 bytes, or KID=FILE; of several the first signs; reloaded",
        live=True,
    )
    jwt_public_key_file: tuple[Path, ...] = setting(
        (), "file with the public key (PEM) of somebody who signs tokens, or KID=FILE; reloaded", live=True
    )
    jwt_algorithm: str | None = setting(
        None,
        "the only accepted algorithm; without it HS256 for a secret, or what the type of the public key says",
        choices=SECRET_ALGORITHMS + PUBLIC_KEY_ALGORITHMS,
    )
    jwt_require_exp: bool = setting(True, "refuse tokens that never expire (without the claim exp)")
    jwt_issuer: str | None = setting(None, "the claim iss that tokens must have")
    jwt_audience: tuple[str, ...] = setting((), "an audience that is us: tokens must name one of them in the claim aud")
    # Two machines without a common time source are some seconds apart, and a fresh token must hold at once; for a token
    # that lives for minutes or hours, ten seconds more are no risk. Rule C-61.
    jwt_leeway_s: float = setting(
        10.0,
        "seconds that the clocks of issuer and server may differ: a token holds so much earlier than nbf, and later "
        "than exp",
        minimum=0,
        maximum=300,
    )

    deny_file: Path | None = setting(
        None,
        "file with tokens and users who may not come in: lines of jti:ID and user:NAME, in which a name with spaces at "
        'its ends is written as a JSON string, user:" ana"; reloaded',
        live=True,
    )

    def __post_init__(self) -> None:
        if not _COOKIE_NAME.fullmatch(self.cookie):
            raise ConfigError(f"cookie: {self.cookie!r} is no name for a cookie; take letters, digits, - and _")
