"""`chatd doctor URL`: what a deployment looks like from outside, and what to change."""

from __future__ import annotations

import argparse
import base64
import http.client
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException

from chatd.auth.claims import decode_header
from chatd.auth.config import PUBLIC_KEY_ALGORITHMS
from chatd.auth.errors import AuthError
from chatd.cli.adminsocket import printable
from chatd.cli.arguments import UsageError
from chatd.cli.deployment import PATIENCE_S, Answer, Deployment
from chatd.engineio.origins import how_to_allow

EPILOG: Final = """\
Works against any URL that pages use, through whatever proxies are in between. Each check says what to change when it
fails; exit code 1 if any has. With --token-file it also joins as that token's user, which sends nothing to anybody.

  chatd doctor https://chat.example.com
  chatd doctor https://chat.example.com --origin https://shop.example.com --token-file token
"""

CLOCK_S: Final = 5.0  # tokens are valid to the second
EXPIRY_DAYS: Final = 14

ANOTHER_SERVER: Final = "something else than chatd answers here"
UNKNOWN_SESSION: Final = '"code":1,'
NODES_ADVICE: Final = (
    "of several nodes, give each a --node of its own, and let the proxy send a request to the node whose number its "
    "sid begins with (K-01 of protocol.md; configurations are in README.md)"
)
HEADERS_ADVICE: Final = "let the proxy pass the headers Upgrade and Connection, with HTTP/1.1 to chatd"


class Opened(msgspec.Struct):
    """What matters of an open packet."""

    sid: str
    pingInterval: int  # noqa: N815 - milliseconds, as on the wire
    maxPayload: int  # noqa: N815


class _Data(msgspec.Struct):
    code: str


class _Refusal(msgspec.Struct):
    data: _Data


class FoundError(Exception):
    """A failed check: the finding and the remedy."""

    def __init__(self, seen: str, advice: str) -> None:
        super().__init__(seen)
        self.advice = advice


class NoWayInError(FoundError):
    """The same, and no other check could say more."""


class SkippedError(Exception):
    """A check needs something that was not given."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument("url", metavar="URL", help="what pages give to io(): https://chat.example.com")
    parser.add_argument("--path", default="/socket.io/", metavar="TEXT", help="the client's option path (/socket.io/)")
    parser.add_argument("--origin", metavar="ORIGIN", help="of the page that connects (default: the URL's own)")
    parser.add_argument("--token-file", metavar="FILE", help="a token to join with; - reads it from stdin")
    parser.add_argument("--console", action="store_true", help="the console and the widget must be there")
    parser.add_argument("--cookie", default="token", metavar="NAME", help="the cookie that carries it (token)")
    parser.add_argument("--ca", metavar="FILE", help="trust certificates that this one has signed (PEM), too")


def run(args: argparse.Namespace) -> int:
    deployment = _deployment(args)
    good = True
    for name, check in CHECKS.items():
        try:
            _say("ok", name, check(deployment))
        except SkippedError as skipped:
            _say("skip", name, str(skipped))
        except FoundError as found:
            good = False
            _say("FAIL", name, f"{found}\n{'':16}-> {found.advice}")
            if isinstance(found, NoWayInError):
                break
        except (OSError, http.client.HTTPException, WebSocketException) as error:
            good = False
            _say("FAIL", name, f"{type(error).__name__}: {error}\n{'':16}-> see the checks above")
    return 0 if good else 1


def _say(verdict: str, name: str, text: str) -> None:
    shown = "\n".join(printable(line) for line in text.split("\n"))
    print(f"{verdict:5} {name:10}{shown}", flush=True)


def _deployment(args: argparse.Namespace) -> Deployment:
    secure, host, port, place = _place(args.url)
    token = None if args.token_file is None else _read(args.token_file)
    origin = args.origin or place
    return Deployment(secure, host, port, args.path, origin, token, args.cookie, _context(args.ca), args.console)


def _place(text: str) -> tuple[bool, str, int, str]:
    """Whether it is TLS, the host, the port, and the URL's own origin. Raises UsageError."""
    try:
        url = urlsplit(text)
        host, port = url.hostname or "", url.port
        host.encode("idna")
    except ValueError as error:
        raise UsageError(f"{text} is no URL: {error}; write https://chat.example.com") from error
    if url.scheme not in {"http", "https"} or not host:
        raise UsageError(f"{text} is no URL of a server; write https://chat.example.com")
    secure = url.scheme == "https"
    return secure, host, port or (443 if secure else 80), f"{url.scheme}://{url.netloc}"


