"""The input of the wire tests: rows for the tests and for `python -m tests.conformance`."""

from __future__ import annotations

import struct
from typing import Final

from tests.conformance.wire import BINARY, CLOSE, CONTINUATION, PING, TEXT, frame_bytes, text_frame


def close_payload(code: int, reason: bytes = b"") -> bytes:
    return struct.pack("!H", code) + reason


# Engine.IO: handshakes of a WebSocket, frames, first frames of an upgrade, bodies of a POST.
BROKEN_HANDSHAKES: Final[tuple[dict[str, str], ...]] = (
    {"Sec-WebSocket-Version": "12"},
    {"Sec-WebSocket-Version": ""},
    {"Sec-WebSocket-Key": "short"},
    {"Sec-WebSocket-Key": ""},
    {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAAAA"},
    {"Sec-WebSocket-Key": "!!!!!!!!!!!!!!!!!!!!!!=="},
    {"Connection": "keep-alive"},
)
BROKEN_FRAMES: Final = {
    "unmasked": frame_bytes(TEXT, b"4x", masked=False),
    "rsv1": frame_bytes(TEXT, b"4x", rsv=0b100),
    "rsv2": frame_bytes(TEXT, b"4x", rsv=0b010),
    "rsv3": frame_bytes(TEXT, b"4x", rsv=0b001),
    "opcode 3": frame_bytes(3, b"x"),
    "opcode 15": frame_bytes(15, b"x"),
    "long ping": frame_bytes(PING, b"x" * 126),
    "fragmented ping": frame_bytes(PING, b"x", fin=False),
    "continuation of nothing": frame_bytes(CONTINUATION, b"x"),
    "close of one byte": frame_bytes(CLOSE, b"\x03"),
    "close with a code that may not be sent": frame_bytes(CLOSE, close_payload(1005)),
    "close with no such code": frame_bytes(CLOSE, close_payload(999)),
}
NO_PACKETS: Final = ("", "7", "zzz", "b!!!", "\x1e4a")
WRONG_FIRST: Final = (
    *map(text_frame, ("2", "42[x]", "zzz", "2prob", "6", "1", "")),
    frame_bytes(BINARY, b"\x01"),
)
BROKEN_PAYLOADS: Final = (b"", b"abc", b"40\x1e", b"\x1e40", b"7", b"4\xff", b"\x1f\x8b\x08\x00", b"b!!!")

# Socket.IO: messages without the digit of Engine.IO.
EARLY: Final[tuple[str | bytes, ...]] = ('2["x"]', "31[]", "1", '51-["x"]', b"x")
STRAY: Final = ('2/custom,["x"]', "3/custom,1[]", "1/custom,", '51-/custom,["x"]', '2/nope,["x"]')
MALFORMED: Final = (
    *("2[]", "2[null]", "2{}", '2"a"', "2[{}]", '2[{"toString":"x"}]', "2[[]]", "2[true]", "2", "21"),
    *('2["connect"]', '2["disconnect"]', '2["connect_error"]', '2["disconnecting"]'),
    *('2["newListener"]', '2["removeListener"]', '2["a"]x', '2["a"', '2["a",]', '1{"a":1}', "1null"),
    *('4{"message":"x"}', "4", "31{}", "31null", "7", "abc", "", "9" * 1000),
)
ODD: Final = (
    *("2[1,2]", '2["error"]', '2["connection"]', '2["__proto__"]', '2[""]', '2["message"]'),
    *("31[]", "3999", "3[]"),
)
WRONG_ACK_IDS: Final = ('2-1["e"]', '21.5["e"]', '21e3["e"]', '2abc["e"]', f'2{"1" * 16}["e"]')
WRONG_COUNTS: Final = (*('50-["e"]', '511-["e"]', '5-["e"]', '51["e"]', '5["e"]', '5-1-["e"]', '51.0-["e"]', '6["e"]'),)
LYING_PLACEHOLDERS: Final = ('"splice"', "1", "-1", "null", "0.5", "true", '"0"')
