"""A chat server with one deliberate fault, to test that the load generator detects it.

It serves one admin, one sending user, and a bystander, and implements only what they need of the protocol. Small
frames only: every message is below 126 bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # the answer to the key of RFC 6455's example, which the generator uses


class Fault(enum.Enum):
    NONE = "none"
    LOST = "the third message is not delivered"
    DOUBLED = "the third message is delivered twice"
    SWAPPED = "the third message comes after the fourth"
    STRAY = "a bystander gets the third message"
    ECHOED = "the sender gets the third message"
    DAMAGED = "the third message is not whole"
    REFUSED = "the third message is acknowledged with ok: false"
    ACKED_TWICE = "the third message is acknowledged twice"
    FAILED = "the third message is answered by an event mensaje_error"
    CUT = "the admin's connection is closed at the third message"
    COMPRESSED = "the handshake says permessage-deflate"
    MISKEYED = "the handshake has a wrong Sec-WebSocket-Accept"
    HASTY = "connections are closed before they are ready"


# Faults apart from the delivery, which stays in order.
DELIVERED = frozenset({Fault.STRAY, Fault.ECHOED, Fault.REFUSED, Fault.ACKED_TWICE, Fault.FAILED})


def frame(text: str) -> bytes:
    data = text.encode()
    return bytes((0x81, len(data))) + data


@dataclass(slots=True)
class FaultyServer:
    """Connections are identified by their order: 0 admin, 1 sender, 2 bystander."""

    fault: Fault
    clients: list[asyncio.StreamWriter] = field(default_factory=list)
    seen: int = 0
    held: bytes = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            self.clients.append(writer)
            writer.write(self._handshake() + frame('0{"sid":"faulty"}'))
            while True:
                self._on_text(writer, await _read_frame(reader))
        writer.close()

    def _handshake(self) -> bytes:
        accept = "wrong" if self.fault is Fault.MISKEYED else ACCEPT
        lines = ["HTTP/1.1 101 Switching Protocols", f"Sec-WebSocket-Accept: {accept}"]
        if self.fault is Fault.COMPRESSED:
            lines.append("Sec-WebSocket-Extensions: permessage-deflate")
        return "\r\n".join([*lines, "", ""]).encode()

    def _on_text(self, writer: asyncio.StreamWriter, text: str) -> None:
        if text == "40" and self.fault is Fault.HASTY:
            writer.close()
        elif text == "40":
            writer.write(frame('40{"sid":"faulty"}'))
        else:
            self._on_message(writer, text)

    def _on_message(self, sender: asyncio.StreamWriter, text: str) -> None:
        said = re.fullmatch(r'42(\d*)\["mensaje_privado",\{"para":"a0","mensaje":"(.*)"\}\]', text)
        assert said is not None, text
        self.seen += 1
        third = self.seen % 10 == 3
        out = frame(f'42["mensaje_recibido",{{"de":"u0","mensaje":"{said[2]}"}}]')
        if third and self.fault is not Fault.NONE:
            self._misbehave(sender, out, said[1])
            return
        self.clients[0].write(out + self.held)
        self.held = b""
        if said[1]:
            sender.write(frame(f'43{said[1]}[{{"ok":true,"id":"1"}}]'))

    def _misbehave(self, sender: asyncio.StreamWriter, out: bytes, ack_id: str) -> None:
        admin, bystander = self.clients[0], self.clients[2]
        ok = frame(f'43{ack_id}[{{"ok":true,"id":"1"}}]')
        refusal = frame(f'43{ack_id}[{{"ok":false,"error":{{"code":"full","message":"full"}}}}]')
        said_wrongly = {
            Fault.DOUBLED: (admin, out + out),
            Fault.DAMAGED: (admin, out[:-3] + b"xxx"),
            Fault.STRAY: (bystander, out),
            Fault.ECHOED: (sender, out),
            Fault.REFUSED: (sender, refusal),
            Fault.ACKED_TWICE: (sender, ok + ok),
            Fault.FAILED: (sender, frame('42["mensaje_error",{"code":"full","message":"full"}]')),
        }
        if self.fault in DELIVERED:
            admin.write(out)
        if self.fault in said_wrongly:
            to, data = said_wrongly[self.fault]
            to.write(data)
        elif self.fault is Fault.SWAPPED:
            self.held = out
        elif self.fault is Fault.CUT:
            admin.close()


async def _read_frame(reader: asyncio.StreamReader) -> str:
    head = await reader.readexactly(2)
    if head[0] == 0x88:
        raise ConnectionResetError
    key = await reader.readexactly(4)
    data = await reader.readexactly(head[1] & 0x7F)
    return bytes(byte ^ key[i % 4] for i, byte in enumerate(data)).decode()


@contextlib.asynccontextmanager
async def faulty(fault: Fault) -> AsyncIterator[int]:
    """Serve with a fault; yields the port."""
    chat = FaultyServer(fault)
    server = await asyncio.start_server(chat.serve, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        assert isinstance(port, int)
        yield port
    finally:
        server.close()
        for writer in chat.clients:
            writer.close()
        for writer in chat.clients:
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
