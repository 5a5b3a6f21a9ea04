"""Connecting, in every release and over every transport."""

from __future__ import annotations

from tests.interop.conftest import Client
from tests.interop.processes import Server


async def test_a_client_connects_and_leaves(client: Client, echo: Server) -> None:
    socket = await client.open(echo.url)
    connected = await socket.connected()
    assert connected["id"]
    # The default client may upgrade before or after it joins the namespace.
    assert client.transports in {connected["transport"], "default"}
    await socket.close()
    assert await socket.hear(":disconnect") == ["io client disconnect"]


async def test_the_default_client_moves_to_websocket(client: Client, echo: Server) -> None:
    socket = await client.connected(echo.url)
    if client.transports == "default":
        await socket.upgraded()
    expected = "polling" if client.transports == "polling" else "websocket"
    assert await socket.ask("message-with-ack", expected) == [await socket.transport()]


async def test_the_auth_payload_arrives_as_it_was_sent(client: Client, echo: Server) -> None:
    auth = {"token": "ñandú", "deep": {"list": [1, None, "🦜"]}}
    socket = await client.connected(echo.url, auth=auth)
    assert await socket.hear("auth") == [auth]


async def test_a_client_without_auth_has_an_empty_one(client: Client, echo: Server) -> None:
    socket = await client.connected(echo.url)
    assert await socket.hear("auth") == [{}]


async def test_two_namespaces_share_one_connection(client: Client, echo: Server) -> None:
    main = await client.connected(echo.url)
    custom = await client.node.open_beside(main, "/custom", auth={"who": "custom"})
    await custom.connected()
    assert await custom.hear("auth") == [{"who": "custom"}]
    await custom.close()
    assert await main.ask("message-with-ack", "still here") == ["still here"]


async def test_an_unknown_namespace_is_refused(client: Client, echo: Server) -> None:
    socket = await client.open(f"{echo.url}/nowhere")
    assert await socket.refused() == {"message": "Invalid namespace", "data": None}


async def test_a_refusal_carries_a_message_and_data(client: Client, echo: Server) -> None:
    socket = await client.open(f"{echo.url}/locked", auth={"password": "please"})
    assert await socket.refused() == {
        "message": "The password is wrong",
        "data": {"code": "password_wrong", "tries": [1, None]},
    }


async def test_a_refused_client_may_try_again(client: Client, echo: Server) -> None:
    socket = await client.open(f"{echo.url}/locked", auth={"password": "please"})
    await socket.refused()
    await socket.close()
    opened = await client.connected(f"{echo.url}/locked", auth={"password": "sesame"})
    assert await opened.hear("auth") == [{"password": "sesame"}]


async def test_a_client_that_the_server_disconnects_does_not_reconnect_by_itself(client: Client, echo: Server) -> None:
    socket = await client.connected(echo.url)
    await socket.emit("go-away")
    assert await socket.hear(":disconnect") == ["io server disconnect"]
    await socket.connect()
    await socket.connected()


async def test_a_client_of_another_path_is_not_served(client: Client, echo: Server) -> None:
    socket = await client.open(echo.url, path="/elsewhere/")
    assert (await socket.refused())["message"] in {"xhr poll error", "websocket error"}
