"""Input of attackers as Hypothesis strategies: legal and illegal packets, frames and requests, and where to split them.

Legal input is as likely as illegal input, because most states of the server are reached by legal input only.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from hypothesis import strategies as st

from tests.conformance.wire import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    SEPARATOR,
    TEXT,
    chunk,
    frame_bytes,
)

P0: Final = '{"_placeholder":true,"num":0}'
P1: Final = '{"_placeholder":true,"num":1}'
HELLO: Final = '["mensaje_privado",{"para":"nobody","mensaje":"hola"}]'

LEGAL: Final = [
    "40",
    "41",
    '42["x"]',
    f"42{HELLO}",
    f"421{HELLO}",
    f"42007{HELLO}",
    "42[1,2]",
    "431[]",
    '430["x",{}]',
    f'451-["x",{P0}]',
    f'452-7["x",{P0},{P1}]',
    f"461-3[{P0}]",
    "40/admin,",
    '40/nope,{"token":"x"}',
    "41/nope,",
    "3",
    "6",
    "1",
    "5",
    "2probe",
    "b" + "AAEC",
    '42["__proto__",{"constructor":1}]',
    '42["mensaje_privado"]',
    '426["mensaje_privado",{"para":"nobody","mensaje":"hola","cid":"1"}]',
    '427["mensaje_privado",{"para":"nobody","mensaje":"another","cid":"1"}]',
    '428["mensaje_privado",{"para":"nobody","mensaje":"hola","cid":"2"}]',
    '42["mensaje_privado",{"para":"nobody","mensaje":"hola","cid":""}]',
    '424["mensaje_privado",{"para":"ana"}]',
    '425["mensaje_privado",{"para":"x","mensaje":7}]',
    '42["\\ud800"]',
    '429["mensaje_privado",{"para":"x","mensaje":"\\udfff"}]',
]
ILLEGAL: Final = [
    "",
    "2",
    "0",
    "4",
    "7",
    "b!",
    "b",
    "4x",
    "47",
    "40null",
    "40[]",
    '40"x"',
    "41null",
    '44{"message":"x"}',
    "42",
    "42[]",
    "42[null]",
    "42{}",
    '42[{"toString":"x"}]',
    '42["connect"]',
    '42["a"]x',
    '42-1["e"]',
    '421e3["e"]',
    '450-["e"]',
    '4511-["e"]',
    '45-["e"]',
    f'451-["e",{P1}]',
    '451-["e",{"_placeholder":true,"num":"splice"}]',
    '42["e",NaN]',
    '42["e",1e999]',
    '42["e",' + "[" * 70 + "]" * 70 + "]",
    '42["e",' + "9" * 400 + "]",
    "43999",
    "431{}",
    "2probe\x1e5",
    '42["e","\x00\x1e"]',
    '42/admin,["x"]',
    "4" * 300,
    '42["x","' + "y" * 900 + '"]',
    "3probe",
    "5x",
]

_ANYTHING: Final = st.text(max_size=30)
_VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([P0, P1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def built_packets(draw: st.DrawFn) -> str:
    """A Socket.IO packet built from parts that need not fit."""
    head = draw(st.sampled_from("0123456789")) + draw(st.sampled_from(["", "", "1-", "2-", "10-"]))
    where = draw(st.sampled_from(["", "", "/,", "/admin,", "/x?y,"])) + draw(st.sampled_from(["", "0", "12", "9" * 15]))
    value = str(draw(_VALUES)).replace("'", '"')
    return "4" + head + where + draw(st.sampled_from([f'["x",{value}]', value, "", f"[{value}]"]))


packets: Final = st.one_of(
    st.sampled_from(LEGAL), st.sampled_from(ILLEGAL), st.sampled_from(LEGAL), built_packets(), _ANYTHING
)
payloads: Final = st.lists(packets, min_size=1, max_size=6).map(SEPARATOR.join)


@dataclasses.dataclass(frozen=True, slots=True)
class Cut:
    """Bytes, and the positions at which they are split into reads."""

    data: bytes
    places: tuple[int, ...]

    @property
    def pieces(self) -> list[bytes]:
        ends = [*sorted(place % (len(self.data) + 1) for place in self.places), len(self.data)]
        return [self.data[start:end] for start, end in zip([0, *ends], ends, strict=False) if start < end]


def cut(data: st.SearchStrategy[bytes]) -> st.SearchStrategy[Cut]:
    """Split at any byte, or not."""
    return st.builds(Cut, data, st.lists(st.integers(0, 4_000), max_size=3).map(tuple))


# WebSocket.


def _whole(message: str) -> bytes:
    return frame_bytes(TEXT, message.encode("utf-8", "surrogatepass"))


@st.composite
def _fragments(draw: st.DrawFn) -> bytes:
    """A message in fragments, perhaps with a control frame between them."""
    data = draw(packets).encode("utf-8", "surrogatepass")
    at = draw(st.integers(0, len(data)))
    between = draw(st.sampled_from([b"", frame_bytes(PING, b"x"), frame_bytes(PONG, b""), frame_bytes(TEXT, b"4")]))
    return frame_bytes(TEXT, data[:at], fin=False) + between + frame_bytes(CONTINUATION, data[at:])


@st.composite
def _odd_frame(draw: st.DrawFn) -> bytes:
    return frame_bytes(
        draw(st.sampled_from([CONTINUATION, TEXT, BINARY, 3, CLOSE, PING, PONG, 15])),
        draw(st.binary(max_size=130)),
        fin=draw(st.booleans()),
        rsv=draw(st.sampled_from([0, 0, 1, 2, 4, 7])),
        masked=draw(st.sampled_from([True, True, False])),
    )


_CONTROL: Final = st.sampled_from(
    [
        frame_bytes(PING, b"are you there"),
        frame_bytes(PONG, b""),
        frame_bytes(CLOSE, b""),
        frame_bytes(CLOSE, b"\x03\xe8bye"),
        frame_bytes(CLOSE, b"\x03"),
        frame_bytes(CLOSE, b"\x03\xec\xff"),
        b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x82\xfe\xff\xff",
    ]
)
_FRAME: Final = st.one_of(
    packets.map(_whole),
    packets.map(_whole),
    st.binary(max_size=40).map(lambda data: frame_bytes(BINARY, data)),
    _fragments(),
    _CONTROL,
    _odd_frame(),
)
frames: Final = cut(st.lists(_FRAME, min_size=1, max_size=5).map(b"".join))

_NUMBERS: Final = st.sampled_from(["0", "0", "1", "2", "-1", '"splice"', "1.0", "null", "true"])


@st.composite
def _attachments(draw: st.DrawFn) -> bytes:
    """A packet that announces attachments, and about as many of them; perhaps with another packet in between."""
    placeholders = [f'{{"_placeholder":true,"num":{draw(_NUMBERS)}}}' for _ in range(draw(st.integers(0, 3)))]
    kind, count = draw(st.sampled_from(["5", "5", "6"])), draw(st.integers(1, 3))
    head = f"4{kind}{count}-7" + '["x",' * (kind == "5") + "[" + ",".join(placeholders) + "]" + "]" * (kind == "5")
    between = draw(st.sampled_from([b"", b"", frame_bytes(PING, b""), _whole("3"), _whole("41"), _whole(head)]))
    return _whole(head) + between + frame_bytes(BINARY, b"abc") * draw(st.integers(0, count + 1))


_SPEECH: Final = st.one_of(st.sampled_from(LEGAL).map(_whole), packets.map(_whole), _attachments(), _attachments())
speeches: Final = cut(st.lists(_SPEECH, max_size=4).map(b"".join))

# HTTP.

METHODS: Final = st.sampled_from(
    ["GET", "GET", "GET", "POST", "POST", "POST", "HEAD", "PUT", "OPTIONS", "DELETE", "g t"]
)
EXTRA_HEADERS: Final = st.lists(
    st.sampled_from(
        [
            "Connection: close",
            "Connection: keep-alive",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Upgrade: h2c",
            "Expect: 100-continue",
            "Origin: http://evil.example",
            "Origin: http://localhost",
            "Origin: null",
            "Content-Type: application/octet-stream",
            "Content-Type: text/plain",
            "Accept-Encoding: gzip",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Version: 8",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Protocol: a, b",
            "Sec-WebSocket-Extensions: permessage-deflate",
            "X-Forwarded-For: 1.2.3.4, nonsense",
            "X-Forwarded-For: 2001:db8::7, 10.1.2.3",
            "Origin: http://listed.example",
            "Origin: https://a.example",
            "Access-Control-Request-Headers: x",
            "X-Forwarded-Proto: https",
            "Cookie: token=; token",
            "Cookie: token=a.b.c",
            "Host: other",
            "X: " + "y" * 2_000,
            "Content-Encoding: gzip",
            "Transfer-Encoding: gzip",
            "\x00: x",
            ": x",
            " folded",
            "Name",
        ]
    ),
    max_size=3,
)
FRAMINGS: Final = st.sampled_from(
    ["length", "length", "length", "chunked", "none", "short", "long", "twice", "minus", "huge"]
)


@dataclasses.dataclass(frozen=True, slots=True)
class Http:
    """A request; the test sets its target, because the test knows the sessions."""

    method: str
    headers: tuple[str, ...]
    framing: str
    body: bytes
    version: str

    def bytes_for(self, target: str) -> bytes:
        lines = [f"{self.method} {target} {self.version}", "Host: localhost", *self.headers, *self._framing_headers()]
        body = self.body
        if self.framing == "chunked":
            half = len(body) // 2
            body = b"".join(chunk(part) for part in (body[:half], body[half:]) if part) + chunk(b"")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    def _framing_headers(self) -> list[str]:
        size = len(self.body)
        if self.method == "GET" and not self.body:
            return []
        return {
            "length": [f"Content-Length: {size}"],
            "chunked": ["Transfer-Encoding: chunked"],
            "none": [],
            "short": [f"Content-Length: {max(0, size - 1)}"],
            "long": [f"Content-Length: {size + 5}"],
            "twice": [f"Content-Length: {size}", f"Content-Length: {size + 1}"],
            "minus": ["Content-Length: -1"],
            "huge": ["Content-Length: 99999999999999999999"],
        }[self.framing]


_BODIES: Final = st.one_of(
    payloads.map(lambda text: text.encode("utf-8", "surrogatepass")),
    payloads.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.just(b""),
    st.binary(max_size=60),
    st.just(b"4" + b"x" * 3_000),
)
requests: Final = st.builds(
    Http,
    METHODS,
    EXTRA_HEADERS.map(tuple),
    FRAMINGS,
    _BODIES,
    st.sampled_from(["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/x"]),
)
places: Final = st.lists(st.integers(0, 4_000), max_size=3).map(tuple)
rubbish: Final = cut(
    st.binary(min_size=1, max_size=200)
    | st.just(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    | st.just(b"\r\n" * 50)
)
