"""`chatd doctor URL`: checks a deployment from outside, and says what to change."""

from __future__ import annotations

import argparse
import http.client
import ssl
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from websockets.exceptions import WebSocketException

from chatd.cli.adminsocket import printable
from chatd.cli.arguments import UsageError
from chatd.cli.deployment import Deployment
from chatd.cli.outside.outcome import FoundError, NoWayInError, SkippedError
from chatd.cli.outside.pages import console
from chatd.cli.outside.polling import clock, cookie, origin, polling
from chatd.cli.outside.reaching import reach, tls
from chatd.cli.outside.websocket import upgrade, websocket

EPILOG: Final = """\
Works with any URL that pages use, through all proxies in between. A failed check says what to change; exit code 1 if
any check failed. With --token-file it also joins as that token's user; this sends no message to other users.

  chatd doctor https://chat.example.com
  chatd doctor https://chat.example.com --origin https://shop.example.com --token-file token
"""


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