def _context(ca: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except ssl.SSLError as error:
            raise UsageError(
                f"--ca: {ca} has no certificate in PEM form: give the file of the one that signed"
            ) from error
        except OSError as error:
            raise OSError(error.errno, error.strerror, ca) from error
    return context


def _read(file: str) -> str:
    content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    token = content.decode("latin-1").strip()
    if not (token.isascii() and token.isprintable()):
        raise UsageError(f"--token-file: what is in {file} is no token: give one that chatd token has printed")
    return token


# The checks; each returns its text for success.


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


def polling(deployment: Deployment) -> str:
    with _session(deployment, deployment.request()) as opened:
        pass
    return f"session opened; ping every {opened.pingInterval / 1000:g} s, {opened.maxPayload} bytes a message"


def clock(deployment: Deployment) -> str:
    answer = deployment.request()
    with _session(deployment, answer):
        said = answer.headers.get("Date")
    if said is None:
        raise SkippedError("no Date in the answer")
    try:
        late_s = parsedate_to_datetime(said).timestamp() - time.time()
    except ValueError as error:
        raise FoundError(f"the answer's Date is {said[:40]!r}", "let the proxy leave Date alone") from error
    if abs(late_s) > CLOCK_S:
        raise FoundError(
            f"the server's clock differs from this machine's by {late_s:+.0f} s",
            "run NTP on both: tokens expire too early, or are refused as being of the future",
        )
    return "agrees with this machine's"


def origin(deployment: Deployment) -> str:
    answer = deployment.request(headers={"Origin": deployment.origin})
    if answer.status == 403:
        raise FoundError(
            f"pages of {deployment.origin} are refused: {_message(answer)}",
            f"{how_to_allow(deployment.origin)}; if that is the server's own name, let the proxy pass Host and "
            "X-Forwarded-Proto, and start chatd with --trusted-proxy",
        )
    with _session(deployment, answer):
        pass
    own = urlsplit(deployment.origin).hostname == deployment.host
    if not own and answer.headers.get("Access-Control-Allow-Origin") != deployment.origin:
        raise FoundError("the answer allows no other origin", "let the proxy leave Access-Control-* headers alone")
    return f"pages of {deployment.origin} may connect"


def console(deployment: Deployment) -> str:
    """Pages beside Socket.IO, which a proxy has to pass as well."""
    for page in ("/chatd/", "/chatd/widget.js"):
        answer = deployment.get(page)
        if answer.status != 200 or "chatd" not in answer.body:
            seen = f"{page} is answered with {answer.status}"
            if not deployment.console:
                raise SkippedError(f"{seen}: fine if chatd runs without --console; if not, ask again with --console")
            raise FoundError(seen, "start chatd with --console, and let the proxy pass /chatd/ as it does the path")
    return "/chatd/ and the widget are served"


def cookie(deployment: Deployment) -> str:
    """Join by polling as a page does: POST the CONNECT packet, and GET the answer."""
    with _session(deployment, deployment.request()) as opened:
        posted = deployment.request("POST", "40", sid=opened.sid)
        if posted.status == 400:
            raise FoundError(
                f"a second request does not find its session: {_message(posted)}",
                NODES_ADVICE,
            )
        joined = deployment.request(sid=opened.sid)
    if joined.body.startswith("40"):
        return f"joined with the token in the cookie {deployment.cookie}"
    code = _refusal(joined.body)
    if deployment.token is None and code == "token_missing":
        raise SkippedError("nobody gets in without a token; give --token-file to try one")
    if code == "token_missing":
        advice = f"let the proxy pass Cookie, and compare the daemon's --cookie with {deployment.cookie}"
        raise FoundError("the token has not arrived", advice)
    raise FoundError(f"the token is refused: {code}", _key_advice(deployment.token or ""))


def _key_advice(token: str) -> str:
    """A token of an identity provider names its key."""
    try:
        header = decode_header(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))
    except (ValueError, AuthError):
        return "make it with the daemon's key, and see clock above"
    if header.alg not in PUBLIC_KEY_ALGORITHMS:
        return "make it with the daemon's key, and see clock above"
    named = f"{header.kid} ({header.alg})" if isinstance(header.kid, str) else header.alg
    return f"its key is {named}: the daemon's --jwks-url must give that one, and chatd check lists what it gives"


