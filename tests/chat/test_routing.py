"""The recipients of each message, over real sockets: rooms, router, and payload."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatd.store.base import Message
from tests.chat.people import Chat, Event, chatting, cookie, join, token
from tests.store.rig import locked, rows


def received(de: str, mensaje: str) -> Event:
    """A message as its recipients get it: these two keys and no other."""
    return ["mensaje_recibido", {"de": de, "mensaje": mensaje}]


async def test_every_tab_of_a_user_gets_a_message_once(chat: Chat) -> None:
    """C-05, C-06"""
    root = await chat.enter("root", "admin")
    tabs = [await chat.enter("ana") for _ in range(3)]
    await root.write("ana", "buenos días")
    assert [await tab.inbox() for tab in tabs] == [[received("root", "buenos días")]] * 3


async def test_every_tab_of_an_admin_gets_what_users_write_once(chat: Chat) -> None:
    """C-05, C-06, C-07"""
    ana = await chat.enter("ana")
    tabs = [await chat.enter("root", "admin") for _ in range(3)]
    await ana.write("root", "hola")
    assert [await tab.inbox() for tab in tabs] == [[received("ana", "hola")]] * 3


async def test_a_tab_that_closes_leaves_the_others_in_their_room(chat: Chat) -> None:
    """C-05"""
    ana, first, second = await chat.enter("ana"), await chat.enter("root", "admin"), await chat.enter("root", "admin")
    await first.leave()
    await first.websocket.send("40/settled,")
    assert await first.websocket.receive() == '44/settled,{"message":"Invalid namespace"}'
    await ana.write("root", "anybody?")
    assert await second.inbox() == [received("ana", "anybody?")]


async def test_a_user_called_admins_is_no_admin(chat: Chat) -> None:
    """C-05: the personal room of `admins` is `user:admins`."""
    ana, impostor, root = await chat.enter("ana"), await chat.enter("admins"), await chat.enter("root", "admin")
    await ana.write("root", "for admins")
    await root.write("admins", "for you")
    assert await impostor.inbox() == [received("root", "for you")]
    assert await root.inbox() == [received("ana", "for admins")]


@pytest.mark.parametrize("para", ["user:root", "admins", "user:admins", "root "])
async def test_a_name_is_not_a_room(chat: Chat, para: str) -> None:
    """C-06: a message from an admin to the name of a room is not delivered."""
    ana, root, other = await chat.enter("ana"), await chat.enter("root", "admin"), await chat.enter("other", "admin")
    await other.write(para, "psst")
    assert [await ana.inbox(), await root.inbox(), await other.inbox()] == [[], [], []]


@pytest.mark.parametrize("rol", ["Admin", "admins", "administrator", "user", "admin "])
async def test_only_the_exact_role_is_an_admin(chat: Chat, rol: str) -> None:
    """C-05"""
    ana, other = await chat.enter("ana"), await chat.enter("other", rol)
    await ana.write("root", "for admins")
    await other.write("ana", "from no admin")
    assert await other.inbox() == []
    assert chat.rooms == {"user:ana": 1, "user:other": 1}


async def test_a_user_s_message_goes_to_every_admin_and_its_addressee(chat: Chat) -> None:
    """C-06"""
    ana, berta = await chat.enter("ana"), await chat.enter("berta")
    admins = [await chat.enter(name, "admin") for name in ("root", "other")]
    await ana.write("berta", "hola")
    assert [await person.inbox() for person in (berta, *admins)] == [[received("ana", "hola")]] * 3
    assert await ana.inbox() == []


async def test_an_admin_who_is_the_addressee_gets_one_copy(chat: Chat) -> None:
    """C-07"""
    ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
    await ana.write("root", "hola")
    assert await root.inbox() == [received("ana", "hola")]


async def test_an_admin_s_message_to_a_user_goes_to_that_user_alone(chat: Chat) -> None:
    """C-06"""
    ana, berta = await chat.enter("ana"), await chat.enter("berta")
    root, other = await chat.enter("root", "admin"), await chat.enter("other", "admin")
    await root.write("ana", "between us")
    assert await ana.inbox() == [received("root", "between us")]
    assert [await person.inbox() for person in (berta, root, other)] == [[], [], []]


async def test_a_message_between_admins_goes_to_the_addressee_alone(chat: Chat) -> None:
    """C-06"""
    root, other, third = [await chat.enter(name, "admin") for name in ("root", "other", "third")]
    await root.write("other", "lunch?")
    assert await other.inbox() == [received("root", "lunch?")]
    assert [await root.inbox(), await third.inbox()] == [[], []]


async def test_a_message_between_admins_may_go_to_all_admins(db: Path) -> None:
    """C-08: the sender is in the room `admins` too, and gets its own message."""
    async with chatting(db, admin_messages="all") as chat:
        root, other, third = [await chat.enter(name, "admin") for name in ("root", "other", "third")]
        await root.write("other", "lunch?")
        assert [await one.inbox() for one in (root, other, third)] == [[received("root", "lunch?")]] * 3


async def test_with_all_an_admin_s_message_to_a_user_or_an_absent_admin_stays_private(db: Path) -> None:
    """C-08: the role of an absent addressee is unknown."""
    async with chatting(db, admin_messages="all") as chat:
        ana = await chat.enter("ana")
        root, third = [await chat.enter(name, "admin") for name in ("root", "third")]
        await root.write("ana", "between us")
        await root.write("absent admin", "call me")
        assert await ana.inbox() == [received("root", "between us")]
        assert [await root.inbox(), await third.inbox()] == [[], []]


async def test_a_user_with_a_user_socket_and_an_admin_socket_gets_one_copy_on_each(db: Path) -> None:
    """C-08: an old token may say `user` while a new one says `admin`."""
    async with chatting(db, admin_messages="all") as chat:
        root = await chat.enter("root", "admin")
        as_admin, as_user = await chat.enter("eva", "admin"), await chat.enter("eva")
        await root.write("eva", "which one are you?")
        both = [await as_admin.inbox(), await as_user.inbox(), await root.inbox()]
        assert both == [[received("root", "which one are you?")]] * 3


async def test_a_message_to_oneself_is_delivered(chat: Chat) -> None:
    """C-06"""
    tabs = [await chat.enter("ana") for _ in range(2)]
    await tabs[0].write("ana", "milk")
    assert [await tab.inbox() for tab in tabs] == [[received("ana", "milk")]] * 2


async def test_a_message_to_an_unknown_user_is_stored(chat: Chat, db: Path) -> None:
    """C-19: the message is stored and waits."""
    ana = await chat.enter("ana")
    stored = await ana.write("nobody ever", "are you there?")
    assert stored["ok"] is True
    row = Message(int(stored["id"]), "ana", "nobody ever", "are you there?", stored["fecha"], supervisado=True)  # type: ignore[arg-type]
    assert rows(db) == [row]


async def test_a_row_remembers_whether_admins_saw_it(chat: Chat, db: Path) -> None:
    """C-19"""
    ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
    await ana.write("root", "question")
    await root.write("ana", "answer")
    assert [(row.de, row.para, row.mensaje, row.supervisado) for row in rows(db)] == [
        ("ana", "root", "question", True),
        ("root", "ana", "answer", False),
    ]


async def test_messages_keep_their_order(chat: Chat) -> None:
    """C-16"""
    ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
    for number in range(200):
        await ana.emit("mensaje_privado", {"para": "root", "mensaje": str(number)})
    await ana.write("root", "the last")
    expected = [received("ana", str(number)) for number in range(200)]
    assert await root.inbox() == [*expected, received("ana", "the last")]


@pytest.mark.parametrize("deliver", ["at_once", "stored"])
async def test_ids_grow_and_the_rows_are_in_the_order_of_delivery(db: Path, deliver: str) -> None:
    """C-16, C-18"""
    async with chatting(db, deliver=deliver) as chat:
        ana, berta, root = await chat.enter("ana"), await chat.enter("berta"), await chat.enter("root", "admin")
        for number in range(50):
            for sender in (ana, berta):
                await sender.emit("mensaje_privado", {"para": "root", "mensaje": str(number)})
        await ana.write("root", "the last of ana")
        await berta.write("root", "the last of berta")
        delivered = [(event[1]["de"], event[1]["mensaje"]) for event in await root.inbox()]
        assert len(delivered) == 102
        assert delivered == [(row.de, row.mensaje) for row in rows(db)]


async def test_delivery_does_not_wait_for_the_disk(db: Path) -> None:
    """C-16: `at_once`, the default. The acknowledgement is sent when the row is stored."""
    async with chatting(db, busy_timeout="30") as chat:
        ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
        with locked(db):
            sent = await ana.begin("mensaje_privado", {"para": "root", "mensaje": "hola"})
            assert await root.hear() == received("ana", "hola")
            assert await ana.inbox() == []
            assert rows(db) == []
        assert (await ana.answer(sent))["ok"] is True
        assert len(rows(db)) == 1


async def test_delivery_may_wait_for_the_disk(db: Path) -> None:
    """C-16: `stored`."""
    async with chatting(db, deliver="stored", busy_timeout="30") as chat:
        ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
        with locked(db):
            sent = await ana.begin("mensaje_privado", {"para": "root", "mensaje": "hola"})
            assert [await ana.inbox(), await root.inbox()] == [[], []]
        assert (await ana.answer(sent))["ok"] is True
        assert await root.inbox() == [received("ana", "hola")]


async def test_with_stored_an_unstored_message_is_not_delivered(db: Path) -> None:
    """C-16, C-17"""
    async with chatting(db, deliver="stored", busy_timeout="0") as chat:
        ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
        with locked(db):
            refused = await ana.write("root", "hola")
        assert refused["error"]["code"] == "store_unavailable"
        await ana.write("root", "hola again")
        assert await root.inbox() == [received("ana", "hola again")]


ODD_NAMES = [
    "\x00",
    "a\x00b",
    "📦",
    "👩‍👩‍👧‍👦",
    "עברית \u202eabc",
    '"; DROP TABLE mensajes; --',
    "'quoted'",
    "line\nbreak\r\n",
    "user:x",
    "__proto__",
    "constructor",
    "*",
    "\\",
    "\u2028",
    "\ufffe\uffff",
    " ",
    "null",
    "0",
    "x" * 128,
    "📦" * 128,
]


@pytest.mark.parametrize("para", ODD_NAMES)
async def test_a_name_is_any_text(chat: Chat, db: Path, para: str) -> None:
    """C-11: stored unchanged, and delivered only to a user of exactly this name."""
    root, ana = await chat.enter("root", "admin"), await chat.enter("ana")
    assert (await root.write(para, para))["ok"] is True
    assert [(row.para, row.mensaje) for row in rows(db)] == [(para, para)]
    assert await ana.inbox() == []


CONTROL = {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))}


@pytest.mark.parametrize("name", [name for name in ODD_NAMES if not CONTROL & set(name)])
async def test_a_user_with_an_unusual_name_gets_its_messages(chat: Chat, name: str) -> None:
    """C-03, C-11"""
    odd, ana = await chat.enter(name), await chat.enter("ana")
    await ana.write(name, "hola")
    await odd.write("ana", "hola")
    assert await odd.inbox() == [received("ana", "hola")]
    assert await ana.inbox() == [received(name, "hola")]


async def test_similar_names_are_different_users(chat: Chat) -> None:
    """C-11: no case folding and no Unicode normalisation."""
    root = await chat.enter("root", "admin")
    people = [await chat.enter(name) for name in ("José", "Jose\u0301", "josé")]
    await root.write("José", "hola")
    assert [await person.inbox() for person in people] == [[received("root", "hola")], [], []]


@pytest.mark.parametrize("text", ["\x00", "<script>alert(1)</script>", '"\\\n\u2028', "📦", "\ufeff", "x" * 10_000])
async def test_a_text_is_delivered_unchanged(chat: Chat, db: Path, text: str) -> None:
    """C-12"""
    ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
    assert (await ana.write("root", text))["ok"] is True
    assert await root.inbox() == [received("ana", text)]
    assert [row.mensaje for row in rows(db)] == [text]


@pytest.mark.parametrize(
    "claimed",
    [
        {"de": "root"},
        {"de": "root", "user": "root", "name": "root", "rol": "admin", "id": "1", "fecha": 0, "supervisado": False},
        {"__proto__": {"rol": "admin"}, "constructor": {"user": "root"}},
    ],
)
async def test_a_payload_cannot_change_the_sender(chat: Chat, db: Path, claimed: dict[str, object]) -> None:
    """C-03, C-10"""
    ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
    stored = await ana.ask("mensaje_privado", {**claimed, "para": "root", "mensaje": "believe me"})
    assert await root.inbox() == [received("ana", "believe me")]
    [row] = rows(db)
    assert (row.de, row.supervisado, str(row.id), row.fecha) == ("ana", True, stored["id"], stored["fecha"])


async def test_a_connect_payload_or_a_query_cannot_change_the_identity(chat: Chat) -> None:
    """C-03: only the token gives the identity."""
    headers, root = cookie(token("ana")), await chat.enter("root", "admin")
    claims = {"user": "root", "rol": "admin", "name": "root"}
    by_auth = await join(chat.client, headers, {**claims, "token": token("root", "admin")})
    by_query = await join(chat.client, headers, **claims, token=token("root", "admin"))
    assert chat.rooms == {"user:root": 1, "admins": 1, "user:ana": 2}
    for ana in (by_auth, by_query):
        await ana.write("root", "who am I?")
    assert await root.inbox() == [received("ana", "who am I?")] * 2


@pytest.mark.parametrize("event", ["join", "unirse", "subscribe", "room", "connection", "mensaje_recibido"])
async def test_a_client_cannot_join_other_rooms(chat: Chat, event: str) -> None:
    """C-05, C-14"""
    ana, root = await chat.enter("ana"), await chat.enter("root", "admin")
    before = chat.rooms
    assert (await ana.ask(event, "admins"))["ok"] is False
    await ana.emit(event, {"room": "admins", "de": "root", "mensaje": "hola"})
    assert [await ana.inbox(), await root.inbox()] == [[], []]
    assert chat.rooms == before
