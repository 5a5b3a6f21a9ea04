"""The memory that unfinished input may cost, before the join and after it, in a real daemon."""

from __future__ import annotations

from pathlib import Path

from tests.chat.daemon import Daemon, daemon
from tests.conformance.wire import TEXT, chunk, frame_bytes, request_bytes

STRANGERS = 100
UNFINISHED = 900_000


def resident_bytes(running: Daemon) -> int:
    [line] = [
        line
        for line in Path(f"/proc/{running.process.pid}/status").read_text(encoding="ascii").splitlines()
        if line.startswith("VmRSS:")
    ]
    return int(line.split()[1]) * 1024


async def test_unfinished_input_before_the_join_takes_little_memory(db: Path) -> None:
    """L-11, L-12: they send 270 MB"""
    async with daemon(db) as running:
        ana = await running.enter("ana")
        before = resident_bytes(running)
        for _ in range(STRANGERS):
            websocket = await running.client.websocket()
            await websocket.send_raw(frame_bytes(TEXT, b"4" + b"x" * UNFINISHED)[:-1])
            session = await running.client.polling()
            post = await running.client.connect()
            post.write(request_bytes("POST", session.target(), {"Transfer-Encoding": "chunked"}))
            post.write(chunk(b"4" + b"x" * UNFINISHED))
            poll = await running.client.connect()
            poll.write(request_bytes("GET", session.target()) + request_bytes("GET", "/") * 20_000)
            await running.client.settled()
        assert resident_bytes(running) - before < 40_000_000
        assert (await ana.write("root", "still here"))["ok"] is True


async def test_unfinished_packets_of_a_user_take_little_memory(db: Path) -> None:
    """L-12: packets without their attachments took 75 MB, because of one wide character in each"""
    async with daemon(db) as running:
        eva = await running.enter("eva")
        before = resident_bytes(running)
        text = '451-["x",{"_placeholder":true,"num":0},"%s"]' % ("x" * UNFINISHED + "\N{PACKAGE}")
        for _ in range(20):
            ana = await running.enter("ana")
            await ana.websocket.send(text)
            await running.client.settled()
        assert resident_bytes(running) - before < 40_000_000
        assert (await eva.write("root", "still here"))["ok"] is True


async def test_a_user_may_send_large_messages_over_a_slow_line(db: Path) -> None:
    """L-11"""
    async with daemon(db, "--max-message", "500000") as running:
        ana = await running.enter("ana")
        text = "x" * 400_000
        frame = frame_bytes(TEXT, b'420["mensaje_privado",{"para":"ana","mensaje":"%s"}]' % text.encode())
        for start in range(0, len(frame), 50_000):
            await ana.websocket.send_raw(frame[start : start + 50_000])
            await running.client.settled()
        assert (await ana.hear())[1]["mensaje"] == text
