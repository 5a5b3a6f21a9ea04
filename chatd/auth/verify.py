"""Verifies tokens.

Signatures are PyJWT's, by its `Algorithm` objects, which keep a prepared key. What is around them is here: the three
parts of a compact token (https://www.rfc-editor.org/rfc/rfc7515#section-7.1) and the registered claims. For a token
of 200 characters under HS256 that takes about 10 µs; `jwt.decode`, which prepares its key and checks base64 letter
by letter for every token, takes 60 to 90. A test holds this against `jwt.decode`: what passes here passes there, but
for `iat` and claims of odd types, which do not refuse a token here (rule C-64 of protocol.md).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import UNSET

from chatd.auth.claims import Claims, Header, address_in, decode_claims, decode_header
from chatd.auth.config import PUBLIC_KEY_ALGORITHMS, AuthConfig
from chatd.auth.deny import NONE_DENIED, DenyList
from chatd.auth.errors import AuthCode, AuthError
from chatd.auth.identity import Identity
from chatd.auth.keys import Key

MAX_TOKEN_CHARS: Final = 8192  # twice the size limit of a cookie in browsers


Pay = Callable[[int], object]
"""Charges a price in units of 10 µs."""


MayAsk = Callable[[str | None], bool]
"""Returns whether the identity provider may be asked for the key of this kid."""


def pay_nothing(_price: int) -> None:
    """A `Pay` for callers without a budget."""


class UnknownKeyError(Exception):
    """No known key matches the kid, and the identity provider may have it: fetch keys, then verify again."""


class Verifier:
    """Verifies the tokens of one configuration. Pure apart from `clock`, which gives Unix seconds."""

    __slots__ = ("_clock", "_config", "_denied", "_keys", "_may_ask", "_own_keys", "_provided_keys")

    def __init__(
        self,
        config: AuthConfig,
        keys: Iterable[Key],
        clock: Callable[[], float],
        denied: DenyList = NONE_DENIED,
    ) -> None:
        self._config = config
        self._clock = clock
        self._provided_keys: tuple[Key, ...] = ()
        self._may_ask: MayAsk | None = None
        self.use(keys, denied)

    def use(self, keys: Iterable[Key], denied: DenyList) -> None:
        """Verify with these from now on; `check_again` finds tokens that are no longer valid."""
        self._own_keys = tuple(keys)
        self._keys = (*self._own_keys, *self._provided_keys)
        self._denied = denied

    @property
    def has_keys(self) -> bool:
        return bool(self._keys)

    def use_provided(self, keys: tuple[Key, ...]) -> None:
        """As `use`, for the keys of an identity provider, which are used beside the operator's."""
        self._provided_keys = keys
        self.use(self._own_keys, self._denied)

    def ask_for_keys(self, may_ask: MayAsk | None) -> None:
        """From now on `verify` raises UnknownKeyError for a token whose kid has no key, where `may_ask` allows it."""
        self._may_ask = may_ask

    def verify(self, token: str, pay: Pay = pay_nothing) -> Identity:
        """Who the token was made for. Raises AuthError, and UnknownKeyError after `ask_for_keys`; else nothing.

        `pay` is called before each signature check, with what that costs.
        """
        key, payload = self._open(token, pay)
        claims = decode_claims(payload)
        expires_at = self._check_times(claims, self._clock())
        self._check_issuer(claims)
        self._check_audience(claims)
        claim = self._config.email_claim
        email = None if claim is None else address_in(payload, claim)
        identity = Identity(claims.user, claims.name, claims.rol, expires_at, claims.token_id, key, email)
        self._check_denied(identity)
        return identity

    def check_again(self, identity: Identity) -> None:
        """Whether a token that was verified before would still be: other keys, another list. Raises AuthError.

        A key that only has another name now is still the same.
        """
        self._check_denied(identity)
        key = identity.signed_by
        if key is not None and not any(key.is_same(one) for one in self._keys):
            raise _invalid("The token is signed with a key that this server no longer accepts.")

    def _open(self, token: str, pay: Pay) -> tuple[Key, bytes]:
        """The claims of a token with a valid signature, and the key that verified it."""
        if len(token) > MAX_TOKEN_CHARS:
            raise _invalid(f"The token is longer than {MAX_TOKEN_CHARS} characters.")
        try:
            message, _, signature = token.encode("ascii").rpartition(b".")
            header, _, payload = message.partition(b".")
            key = self._signing_key(decode_header(_unbase64(header)), message, _unbase64(signature), pay)
            return key, _unbase64(payload)
        except (UnicodeEncodeError, binascii.Error) as error:
            raise _invalid("This is not a JSON Web Token: three parts in base64url, joined by dots.") from error

    def _signing_key(self, header: Header, message: bytes, signature: bytes, pay: Pay) -> Key:
        # crit lists extensions that must be understood, and there is none; b64 is one of them (RFC 7797).
        if header.crit is not UNSET or not header.b64:
            raise _invalid("The token uses extensions (crit, b64) that this server does not know.")
        keys = [key for key in self._keys if key.algorithm == header.alg and _same_kid(key, header)]
        if not keys:
            if self._may_ask is not None and header.alg in PUBLIC_KEY_ALGORITHMS and self._may_ask(_kid(header)):
                raise UnknownKeyError
            raise _invalid("The token is signed with an algorithm or a key that this server does not accept.")
        for key in keys:
            pay(key.check_price)
            if key.signed(message, signature):
                return key
        raise _invalid("The token's signature does not hold.")

    def _check_denied(self, identity: Identity) -> None:
        if self._denied.denies(identity):
            raise AuthError(AuthCode.TOKEN_DENIED, "This token, or its user, is not wanted here.")

    def _check_times(self, claims: Claims, now: float) -> float | None:
        """The end of the token's life. Fractions of a second are cut off, as PyJWT does."""
        leeway = self._config.jwt_leeway_s
        if claims.nbf is not UNSET and int(claims.nbf) > now + leeway:
            raise _invalid("The token is not valid yet (nbf).")
        if claims.exp is UNSET:
            if self._config.jwt_require_exp:
                raise AuthError(AuthCode.CLAIMS_INVALID, "The token never expires: it needs the claim exp.")
            return None
        expires_at = int(claims.exp) + leeway
        if expires_at <= now:
            raise AuthError(AuthCode.TOKEN_EXPIRED, "The token has expired.")
        return expires_at

    def _check_issuer(self, claims: Claims) -> None:
        if self._config.jwt_issuer is not None and claims.iss != self._config.jwt_issuer:
            raise _invalid("The token comes from another issuer (iss) than the one this server trusts (--jwt-issuer).")

    def _check_audience(self, claims: Claims) -> None:
        """A token with an audience other than ours is refused: RFC 7519, section 4.1.3."""
        ours = self._config.jwt_audience
        if any(one in ours for one in claims.audiences):
            return
        if claims.audiences:
            raise _invalid("The token is meant for another audience (aud): its audience goes to --jwt-audience.")
        if ours:
            raise _invalid("The token names no audience (aud), and --jwt-audience wants one.")


def _same_kid(key: Key, header: Header) -> bool:
    """If both key and token have a kid, they must be equal; else the key is tried."""
    return key.kid is None or header.kid is UNSET or key.kid == header.kid


def _kid(header: Header) -> str | None:
    return None if header.kid is UNSET else header.kid


def _unbase64(part: bytes) -> bytes:
    """Base64url without padding, in its one canonical form: else a changed token could still hold."""
    raw = base64.urlsafe_b64decode(part + b"==")
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != part:
        raise binascii.Error("not canonical")
    return raw


def _invalid(message: str) -> AuthError:
    return AuthError(AuthCode.TOKEN_INVALID, message)
