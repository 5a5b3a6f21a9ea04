"""The table of floods: the number of sockets, their action, and the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench import manyrows
from bench.fairness import visits
from bench.fairness.visits import LETTER, LONG_HEADS, PIPELINED, Visit, members, posts, requests, strangers
from bench.fairness.wire import BINARY, PING, event, fragments, frame, text

MANY_ROWS: Final = 100_000
MISSED: Final = 700  # messages, by a client that reconnects: below the limit of a recovery

_NUMBERS: Final = "[" + ",".join(["1234567"] * 120_000) + "]"  # 960,000 bytes
_DEEP: Final = "[" * 60 + "]" * 60
_WIDE: Final = "[" + ",".join(["[]"] * 9_000) + "]"
_MARK: Final = {"con": "root0", "hasta": str(manyrows.message_id(5))}
_WRITING: Final = {"para": "root0", "activo": True}
_ATTACHED: Final = text('451-["nada",{"_placeholder":true,"num":0}]') + frame(b"x" * 100_000, BINARY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """One row. `user` and `rol` are in the attacker's token."""

    name: str
    sockets: int
    visit: Visit
    user: str = "mallory"
    rol: str = "user"
    node: bool = False  # Node's server supports it too
    key: str = ""  # the algorithm of a public key; if empty, tokens are signed with a secret
    many_rows: bool = False  # on the database of a busy chat
    settings: Mapping[str, str] = field(default_factory=dict)


def _known(name: str, sizes: Sequence[int], visit: Visit) -> list[Flood]:
    """Floods that Node supports."""
    return [Flood(name=f"{name}-{size}", sockets=size, visit=visit, node=True) for size in sizes]


def _ours(name: str, sizes: Sequence[int], visit: Visit, key: str = "") -> list[Flood]:
    """Floods that only chatd supports."""
    return [Flood(name=f"{name}-{size}", sockets=size, visit=visit, key=key) for size in sizes]


def _asks(name: str, user: str, rol: str, question: bytes) -> list[Flood]:
    """A query of the history, as fast as possible and at the rate limit of a user."""
    ways = {f"{name}-1": members(question), f"{name}-slow": visits.slow_members(question)}
    return [Flood(name=key, sockets=1, visit=way, user=user, rol=rol, many_rows=True) for key, way in ways.items()]


_USER: Final = manyrows.user_name(0)
_ADMIN: Final = manyrows.admin_name(0)
_PAGE: Final = event("historial", {"con": _ADMIN, "limite": 100}, ack=1)
_TALKS: Final = event("conversaciones", {"limite": 100}, ack=1)
_LOOK: Final = event("conversaciones", {"limite": 100, "buscar": "user0"}, ack=1)
_RECOVERY: Final = Flood(
    name="recovery-5",
    sockets=5,
    visit=visits.recovery,
    user=_ADMIN,
    rol="admin",
    many_rows=True,
    settings={"CHATD_RECOVERY": "on"},
)

FLOODS: Final[Mapping[str, Flood]] = {
    flood.name: flood
    for flood in (
        # Packets without meaning, before and after the join.
        *_known("churn", (1, 50), members(text("41") + text("40"))),
        *_known("noop", (1, 100, 900), strangers(text("6"))),
        *_known("pong", (1, 100), strangers(text("3"))),
        *_known("namespace", (1, 300, 900), strangers(text("40/nope,"))),
        *_ours("es384", (1, 100), visits.junk_signatures, "ES384"),
        *_ours("rs256", (1, 100), visits.junk_signatures, "RS256"),
        *_ours("hs256", (1, 100), visits.junk_signatures, "HS256"),
        *_known("pings", (1, 100), strangers(frame(b"x" * 125, PING))),
        *_known("fragments", (1, 100), strangers(fragments(b"6" + b"x" * 3_999))),
        *_known("auth", (1, 100), strangers(text('40/nope,{"x":' + _WIDE + "}"))),
        *_known("acks", (1, 50), members(text(f"431[{_WIDE}]"))),
        # Events.
        *_known("unknown", (1, 50), members(event("nada"))),
        *_known("mensaje", (1, 50), members(event("mensaje_privado", LETTER, ack=1))),
        *_ours("cid", (1,), visits.cids),
        *_ours("leido", (1,), members(event("leido", _MARK, ack=1))),
        *_ours("escribiendo", (1,), members(event("escribiendo", _WRITING))),
        *_asks("historial", _USER, "user", _PAGE),
        *_asks("conversaciones", _ADMIN, "admin", _TALKS),
        *_asks("buscar", _ADMIN, "admin", _LOOK),
        *_known("big", (1, 50), members(text(f'42["nada",{_NUMBERS}]'))),
        *_known("deep", (1,), members(text(f'42["nada",{_DEEP}]'))),
        *_known("wide", (1,), members(text(f'42["nada",{_WIDE}]'))),
        *_known("attached", (1, 50), members(_ATTACHED)),
        # Connects and disconnects.
        *_known("knock", (10,), visits.knock),
        *_known("come-and-go", (10,), visits.come_and_go),
        _RECOVERY,
        *_known("polling-sessions", (10,), visits.polling_sessions),
        *_known("upgrades", (10,), visits.upgrades),
        *_known("probes", (10,), visits.probes),
        # HTTP.
        *_known("posts", (1, 100), posts("6")),
        *_known("posts-namespace", (1, 100), posts("40/nope,")),
        *_known("chunks", (1, 100), visits.chunks),
        *_known("pipelined", (1, 100), requests(PIPELINED)),
        *_known("heads", (1, 100), requests(LONG_HEADS)),
    )
}

# One flood of each kind, for `make bench`, where fairness is one benchmark of many.
SHORT: Final = ("churn-1", "churn-50", "noop-100", "namespace-1", "es384-1", "historial-1", "polling-sessions-10")


def chosen(words: Sequence[str]) -> tuple[Flood, ...]:
    """The floods of these names; a name without a number stands for all its sizes. Raises KeyError."""
    found: list[Flood] = []
    for word in words:
        some = [flood for name, flood in FLOODS.items() if word in (name, name.rpartition("-")[0])]
        if not some:
            raise KeyError(word)
        found += some
    return tuple(found)


def offset() -> str:
    """The position of a client that has missed MISSED messages."""
    return str(manyrows.message_id(MANY_ROWS - MISSED))
