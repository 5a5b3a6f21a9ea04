"""The echo server of the conformance tests with the default heartbeat, and a few more events.

    python -m tests.interop.echo --port N

`ask-me` makes the server ask for an acknowledgement (`question`) and report it (`answered`), `count` sends a burst,
`go-away` disconnects the socket; namespace `/locked` refuses a client without its password. After SIGTERM it ends
connections so that clients reconnect.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from typing import Final

from chatd.engineio.config import EngineConfig
from chatd.socketio.config import SocketIoConfig
from chatd.socketio.namespace import Auth, ConnectRefusedError
from chatd.socketio.socket import EventName, Reply, Socket
from tests.conformance import socketio_echo

FAREWELL_S: Final = 1.0


class TalkativeEcho(socketio_echo.Echo):
    """The handler of one socket of the main namespace."""

    def on_event(self, event: EventName, args: list[object], reply: Reply | None) -> None:
        match event, args:
            case "ask-me", _:
                self._ask(args)
            case "count", [int(end)]:
                for number in range(end):
                    self.socket.emit("number", number)
            case "go-away", _:
                self.socket.disconnect()
            case _:
                super().on_event(event, args, reply)

    def _ask(self, question: list[object]) -> None:
        answer = self.socket.emit_with_ack("question", *question, timeout_s=10.0)
        answer.add_done_callback(self._on_answer)

    def _on_answer(self, answer: asyncio.Future[list[object]]) -> None:
        if answer.exception() is None:
            self.socket.emit("answered", *answer.result())


def locked(socket: Socket, auth: Auth) -> socketio_echo.Greeter:
    if auth.get("password") != "sesame":
        raise ConnectRefusedError("The password is wrong", {"code": "password_wrong", "tries": [1, None]})
    return socketio_echo.Greeter(socket, auth)


async def serve(port: int) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    told_to_stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, told_to_stop.set)
    engine, server = socketio_echo.build(loop, EngineConfig(), SocketIoConfig())
    server.namespace("/", TalkativeEcho)
    server.namespace("/locked", locked)
    listener = await loop.create_server(engine.connection, "127.0.0.1", port)
    # In Python 3.11 `wait_closed` waits for connections only if it is called before `close`.
    emptied = asyncio.ensure_future(listener.wait_closed())
    await told_to_stop.wait()
    listener.close()
    engine.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(emptied, FAREWELL_S)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(serve(parser.parse_args().port))
