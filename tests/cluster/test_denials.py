"""Disconnecting and denying users by the API of one of several nodes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from bench.ports import free_port
from chatd.chat.nodes.questions import MAX_ASKED
from tests.api.served import System, add_key
from tests.chat.people import cookie, join, refused
from tests.cluster.nodes import cluster
from tests.conformance.wire import Client
from tests.interop.chat import token
from tests.postgresql import Server

PATIENCE_S: Final = 20.0


async def test_a_user_denied_on_one_node_is_disconnected_from_all(postgresql: Server, tmp_path: Path) -> None:
    """A-16: each node writes its own deny list, and a node that cannot is named."""
    key, port = add_key(tmp_path / "keys", "bot"), free_port()
    files = {node: tmp_path / f"deny{node}" for node in (1, 2)}
    for file in files.values():
        file.touch()
    api = ("--api", f"127.0.0.1:{port}", "--api-keys-file", str(tmp_path / "keys"), "--api-rate", "0")
    with cluster(tmp_path, postgresql, nodes=0) as several:
        several.start(1, *api, "--deny-file", str(files[1]))
        several.start(2, "--deny-file", str(files[2]))
        async with (
            Client("127.0.0.1", several.nodes[2].port, "/socket.io/") as far,
            Client("127.0.0.1", port, "/") as client,
        ):
            bot, ana = System(await client.connect(), key), await join(far, cookie(token("ana")))
            async with asyncio.timeout(PATIENCE_S):
                while not (await bot.get("/v1/personas"))["personas"]:
                    pass
            assert (await bot.ask("PUT", "/v1/denegados/usuarios/ana")).json() == {"ok": True}
            assert "token_denied" in str((await ana.last_words())[0])
            assert [file.read_text() for file in files.values()] == ['user:"ana"\n'] * 2
            code, _ = await refused(far, cookie(token("ana")))
            assert code == "token_denied"
            files[2].unlink()
            assert (await bot.ask("PUT", "/v1/denegados/jti/7")).json() == {"ok": True, "pendientes": [2]}


async def test_requests_over_the_limit_of_concurrent_questions_are_refused(postgresql: Server, tmp_path: Path) -> None:
    """A-14: node 2 does not answer, so questions to it stay pending."""
    key, port = add_key(tmp_path / "keys", "bot"), free_port()
    api = ("--api", f"127.0.0.1:{port}", "--api-keys-file", str(tmp_path / "keys"), "--api-rate", "0")
    with cluster(tmp_path, postgresql, nodes=0) as several:
        several.start(1, *api)
        several.start(2)
        async with (
            Client("127.0.0.1", several.nodes[2].port, "/socket.io/") as far,
            Client("127.0.0.1", port, "/") as client,
        ):
            bot = System(await client.connect(), key)
            await join(far, cookie(token("ana")))
            async with asyncio.timeout(PATIENCE_S):
                while not (await bot.get("/v1/personas"))["personas"]:
                    pass
            with several.nodes[2].suspended():
                systems = [System(await client.connect(), key) for _ in range(MAX_ASKED + 1)]
                answers = await asyncio.gather(*(each.ask("GET", "/v1/personas") for each in systems))
    statuses = sorted(answer.status for answer in answers)
    assert statuses == [200] * MAX_ASKED + [503]
    assert [answer.json()["pendientes"] for answer in answers if answer.status == 200] == [[2]] * MAX_ASKED
    [refused_one] = [answer for answer in answers if answer.status == 503]
    assert (refused_one.json()["code"], refused_one.header("retry-after")) == ("busy", "1")
