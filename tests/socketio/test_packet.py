"""Packets and their text form."""

from __future__ import annotations

import contextlib
import time
from typing import Final

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatd.base.errors import WireError
from chatd.engineio.outgoing import Outgoing
from chatd.engineio.packet import decode as decode_engine_packet
from chatd.socketio.packet import (
    MAX_ATTACHMENTS,
    RESERVED_EVENTS,
    IncomingBinary,
    Packet,
    PacketType,
    PreparedEvent,
    SocketPacketError,
    decode,
    encode,
    encode_event,
)
from tests.socketio.values import JSON_OF_JAVASCRIPT, JSON_WITH_BYTES, NAMESPACES, PACKET_IDS

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = PacketType
P0: Final = {"_placeholder": True, "num": 0}

MEGABYTE: Final = 1_000_000
LINEAR_S: Final = 10.0  # CPU seconds, ten times the usual time; quadratic code would take minutes
"""Far above the time of a linear decoder for one megabyte, far below that of a quadratic one."""


def read(text: str, *, max_attachments: int = MAX_ATTACHMENTS, max_depth: int = 64) -> Packet:
    return decode(text, max_attachments=max_attachments, max_depth=max_depth)


def messages(packet: Outgoing) -> list[str | bytes]:
    """The messages of a packet as a client gets them, without the Engine.IO layer."""
    return [decode_engine_packet(part.text.decode()).data for part in packet.packets]


PACKETS = [
    ("0", Packet(CONNECT, "/", None, None)),
    ('0{"token":"x"}', Packet(CONNECT, "/", None, {"token": "x"})),
    ("0{}", Packet(CONNECT, "/", None, {})),
    ("0/,", Packet(CONNECT, "/", None, None)),
    ("0/admin", Packet(CONNECT, "/admin", None, None)),
    ("0/admin,", Packet(CONNECT, "/admin", None, None)),
    ('0/admin,{"a":1}', Packet(CONNECT, "/admin", None, {"a": 1})),
    ("0/custom?a=b,", Packet(CONNECT, "/custom?a=b", None, None)),
    ("0/custom/,", Packet(CONNECT, "/custom/", None, None)),
    ('0/a{"b":1}', Packet(CONNECT, '/a{"b":1}', None, None)),
    ('012{"a":1}', Packet(CONNECT, "/", 12, {"a": 1})),
    ("0/ñ\n,", Packet(CONNECT, "/ñ\n", None, None)),
    ("1", Packet(DISCONNECT, "/", None, None)),
    ("1/admin,", Packet(DISCONNECT, "/admin", None, None)),
    ('2["foo",1]', Packet(EVENT, "/", None, ["foo", 1])),
    ('2/admin,12["foo"]', Packet(EVENT, "/admin", 12, ["foo"])),
    ('2007["foo"]', Packet(EVENT, "/", 7, ["foo"])),
    ('2999999999999999["foo"]', Packet(EVENT, "/", 999_999_999_999_999, ["foo"])),
    ("2[1,2]", Packet(EVENT, "/", None, [1, 2])),
    ("2[-1.5]", Packet(EVENT, "/", None, [-1.5])),
    ('2["error"]', Packet(EVENT, "/", None, ["error"])),
    ('2["connection"]', Packet(EVENT, "/", None, ["connection"])),
    ('2["__proto__"]', Packet(EVENT, "/", None, ["__proto__"])),
    ('2["message"]', Packet(EVENT, "/", None, ["message"])),
    ('2[""]', Packet(EVENT, "/", None, [""])),
    ('2["\\ud800"]', Packet(EVENT, "/", None, ["\ud800"])),
    ('2["a",{"_placeholder":true,"num":0}]', Packet(EVENT, "/", None, ["a", P0])),
    ('2/a-b/[1],["x,y"]', Packet(EVENT, "/a-b/[1]", None, ["x,y"])),
    ('312["ok"]', Packet(ACK, "/", 12, ["ok"])),
    ("3/admin,7[]", Packet(ACK, "/admin", 7, [])),
    ("3999", Packet(ACK, "/", 999, None)),
    ("3[]", Packet(ACK, "/", None, [])),
    ("3", Packet(ACK, "/", None, None)),
    ('51-["baz",{"_placeholder":true,"num":0}]', Packet(BINARY_EVENT, "/", None, ["baz", P0], 1)),
    ('510-/admin,9["baz"]', Packet(BINARY_EVENT, "/admin", 9, ["baz"], 10)),
    ('61-5[{"_placeholder":true,"num":0}]', Packet(BINARY_ACK, "/", 5, [P0], 1)),
]


