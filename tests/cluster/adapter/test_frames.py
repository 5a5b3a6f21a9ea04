"""N-31, N-34: bytes captured from the wire, and arbitrary input."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.cluster.adapter import frames
from chatd.cluster.adapter.faults import Fault, ForeignError
from chatd.cluster.adapter.frames import decode_broadcast, decode_request

# @socket.io/redis-adapter 8.3.0: io.emit("h", 1, "x"); @socket.io/redis-emitter 5.1.0: to("r1").emit("h", 1).
EMIT = bytes.fromhex(
    "93a64f4f65706e7383a47479706502a46461746193a16801a178a36e7370a12f83a5726f6f6d7390a665786365707490a5666c61677380"
)
EMITTER = bytes.fromhex(
    "93a7656d697474657283a47479706502a46461746192a16801a36e7370a12f83a5726f6f6d7391a27231a5666c61677380a665786365707490"
)
MINIMAL = msgspec.msgpack.encode(["x", {"type": 2, "data": ["h"]}, {"rooms": []}])


def test_a_broadcast_of_node_is_decoded() -> None:
    broadcast = decode_broadcast(EMIT)
    assert broadcast is not None
    assert (broadcast.uid, broadcast.options.rooms, broadcast.options.exclude) == ("OOepns", (), ())
    assert frames.arguments(broadcast.packet) == ["h", 1, "x"]
    assert not broadcast.options.is_volatile


def test_a_broadcast_of_the_emitter_is_decoded() -> None:
    broadcast = decode_broadcast(EMITTER)
    assert broadcast is not None
    assert (broadcast.uid, broadcast.options.rooms) == ("emitter", ("r1",))
    assert frames.arguments(broadcast.packet) == ["h", 1]


@pytest.mark.parametrize("data", [EMIT, EMITTER])
def test_msgspec_writes_the_same_bytes(data: bytes) -> None:
    assert msgspec.msgpack.encode(msgspec.msgpack.decode(data)) == data


def test_optional_fields_may_be_missing() -> None:
    broadcast = decode_broadcast(MINIMAL)
    assert broadcast is not None
    assert broadcast.options.exclude is None


def test_packets_of_other_namespaces_are_ignored() -> None:
    packet = {"type": 2, "data": ["h"], "nsp": "/other"}
    assert decode_broadcast(msgspec.msgpack.encode(["x", packet, {"rooms": []}])) is None
    request = {"type": 7, "requestId": "x", "packet": packet, "opts": {"rooms": []}}
    assert decode_request(msgspec.msgpack.encode(request)) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"uid":"OOepns","requestId":"YPz2qt","type":5,"opts":{"rooms":["r1"],"except":[]}}',
        '{"uid":"OOepns","requestId":"YPz2qt","type":1}',
        '{"uid":"OOepns","type":4,"opts":{"rooms":[],"except":[]},"close":true}',
        '{"type":3,"opts":{"rooms":[],"except":[]},"rooms":["r2","r3"]}',
        '{"uid":"emitter","type":6,"data":["srv",1]}',
    ],
)
def test_a_request_is_decoded(text: str) -> None:
    request, said = decode_request(text.encode()), json.loads(text)
    assert request is not None
    assert (request.type, request.request_id, request.uid) == (
        said["type"],
        said.get("requestId"),
        said.get("uid"),
    )
    assert bool(request.close) == said.get("close", False)


def fault_of(decode: Any, data: bytes) -> Fault:
    with pytest.raises(ForeignError) as caught:
        decode(data)
    return caught.value.fault


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", Fault.UNREADABLE),
        (b"\x93\xa1x", Fault.UNREADABLE),
        (EMIT.replace(b"\xa6OOepns", b"\xa6\xed\xa0\x80\xed\xb0\x80"), Fault.UNREADABLE),  # half surrogates
        (EMIT[:-1] + b"\xc3", Fault.UNREADABLE),
        (msgspec.msgpack.encode(["x", {"type": 2, "data": []}, {"rooms": [None]}]), Fault.UNREADABLE),
        (msgspec.msgpack.encode(["x" * 257, {"type": 2, "data": []}, {"rooms": []}]), Fault.UNREADABLE),
        (msgspec.msgpack.encode(["x", {"type": 3, "data": []}, {"rooms": []}]), Fault.EVENT),
        (EMIT.replace(b"\xa4data\x93\xa1h", b"\xa4data\x93" + b"\x91" * 100_000), Fault.MAX_DEPTH),
    ],
)
def test_a_broken_broadcast_is_refused(data: bytes, fault: Fault) -> None:
    assert fault_of(decode_broadcast, data) is fault


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"{", Fault.UNREADABLE),
        (b"[]", Fault.UNREADABLE),
        (b'{"type":"5"}', Fault.UNREADABLE),
        (b'{"type":7,"packet":{"type":2,"data":["h"]}}', Fault.UNREADABLE),
        (b'{"type":1,"x":' + b"[" * 100_000, Fault.MAX_DEPTH),
    ],
)
def test_a_broken_request_is_refused(data: bytes, fault: Fault) -> None:
    assert fault_of(decode_request, data) is fault


def test_invalid_arguments_are_refused() -> None:
    broadcast = decode_broadcast(msgspec.msgpack.encode(["x", {"type": 2, "data": {}}, {"rooms": []}]))
    assert broadcast is not None
    assert fault_of(frames.arguments, broadcast.packet) is Fault.UNREADABLE  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "date",
    ["c70cff3b8b87c0fffffff1886e08ff", "c70cff000000000000003afff44180"],
    ids=["before the year 1", "after 9999"],
)
def test_a_date_that_python_does_not_have_is_refused(date: str) -> None:
    broadcast = decode_broadcast(EMIT.replace(b"\xa4data\x93\xa1h\x01", b"\xa4data\x93\xa1h" + bytes.fromhex(date)))
    assert broadcast is not None
    assert fault_of(frames.arguments, broadcast.packet) is Fault.UNREADABLE  # type: ignore[arg-type]


@given(st.binary(max_size=200), st.integers(0, len(EMIT)))
def test_any_bytes_are_decoded_or_refused(junk: bytes, at: int) -> None:
    for data in (junk, EMIT[:at] + junk, b"{" + junk):
        for decode in (decode_broadcast, decode_request):
            try:
                decode(data)
            except ForeignError:
                continue
