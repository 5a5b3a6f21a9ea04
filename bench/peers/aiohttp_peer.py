"""python-socketio on aiohttp, with the chat rules of chatd; no persistence.

Runs in its own virtual environment (requirements.txt), so it imports nothing from chatd or bench.
Settings come from the environment: PORT, JWT_SECRET, PING_INTERVAL_MS.
"""

from __future__ import annotations

import itertools
import os
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import Any, Final

import jwt
import socketio  # type: ignore[import-not-found, import-untyped, unused-ignore]
from aiohttp import web  # type: ignore[import-not-found, unused-ignore]

SECRET: Final = os.environ["JWT_SECRET"]
IDS: Final = itertools.count(1)

sio: Any = socketio.AsyncServer(
    async_mode="aiohttp",
    ping_interval=int(os.environ.get("PING_INTERVAL_MS", "25000")) / 1000,
    http_compression=False,
    logger=False,
    engineio_logger=False,
)


async def connect(sid: str, environ: dict[str, Any]) -> None:
    cookies = SimpleCookie(environ.get("HTTP_COOKIE", ""))
    try:
        claims = jwt.decode(cookies["token"].value, SECRET, algorithms=["HS256"])
    except (KeyError, jwt.InvalidTokenError) as error:
        raise socketio.exceptions.ConnectionRefusedError("unauthorized") from error
    await sio.save_session(sid, {"user": claims["user"], "rol": claims["rol"]})
    await sio.enter_room(sid, f"user:{claims['user']}")
    if claims["rol"] == "admin":
        await sio.enter_room(sid, "admins")


async def mensaje_privado(sid: str, body: dict[str, str]) -> dict[str, Any]:
    match body:
        case {"para": str(to), "mensaje": str(text)} if to and text:
            pass
        case _:
            return {"ok": False, "error": {"code": "bad_request", "message": "mensaje_privado takes {para, mensaje}"}}
    session = await sio.get_session(sid)
    rooms = [f"user:{to}"] if session["rol"] == "admin" else [f"user:{to}", "admins"]
    await sio.emit("mensaje_recibido", {"de": session["user"], "mensaje": text}, room=rooms)
    return {"ok": True, "id": str(next(IDS)), "fecha": datetime.now(UTC).isoformat()}


def main() -> None:
    sio.on("connect", connect)
    sio.on("mensaje_privado", mensaje_privado)
    app = web.Application()
    sio.attach(app)
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), backlog=4096, access_log=None, print=None)


if __name__ == "__main__":
    main()
