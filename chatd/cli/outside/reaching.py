"""Checks that the deployment can be reached, and that its certificate is valid."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Final

from chatd.cli.deployment import PATIENCE_S, Deployment
from chatd.cli.outside.outcome import FoundError, NoWayInError, SkippedError

EXPIRY_DAYS: Final = 14


def reach(deployment: Deployment) -> str:
    try:
        with socket.create_connection((deployment.host, deployment.port), timeout=PATIENCE_S) as tcp:
            return f"{tcp.getpeername()[0]} answers on port {deployment.port}"
    except socket.gaierror as error:
        raise NoWayInError(f"{deployment.host}: {error.strerror}", "check the name and its DNS records") from error
    except OSError as error:
        advice = "check that proxy and chatd run, the firewall, and the port"
        raise NoWayInError(f"port {deployment.port} cannot be reached: {error}", advice) from error


def tls(deployment: Deployment) -> str:
    if not deployment.secure:
        if deployment.host in {"localhost", "127.0.0.1", "::1"}:
            raise SkippedError("plain HTTP, on this machine alone")
        raise FoundError("plain HTTP: tokens can be read on the way", "serve https, by the proxy or with --tls-cert")
    with socket.create_connection((deployment.host, deployment.port), timeout=PATIENCE_S) as tcp:
        try:
            with deployment.context.wrap_socket(tcp, server_hostname=deployment.host) as wrapped:
                version, certificate = wrapped.version(), wrapped.getpeercert() or {}
        except ssl.SSLCertVerificationError as error:
            advice = "send the whole chain, for this name; pages do not connect otherwise"
            raise NoWayInError(f"the certificate does not hold: {error.verify_message}", advice) from error
        except ssl.SSLError as error:
            raise NoWayInError(f"no TLS is spoken: {error.reason}", "give the proxy's https port") from error
        except OSError as error:
            raise NoWayInError(f"no TLS is spoken: {error}", "give the proxy's https port") from error
    days = (ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()) / 86_400
    if days < EXPIRY_DAYS:
        raise FoundError(f"the certificate ends in {days:.0f} days", "renew it; chatd itself reads it again on SIGHUP")
    return f"{version}, certificate good for {days:.0f} days"
