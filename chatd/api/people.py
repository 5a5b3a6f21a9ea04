"""Users online, and disconnecting or denying them. Rules A-14 to A-16."""

from __future__ import annotations

import heapq
import json
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final

from chatd.api import log
from chatd.api.call import Call
from chatd.api.problem import ApiCode
from chatd.api.words import Connection, Denied, Kicked, PeopleHere, PersonHere
from chatd.base.errors import ConfigError, RefusedError
from chatd.base.tasks import Tasks
from chatd.chat.denials import Denials
from chatd.chat.desk import Desk

DEFAULT_ROWS: Final = 100


class People:
    """The operations on people, of all nodes."""

    def __init__(self, desk: Desk, denials: Denials) -> None:
        self._desk = desk
        self._denials = denials
        self._tasks = Tasks()

    def page(self, call: Call) -> None:
        """`GET /v1/personas`."""
        self._start(call, self._page(call), "who")

    async def _page(self, call: Call) -> None:
        limit = call.query.limite or DEFAULT_ROWS
        after = call.query.despues or ""
        found = await self._desk.who()
        sockets, missing = found["people"], found.get("unanswered", [])
        names = {name for socket in sockets if (name := str(socket["user"])) > after}
        chosen = heapq.nsmallest(limit + 1, names)
        of: dict[str, list[Mapping[str, Any]]] = {name: [] for name in chosen[:limit]}
        for socket in sockets:
            if socket["user"] in of:
                of[socket["user"]].append(socket)
        call.answer(PeopleHere([_person(*each) for each in of.items()], len(chosen) > limit, missing))

    def kick(self, call: Call) -> None:
        """`DELETE /v1/personas/{user}`."""
        self._start(call, self._kick(call), "kick")

    async def _kick(self, call: Call) -> None:
        ended = await self._desk.kick(call.params["user"])
        log.info("sessions ended by the API", extra=_about(call) | {"user": call.params["user"]})
        call.answer(Kicked(int(ended["sessions"]), ended.get("unanswered", [])))

    def deny_user(self, call: Call) -> None:
        """`PUT /v1/denegados/usuarios/{user}`."""
        self._begin(call, "user", call.params["user"])

    def deny_token(self, call: Call) -> None:
        """`PUT /v1/denegados/jti/{jti}`."""
        self._begin(call, "jti", call.params["jti"])

    def _begin(self, call: Call, kind: str, name: str) -> None:
        self._denials.check()
        self._start(call, self._add(call, f"{kind}:{json.dumps(name)}"), "deny list")

    async def _add(self, call: Call, entry: str) -> None:
        try:
            await self._denials.add(entry)
            answer = Denied(ok=True, pendientes=await self._desk.deny_elsewhere(entry))
        except (OSError, ConfigError) as error:
            log.error("the deny list cannot be written", extra=_about(call) | {"cause": str(error)})
            call.refuse(RefusedError(ApiCode.FAILED, "The deny list cannot be written; the log says why."))
            return
        log.info("denied by the API", extra=_about(call))
        call.answer(answer)

    def _start(self, call: Call, work: Coroutine[None, None, None], name: str) -> None:
        async def guarded() -> None:
            try:
                await work
            except RefusedError as error:
                call.refuse(error)

        self._tasks.start(guarded(), name)


def _person(name: str, sockets: Sequence[Mapping[str, Any]]) -> PersonHere:
    first = sockets[0]
    connections = [
        Connection(str(each["sid"]), str(each["transport"]), str(each["address"]), each.get("node")) for each in sockets
    ]
    return PersonHere(name, str(first["name"]), str(first["rol"]), connections)


def _about(call: Call) -> dict[str, object]:
    return {"request_id": call.request_id, "key": None if call.key is None else call.key.name}