@pytest.mark.parametrize(("text", "packet"), PACKETS)
def test_a_text_is_read_as_a_packet(text: str, packet: Packet) -> None:
    """S-01, S-03"""
    assert read(text) == packet


@pytest.mark.parametrize("text", ["", "7", "9", "a", "abc", " 2", "-1", '"2"', "٢", "２", "/", "["])
def test_a_packet_starts_with_its_type(text: str) -> None:
    """S-02"""
    with pytest.raises(SocketPacketError):
        read(text)


BAD_IDS = [
    *('2-1["e"]', '21.5["e"]', '21e3["e"]', '2abc["e"]', '2+1["e"]', '2 1["e"]', '20x1["e"]', '2٣["e"]'),
    *('21000000000000000["e"]', "3" + "9" * 400 + "[]", "3" + "9" * 16, "3/admin," + "9" * 16),
]


@pytest.mark.parametrize("text", BAD_IDS)
def test_an_acknowledgement_id_has_up_to_15_digits(text: str) -> None:
    """S-04"""
    with pytest.raises(SocketPacketError):
        read(text)


BAD_PAYLOADS = [
    *("0null", "0[]", '0"x"', "0true", "0/admin,[]"),
    *("1{}", "1null", '1{"a":1}', "1[]", "1/admin,{}"),
    *("2", "21", "2/admin,", "2null", "2[]", "2{}", '2"a"', "2[null]", "2[{}]", "2[[]]", "2[true]"),
    '2[{"toString":"x"}]',
    *("3{}", "31{}", '31"x"', "31null", "311 ", "3/admin,1{}"),
    *("4", "4{}", '4{"message":"x"}', "4[]", '4/admin,{"message":"x"}'),
    *("51-", "51-{}", "51-null", "51-[]", "51-[null]", '51-[{"_placeholder":true,"num":0}]', "61-1{}", "61-1null"),
]


@pytest.mark.parametrize("text", BAD_PAYLOADS)
def test_each_type_has_its_payload(text: str) -> None:
    """S-05"""
    with pytest.raises(SocketPacketError):
        read(text)


@pytest.mark.parametrize("name", sorted(RESERVED_EVENTS))
def test_no_client_may_send_an_event_with_a_reserved_name(name: str) -> None:
    """S-06"""
    for text in (f'2["{name}"]', f'2/admin,1["{name}",1]', f'51-["{name}",{{"_placeholder":true,"num":0}}]'):
        with pytest.raises(SocketPacketError):
            read(text)


@pytest.mark.parametrize(
    "text", ['2["a"]x', '2["a"', '2["a",NaN]', '2["a",1e400]', '2["a"][', "2[a]", '2["a",' + "1" * 5000 + "]"]
)
def test_a_payload_is_strict_json(text: str) -> None:
    """S-07"""
    with pytest.raises(SocketPacketError):
        read(text)


def test_the_depth_of_a_payload_is_limited() -> None:
    """S-08: the array of the event itself counts."""
    assert read('2["e",[[[]]]]', max_depth=4).data == ["e", [[[]]]]
    for depth in (5, 6, 500, 100_000):
        with pytest.raises(SocketPacketError):
            read('2["e",' + "[" * (depth - 1) + "]" * (depth - 1) + "]", max_depth=4)


BAD_COUNTS = [
    *("", "-", "-1-", "1", "1 -", "1--", " 1-", "+1-", "1.0-", "1.5-", "1e0-", "0x1-", "٣-"),
    *("0-", "00-", "11-", "010-", "100-", "5999999-", "9" * 5000 + "-"),
]


@pytest.mark.parametrize("count", BAD_COUNTS)
@pytest.mark.parametrize("kind", "56")
def test_a_binary_packet_announces_one_to_ten_attachments(kind: str, count: str) -> None:
    """S-09"""
    with pytest.raises(SocketPacketError):
        read(f'{kind}{count}["e"]')


@pytest.mark.parametrize("text", ["01-", '01-{"a":1}', "11-", '21-["e"]', "31-[]", '41-{"message":""}', "31-1[]"])
def test_no_other_packet_announces_attachments(text: str) -> None:
    """S-09"""
    with pytest.raises(SocketPacketError):
        read(text)


@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_the_operator_may_allow_fewer_attachments(allowed: int) -> None:
    """S-09"""
    for count in range(1, allowed + 1):
        assert read(f'5{count}-["e"]', max_attachments=allowed).attachments == count
    with pytest.raises(SocketPacketError):
        read(f'5{allowed + 1}-["e"]', max_attachments=allowed)