def websocket(deployment: Deployment) -> str:
    try:
        with deployment.websocket() as connection:
            first = connection.recv(PATIENCE_S)
    except (OSError, WebSocketException) as error:
        raise _refused(error) from error
    if not str(first).startswith("0{"):
        raise FoundError(f"it says {str(first)[:40]!r}", ANOTHER_SERVER)
    return "opened"


def upgrade(deployment: Deployment) -> str:
    sid = _opened(deployment.request()).sid
    try:
        _upgrade(deployment, sid)
    except (OSError, WebSocketException) as error:
        _close(deployment, sid)
        raise _refused(error) from error
    except FoundError:
        _close(deployment, sid)
        raise
    return "polling goes over to WebSocket"


def _upgrade(deployment: Deployment, sid: str) -> None:
    with deployment.websocket(sid=sid) as connection:
        connection.send("2probe")
        if connection.recv(PATIENCE_S) != "3probe":
            raise FoundError("the probe is not answered", ANOTHER_SERVER)
        connection.send("5")
        connection.send("40")
        said = [str(connection.recv(PATIENCE_S))]
        while not said[-1].startswith("4"):
            said.append(str(connection.recv(PATIENCE_S)))


CHECKS: Final[Mapping[str, Callable[[Deployment], str]]] = {
    "reach": reach,
    "tls": tls,
    "polling": polling,
    "clock": clock,
    "origin": origin,
    "cookie": cookie,
    "websocket": websocket,
    "upgrade": upgrade,
    "console": console,
}


@contextmanager
def _session(deployment: Deployment, answer: Answer) -> Iterator[Opened]:
    """What a handshake has opened, closed again: the daemon would wait for it, and warn."""
    opened = _opened(answer)
    try:
        yield opened
    finally:
        _close(deployment, opened.sid)


def _refusal(body: str) -> str:
    """The code in a CONNECT_ERROR of chatd's, or its message."""
    try:
        return msgspec.json.decode(body.removeprefix("44").split("\x1e")[0], type=_Refusal).data.code
    except msgspec.DecodeError:
        return body[:80]


def _close(deployment: Deployment, sid: str) -> None:
    with suppress(OSError, http.client.HTTPException):
        deployment.request("POST", "1", sid=sid)


def _opened(answer: Answer) -> Opened:
    """The open packet of a handshake. Raises FoundError."""
    if answer.status == 200 and answer.body.startswith("0{"):
        try:
            return msgspec.json.decode(answer.body[1:].split("\x1e")[0], type=Opened)
        except msgspec.DecodeError as error:
            raise FoundError(f"the open packet cannot be used: {error}", ANOTHER_SERVER) from error
    raise FoundError(f"status {answer.status}: {_message(answer)}", _advice(answer.status))


def _advice(status: int) -> str:
    match status:
        case 404:
            return "let the proxy pass /socket.io/ as it is, and compare --path with the daemon's"
        case 400:
            return "let the proxy pass the query string as it is"
        case 502 | 504:
            return "the proxy does not reach chatd: start it, and compare the proxy's address with --host and --port"
        case 429 | 503:
            return "chatd is full or stops; behind a proxy, list that as --trusted-proxy"
        case 301 | 302 | 307 | 308:
            return "give the URL that it redirects to: clients do not follow"
        case _:
            return "look at the proxy's log: is this the server of the chat?"


def _refused(error: Exception) -> FoundError:
    if isinstance(error, InvalidStatus):
        body = (error.response.body or b"").decode(errors="replace")
        seen = f"status {error.response.status_code} instead of 101: {' '.join(body.split())[:100]}"
        if UNKNOWN_SESSION in body:
            return FoundError(seen, NODES_ADVICE)
        return FoundError(
            seen,
            HEADERS_ADVICE if error.response.status_code in {200, 400, 426} else _advice(error.response.status_code),
        )
    advice = HEADERS_ADVICE if isinstance(error, InvalidHandshake) else "look for a proxy that cuts WebSockets"
    return FoundError(f"{type(error).__name__}: {error}", advice)


def _message(answer: Answer) -> str:
    return " ".join(answer.body.split())[:100]
