"""HAProxy in front of two or three nodes, with the configuration of README.md."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

from bench.ports import free_port
from tests.listen.certificates import make_certificate
from tests.ops.proxies import SEVERAL_NODES, Place, haproxy

CHAT: Final = "/socket.io/"
_OF_THE_SECOND: Final = re.compile(r"^(?:backend node2\n)?.*\bnode2\b.*\n", re.MULTILINE)


def with_a_third_node(configuration: str) -> str:
    """As the README says: a line or block for node 3 after each one for node 2."""

    def both(second: re.Match[str]) -> str:
        third = second[0].replace("node2", "node3").replace("beg 2.", "beg 3.").replace(":8402", ":8403")
        return second[0] + third

    return _OF_THE_SECOND.sub(both, configuration)


@contextlib.asynccontextmanager
async def front(folder: Path, ports: Mapping[int, int], paths: str = CHAT) -> AsyncIterator[str]:
    """The URL of the proxy for the time of a block; `ports` by node, `paths` separated by spaces."""
    place = Place(folder, free_port(), 0, *make_certificate(folder, "chat"))
    configuration = haproxy.readme_configuration(SEVERAL_NODES).replace(f"path_beg {CHAT}", f"path_beg {paths}")
    if len(ports) > 2:
        configuration = with_a_third_node(configuration)
    backends = {8400 + node: port for node, port in ports.items()}
    async with haproxy.running(haproxy.placed(configuration, place, backends), place):
        yield f"https://127.0.0.1:{place.port}"
