"""TLS to Redis (`rediss://`): the certificate must hold, and be that of the host in the URL."""

from __future__ import annotations

import dataclasses
import ssl
from pathlib import Path

from chatd.base.errors import ConfigError
from chatd.cluster.redis.address import RedisAddress


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Whom to trust, and who we are. Without `authorities` the system's count, without `name` the host of the URL."""

    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    name: str | None = None


def secured(address: RedisAddress, credentials: Credentials) -> RedisAddress:
    """The address with what TLS needs, if its URL asks for that. Raises ConfigError."""
    if not address.tls:
        return address
    return dataclasses.replace(
        address, context=_context(credentials), tls_name=credentials.name or address.host or None
    )


def _context(credentials: Credentials) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=credentials.authorities)
    except OSError as error:  # an SSLError too
        raise ConfigError(f"bus_ca_file: cannot use {credentials.authorities}: {error.strerror}") from error
    if credentials.certificate is not None:
        try:
            # An empty password: a key that wants one is refused instead of asking at a terminal.
            context.load_cert_chain(credentials.certificate, credentials.key, password="")
        except OSError as error:
            raise ConfigError(
                f"bus_cert_file: cannot use {credentials.certificate} with {credentials.key}: {error.strerror}"
            ) from error
    return context
