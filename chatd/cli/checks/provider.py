"""Checks the identity provider by asking it for its keys once, as the daemon does."""

from __future__ import annotations

from chatd.auth.config import AuthConfig
from chatd.auth.pyjwt import import_pyjwt
from chatd.cli.checks.finding import Findings


def check_provider(config: AuthConfig, findings: Findings) -> None:
    """A provider that does not answer is only a warning: the daemon starts without it."""
    if config.jwks_url is None:
        return
    with findings.refused_as("jwks_url"):
        import_pyjwt(public_keys=True)
        from chatd.auth.jwks.keyset import KeySetError  # noqa: PLC0415 - after PyJWT
        from chatd.auth.jwks.provider import fetch_keys  # noqa: PLC0415

        try:
            keys = fetch_keys(config)
        except KeySetError as error:
            findings.warning("jwks_url", f"{config.jwks_url}: {error}: nobody can join with a token of it")
        else:
            names = ", ".join(f"{key.kid or 'without a name'} ({key.algorithm})" for key in keys)
            findings.ok("jwks_url", f"{config.jwks_url}: {len(keys)} keys: {names}")
    if config.jwt_issuer is None:
        findings.warning("jwt_issuer", "a provider signs tokens for others too: name it by --jwt-issuer")
    if not config.jwt_audience:
        findings.warning(
            "jwt_audience", "tokens without an audience (aud) may be meant for others: give --jwt-audience"
        )
