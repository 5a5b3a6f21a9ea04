"""A page that loads the real bundle of socket.io-client from the daemon, as pages of a Node.js server do."""

from __future__ import annotations

import pytest

from tests.web.chromium.conftest import Place
from tests.web.test_bundles import DIST, VERSION

CHAT = """new Promise((resolve, reject) => {
  const socket = io({ transports: %s });
  socket.on("connect_error", reject);
  socket.on("connect", async () => {
    const stored = await socket.emitWithAck("mensaje_privado", { para: "ana", mensaje: "note to myself" });
    resolve([stored.ok, socket.io.engine.transport.name]);
  });
})"""


@pytest.mark.parametrize("flags", [["--client-dir", str(DIST), "--console"]])
@pytest.mark.parametrize("bundle", ["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js"])
@pytest.mark.parametrize("transports", [["websocket"], ["polling"]])
async def test_the_real_bundle_connects_to_the_server_it_was_loaded_from(
    place: Place, bundle: str, transports: list[str]
) -> None:
    ana = await place.enter("/chatd/demo", "ana", "user")
    kind = "import('/socket.io/%s').then((module) => { window.io = module.io; window.loaded = true })"
    plain = """document.head.append(Object.assign(document.createElement("script"),
      { src: "/socket.io/%s", onload: () => (window.loaded = true) }))"""
    ana.allowed.add("TrustedScriptURL")
    if "esm" in bundle:
        await ana.evaluate(kind % bundle)
    else:
        await ana.trust_scripts()
        await ana.evaluate(f"void ({plain % bundle})")
    await ana.until("window.loaded")
    assert await ana.evaluate(CHAT % transports) == [True, transports[0]]
    assert await ana.evaluate("window.io.protocol ?? 5") == 5
    assert VERSION.startswith("4.")
