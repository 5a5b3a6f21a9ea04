"""The settings of authentication: where tokens are found, and which are valid."""

# ruff: noqa: RUF009 - setting() gives a field, whose default is immutable

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Final

from chatd.base.errors import ConfigError
from chatd.listen.loopback import is_loopback
from chatd.settings.setting import METADATA_KEY, Setting, setting

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
        (), "file with a public key (PEM) that verifies tokens, or KID=FILE; reloaded", live=True
    )
    jwks_url: str | None = setting(
        None,
        "URL of an identity provider's key set (JWKS), https unless on this machine; asked again and again",
        live=True,
    )
    jwks_file: Path | None = setting(None, "file with such a key set; reloaded", live=True)
    jwks_refresh_s: float = setting(
        300.0,
        "seconds from one answer of the identity provider to the next question",
        minimum=10,
        maximum=86_400,
        live=True,
    )
    jwks_cooldown_s: float = setting(
        30.0,
        "seconds without a further question for a token that is signed with an unknown key",
        minimum=1,
        maximum=3_600,
        live=True,
    )
    jwks_timeout_s: float = setting(
        5.0, "seconds for an answer of the identity provider", minimum=0.1, maximum=60, live=True
    )
    jwks_keep_s: float = setting(
        86_400.0,
        "seconds that its last answer counts while it does not answer",
        minimum=60,
        maximum=2_592_000,
        live=True,
    )
    max_jwks_bytes: int = setting(
        262_144,
        "bytes of an identity provider's answer, and of jwks_file",
        minimum=1_024,
        maximum=16_777_216,
        live=True,
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

    email_claim: str | None = setting(
        None,
        "claim with the user's e-mail address, which is kept for [[notify]]; without it no address is known",
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
        if self.jwks_url is not None:
            _check_url(self.jwks_url)
        if self.jwks_url is not None or self.jwks_file is not None:
            self._check_algorithm()

    @property
    def has_keys_of_others(self) -> bool:
        """Whether tokens may be signed by a private key of another party."""
        return bool(self.jwt_public_key_file or self.jwks_file or self.jwks_url)

    def _check_algorithm(self) -> None:
        if self.jwt_algorithm in SECRET_ALGORITHMS:
            raise ConfigError(
                f"jwt_algorithm: {self.jwt_algorithm} goes with a secret; the keys of jwks_url and jwks_file are public"
            )


def _check_url(url: str) -> None:
    from urllib.parse import urlsplit  # noqa: PLC0415 - loaded only when used

    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigError(f"jwks_url: {url!r} is no URL: {error}") from error
    if parts.scheme not in {"http", "https"} or not host or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigError(f"jwks_url: {url!r} is no URL; write https://login.example.com/keys")
    if parts.username is not None or parts.fragment:
        raise ConfigError("jwks_url: a URL of keys has no password and no fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(
            f"jwks_url: over http, another computer on the way to {host} could send keys of its own: write https. "
            "Only a provider on this machine may be asked by http"
        )
