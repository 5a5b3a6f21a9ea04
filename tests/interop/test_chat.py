"""End to end: a user and an admin chat through `chatd serve`, and SQLite has the rows."""

from __future__ import annotations

import asyncio
import signal
from itertools import count
from typing import Any, Final

import pytest

from chatd.auth.config import AuthConfig
from tests.interop.chat import SECRET, Chat, token, with_cookie
from tests.interop.conftest import TRANSPORTS, Client
from tests.interop.node import Driver, JsSocket

_NUMBERS: Final = count(1)


def new_user(stem: str) -> str:
    """A name that no other test uses, since the tests share one daemon."""
    return f"{stem}-{next(_NUMBERS)}"


async def enter(client: Client, chat: Chat, user: str, rol: str = "user") -> JsSocket:
    """A connected socket of `user`, by cookie."""
    return await client.connected(chat.url, **with_cookie(token(user, rol)))


def row(acknowledged: dict[str, Any], **columns: Any) -> dict[str, Any]:
    """The row that corresponds to an acknowledgement."""
    return {"id": int(acknowledged["id"]), "fecha": acknowledged["fecha"], "cid": None, **columns}


async def test_a_user_and_an_admin_chat_and_every_message_is_a_row(client: Client, chat: Chat) -> None:
    ana, root = new_user("ana"), new_user("root")
    user, admin = await enter(client, chat, ana), await enter(client, chat, root, "admin")
    question, answer = f"¿Dónde está mi pedido? 📦 {ana}", f"En camino, {ana}"

    [asked] = await user.ask("mensaje_privado", {"para": root, "mensaje": question})
    assert await admin.hear("mensaje_recibido") == [{"de": ana, "mensaje": question}]
    [answered] = await admin.ask("mensaje_privado", {"para": ana, "mensaje": answer})
    assert await user.hear("mensaje_recibido") == [{"de": root, "mensaje": answer}]

    assert asked.keys() == answered.keys() == {"ok", "id", "fecha"}
    assert asked["ok"] is answered["ok"] is True
    assert int(asked["id"]) < int(answered["id"])
    assert chat.rows(question) == [row(asked, de=ana, para=root, mensaje=question, supervisado=1)]
    assert chat.rows(answer) == [row(answered, de=root, para=ana, mensaje=answer, supervisado=0)]


async def test_a_message_without_a_callback_is_stored_too(client: Client, chat: Chat) -> None:
    ana = new_user("ana")
    user = await enter(client, chat, ana)
    await user.emit("mensaje_privado", {"para": "nobody yet", "mensaje": f"first of {ana}"})
    await user.ask("mensaje_privado", {"para": "nobody yet", "mensaje": f"second of {ana}"})
    assert len(chat.rows(f"first of {ana}")) == 1


async def test_every_admin_sees_what_users_write_and_only_its_addressee_what_an_admin_writes(
    client: Client, chat: Chat
) -> None:
    ana, root, other = new_user("ana"), new_user("root"), new_user("other")
    user = await enter(client, chat, ana)
    admin, bystander = await enter(client, chat, root, "admin"), await enter(client, chat, other, "admin")

    await admin.ask("mensaje_privado", {"para": ana, "mensaje": "between us"})
    await user.ask("mensaje_privado", {"para": root, "mensaje": "to all of you"})

    assert await user.hear("mensaje_recibido") == [{"de": root, "mensaje": "between us"}]
    assert await bystander.hear("mensaje_recibido") == [{"de": ana, "mensaje": "to all of you"}]
    assert await admin.hear("mensaje_recibido") == [{"de": ana, "mensaje": "to all of you"}]
    assert user.heard("mensaje_recibido") == bystander.heard("mensaje_recibido") == 0


async def test_a_message_with_a_mistake_is_answered_by_mensaje_error(client: Client, chat: Chat) -> None:
    user = await enter(client, chat, new_user("ana"))
    await user.emit("mensaje_privado", {"para": "root", "mensaje": ""})
    [error] = await user.hear("mensaje_error")
    assert error.keys() == {"code", "message"}
    assert error["code"]
    assert error["message"]


MISTAKES: Final[list[list[Any]]] = [
    [],
    [None],
    ["text"],
    [{"para": "root"}],
    [{"mensaje": "nobody named"}],
    [{"para": "", "mensaje": "to nobody"}],
    [{"para": 7, "mensaje": "to a number"}],
    [{"para": "root", "mensaje": {"html": "<b>"}}],
    [{"para": "root", "mensaje": b"bytes"}],
]


async def test_mistakes_are_acknowledged_and_the_connection_stays(client: Client, chat: Chat) -> None:
    user = await enter(client, chat, new_user("ana"))
    for mistake in MISTAKES:
        [refused] = await user.ask("mensaje_privado", *mistake)
        assert refused.keys() == {"ok", "error"}, mistake
        assert refused["ok"] is False
        assert refused["error"].keys() == {"code", "message"}
    [accepted] = await user.ask("mensaje_privado", {"para": "root", "mensaje": "right this time"})
    assert accepted["ok"] is True


