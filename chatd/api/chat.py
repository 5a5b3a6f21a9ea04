"""Runs API requests as client events, with the same rules, limits and answers. Rules A-07 to A-13."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from chatd.api.call import Call
from chatd.api.guest import Guest, speaker
from chatd.api.problem import ApiCode, problem_of
from chatd.api.words import Outcome, Outcomes
from chatd.auth import Identity
from chatd.base.errors import RefusedError
from chatd.chat.router import ChatRouter

CREATED: Final = 201

Answer = Callable[[Any], None]
Fail = Callable[[RefusedError], None]


class Chat:
    """The events of one router."""

    def __init__(self, router: ChatRouter) -> None:
        self._router = router

    def say(self, who: Identity, event: str, fields: Mapping[str, object], answer: Answer, fail: Fail) -> None:
        """Run an event as `who`; exactly one of `answer` and `fail` is called, now or later."""

        def reply(*args: object) -> None:
            answer(args[0])

        self._router.route(Guest(who, self._router.refused, fail), event, [dict(fields)], reply)

    def ask(self, call: Call, event: str, **more: object) -> None:
        """Run an event with the fields of the query and `more`."""
        fields = _given(call.query) | more
        _check_together(fields)
        who = self._speaker(call, fields)
        self.say(who, event, fields, call.answer, call.refuse)

    def send(self, call: Call) -> None:
        """`POST /v1/mensajes`."""
        fields = _given(call.body)
        who = self._speaker(call, fields, "de")
        self.say(who, "mensaje_privado", fields, lambda stored: call.answer(stored, CREATED), call.refuse)

    def send_many(self, call: Call) -> None:
        """`POST /v1/mensajes/lote`: each has its own answer."""
        many = Many(call, len(call.body.mensajes))
        for number, message in enumerate(call.body.mensajes):
            fields = _given(message)
            try:
                who = self._speaker(call, fields, "de")
            except RefusedError as error:
                many.fail(number, error)
                continue
            answer, fail = many.of(number)
            self.say(who, "mensaje_privado", fields, answer, fail)

    def change(self, call: Call, event: str, status: int, **more: object) -> None:
        """Run an event with the fields of the body and `more`."""
        fields = _given(call.body) | more
        who = self._speaker(call, fields)
        self.say(who, event, fields, lambda done: call.answer(done, status), call.refuse)

    def _speaker(self, call: Call, fields: dict[str, object], name: str = "como") -> Identity:
        """Remove the field with the acting user from `fields` and return that user. Raises RefusedError."""
        if call.key is None:
            raise AssertionError("an operation of the chat needs a key")
        who, rol = fields.pop(name, None), fields.pop("rol", None)
        identity = speaker(call.key, None if who is None else str(who), None if rol is None else str(rol))
        if identity.is_admin and identity.user == call.key.name:
            self._router.on_system(identity.user)
        return identity


class Many:
    """The answers to several messages, until all are there."""

    def __init__(self, call: Call, count: int) -> None:
        self._call = call
        self._outcomes: list[Outcome | None] = [None] * count
        self._missing = count

    def of(self, number: int) -> tuple[Answer, Fail]:
        """The callback for the answer to one message."""
        return (lambda stored: self._stored(number, stored)), (lambda error: self.fail(number, error))

    def fail(self, number: int, error: RefusedError) -> None:
        problem = problem_of(error)
        self._set(number, Outcome(problem.status, problema=problem))

    def _stored(self, number: int, stored: Any) -> None:
        self._set(number, Outcome(CREATED, stored.id, stored.fecha))

    def _set(self, number: int, outcome: Outcome) -> None:
        self._outcomes[number] = outcome
        self._missing -= 1
        if not self._missing:
            self._call.answer(Outcomes([each for each in self._outcomes if each is not None]))


def _check_together(fields: Mapping[str, object]) -> None:
    """Parameters that are valid alone may exclude each other. Raises RefusedError."""
    antes = fields.get("antes")
    if antes is not None and ("despues" in fields or "buscar" in fields):
        raise RefusedError(ApiCode.CONTRADICTION, "antes goes neither with despues nor with buscar.")
    if "buscar" in fields and ("filtro" in fields or "orden" in fields):
        raise RefusedError(ApiCode.CONTRADICTION, "buscar goes neither with filtro nor with orden.")
    if "orden" in fields and fields.get("filtro") == "resueltas":
        raise RefusedError(ApiCode.CONTRADICTION, "Nobody waits in resueltas: leave orden out.")
    if antes is not None and ("orden" in fields) is str(antes).isdecimal():
        raise RefusedError(ApiCode.CONTRADICTION, "antes is an id, or with orden the sigue of the page before.")


def _given(asked: msgspec.Struct | None) -> dict[str, object]:
    """The fields that are present in a request."""
    return {} if asked is None else {k: v for k, v in msgspec.structs.asdict(asked).items() if v is not None}
