"""Runs axe on a page. https://github.com/dequelabs/axe-core"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.web.chromium.window import Window

AXE: Final = Path(__file__).parents[2] / "interop/node_modules/axe-core/axe.min.js"


async def violations(window: Window) -> list[str]:
    await window.evaluate(AXE.read_text() + "; 0")
    found: list[str] = await window.evaluate("""axe.run().then(({ violations }) => violations.map(({ id, nodes }) =>
      `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`))""")
    return found
