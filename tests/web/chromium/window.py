"""A window of the browser, as a test wants to use it:

    admin = await browser.window(url)
    await admin.see("#list a", "ana")
    await admin.click("#list a")
    await admin.write("#box", "hola")
    await admin.press("Enter")

Every wait is for something that the page shows, and ends after PATIENCE_S. What goes wrong inside of the page, an error
of a script or a breach of its policy, is in `faults`, which every test ends by looking at.
"""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any, Final

from tests.web.chromium.cdp import PATIENCE_S, BrowserError, Chromium, Params

# The page in the frame of a widget.
PANEL: Final = "document.querySelector('chatd-widget').shadowRoot.querySelector('iframe').contentWindow"

SIGHT_S: Final = 12.0  # in which something has to show up: less than PATIENCE_S, to say what was there instead

KEYS: Final = {
    "Enter": ("Enter", 13, "\r"), "Escape": ("Escape", 27, ""), "ArrowDown": ("ArrowDown", 40, ""),
    "ArrowUp": ("ArrowUp", 38, ""), "/": ("Slash", 191, "/"), "?": ("Slash", 191, "?"), "Tab": ("Tab", 9, ""),
    "u": ("KeyU", 85, ""),
}  # fmt: skip
ALT: Final = 1
SHIFT: Final = 8

# Looks in the page and in its frames of the same host, and in open shadow roots.
FINDER: Final = """
(selector) => {
  const roots = [document];
  for (const root of roots) {
    const found = [...root.querySelectorAll(selector)].filter((one) => one.checkVisibility());
    if (found.length) return found;
    for (const one of root.querySelectorAll("*")) {
      if (one.shadowRoot) roots.push(one.shadowRoot);
      if (one.tagName === "IFRAME" && one.checkVisibility() && one.contentDocument) roots.push(one.contentDocument);
    }
  }
  return [];
}"""

# Resolves when `look()` gives something true: looked at with every frame that is drawn, and every 30 ms at least.
WAITER: Final = """
(look, patience) => new Promise((resolve) => {
  const since = performance.now();
  const again = () => {
    const seen = look();
    if (seen) resolve(seen);
    else if (performance.now() - since > patience) resolve(null);
    else setTimeout(again, 15);
  };
  again();
})"""


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
    """A promise of what `script` does with `socket`, a connection besides that of the page."""
    return f"""(async () => {{
      const {{ ChatSocket }} = await import("/chatd/socket.js");
      const socket = new ChatSocket("/socket.io/");
      const online = new Promise((resolve) => socket.on("state", (state) => state === "online" && resolve()));
      socket.start();
      await online;
      {script} }})()"""


