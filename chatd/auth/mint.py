"""Signs tokens."""

from __future__ import annotations

import json

from chatd.auth.claims import decode_claims
from chatd.auth.config import SECRET_ALGORITHMS
from chatd.auth.pyjwt import import_pyjwt


def mint(  # noqa: PLR0913 - a token is its claims
    secret: bytes,
    user: str,
    name: str,
    rol: str,
    ttl_s: float,
    now: float,
    *,
    algorithm: str = SECRET_ALGORITHMS[0],
    issuer: str | None = None,
    audience: str | None = None,
    kid: str | None = None,
) -> str:
    """A token that holds from `now` (Unix seconds) for `ttl_s`. Raises AuthError where verifying would.

    `kid` is the name of the secret, if it has one.
    """
    claims: dict[str, object] = {"user": user, "name": name, "rol": rol, "iat": int(now), "exp": int(now + ttl_s)}
    if issuer is not None:
        claims["iss"] = issuer
    if audience is not None:
        claims["aud"] = audience
    decode_claims(json.dumps(claims).encode())
    import_pyjwt(public_keys=False)
    import jwt  # noqa: PLC0415 - after it is decided with what

    return jwt.encode(claims, secret, algorithm, headers=None if kid is None else {"kid": kid})
