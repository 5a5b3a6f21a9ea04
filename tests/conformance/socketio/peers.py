"""A Socket.IO client of either transport: it sends and receives messages without the digit of Engine.IO."""

from __future__ import annotations

import base64
import json
from typing import Protocol

from tests.conformance.wire import NO_CODE, PING, PONG, Client, PollingSession, WebSocket, joined

Message = str | bytes


class Peer(Protocol):
    """One session."""

    async def say(self, *messages: Message) -> None:
        """Send messages; on long-polling, in one request."""

    async def say_packets(self, *packets: Message) -> None:
        """Send Engine.IO packets unchanged, binary ones as bytes."""

    async def hear(self) -> Message:
        """The next message."""

    async def ended(self) -> None:
        """Wait until the session ends as after a broken rule; no packet may come before that."""


class WebSocketPeer:
    """The session of one WebSocket."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def say(self, *messages: Message) -> None:
        await self.say_packets(*map(packet, messages))

    async def say_packets(self, *packets: Message) -> None:
        for each in packets:
            await self._websocket.send(each)

    async def hear(self) -> Message:
        return message(await self._websocket.receive())

    async def ended(self) -> None:
        assert await self._websocket.closed() == NO_CODE

    def cut(self) -> None:
        self._websocket.abort()

    async def listened_to(self) -> None:
        """Return once the server has read everything that was sent."""
        await self._websocket.send_frame(PING, b"")
        assert (await self._websocket.receive_frame()).opcode == PONG


class PollingPeer:
    """A session on long-polling, which polls only in `hear`."""

    def __init__(self, session: PollingSession) -> None:
        self._session = session
        self._heard: list[str] = []

    async def say(self, *messages: Message) -> None:
        await self.say_packets(*map(packet, messages))

    async def say_packets(self, *packets: Message) -> None:
        body = joined(each if isinstance(each, str) else f"b{base64.b64encode(each).decode()}" for each in packets)
        answer = await self._session.post(body)
        assert (answer.status, answer.text) == (200, "ok")

    async def hear(self) -> Message:
        return message(await self._packet())

    async def ended(self) -> None:
        assert await self._packet() == "1"
        assert not self._heard
        assert not await self._session.is_alive()

    async def _packet(self) -> str:
        if not self._heard:
            self._heard = await self._session.poll()
        return self._heard.pop(0)


async def connected(client: Client, transport: str) -> Peer:
    """A new session that has sent nothing yet."""
    if transport == "websocket":
        return WebSocketPeer(await client.websocket())
    return PollingPeer(await client.polling())


async def join(peer: Peer, *namespaces: str) -> list[str]:
    """Join each of `namespaces`, or the main one; return the ids of the sockets."""
    return [await answer(peer, f"0{name},") for name in namespaces or ("/",)]


async def answer(peer: Peer, connect: str) -> str:
    """Send a CONNECT, which must be accepted; return the id of the socket."""
    await peer.say(connect)
    accepted = str(await peer.hear())
    assert accepted.startswith("0"), accepted
    sid = json.loads(accepted[accepted.index("{") :])["sid"]
    assert isinstance(sid, str)
    return sid


def packet(message: Message) -> Message:
    return f"4{message}" if isinstance(message, str) else message


def message(packet: Message) -> Message:
    if isinstance(packet, bytes):
        return packet
    if packet.startswith("b"):
        return base64.b64decode(packet[1:])
    assert packet.startswith("4"), packet
    return packet[1:]
