"""The exceptions of a check that does not succeed, and advice that several checks share."""

from __future__ import annotations

from typing import Final

from chatd.cli.deployment import Answer

ANOTHER_SERVER: Final = "something else than chatd answers here"
NODES_ADVICE: Final = (
    "of several nodes, give each a --node of its own, and let the proxy send a request to the node whose number its "
    "sid begins with (K-01 of protocol.md; configurations are in README.md)"
)


class FoundError(Exception):
    """A failed check: the finding and the remedy."""

    def __init__(self, seen: str, advice: str) -> None:
        super().__init__(seen)
        self.advice = advice


class NoWayInError(FoundError):
    """A failed check after which no other check makes sense."""


class SkippedError(Exception):
    """A check needs something that was not given."""


def advice_for(status: int) -> str:
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


def message_of(answer: Answer) -> str:
    return " ".join(answer.body.split())[:100]
