"""N-32, N-36: frames of chatd are complete, and equal those of Node.js nodes."""

from __future__ import annotations

import json

import msgspec
import pytest

from chatd.chat.events import Received
from chatd.cluster.adapter import said
from chatd.cluster.adapter.channels import Channels
from chatd.cluster.adapter.frames import decode_broadcast

# @socket.io/redis-adapter 8.3.0: io.to("user:a").to("admins").emit("mensaje_recibido", {de: "b", mensaje: "ñ"})
SEEN = bytes.fromhex(
    "93a64f4f65706e7383a47479706502a46461746192b06d656e73616a655f726563696269646f82a26465a162a76d656e73616a65a2c3b1"
    "a36e7370a12f83a5726f6f6d7392a6757365723a61a661646d696e73a665786365707490a5666c61677380"
)


def test_an_event_has_the_bytes_and_all_fields_of_the_adapter() -> None:
    data = said.event("OOepns", "mensaje_recibido", Received("b", "ñ"), ("user:a", "admins"))
    assert data == SEEN
    uid, packet, options = msgspec.msgpack.decode(data)
    assert (uid, packet.keys(), options.keys()) == (
        "OOepns",
        {"type", "data", "nsp"},
        {"rooms", "except", "flags"},
    )
    assert decode_broadcast(data) is not None


@pytest.mark.parametrize("uid", ["x", "chatd-ABCDEFGHIJKLMNOP", "x" * 40])
def test_a_process_recognises_its_own_frames_by_their_prefix(uid: str) -> None:
    data = said.event(uid, "h", Received("b", "x"), ("admins",))
    assert data.startswith(said.beginning(uid))
    assert not said.event(uid + "y", "h", Received("b", "x"), ("admins",)).startswith(said.beginning(uid))
    assert not data.startswith(said.beginning("other"))


def test_answers_have_the_form_of_the_adapter() -> None:
    assert said.sockets("q", ["a"]) == b'{"requestId":"q","sockets":["a"]}'
    assert said.rooms("q", iter(["a"])) == b'{"requestId":"q","rooms":["a"]}'
    assert said.done("q") == b'{"requestId":"q"}'
    assert json.loads(said.nothing("q")) == {"type": 6, "requestId": "q", "data": None}
    assert json.loads(said.client_count("q", 2)) == {"type": 8, "requestId": "q", "clientCount": 2}
    assert msgspec.msgpack.decode(said.acknowledgement("q", {"a": b"\x00"})) == {
        "type": 9,
        "requestId": "q",
        "packet": {"a": b"\x00"},
    }


@pytest.mark.parametrize("argument", [2**70, ["\ud800"]])
def test_an_acknowledgement_that_cannot_be_encoded_is_null(argument: object) -> None:
    assert msgspec.msgpack.decode(said.acknowledgement("q", argument))["packet"] is None


def test_channels_have_the_names_of_the_adapter() -> None:
    channels = Channels("socket.io")
    assert (channels.broadcasts, channels.requests) == ("socket.io#/#", "socket.io-request#/#")
    assert channels.answers == "socket.io-response#/#"
    assert channels.to(("user:ana",)) == "socket.io#/#user:ana#"
    assert channels.to(("user:ana", "admins")) == "socket.io#/#"
    assert channels.room("socket.io#/#") == ""
    assert channels.room("socket.io#/#user:ana#") == "user:ana"
