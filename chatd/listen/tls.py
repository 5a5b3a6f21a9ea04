"""The TLS certificate of the server, which can be reloaded while it runs."""

from __future__ import annotations

import ssl
from asyncio import sslproto
from pathlib import Path
from typing import Final

from chatd.base.errors import ConfigError
from chatd.settings.reload import Apply

ALPN: Final = ["http/1.1"]

# The read buffer of each TLS connection. asyncio's default is 256 KB (287 KB of resident memory per connection). A TLS
# record has 16 KB at most (RFC 8446, section 5.1).
READ_BUFFER_BYTES: Final = 16_384

HANDSHAKE_TIMEOUT_S: Final = 30.0


class Tls:
    """`context` is used for new connections; open connections keep theirs after a reload."""

    def __init__(self, certificate: Path, key: Path | None, handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S) -> None:
        """Raises ConfigError."""
        self.handshake_timeout_s = handshake_timeout_s
        sslproto.SSLProtocol.max_size = READ_BUFFER_BYTES
        self._certificate = certificate
        self._key = key
        self.context = self._load()

    def prepare(self) -> Apply:
        """Read the files again. Returns a function that puts them into use. Raises ConfigError.

        Loads into a new context, because OpenSSL drops the old key when it loads a certificate of another key.
        """
        context = self._load()

        def apply() -> None:
            self.context = context

        return apply

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION  # each handshake makes the server compute a signature
        context.set_alpn_protocols(ALPN)
        try:
            # With an empty password, OpenSSL refuses an encrypted key instead of asking for its password.
            context.load_cert_chain(self._certificate, self._key, password="")
        except ssl.SSLError as error:
            raise ConfigError(f"tls_cert: {self._names()} cannot be used: {self._reason(error)}") from error
        except OSError as error:
            raise ConfigError(f"tls_cert: cannot read {self._names()}: {error.strerror}") from error
        return context

    def _names(self) -> str:
        return f"{self._certificate} with {self._key}" if self._key is not None else str(self._certificate)

    def _reason(self, error: ssl.SSLError) -> str:
        """Why the files cannot be used, in words; OpenSSL's own messages are too vague."""
        if error.reason == "KEY_VALUES_MISMATCH":
            return "the key is not that of the certificate"
        if b" ENCRYPTED" in (self._key or self._certificate).read_bytes():
            return "the key is encrypted; take one without a password"
        return "a certificate and its key in PEM form are needed"
