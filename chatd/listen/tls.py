"""The certificate of the server, which may be renewed while it runs."""

from __future__ import annotations

import ssl
from asyncio import sslproto
from pathlib import Path
from typing import Final

from chatd.base.errors import ConfigError
from chatd.settings.reload import Apply

ALPN: Final = ["http/1.1"]

# What asyncio reads into, one for each connection: 256 KB of its own accord, 287 KB of resident memory in all. A record
# of TLS has 16 KB at most (RFC 8446, section 5.1).
READ_BUFFER_BYTES: Final = 16_384

HANDSHAKE_TIMEOUT_S: Final = 30.0


class Tls:
    """`context` is for connections from now on; those that are open keep what they agreed on."""

    def __init__(self, certificate: Path, key: Path | None, handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S) -> None:
        """Raises ConfigError."""
        self.handshake_timeout_s = handshake_timeout_s
        sslproto.SSLProtocol.max_size = READ_BUFFER_BYTES
        self._certificate = certificate
        self._key = key
        self.context = self._load()

    def prepare(self) -> Apply:
        """Read the files again. What is returned puts them into force. Raises ConfigError.

        Into a context of its own: OpenSSL would drop the old key as soon as it sees a certificate of another.
        """
        context = self._load()

        def apply() -> None:
            self.context = context

        return apply

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION  # a handshake costs the client nothing, and us a signature
        context.set_alpn_protocols(ALPN)
        try:
            # An empty password: a key that wants one is refused instead of asking at a terminal.
            context.load_cert_chain(self._certificate, self._key, password="")
        except ssl.SSLError as error:
            raise ConfigError(f"tls_cert: {self._names()} cannot be used: {self._reason(error)}") from error
        except OSError as error:
            raise ConfigError(f"tls_cert: cannot read {self._names()}: {error.strerror}") from error
        return context

    def _names(self) -> str:
        return f"{self._certificate} with {self._key}" if self._key is not None else str(self._certificate)

    def _reason(self, error: ssl.SSLError) -> str:
        """OpenSSL tells less than the files do."""
        if error.reason == "KEY_VALUES_MISMATCH":
            return "the key is not that of the certificate"
        if b" ENCRYPTED" in (self._key or self._certificate).read_bytes():
            return "the key is encrypted; take one without a password"
        return "a certificate and its key in PEM form are needed"
