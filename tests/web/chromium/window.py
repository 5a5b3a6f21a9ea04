"""A window of Chromium, which can also do what only the DevTools protocol offers:
https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import json
from typing import Any, Final, Self

from playwright.async_api import Browser, CDPSession, Page, WebSocket

from tests.web.playwright_tab import PlaywrightTab, failing

# The document in the widget's iframe.
PANEL: Final = "document.querySelector('chatd-widget').shadowRoot.querySelector('iframe').contentWindow"

# Relative luminance and contrast: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
CONTRAST: Final = """(() => {
  const parse = (colour) => {
    const parts = colour.match(/[\\d.]+/g).map(Number);
    if (colour.startsWith("color(")) return [...parts.slice(0, 3).map((part) => part * 255), parts[3] ?? 1];
    return [...parts.slice(0, 3), parts[3] ?? 1];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((part, place) => part * a + under[place] * (1 - a));
  const luminance = (colour) => {
    const [r, g, b] = colour.map((part) => part / 255).map((part) =>
      (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    if (!element) return [255, 255, 255];
    const colour = parse(getComputedStyle(element).backgroundColor);
    return colour[3] === 1 ? colour.slice(0, 3) : over(colour, behind(element.parentElement));
  };
  const faint = [];
  const documents = [document, ...[...document.querySelectorAll("chatd-widget")]
    .map((host) => host.shadowRoot.querySelector("iframe").contentDocument)];
  for (const element of documents.flatMap((page) => [...page.body.querySelectorAll("*")])) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility({ opacityProperty: true }) || element.closest(".sr-only, option")) continue;
    const ground = behind(element);
    const [one, other] = [luminance(over(parse(getComputedStyle(element).color), ground)), luminance(ground)];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${element.tagName}.${element.className}: ${element.textContent}`);
  }
  return faint;
})()"""


def with_socket(script: str) -> str:
    """JavaScript: a promise of `script` with `socket`, a second connection beside the page's."""
    return f"""(async () => {{
      const {{ ChatSocket }} = await import("/chatd/socket.js");
      const socket = new ChatSocket("/socket.io/");
      const online = new Promise((resolve) => socket.on("state", (state) => state === "online" && resolve()));
      socket.start();
      await online;
      {script} }})()"""


class Window(PlaywrightTab):
    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.frames: list[tuple[str, str]] = []  # WebSocket frames: "Sent" or "Received", and the text
        self._session: CDPSession | None = None
        page.on("websocket", self._on_websocket)

    @classmethod
    async def open(cls, browser: Browser, *, width: int, height: int, phone: bool, dark: bool, language: str) -> Self:
        """An empty window with its own cookies."""
        context = await browser.new_context(
            viewport={"width": width, "height": height}, is_mobile=phone, device_scale_factor=2 if phone else 1,
            color_scheme="dark" if dark else "light", locale=language,
        )  # fmt: skip
        return cls(await context.new_page())

    async def beside(self, *, width: int, height: int) -> Self:
        """Another window with the same cookies. Closed with this one."""
        page = await self.page.context.new_page()
        await page.set_viewport_size({"width": width, "height": height})
        return type(self)(page)

    async def shut(self) -> None:
        """Close this tab only."""
        await self.page.close()

    async def back(self) -> None:
        """Go back in the history; the browser may restore the page from its cache, unlike with Playwright's go_back."""
        history = await self._order("Page.getNavigationHistory")
        before = history["entries"][history["currentIndex"] - 1]
        await self._order("Page.navigateToHistoryEntry", entryId=before["id"])
        await self.until(f"location.href === {json.dumps(before['url'])} && document.readyState === 'complete'")

    async def grant(self, permission: str) -> None:
        """Grant a permission to every page. Permissions that are not granted here are denied."""
        await self.page.context.grant_permissions([permission])

    # The network and the processor.

    async def offline(self, *, on: bool) -> None:
        """Switch this window's network off or on (navigator.onLine follows)."""
        await self._order(
            "Network.emulateNetworkConditions", offline=on, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )

    async def trust_certificates(self) -> None:
        """Accept self-signed certificates."""
        await self._order("Security.setIgnoreCertificateErrors", ignore=True)

    async def slow_down(self, *, cpu: float, bytes_per_s: int, latency_ms: float) -> None:
        """Emulate a processor slower by the factor `cpu`, and a line of that speed."""
        await self._order("Emulation.setCPUThrottlingRate", rate=cpu)
        await self._order("Network.emulateNetworkConditions", offline=False, latency=latency_ms,
                          downloadThroughput=bytes_per_s, uploadThroughput=bytes_per_s)  # fmt: skip

    async def trust_scripts(self) -> None:
        """Disable the CSP: for pages that stand for another site's."""
        await self._order("Page.setBypassCSP", enabled=True)
        await self.reload()

    # The look.

    async def nameless_controls(self) -> list[str]:
        """Controls without an accessible name, by the browser's accessibility tree."""
        nodes: list[dict[str, Any]] = (await self._order("Accessibility.getFullAXTree"))["nodes"]
        wanted = {"button", "link", "textbox", "searchbox", "combobox", "checkbox", "image", "dialog", "Iframe"}
        return [
            str({key: node[key] for key in ("role", "name", "properties")}) for node in nodes
            if not node.get("ignored") and node["role"]["value"] in wanted and not node["name"]["value"]
        ]  # fmt: skip

    async def faint_texts(self) -> list[str]:
        """Visible texts whose contrast with their background is below 4.5."""
        found: list[str] = await self.evaluate(CONTRAST)
        return found

    async def force_colours(self) -> None:
        await self.page.emulate_media(forced_colors="active")

    async def dark(self, *, on: bool) -> None:
        await self.page.emulate_media(color_scheme="dark" if on else "light")

    async def printed(self) -> bytes:
        """The page printed as a PDF on A4."""
        edge = "1cm"
        return await self.page.pdf(format="A4", margin={"top": edge, "right": edge, "bottom": edge, "left": edge})

    # The costs.

    async def task_seconds(self) -> float:
        """The processor time of the page's main thread."""
        return (await self._metrics())["TaskDuration"]

    async def memory(self) -> tuple[float, float]:
        """The size of the JavaScript heap and the number of DOM nodes, after garbage collection."""
        await self._order("HeapProfiler.collectGarbage")
        metrics = await self._metrics()
        return metrics["JSHeapUsedSize"], metrics["Nodes"]

    # Internals.

    async def _metrics(self) -> dict[str, float]:
        await self._order("Performance.enable", timeDomain="threadTicks")
        metrics: list[dict[str, Any]] = (await self._order("Performance.getMetrics"))["metrics"]
        return {metric["name"]: metric["value"] for metric in metrics}

    async def _order(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol."""
        with failing():
            if self._session is None:
                self._session = await self.page.context.new_cdp_session(self.page)
            return await self._session.send(method, params)

    def _on_websocket(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: self.frames.append(("Sent", str(frame))))
        socket.on("framereceived", lambda frame: self.frames.append(("Received", str(frame))))