@pytest.mark.parametrize(
    ("packet", "text"),
    [
        (encode(CONNECT, data={"sid": "abc"}), '0{"sid":"abc"}'),
        (encode(CONNECT, "/admin", data={"sid": "abc"}), '0/admin,{"sid":"abc"}'),
        (encode(DISCONNECT), "1"),
        (encode(DISCONNECT, "/admin"), "1/admin,"),
        (encode_event("/", "foo", [1, "ñ", None, {"a": [True, 1.5]}]), '2["foo",1,"ñ",null,{"a":[true,1.5]}]'),
        (encode_event("/admin", "foo", (), 12), '2/admin,12["foo"]'),
        (encode_event("/", "foo", [], 0), '20["foo"]'),
        (encode(ACK, "/", 7, ()), "37[]"),
        (encode(ACK, "/admin", 7, ["ok"]), '3/admin,7["ok"]'),
        (encode(CONNECT_ERROR, "/nope", data={"message": "no"}), '4/nope,{"message":"no"}'),
    ],
)
def test_a_packet_is_encoded_as_clients_expect_it(packet: Outgoing, text: str) -> None:
    """S-01, S-03"""
    assert messages(packet) == [text]


def test_a_packet_with_bytes_is_encoded_before_its_attachments() -> None:
    """S-10"""
    event = encode_event("/admin", "baz", [b"\x01", {"x": [bytearray(b"\x02")]}], 9)
    zero, one = '{"_placeholder":true,"num":0}', '{"_placeholder":true,"num":1}'
    assert messages(event) == [f'52-/admin,9["baz",{zero},{{"x":[{one}]}}]', b"\x01", b"\x02"]
    assert messages(encode(ACK, "/", 5, [b"ok"])) == [f"61-5[{zero}]", b"ok"]


class News(msgspec.Struct):
    title: str
    pages: int


@pytest.mark.parametrize("namespace", ["/", "/admin"])
@pytest.mark.parametrize("title", ["", "ñandú 👋", 'a"b]', "\ud83d"])
def test_a_prepared_event_encodes_to_the_same_text(namespace: str, title: str) -> None:
    news = News(title, 2)
    prepared = PreparedEvent(namespace, "news")
    for _ in range(2):
        assert messages(prepared.encode(news)) == messages(encode_event(namespace, "news", [news]))


def test_no_event_with_a_reserved_name_is_prepared() -> None:
    """S-06"""
    with pytest.raises(ValueError, match="reserved"):
        PreparedEvent("/", "connect")


@pytest.mark.parametrize("kind", [CONNECT, DISCONNECT, CONNECT_ERROR])
def test_bytes_in_other_packets_are_refused(kind: PacketType) -> None:
    with pytest.raises(TypeError, match="cannot carry bytes"):
        encode(kind, data={"message": "no", "data": b"\x00"})


@pytest.mark.parametrize("name", sorted(RESERVED_EVENTS))
def test_no_event_with_a_reserved_name_is_sent(name: str) -> None:
    """S-06: clients answer one with a parse error."""
    with pytest.raises(ValueError, match="reserved"):
        encode_event("/", name, [])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}, [b"", float("nan")]])
def test_no_number_that_json_lacks_is_sent(value: object) -> None:
    """S-07: clients answer one with a parse error."""
    with pytest.raises(ValueError, match="is no JSON"):
        encode_event("/", "e", [value])


def test_more_than_ten_attachments_are_refused() -> None:
    """S-09: clients answer eleven with a parse error."""
    assert len(messages(encode_event("/", "e", [b""] * MAX_ATTACHMENTS))) == 1 + MAX_ATTACHMENTS
    with pytest.raises(ValueError, match="11 attachments"):
        encode_event("/", "e", [b""] * (MAX_ATTACHMENTS + 1))


@pytest.mark.parametrize("value", [object(), [1j], {"a": print}])
def test_values_that_json_lacks_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        encode_event("/", "e", [value])


EVENT_NAMES = st.text().filter(lambda name: name not in RESERVED_EVENTS)


@given(NAMESPACES, PACKET_IDS, EVENT_NAMES, st.lists(JSON_OF_JAVASCRIPT, max_size=4))
def test_an_event_reads_back_as_it_was_written(
    namespace: str, packet_id: int | None, name: str, args: list[object]
) -> None:
    (text,) = messages(encode_event(namespace, name, args, packet_id))
    assert isinstance(text, str)
    assert read(text) == Packet(EVENT, namespace, packet_id, [name, *args])


