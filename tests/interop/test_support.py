"""Support chat with the real client: two tabs of a user, an admin, a page reload."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, Final

import pytest

from tests.interop.chat import Chat, token, with_cookie
from tests.interop.conftest import Client, running_chat
from tests.interop.node import JsSocket

_NUMBERS: Final = count(1)

GRACE_S: Final = 1.0


@pytest.fixture(scope="session")
def support(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    """One daemon for these tests, with all features on; each test uses new user names."""
    flags = [
        "--echo",
        "on",
        "--payload",
        "full",
        "--presence-grace",
        str(GRACE_S),
        "--typing-timeout",
        "1",
        "--typing-rate",
        "0",
    ]
    with running_chat(tmp_path_factory.mktemp("support"), *flags) as started:
        yield started


def new_user(stem: str) -> str:
    return f"{stem}-{next(_NUMBERS)}"


async def enter(client: Client, chat: Chat, user: str, rol: str = "user") -> JsSocket:
    return await client.connected(chat.url, **with_cookie(token(user, rol)))


async def news(admin: JsSocket, *users: str) -> dict[str, Any]:
    """The next presence event that an admin gets about one of `users`."""
    while True:
        [event] = await admin.hear("presencia")
        if event["user"] in users:
            return dict(event)


async def settled(socket: JsSocket) -> None:
    """Wait until the socket has received everything sent to it before."""
    assert (await socket.ask("what have I got?"))[0]["error"]["code"] == "unknown_event"


async def test_an_admin_sees_users_come_and_go_but_no_page_reload(client: Client, support: Chat) -> None:
    """C-44, C-45, C-48"""
    ana, eva, root = new_user("ana"), new_user("eva"), new_user("root")
    admin = await enter(client, support, root, "admin")
    tabs = [await enter(client, support, ana) for _ in range(2)]
    assert (await news(admin, ana))["en_linea"] is True
    other = await enter(client, support, eva)
    assert (await news(admin, ana, eva))["user"] == eva

    for tab in tabs:
        await tab.close()
    await tabs[0].connect()
    await tabs[0].connected()
    await other.close()
    gone = await news(admin, ana, eva)
    assert (gone["user"], gone["en_linea"]) == (eva, False)

    [answer] = await admin.ask("conectados", {"limite": 500})
    here = {one["user"]: one["sockets"] for one in answer["conectados"]}
    assert (here[ana], here[root]) == (1, 1)
    assert eva not in here
    await tabs[0].close()
    last = await news(admin, ana, eva)
    assert last == {"user": ana, "en_linea": False, "visto": last["visto"]}
    assert last["visto"] >= gone["visto"]
    assert other.heard("presencia") == tabs[0].heard("presencia") == 0


async def test_a_users_other_tab_gets_the_messages_sent_from_one_tab(client: Client, support: Chat) -> None:
    """C-41, C-42"""
    ana, root = new_user("ana"), new_user("root")
    first, second = await enter(client, support, ana), await enter(client, support, ana)
    admin = await enter(client, support, root, "admin")
    [stored] = await first.ask("mensaje_privado", {"para": root, "mensaje": "hola", "cid": ana})
    whole = {"id": stored["id"], "para": root, "mensaje": "hola", "fecha": stored["fecha"], "cid": ana}
    assert await second.hear("mensaje_enviado") == [whole]
    while (received := await admin.hear("mensaje_recibido"))[0]["de"] != ana:
        pass
    assert received == [{"de": ana, **whole}]
    await settled(first)
    assert first.heard("mensaje_enviado") == first.heard("mensaje_recibido") == second.heard("mensaje_recibido") == 0


async def test_read_marks_reach_the_other_user_and_the_other_tab(client: Client, support: Chat) -> None:
    """C-49, C-50"""
    ana, root = new_user("ana"), new_user("root")
    first, second = await enter(client, support, ana), await enter(client, support, ana)
    admin, colleague = (
        await enter(client, support, root, "admin"),
        await enter(client, support, new_user("boss"), "admin"),
    )
    [stored] = await admin.ask("mensaje_privado", {"para": ana, "mensaje": "En camino."})
    assert await first.ask("leido", {"con": root, "hasta": stored["id"]}) == [{"ok": True}]
    assert await admin.hear("leido") == [{"de": ana, "hasta": stored["id"]}]
    assert await second.hear("leido") == [{"con": root, "hasta": stored["id"]}]
    await settled(first)
    await settled(colleague)
    assert first.heard("leido") == colleague.heard("leido") == 0


async def test_typing_ends_by_timeout_by_sending_and_by_disconnecting(client: Client, support: Chat) -> None:
    """C-52, C-53"""
    ana, root = new_user("ana"), new_user("root")
    first, second = await enter(client, support, ana), await enter(client, support, ana)
    admin = await enter(client, support, root, "admin")

    async def heard() -> bool:
        [event] = await admin.hear("escribiendo")
        assert event == {"de": ana, "para": root, "activo": event["activo"]}
        return bool(event["activo"])

    async def begin() -> None:
        """Repeat it until it arrives: typing is not sent to an admin between two polls."""
        while not admin.heard("escribiendo"):
            await first.ask("escribiendo", {"para": root, "activo": True})
        assert await heard() is True

    async def end() -> None:
        while await heard():
            pass

    await begin()
    await end()
    await begin()
    await first.ask("mensaje_privado", {"para": root, "mensaje": "hola"})
    await end()
    await begin()
    await first.close()
    await end()
    await settled(second)
    assert second.heard("escribiendo") == 0