class Window:
    """One tab, in a browser context of its own."""

    def __init__(self, browser: Chromium, context: str, session: str, target: str) -> None:
        self._browser = browser
        self._target = target
        self._context = context
        self._session = session
        self.faults: list[str] = []
        self.all_faults: list[str] = []  # those that a test expects, too
        self.frames: list[tuple[str, str]] = []  # of its WebSocket: "Sent" or "Received", and the text
        self._news = asyncio.Event()
        self._pointer: dict[str, float] = {}  # where the mouse is
        self.allowed: set[str] = set()  # parts of faults that a test expects
        browser.listen(session, self._on_event)

    @classmethod
    async def open(
        cls, browser: Chromium, *, width: int, height: int, phone: bool, dark: bool, language: str
    ) -> Window:
        """An empty window."""
        context = (await browser.order("Target.createBrowserContext"))["browserContextId"]
        window = await cls._open(browser, context, width=width, height=height, phone=phone)
        await window.dark(on=dark)
        await window._order("Emulation.setLocaleOverride", locale=language)
        agent = (await browser.order("Browser.getVersion"))["userAgent"]
        await window._order("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=language)
        return window

    async def beside(self, *, width: int, height: int) -> Window:
        """Another window of the same person: it has the same cookies. Closed with this one."""
        return await self._open(self._browser, self._context, width=width, height=height, phone=False)

    @classmethod
    async def _open(cls, browser: Chromium, context: str, *, width: int, height: int, phone: bool) -> Window:
        target = await browser.order("Target.createTarget", url="about:blank", browserContextId=context)
        attached = await browser.order("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        window = cls(browser, context, attached["sessionId"], target["targetId"])
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            await window._order(f"{domain}.enable")
        await window._order("Emulation.setDeviceMetricsOverride", width=width, height=height, mobile=phone,
                            deviceScaleFactor=2 if phone else 1)  # fmt: skip
        await window._order("Emulation.setFocusEmulationEnabled", enabled=True)
        return window

    async def shut(self) -> None:
        """Close this tab, and not the others of the same person."""
        await self._browser.order("Target.closeTarget", targetId=self._target)

    async def close(self) -> None:
        """Close all tabs of this person."""
        await self._browser.order("Target.disposeBrowserContext", browserContextId=self._context)

    # Where it is.

    async def go(self, url: str) -> None:
        went = await self._order("Page.navigate", url=url)
        assert "errorText" not in went, went
        await self.until("document.readyState === 'complete'")

    async def reload(self) -> None:
        await self.evaluate("window.beforeReload = true")
        await self._order("Page.reload")
        await self.until("!window.beforeReload && document.readyState === 'complete'")

    async def back(self) -> None:
        """To the page before, which the browser may have kept as it was."""
        history = await self._order("Page.getNavigationHistory")
        before = history["entries"][history["currentIndex"] - 1]
        await self._order("Page.navigateToHistoryEntry", entryId=before["id"])
        await self.until(f"location.href === {json.dumps(before['url'])} && document.readyState === 'complete'")

    async def cookie(self, url: str, name: str, value: str) -> None:
        """Put a cookie into the jar, as a login on that host would."""
        await self._order("Network.setCookie", url=url, name=name, value=value, httpOnly=True, sameSite="Strict")

    async def grant(self, permission: str) -> None:
        """Allow every page something, as one does when the browser asks. It refuses what it is not told of here."""
        await self._browser.order("Browser.grantPermissions", permissions=[permission], browserContextId=self._context)

    # What is to be seen.

    async def see(self, selector: str, text: str = "", *, count: int | None = None) -> list[str]:
        """Wait until visible elements are there, one of them with `text` in it (`count` of them, if given)."""
        want = f"found.length === {count}" if count is not None else "found.length > 0"
        look = f"""() => {{
          const found = ({FINDER})({json.dumps(selector)})
            .filter((one) => one.textContent.includes({json.dumps(text)}));
          return {want} ? found.map((one) => one.textContent) : null; }}"""
        seen = await self.evaluate(f"({WAITER})({look}, {SIGHT_S * 1000})")
        if seen is None:
            raise BrowserError(f"never saw {selector} with {text!r}:\n{await self.text()}\n{self.faults}")
        texts: list[str] = seen
        return texts

    async def gone(self, selector: str, text: str = "") -> None:
        """Wait until no visible element of that kind has `text` in it."""
        await self.until(
            f"!({FINDER})({json.dumps(selector)}).some((one) => one.textContent.includes({json.dumps(text)}))"
        )

    async def texts(self, selector: str) -> list[str]:
        """What the visible elements of that kind say now."""
        found: list[str] = await self.evaluate(f"({FINDER})({json.dumps(selector)}).map((one) => one.textContent)")
        return found

    async def text(self) -> str:
        return str(await self.evaluate("document.body.innerText"))

    async def until(self, condition: str) -> None:
        """Wait until the expression is true in the page."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    try:
                        if await self.evaluate(f"({WAITER})(() => ({condition}), 2000)"):
                            return
                    except BrowserError:
                        continue  # the page went away while it was asked
        except TimeoutError:
            raise BrowserError(f"never true: {condition}\n{await self.text()}\n{self.faults}") from None

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        done = await self._order("Runtime.evaluate", expression=expression, awaitPromise=True,
                                 returnByValue=True, allowUnsafeEvalBlockedByCSP=False)  # fmt: skip
        if "exceptionDetails" in done:
            raise BrowserError(str(done["exceptionDetails"].get("exception", {}).get("description")))
        return done["result"].get("value")

    async def drawn(self) -> None:
        """Two frames: what the last order changed has been drawn then."""
        await self.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")

    async def screenshot(self, path: Path) -> None:
        await self.drawn()
        taken = await self._order("Page.captureScreenshot", format="png", optimizeForSpeed=False)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(taken["data"]))

    # What one does.

    async def click(self, selector: str, text: str = "") -> None:
        """Click into the middle of the first such element, with the mouse."""
        await self.point_at(selector, text)
        for kind in ("mousePressed", "mouseReleased"):
            await self._mouse(kind, "left", clickCount=1)

    async def point_at(self, selector: str, text: str = "") -> None:
        """Move the mouse to the first such element, and after it if it moved away before the mouse came."""
        spot = None
        while spot != (spot := await self._middle(selector, text)):
            self._pointer = spot
            await self._mouse("mouseMoved", "none")

    async def _middle(self, selector: str, text: str) -> dict[str, float]:
        """Where the first such element is in the window, in CSS pixels, once it is there."""
        await self.see(selector, text)
        spot: dict[str, float] = await self.evaluate(f"""(() => {{
          const one = ({FINDER})({json.dumps(selector)}).find((one) => one.textContent.includes({json.dumps(text)}));
          one.scrollIntoView({{ block: "nearest" }});
          let {{ x, y, width, height }} = one.getBoundingClientRect();
          for (let w = one.ownerDocument.defaultView; w !== window; w = w.parent) {{
            const frame = w.frameElement.getBoundingClientRect();
            x += frame.x; y += frame.y; }}
          return {{ x: x + width / 2, y: y + height / 2 }}; }})()""")
        return spot

    async def _mouse(self, kind: str, button: str, **more: int) -> None:
        await self._order("Input.dispatchMouseEvent", type=kind, button=button, **self._pointer, **more)

    async def write(self, selector: str, text: str) -> None:
        """Click into a field and type."""
        await self.click(selector)
        await self._order("Input.insertText", text=text)

    async def type(self, text: str) -> None:
        """Type into whatever has the focus."""
        await self._order("Input.insertText", text=text)

    async def press(self, key: str, modifiers: int = 0) -> None:
        code, number, text = KEYS[key]
        about = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": modifiers}
        await self._order("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **about)
        await self._order("Input.dispatchKeyEvent", type="keyUp", **about)

    async def say(self, text: str) -> None:
        """Write a message and send it."""
        await self.write("#box", text)
        await self.press("Enter")

    async def offline(self, *, on: bool) -> None:
        """Take the network away, as the browser knows too, or give it back."""
        await self._order(
            "Network.emulateNetworkConditions", offline=on, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )

    async def trust_certificates(self) -> None:
        """Those that sign themselves, too."""
        await self._order("Security.setIgnoreCertificateErrors", ignore=True)

    async def slow_down(self, *, cpu: float, bytes_per_s: int, latency_ms: float) -> None:
        """A machine so many times slower, behind a line of that speed."""
        await self._order("Emulation.setCPUThrottlingRate", rate=cpu)
        await self._order("Network.emulateNetworkConditions", offline=False, latency=latency_ms,
                          downloadThroughput=bytes_per_s, uploadThroughput=bytes_per_s)  # fmt: skip

    async def trust_scripts(self) -> None:
        """As if the page had no policy: for pages that stand for somebody else's."""
        await self._order("Page.setBypassCSP", enabled=True)
        await self.reload()

    async def heard(self, part: str) -> None:
        """Wait for a fault that a test expects, and forget it."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(part in fault for fault in self.all_faults):
                self._news.clear()
                await self._news.wait()

    async def nameless_controls(self) -> list[str]:
        """Whatever can be used and has no name for a screen reader, by the browser's own tree."""
        nodes: list[Params] = (await self._order("Accessibility.getFullAXTree"))["nodes"]
        wanted = {"button", "link", "textbox", "searchbox", "combobox", "checkbox", "image", "list", "dialog", "Iframe"}
        return [
            str({key: node[key] for key in ("role", "name", "properties")}) for node in nodes
            if not node.get("ignored") and node["role"]["value"] in wanted - {"list"} and not node["name"]["value"]
        ]  # fmt: skip

    async def faint_texts(self) -> list[str]:
        """Visible texts whose contrast with what is behind them is below 4.5."""
        found: list[str] = await self.evaluate(CONTRAST)
        return found

    async def force_colours(self) -> None:
        await self._order("Emulation.setEmulatedMedia", features=[{"name": "forced-colors", "value": "active"}])

    async def printed(self) -> bytes:
        """The page as a PDF, on A4."""
        printed = await self._order("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)
        return base64.b64decode(printed["data"])

    async def task_seconds(self) -> float:
        """The processor time that the page's own thread has used."""
        return (await self._metrics())["TaskDuration"]

    async def memory(self) -> tuple[float, float]:
        """The bytes of the page's scripts and the number of nodes in its documents, without garbage."""
        await self._order("HeapProfiler.collectGarbage")
        metrics = await self._metrics()
        return metrics["JSHeapUsedSize"], metrics["Nodes"]

    async def dark(self, *, on: bool) -> None:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if on else "light"}
        await self._order("Emulation.setEmulatedMedia", features=[scheme])

    # Internals.

    async def _metrics(self) -> dict[str, float]:
        await self._order("Performance.enable", timeDomain="threadTicks")
        metrics: list[Params] = (await self._order("Performance.getMetrics"))["metrics"]
        return {metric["name"]: metric["value"] for metric in metrics}

    async def _order(self, method: str, **params: Any) -> Params:
        return await self._browser.order(method, self._session, **params)

    def _on_event(self, method: str, params: Params) -> None:
        match method, params:
            case "Network.webSocketFrameSent" | "Network.webSocketFrameReceived", {
                "response": {"payloadData": str(text)}
            }:
                self.frames.append((method.removeprefix("Network.webSocketFrame"), text))
            case "Runtime.exceptionThrown", {"exceptionDetails": details}:
                self._blame(str(details.get("exception", {}).get("description", details)))
            case "Runtime.consoleAPICalled", {"type": "error" | "assert", "args": args}:
                self._blame(f"console: {args}")
            case "Log.entryAdded", {"entry": {"level": "error", "text": str(text), **more}}:
                self._blame(f"{text} {more.get('url', '')}")
            case "Audits.issueAdded", {"issue": {"code": "ContentSecurityPolicyIssue", "details": details}}:
                self._blame(f"policy: {details}")

    def _blame(self, fault: str) -> None:
        self.all_faults.append(fault)
        self._news.set()
        if not any(part in fault for part in self.allowed):
            self.faults.append(fault)
