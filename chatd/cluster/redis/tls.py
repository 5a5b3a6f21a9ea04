"""TLS to Redis (`rediss://`): the certificate must be valid, and match the host in the URL."""

from __future__ import annotations

import dataclasses
import ssl
from pathlib import Path

from chatd.base.errors import ConfigError
from chatd.cluster.redis.address import RedisAddress


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """`authorities`: trusted CA certificates, by default the system's. `certificate` and `key`: for a client
    certificate. `name`: the expected name in the server's certificate, by default the host of the URL.
    """

    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    name: str | None = None


def secured(address: RedisAddress, credentials: Credentials) -> RedisAddress:
    """`address` with the TLS context added, if its URL asks for TLS. Raises ConfigError."""
    if not address.tls:
        return address
    return dataclasses.replace(
        address, context=_context(credentials), tls_name=credentials.name or address.host or None
    )


def _context(credentials: Credentials) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=credentials.authorities)
    except OSError as error:  # SSLError is an OSError
        raise ConfigError(f"bus_ca_file: cannot use {credentials.authorities}: {error.strerror}") from error
    if credentials.certificate is not None:
        try:
            # With an empty password, OpenSSL refuses an encrypted key instead of asking for its password.
            context.load_cert_chain(credentials.certificate, credentials.key, password="")
        except OSError as error:
            raise ConfigError(
                f"bus_cert_file: cannot use {credentials.certificate} with {credentials.key}: {error.strerror}"
            ) from error
    return context