@given(NAMESPACES, st.integers(0, 10**15 - 1), st.lists(JSON_WITH_BYTES, max_size=4), st.binary())
def test_a_packet_with_bytes_reads_back_as_it_was_written(
    namespace: str, packet_id: int, args: list[object], attachment: bytes
) -> None:
    with contextlib.suppress(ValueError):  # more than ten of them
        head, *attachments = messages(encode(ACK, namespace, packet_id, [attachment, *args]))
        assert isinstance(head, str)
        assert whole(read(head), attachments) == Packet(BINARY_ACK, namespace, packet_id, [attachment, *args])


def whole(packet: Packet, attachments: list[str | bytes]) -> Packet | None:
    """`packet` after all its attachments, none of which may be surplus."""
    incoming = IncomingBinary(packet)
    result = None
    for attachment in attachments:
        assert result is None
        assert isinstance(attachment, bytes)
        result = incoming.feed(attachment)
    return result


def test_a_packet_is_complete_with_its_last_attachment() -> None:
    """S-10"""
    packet = read('53-["e",{"_placeholder":true,"num":2}]')
    assert whole(packet, [b"a", b"b", b"c"]) == Packet(BINARY_EVENT, "/", None, ["e", b"c"])


@pytest.mark.parametrize("number", ['"splice"', "1", "-1", "null", "0.5", "true", "1e99"])
def test_a_wrong_placeholder_is_a_wire_error(number: str) -> None:
    """S-11"""
    incoming = IncomingBinary(read(f'51-["e",{{"_placeholder":true,"num":{number}}}]'))
    with pytest.raises(WireError):
        incoming.feed(b"")


@given(st.text())
@example("2[\ud800]")
def test_any_text_is_a_packet_or_a_wire_error(text: str) -> None:
    with contextlib.suppress(WireError):
        read(text)


@given(st.from_regex(r"[0-6](\d{0,3}-)?(/[a-z]*,?)?\d{0,17}[\[\]{}\",:0-9a-z_\\]{0,20}", fullmatch=True))
def test_any_packet_like_text_is_a_packet_or_a_wire_error(text: str) -> None:
    with contextlib.suppress(WireError):
        read(text)


HALF = r'"\ud800"'


@pytest.mark.parametrize(
    "text",
    [
        "2" + "1" * MEGABYTE,
        "2" + "1" * MEGABYTE + '["e"]',
        "5" + "1" * MEGABYTE + '-["e"]',
        "0/" + "a" * MEGABYTE,
        "0/" + "/" * MEGABYTE + ",",
        "5" + "1-" * (MEGABYTE // 2),
        '2["e",' + "1" * MEGABYTE + "]",
        '2["e",0.' + "1" * MEGABYTE + "]",
        '2["e",1e' + "9" * MEGABYTE + "]",
        f'2["e",{HALF},' + "1" * MEGABYTE + "]",
        f'2["e",{HALF},0.' + "1" * MEGABYTE + "]",
        f'2["e",{HALF},1e' + "9" * MEGABYTE + "]",
        '2["' + "a" * MEGABYTE,
        '2["' + r"\ud800" * (MEGABYTE // 6),
        '2["' + r"\ud800" * (MEGABYTE // 6) + '"]',
        '2["' + "\\" * MEGABYTE,
        '2["\\u' + '"' * MEGABYTE,
        "2" + "[" * MEGABYTE,
        "2" + "[" * (MEGABYTE // 2) + "]" * (MEGABYTE // 2),
        f"2[{HALF}," + "[" * MEGABYTE,
        f"2[{HALF}," + "[" * (MEGABYTE // 2) + "]" * (MEGABYTE // 2) + "]",
        "2" + '{"a":' * (MEGABYTE // 5) + HALF,
        '2["e"' + ",[]" * (MEGABYTE // 3) + "]",
        '2["e"' + ',{"a":1}' * (MEGABYTE // 8) + "]",
        f"2[{HALF}" + ",[[]]" * (MEGABYTE // 5) + "]",
        '2["e",' + " " * MEGABYTE,
        '2["e"' + "\n" * MEGABYTE + "\\u]",
        '2["e",{' + ",".join(f'"{number}":0' for number in range(MEGABYTE // 12)) + "}]",
    ],
    ids=lambda text: f"{text[:24]}...{text[-8:]}",
)
def test_a_hostile_megabyte_is_decoded_in_linear_time(text: str) -> None:
    begin = time.process_time()
    with contextlib.suppress(WireError):
        read(text)
    assert time.process_time() - begin < LINEAR_S
