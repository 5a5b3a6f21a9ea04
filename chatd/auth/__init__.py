"""Authentication: a JSON Web Token in, an `Identity` out.

    find.py    where a request carries its tokens (cookie, `auth.token`, `Authorization: Bearer`)
    verify.py  whether the token holds, and what it says
    keys.py    the operator's secrets and public keys, read and checked
    jwks/      the keys of an identity provider
    deny.py    the operator's list of tokens and users who are not wanted
    mint.py    tokens of our own, for `chatd token` and `chatd dev`

The cryptography is PyJWT's. Importing this package loads neither PyJWT nor `cryptography`; see pyjwt.py.
"""

from __future__ import annotations

from chatd.auth.config import AuthConfig
from chatd.auth.deny import DenyList, load_deny_list
from chatd.auth.errors import AuthCode, AuthError
from chatd.auth.find import Found, find_tokens
from chatd.auth.identity import Identity
from chatd.auth.keys import Key, load_keys, load_signing_key
from chatd.auth.mint import mint
from chatd.auth.verify import Pay, UnknownKeyError, Verifier, pay_nothing

__all__ = [
    "AuthCode",
    "AuthConfig",
    "AuthError",
    "DenyList",
    "Found",
    "Identity",
    "Key",
    "Pay",
    "UnknownKeyError",
    "Verifier",
    "find_tokens",
    "load_deny_list",
    "load_keys",
    "load_signing_key",
    "mint",
    "pay_nothing",
]
