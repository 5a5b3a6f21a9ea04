"""PyJWT, with or without `cryptography`.

PyJWT imports `cryptography` at once wherever it is installed: 9 MB of resident memory, a third of what the daemon may
take at start, for nothing when tokens are signed with a shared secret. PyJWT supports its absence, so unless a public
key is configured it is absent while PyJWT is imported. So is its client for keys on the web, which chatd does not use,
and with it `ssl`, `http.client` and the parsers of `email`, another 5 MB.
"""

# ruff: noqa: PLC0415 - when something is imported is what this module is about

from __future__ import annotations

import sys

from chatd.base.errors import ConfigError
from chatd.base.lean import absent, hollow


def import_pyjwt(*, public_keys: bool) -> None:
    """Make sure that `import jwt` gives a PyJWT that can do what is asked. Raises ConfigError."""
    if public_keys:
        _import_whole()
    elif "jwt" not in sys.modules and "cryptography" not in sys.modules:
        _import_light()


def _import_light() -> None:
    with absent("cryptography"), hollow("jwt.jwks_client", "PyJWKClient"):
        import jwt  # noqa: F401


def _import_whole() -> None:
    from jwt import algorithms

    if not algorithms.has_crypto:
        # Imported light before, or `cryptography` is not there: a second look tells.
        for name in [name for name in sys.modules if name == "jwt" or name.startswith("jwt.")]:
            del sys.modules[name]
        from jwt import algorithms
    if not algorithms.has_crypto:
        raise ConfigError("a public key needs the package cryptography: pip install 'chatd[crypto]'")
