"""`buscar` with several nodes and one index."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from tests.cluster.nodes import cluster
from tests.cluster.people import enter, write
from tests.interop.node import Driver, JsSocket
from tests.postgresql import Server


async def found(socket: JsSocket, texto: str) -> list[str]:
    """The texts of a page, newest first."""
    [answer] = await socket.ask("buscar", {"texto": texto})
    assert answer["ok"] is True, answer
    return [each["mensaje"] for each in answer["encontrados"]]


async def test_a_message_of_any_node_is_found_on_each_node_by_its_readers(
    driver: Driver, postgresql: Server, tmp_path: Path
) -> None:
    """C-89, C-90, C-91: also messages of a killed node, and during an outage of Redis."""
    with cluster(tmp_path, postgresql, "--search", "on") as several:
        ana = [await enter(driver, several.url(node), "ana") for node in (1, 2)]
        root = [await enter(driver, several.url(node), "root", "admin") for node in (1, 2)]
        eva = await enter(driver, several.url(2), "eva")
        await write(ana[0], "root", "¿Aquí estamos?")
        await write(root[1], "ana", "aqui, en el puerto")
        await write(eva, "root", "aquí no")
        for each in ana:
            assert await found(each, "aqui") == ["aqui, en el puerto", "¿Aquí estamos?"]
        for each in root:
            assert await found(each, "AQUI") == ["aquí no", "aqui, en el puerto", "¿Aquí estamos?"]
        assert await found(eva, "aqui") == ["aquí no"]
        await asyncio.to_thread(several.redis.kill)
        said = [f"barco {number}" for number in range(150)]
        for first in range(0, len(said), 30):
            both = (said[first : first + 15], said[first + 15 : first + 30])
            await asyncio.gather(*(write(each, "root", *texts) for each, texts in zip(ana, both, strict=True)))
        await write(ana[0], "root", "el último de todos")
        await asyncio.to_thread(several.nodes[1].stop, signal.SIGKILL)
        assert await found(root[1], "ultimo") == ["el último de todos"]
        [page] = await root[1].ask("buscar", {"texto": "barco", "limite": 100})
        [rest] = await root[1].ask("buscar", {"texto": "barco", "limite": 100, "antes": page["sigue"]})
        assert sorted(each["mensaje"] for each in page["encontrados"] + rest["encontrados"]) == sorted(said)
