"""The payload of `mensaje_recibido`, as values and over real sockets."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatd.chat.messages.payload import PAYLOADS
from chatd.socketio.jsontext import format_json
from chatd.store.base import Message, MessageId
from tests.chat.people import chatting

MESSAGE = Message(MessageId(2**62), "ana", "root", "hola", 7, supervisado=True)
NAMED = Message(MessageId(2**62), "ana", "root", "hola", 7, supervisado=True, cid="one")


@pytest.mark.parametrize(
    ("payload", "message", "text"),
    [
        ("brief", MESSAGE, '{"de":"ana","mensaje":"hola"}'),
        ("brief", NAMED, '{"de":"ana","mensaje":"hola"}'),
        ("full", MESSAGE, '{"de":"ana","mensaje":"hola","id":"4611686018427387904","para":"root","fecha":7}'),
        ("full", NAMED, '{"de":"ana","mensaje":"hola","id":"4611686018427387904","para":"root","fecha":7,"cid":"one"}'),
    ],
)
def test_the_payload_of_a_message(payload: str, message: Message, text: str) -> None:
    """C-40, C-41: the id as a string, because JavaScript's numbers end at 2^53."""
    assert format_json(PAYLOADS[payload](message)).decode() == text


@pytest.mark.parametrize("deliver", ["at_once", "stored"])
async def test_the_full_payload_has_the_id_and_date_of_the_acknowledgement(db: Path, deliver: str) -> None:
    """C-41"""
    async with chatting(db, payload="full", deliver=deliver) as chat:
        ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
        sent = {"para": "eva", "mensaje": "hola", "cid": "one"}
        stored = await ana.ask("mensaje_privado", sent)
        whole = {"de": "ana", **sent, "id": stored["id"], "fecha": stored["fecha"]}
        assert await root.inbox() == [["mensaje_recibido", whole]]


async def test_the_default_payload_has_two_keys(db: Path) -> None:
    """C-40"""
    async with chatting(db) as chat:
        ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
        await ana.ask("mensaje_privado", {"para": "root", "mensaje": "hola", "cid": "one"})
        assert await root.inbox() == [["mensaje_recibido", {"de": "ana", "mensaje": "hola"}]]