async def test_an_unknown_event_with_a_callback_is_refused(client: Client, chat: Chat) -> None:
    user = await enter(client, chat, new_user("ana"))
    await user.emit("unirse", "admins")
    [refused] = await user.ask("unirse", "admins")
    assert refused["ok"] is False
    assert refused["error"]["code"]


async def test_the_sender_is_the_token_whatever_the_payload_says(client: Client, chat: Chat) -> None:
    ana, root = new_user("ana"), new_user("root")
    user, admin = await enter(client, chat, ana), await enter(client, chat, root, "admin")
    await user.emit("mensaje_privado", {"para": root, "mensaje": "hello", "de": "the boss", "rol": "admin"})
    assert await admin.hear("mensaje_recibido") == [{"de": ana, "mensaje": "hello"}]


@pytest.mark.parametrize("way", ["auth", "bearer"])
async def test_the_token_may_come_in_auth_or_a_header(client: Client, chat: Chat, way: str) -> None:
    ana = new_user("ana")
    options = {
        "auth": {"auth": {"token": token(ana)}},
        "bearer": {"extraHeaders": {"Authorization": f"Bearer {token(ana)}"}},
    }
    user = await client.connected(chat.url, **options[way])
    [stored] = await user.ask("mensaje_privado", {"para": ana, "mensaje": "a note to myself"})
    assert stored["ok"] is True
    assert await user.hear("mensaje_recibido") == [{"de": ana, "mensaje": "a note to myself"}]


@pytest.mark.parametrize("stale", [token("ana", ttl_s=-60), "garbage"], ids=["expired", "garbage"])
async def test_a_stale_cookie_does_not_hide_a_fresh_token_in_auth(client: Client, chat: Chat, stale: str) -> None:
    """C-63: a page can set `auth`, but cannot remove an HttpOnly cookie"""
    ana = new_user("ana")
    user = await client.connected(chat.url, **with_cookie(stale), auth={"token": token(ana)})
    [stored] = await user.ask("mensaje_privado", {"para": ana, "mensaje": "healed"})
    assert stored["ok"] is True
    assert await user.hear("mensaje_recibido") == [{"de": ana, "mensaje": "healed"}]


REFUSALS: Final = {
    "no cookie": ({}, "token_missing"),
    "not a token": (with_cookie("garbage"), "token_invalid"),
    "signed by somebody else": (with_cookie(token("ana", secret=SECRET[::-1])), "token_invalid"),
    "expired": (with_cookie(token("ana", ttl_s=-60)), "token_expired"),
    "no user": (with_cookie(token("")), "claims_invalid"),
    "user is a number": (with_cookie(token(7)), "claims_invalid"),
}


@pytest.mark.parametrize("why", REFUSALS)
async def test_a_refused_client_is_told_why(client: Client, chat: Chat, why: str) -> None:
    options, code = REFUSALS[why]
    socket = await client.open(chat.url, **options)
    refused = await socket.refused()
    assert refused["data"]["code"] == code
    assert refused["message"]


async def test_a_token_that_expires_ends_its_connection_and_the_client_learns_why(node: Driver, chat: Chat) -> None:
    options = with_cookie(token("ana", ttl_s=8 - AuthConfig().jwt_leeway_s))  # time to connect on a busy machine
    sockets = [await node.open(chat.url, **transports, **options) for transports in TRANSPORTS.values()]
    for socket in sockets:
        await socket.connected()
    for socket in sockets:
        [told] = await socket.hear("desconexion")
        assert told["code"] == "token_expired"
        assert await socket.hear(":disconnect") in (["transport close"], ["transport error"])
        # The client reconnects by itself, which succeeds if it has a fresh token by then.
        assert (await socket.refused())["data"] == {"code": "token_expired"}


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
async def test_acknowledged_messages_survive_and_their_senders_come_back(
    matrix: list[Client], own_chat: Chat, by: signal.Signals
) -> None:
    users = [await enter(client, own_chat, f"user-{number}") for number, client in enumerate(matrix)]
    admin = await enter(matrix[-1], own_chat, "root", "admin")

    async def all_write(mensaje: str) -> list[int]:
        answers = await asyncio.gather(
            *(user.ask("mensaje_privado", {"para": "root", "mensaje": mensaje}) for user in users)
        )
        heard = [await admin.hear("mensaje_recibido") for _ in users]
        assert sorted(one["de"] for [one] in heard) == sorted(f"user-{number}" for number in range(len(users)))
        assert {one["mensaje"] for [one] in heard} == {mensaje}
        return sorted(int(answer["id"]) for [answer] in answers)

    before = await all_write("before")
    await asyncio.to_thread(own_chat.server.stop, by)
    for socket in [*users, admin]:
        await socket.hear(":disconnect")
    await asyncio.to_thread(own_chat.server.start)
    await admin.hear(":reconnect")
    await admin.hear(":connect")
    after = await all_write("after")

    assert [row["id"] for row in own_chat.rows("before")] == before
    assert [row["id"] for row in own_chat.rows("after")] == after
    assert before[-1] < after[0]
