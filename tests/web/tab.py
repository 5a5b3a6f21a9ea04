"""A tab of any browser for tests:

    await tab.see("#list a", "ana")
    await tab.click("#list a")
    await tab.write("#box", "hola")
    await tab.press("Enter")

Every wait is for a visible state of the page. Selectors also match in same-origin frames and in open shadow roots.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any, Final

PATIENCE_S: Final = 20.0
SIGHT_S: Final = 12.0  # timeout of `see`: less than PATIENCE_S, so that its error can show the page's texts

# Finds the visible elements.
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

# Resolves when `look()` is truthy; calls it every 15 ms.
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

# Scrolls an element into view; the position of its middle in the window.
MIDDLE: Final = """
(one) => {
  one.scrollIntoView({ block: "nearest" });
  let { x, y, width, height } = one.getBoundingClientRect();
  for (let w = one.ownerDocument.defaultView; w !== window; w = w.parent) {
    const frame = w.frameElement.getBoundingClientRect();
    x += frame.x;
    y += frame.y;
  }
  return [x + width / 2, y + height / 2];
}"""


class BrowserError(AssertionError):
    """A page is not as expected, or a command of the browser failed."""


class Tab(abc.ABC):
    """What all browsers can do. A driver defines the abstract methods."""

    def __init__(self) -> None:
        self.faults: list[str] = []  # errors of scripts and CSP violations, where the driver reports them
        self.allowed: set[str] = set()  # parts of faults that a test expects

    @abc.abstractmethod
    async def close(self) -> None:
        """Close all tabs with these cookies."""

    @abc.abstractmethod
    async def go(self, url: str) -> None:
        """Load a page."""

    @abc.abstractmethod
    async def cookie(self, url: str, name: str, value: str) -> None:
        """Put a cookie into the jar, as a login on the host of `url` would."""

    @abc.abstractmethod
    async def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page; promises are awaited. Raises BrowserError."""

    @abc.abstractmethod
    async def point(self, x: float, y: float) -> None:
        """Move the mouse."""

    @abc.abstractmethod
    async def press_mouse(self) -> None:
        """Press and release the left button where the mouse is."""

    @abc.abstractmethod
    async def type(self, text: str) -> None:
        """Type into the focused element."""

    @abc.abstractmethod
    async def press(self, key: str) -> None:
        """Press a key, as "Enter", or several, as "Alt+ArrowDown"."""

    @contextlib.asynccontextmanager
    async def frame(self, _element: str) -> AsyncIterator[None]:
        """Type into the panel in that frame from now on. It has the focus, but WebKit's driver needs a switch."""
        yield

    # Reading.

    async def see(self, selector: str, text: str = "", *, count: int | None = None) -> list[str]:
        """Wait for visible elements, one of which contains `text` (`count` elements, if given)."""
        want = f"found.length === {count}" if count is not None else "found.length > 0"
        texts: list[str] = await self._sight(selector, text, f"{want} ? found.map((one) => one.textContent) : null")
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
                        if await self.evaluate(f"({WAITER})(() => Boolean({condition}), 2000)"):
                            return
                    except BrowserError:
                        continue  # the page was navigated during the call
        except TimeoutError:
            raise BrowserError(f"never true: {condition}\n{await self.text()}\n{self.faults}") from None

    # Input.

    async def click(self, selector: str, text: str = "") -> None:
        """Click into the middle of the first matching element with the mouse."""
        await self.point_at(selector, text)
        await self.press_mouse()

    async def point_at(self, selector: str, text: str = "") -> None:
        """Move the mouse to the first matching element, again if the element moved meanwhile."""
        spot = None
        while spot != (spot := await self._middle(selector, text)):
            await self.point(*spot)

    async def _middle(self, selector: str, text: str) -> tuple[float, float]:
        """The position of the first matching element in CSS pixels, once it is visible."""
        x, y = await self._sight(selector, text, f"found.length > 0 ? ({MIDDLE})(found[0]) : null")
        return x, y

    async def _sight(self, selector: str, text: str, value: str) -> Any:
        """Wait until the expression `value`, in which `found` are the matching elements, is truthy."""
        look = f"""() => {{
          const found = ({FINDER})({json.dumps(selector)})
            .filter((one) => one.textContent.includes({json.dumps(text)}));
          return {value}; }}"""
        seen = await self.evaluate(f"({WAITER})({look}, {SIGHT_S * 1000})")
        if seen is None:
            raise BrowserError(f"never saw {selector} with {text!r}:\n{await self.text()}\n{self.faults}")
        return seen

    async def write(self, selector: str, text: str) -> None:
        """Click into a field and type."""
        await self.click(selector)
        await self.type(text)

    async def say(self, text: str) -> None:
        """Write a message and send it."""
        await self.write("#box", text)
        await self.press("Enter")
