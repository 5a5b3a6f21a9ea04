"""Checks the certificate: it can be read, matches its key, and is valid today.

Makes a TLS handshake in memory, in which OpenSSL checks the dates and returns the parsed certificate.
"""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Mapping
from typing import Final

from chatd.cli.checks.finding import Findings
from chatd.cli.exposed import exposed_key
from chatd.listen.config import ListenConfig
from chatd.listen.tls import Tls

SOON: Final = datetime.timedelta(days=14)


def check_certificate(config: ListenConfig, now: datetime.datetime, findings: Findings) -> None:
    """`config.tls_cert` must be set."""
    path = config.tls_cert
    if path is None:
        raise AssertionError("there is no certificate to check")
    with findings.refused_as("tls_cert"):
        context = Tls(path, config.tls_key).context
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname = False
        trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # trust the certificate itself, whoever signed it
        trusting.load_verify_locations(path)
        try:
            shown = _shake_hands(context, trusting)
        except ssl.SSLCertVerificationError as error:
            findings.error("tls_cert", f"{path}: {error.verify_message}: renew it")
        else:
            _judge(str(path), shown, now, findings)
    if (text := exposed_key(config.tls_key or path)) is not None:
        findings.warning("tls_key", text)


def _judge(path: str, shown: Mapping[str, object], now: datetime.datetime, findings: Findings) -> None:
    ends = datetime.datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), datetime.UTC)
    names = shown.get("subjectAltName") or ()
    text = f"{path}: for {', '.join(name for _, name in names) or 'no name'}, good until {ends:%Y-%m-%d}"  # type: ignore[attr-defined]
    if ends - now < SOON:
        findings.warning("tls_cert", f"{text}: renew it soon")
    else:
        findings.ok("tls_cert", text)


def _shake_hands(server_context: ssl.SSLContext, client_context: ssl.SSLContext) -> Mapping[str, object]:
    """Make a handshake over two buffers. Returns the certificate as the client sees it. Raises ssl.SSLError."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server)
    while not all([_go_on(client), _go_on(server)]):
        pass
    return client.getpeercert() or {}


def _go_on(side: ssl.SSLObject) -> bool:
    """Continue the handshake of one side. Returns False if it waits for the other side."""
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
