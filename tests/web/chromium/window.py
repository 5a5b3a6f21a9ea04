"""A browser window for tests:

    admin = await browser.window(url)
    await admin.see("#list a", "ana")
    await admin.click("#list a")
    await admin.write("#box", "hola")
    await admin.press("Enter")

Every wait is for a visible state of the page, with the timeout PATIENCE_S. Errors of scripts and CSP violations are
recorded in `faults`, which every test checks at its end.
"""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any, Final

from tests.web.chromium.cdp import PATIENCE_S, BrowserError, Chromium, Params

# The document in the widget's iframe.
PANEL: Final = "document.querySelector('chatd-widget').shadowRoot.querySelector('iframe').contentWindow"

SIGHT_S: Final = 12.0  # timeout of `see`: less than PATIENCE_S, so that its error can show the page's texts

KEYS: Final = {
    "Enter": ("Enter", 13, "\r"), "Escape": ("Escape", 27, ""), "ArrowDown": ("ArrowDown", 40, ""),
    "ArrowUp": ("ArrowUp", 38, ""), "/": ("Slash", 191, "/"), "?": ("Slash", 191, "?"), "Tab": ("Tab", 9, ""),
    "p": ("KeyP", 80, ""), "u": ("KeyU", 85, ""),
}  # fmt: skip
ALT: Final = 1
CTRL: Final = 2
SHIFT: Final = 8

# Finds elements in the page, in same-origin frames and in open shadow roots.
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

# Resolves when `look()` is truthy: called in every animation frame, and at least every 30 ms.
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
    """JavaScript: a promise of `script` with `socket`, a second connection beside the page's."""
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
        self.all_faults: list[str] = []  # including those that a test expects
        self.frames: list[tuple[str, str]] = []  # WebSocket frames: "Sent" or "Received", and the text
        self._news = asyncio.Event()
        self._pointer: dict[str, float] = {}  # position of the mouse
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
        """Another window with the same cookies. Closed with this one."""
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
        """Close this tab only."""
        await self._browser.order("Target.closeTarget", targetId=self._target)

    async def close(self) -> None:
        """Close all tabs with these cookies."""
        await self._browser.order("Target.disposeBrowserContext", browserContextId=self._context)

    # Navigation.

    async def go(self, url: str) -> None:
        went = await self._order("Page.navigate", url=url)
        assert "errorText" not in went, went
        await self.until("document.readyState === 'complete'")

    async def reload(self) -> None:
        await self.evaluate("window.beforeReload = true")
        await self._order("Page.reload")
        await self.until("!window.beforeReload && document.readyState === 'complete'")

    async def back(self) -> None:
        """Go back in the history; the browser may restore the page from its cache."""
        history = await self._order("Page.getNavigationHistory")
        before = history["entries"][history["currentIndex"] - 1]
        await self._order("Page.navigateToHistoryEntry", entryId=before["id"])
        await self.until(f"location.href === {json.dumps(before['url'])} && document.readyState === 'complete'")

    async def cookie(self, url: str, name: str, value: str) -> None:
        """Put a cookie into the jar, as a login on that host would."""
        await self._order("Network.setCookie", url=url, name=name, value=value, httpOnly=True, sameSite="Strict")

    async def grant(self, permission: str) -> None:
        """Grant a permission to every page. Permissions that are not granted here are denied."""
        await self._browser.order("Browser.grantPermissions", permissions=[permission], browserContextId=self._context)

    # Reading.

    async def see(self, selector: str, text: str = "", *, count: int | None = None) -> list[str]:
        """Wait for visible elements, one of which contains `text` (`count` elements, if given)."""
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
        """Wait until no visible matching element contains `text`."""
        await self.until(
            f"!({FINDER})({json.dumps(selector)}).some((one) => one.textContent.includes({json.dumps(text)}))"
        )

    async def texts(self, selector: str) -> list[str]:
        """The texts of the visible matching elements."""
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
                        continue  # the page was navigated during the call
        except TimeoutError:
            raise BrowserError(f"never true: {condition}\n{await self.text()}\n{self.faults}") from None

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page; promises are awaited."""
        done = await self._order("Runtime.evaluate", expression=expression, awaitPromise=True,
                                 returnByValue=True, allowUnsafeEvalBlockedByCSP=False)  # fmt: skip
        if "exceptionDetails" in done:
            raise BrowserError(str(done["exceptionDetails"].get("exception", {}).get("description")))
        return done["result"].get("value")

    async def drawn(self) -> None:
        """Wait two animation frames, after which the last change is drawn."""
        await self.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")

    async def screenshot(self, path: Path) -> None:
        await self.drawn()
        taken = await self._order("Page.captureScreenshot", format="png", optimizeForSpeed=False)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(taken["data"]))

    # Input.

    async def click(self, selector: str, text: str = "") -> None:
        """Click into the middle of the first matching element with the mouse."""
        await self.point_at(selector, text)
        for kind in ("mousePressed", "mouseReleased"):
            await self._mouse(kind, "left", clickCount=1)

    async def point_at(self, selector: str, text: str = "") -> None:
        """Move the mouse to the first matching element, again if the element moved meanwhile."""
        spot = None
        while spot != (spot := await self._middle(selector, text)):
            self._pointer = spot
            await self._mouse("mouseMoved", "none")

    async def _middle(self, selector: str, text: str) -> dict[str, float]:
        """The position of the first matching element in CSS pixels, once it is visible."""
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
        """Type into the focused element."""
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
        """Switch the browser's network off or on (navigator.onLine follows)."""
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

    async def heard(self, part: str) -> None:
        """Wait for an expected fault, and remove it from `faults`."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(part in fault for fault in self.all_faults):
                self._news.clear()
                await self._news.wait()

    async def nameless_controls(self) -> list[str]:
        """Controls without an accessible name, by the browser's accessibility tree."""
        nodes: list[Params] = (await self._order("Accessibility.getFullAXTree"))["nodes"]
        wanted = {"button", "link", "textbox", "searchbox", "combobox", "checkbox", "image", "list", "dialog", "Iframe"}
        return [
            str({key: node[key] for key in ("role", "name", "properties")}) for node in nodes
            if not node.get("ignored") and node["role"]["value"] in wanted - {"list"} and not node["name"]["value"]
        ]  # fmt: skip

    async def faint_texts(self) -> list[str]:
        """Visible texts whose contrast with their background is below 4.5."""
        found: list[str] = await self.evaluate(CONTRAST)
        return found

    async def force_colours(self) -> None:
        await self._order("Emulation.setEmulatedMedia", features=[{"name": "forced-colors", "value": "active"}])

    async def printed(self) -> bytes:
        """The page printed as a PDF on A4."""
        printed = await self._order("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)
        return base64.b64decode(printed["data"])

    async def task_seconds(self) -> float:
        """The processor time of the page's main thread."""
        return (await self._metrics())["TaskDuration"]

    async def memory(self) -> tuple[float, float]:
        """The size of the JavaScript heap and the number of DOM nodes, after garbage collection."""
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
