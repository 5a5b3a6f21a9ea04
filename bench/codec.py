"""Codec: microseconds to decode a client's packet and to encode an event for all recipients.

One core, in process, no sockets. The functions of chatd and python-socketio process the same packets.
Both convert between a whole WebSocket text message and the arguments of the event: Engine.IO and
Socket.IO packet together. `encode` is needed once for a message, however many recipients it has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from engineio.packet import Packet as OtherEnginePacket
from socketio.packet import EVENT as OTHER_EVENT
from socketio.packet import Packet as OtherPacket

from bench import svg, timing
from bench.fanout import PAYLOADS
from bench.options import Options
from bench.report import Report, size
from chatd.engineio import packet as engine_packet
from chatd.socketio import packet as socket_packet
from chatd.socketio.config import SocketIoConfig

Call = Callable[[], object]

CONFIG: Final = SocketIoConfig()
ACK_ID: Final = 1_000_000_000


def _wire(payload_bytes: int, ack_id: str) -> str:
    body = json.dumps({"para": "soporte", "mensaje": "x" * payload_bytes}, separators=(",", ":"))
    return f'42{ack_id}["mensaje_privado",{body}]'


def chatd_decode(text: str) -> socket_packet.Packet:
    """As the server decodes a text message."""
    message = engine_packet.decode(text).data
    assert isinstance(message, str)
    return socket_packet.decode(message, max_attachments=CONFIG.max_attachments, max_depth=CONFIG.max_depth)


def chatd_encode(body: dict[str, str]) -> bytes:
    """Up to the WebSocket frame."""
    return socket_packet.encode_event("/", "mensaje_recibido", [body]).frame


def other_decode(text: str) -> Any:
    return OtherPacket(encoded_packet=OtherEnginePacket(encoded_packet=text).data)


def other_encode(body: dict[str, str]) -> Any:
    """Up to the Engine.IO packet: framing is aiohttp's."""
    encoded = OtherPacket(OTHER_EVENT, data=["mensaje_recibido", body], namespace="/").encode()
    return OtherEnginePacket(4, encoded).encode()


def cases(payload_bytes: int) -> dict[str, tuple[Call, Call]]:
    """The measured functions, as (chatd, python-socketio)."""
    text, asking = _wire(payload_bytes, ""), _wire(payload_bytes, str(ACK_ID))
    body = {"de": "ana", "mensaje": "x" * payload_bytes}
    return {
        "decode": (lambda: chatd_decode(text), lambda: other_decode(text)),
        "decode, with acknowledgement id": (lambda: chatd_decode(asking), lambda: other_decode(asking)),
        "encode": (lambda: chatd_encode(body), lambda: other_encode(body)),
    }


def run(options: Options) -> None:
    measure(Report("codec", ("chatd",), options.folder), timing.TARGET_S)


def measure(report: Report, target_s: float) -> None:
    figures: dict[tuple[str, int], tuple[float, float]] = {}
    for payload_bytes in PAYLOADS:
        for name, (ours, other) in cases(payload_bytes).items():
            costs = timing.microseconds(ours, target_s=target_s), timing.microseconds(other, target_s=target_s)
            figures[name, payload_bytes] = costs
            for server, cost in zip(("chatd", "python"), costs, strict=True):
                report.add(server, {"operation": name, "payload_bytes": payload_bytes}, {"us": cost})
    _show(report, figures)
    report.write()


def _show(report: Report, figures: Mapping[tuple[str, int], tuple[float, float]]) -> None:
    rows = [[f"{name}, {size(n)}", f"{ours:.2f}", f"{other:.2f}"] for (name, n), (ours, other) in figures.items()]
    report.table("codec: us for one packet", ["operation", "chatd", "python-socketio"], rows)
    chart = svg.Bars(
        title="Codec: microseconds for one packet",
        subtitle="Engine.IO and Socket.IO together, in process, best round",
        series=[
            svg.Series("chatd", [ours for ours, _ in figures.values()], 0),
            svg.Series("python-socketio", [other for _, other in figures.values()], 3),
        ],
        groups=[f"{name.replace('acknowledgement', 'ack')}, {size(n)}" for name, n in figures],
        unit="microseconds",
    )
    report.chart("codec", chart.render())
