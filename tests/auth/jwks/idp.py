"""A small identity provider: an HTTP server with its own keys, which signs tokens and can fail in many ways."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

PATIENCE_S: Final = 20.0

RSA: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RSA_2: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P256: Final = ec.generate_private_key(ec.SECP256R1())
P384: Final = ec.generate_private_key(ec.SECP384R1())
ED25519: Final = ed25519.Ed25519PrivateKey.generate()

PRIVATE_KEYS: Final[Mapping[str, tuple[str, Any]]] = {
    "rsa": ("RS256", RSA),
    "rsa-2": ("RS256", RSA_2),
    "p256": ("ES256", P256),
    "p384": ("ES384", P384),
    "ed": ("EdDSA", ED25519),
}
"""The algorithm and the key of each kid."""


def jwk(kid: str, **changes: object) -> dict[str, Any]:
    """A JWK as a provider publishes it; a member whose value is `...` is left out."""
    algorithm, private = PRIVATE_KEYS[kid]
    public = jwt.get_algorithm_by_name(algorithm).to_jwk(private.public_key(), as_dict=True)
    said = {**public, "kid": kid, "use": "sig", "alg": algorithm, "key_ops": ..., **changes}
    return {name: value for name, value in said.items() if value is not ...}


def key_set(*kids: str) -> bytes:
    return json.dumps({"keys": [jwk(kid) for kid in kids]}).encode()


def signed(kid: str, user: str = "ana", *, named: str | None = "", **claims: object) -> str:
    """A token signed by the provider; `named` is the kid in its header, None for a header without kid."""
    algorithm, private = PRIVATE_KEYS[kid]
    said = {"user": user, "name": "A Name", "rol": "user", "exp": int(time.time()) + 3600, **claims}
    headers = None if named is None else {"kid": named or kid}
    return jwt.encode(said, private, algorithm, headers=headers)


Reply = Callable[[BaseHTTPRequestHandler], None]


class Idp:
    """Answers with `body` and `status`, unless `reply` is set; counts the requests."""

    def __init__(self, server: ThreadingHTTPServer, scheme: str) -> None:
        self.url = f"{scheme}://127.0.0.1:{server.server_address[1]}/keys?tenant=a"
        self.body = key_set("rsa")
        self.status = 200
        self.reply: Reply | None = None
        self.asked: list[tuple[str, Mapping[str, str]]] = []  # path and headers
        self._changed = threading.Condition()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        with self._changed:
            self.asked.append((request.path, dict(request.headers)))
            self._changed.notify_all()
        if self.reply is not None:
            self.reply(request)
            return
        request.send_response(self.status)
        request.send_header("Content-Length", str(len(self.body)))
        request.end_headers()
        request.wfile.write(self.body)

    def until_asked(self, times: int) -> None:
        """Block this thread until the provider has had `times` requests."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.asked) >= times, PATIENCE_S), self.asked


class _Handler(BaseHTTPRequestHandler):
    idp: Idp

    def do_GET(self) -> None:
        with contextlib.suppress(OSError):  # the client may close the connection
            self.idp.handle(self)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@contextlib.contextmanager
def providing(certificate: tuple[Path, Path] | None = None, port: int = 0) -> Iterator[Idp]:
    """An HTTP server for the time of the block; with TLS if there is a certificate and its key."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    handler.idp = idp = Idp(server, "http" if certificate is None else "https")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield idp
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
