"""Whether clients can connect and join by polling."""

from __future__ import annotations

import base64
import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import msgspec

from chatd.auth.claims import decode_header
from chatd.auth.config import PUBLIC_KEY_ALGORITHMS
from chatd.auth.errors import AuthError
from chatd.cli.deployment import Answer, Deployment
from chatd.cli.outside.outcome import ANOTHER_SERVER, NODES_ADVICE, FoundError, SkippedError, advice_for, message_of
from chatd.engineio.origins import how_to_allow

CLOCK_S: Final = 5.0  # tokens are valid to the second


class Opened(msgspec.Struct):
    """The used fields of an open packet."""

    sid: str
    pingInterval: int  # noqa: N815 - milliseconds, as on the wire
    maxPayload: int  # noqa: N815


class _Data(msgspec.Struct):
    code: str


class _Refusal(msgspec.Struct):
    data: _Data


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
            f"pages of {deployment.origin} are refused: {message_of(answer)}",
            f"{how_to_allow(deployment.origin)}; if that is the server's own name, let the proxy pass Host and "
            "X-Forwarded-Proto, and start chatd with --trusted-proxy",
        )
    with _session(deployment, answer):
        pass
    own = urlsplit(deployment.origin).hostname == deployment.host
    if not own and answer.headers.get("Access-Control-Allow-Origin") != deployment.origin:
        raise FoundError("the answer allows no other origin", "let the proxy leave Access-Control-* headers alone")
    return f"pages of {deployment.origin} may connect"


def cookie(deployment: Deployment) -> str:
    """Join by polling as a page does: POST the CONNECT packet, and GET the answer."""
    with _session(deployment, deployment.request()) as opened:
        posted = deployment.request("POST", "40", sid=opened.sid)
        if posted.status == 400:
            raise FoundError(
                f"a second request does not find its session: {message_of(posted)}",
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
    """The advice for a refused token. A token of an identity provider names its key."""
    try:
        header = decode_header(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))
    except (ValueError, AuthError):
        return "make it with the daemon's key, and see clock above"
    if header.alg not in PUBLIC_KEY_ALGORITHMS:
        return "make it with the daemon's key, and see clock above"
    named = f"{header.kid} ({header.alg})" if isinstance(header.kid, str) else header.alg
    return f"its key is {named}: the daemon's --jwks-url must give that one, and chatd check lists what it gives"


@contextmanager
def _session(deployment: Deployment, answer: Answer) -> Iterator[Opened]:
    """The session of a handshake, closed at the end; otherwise the daemon would wait for it and log a warning."""
    opened = opened_by(answer)
    try:
        yield opened
    finally:
        close(deployment, opened.sid)


def _refusal(body: str) -> str:
    """The error code in a CONNECT_ERROR of chatd, or the start of the packet."""
    try:
        return msgspec.json.decode(body.removeprefix("44").split("\x1e")[0], type=_Refusal).data.code
    except msgspec.DecodeError:
        return body[:80]


def close(deployment: Deployment, sid: str) -> None:
    with suppress(OSError, http.client.HTTPException):
        deployment.request("POST", "1", sid=sid)


def opened_by(answer: Answer) -> Opened:
    """The open packet of a handshake. Raises FoundError."""
    if answer.status == 200 and answer.body.startswith("0{"):
        try:
            return msgspec.json.decode(answer.body[1:].split("\x1e")[0], type=Opened)
        except msgspec.DecodeError as error:
            raise FoundError(f"the open packet cannot be used: {error}", ANOTHER_SERVER) from error
    raise FoundError(f"status {answer.status}: {message_of(answer)}", advice_for(answer.status))
