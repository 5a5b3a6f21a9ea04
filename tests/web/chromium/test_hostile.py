"""Messages and names with markup are shown as text."""

from __future__ import annotations

import pytest

from tests.web.chromium.conftest import Place
from tests.web.chromium.window import PANEL

HOSTILE = [
    "<img src=x onerror=\"window.broken='img'\">",
    "<script>window.broken='script'</script>",
    "</textarea></p></ol><svg onload=\"window.broken='svg'\">",
    "javascript:window.broken='js'",
    '"><iframe srcdoc="<script>parent.broken=1</script>">',
    "{{constructor.constructor('window.broken=1')()}} ${window.broken=1}",
    "\u202egnihtemos \u2066\u2067 \u0000\u0007 end",
    "&lt;b&gt; &amp; <b>bold</b>",
    "a" * 3000,
    "👩‍👩‍👧‍👦 مرحبا שלום \u0301\u0301\u0301",
]


async def test_hostile_messages_are_shown_literally(place: Place) -> None:
    admin, ana = await place.admin(), await place.user()
    for text in HOSTILE:
        await ana.say(text)
        await ana.see(".mine[data-mark]:not([data-mark^=sending]) .bubble", text[:40])
    await admin.click("#list a", "ana")
    await admin.see(".bubble", HOSTILE[-1])
    for window in (admin, ana):
        assert await window.texts(".bubble") == HOSTILE
        assert await window.evaluate("window.broken ?? null") is None
    assert await ana.evaluate(f"{PANEL}.broken ?? null") is None
    assert (
        await admin.evaluate("document.querySelectorAll('#messages img, #messages script, #messages iframe').length")
        == 0
    )


@pytest.mark.parametrize(
    "user", ["<img src=x onerror=broken=1>", "a/../../b?c#d", "%2e%2e", "'\"`", "Ünï çødé 👻", "#/live"]
)
async def test_hostile_names_are_shown_literally(place: Place, user: str) -> None:
    admin, visitor = await place.admin(), await place.user(user)
    await visitor.say("hola")
    await admin.click("#list a", user)
    await admin.see("#thread-name", user)
    await admin.say("hola, quienquiera que seas")
    await visitor.see(".bubble", "quienquiera")
    await admin.reload()
    await admin.see("#thread-name", user)
    await admin.see(".bubble", "quienquiera")
    assert await admin.evaluate("window.broken ?? null") is None


async def test_the_csp_blocks_injected_code(place: Place) -> None:
    admin = await place.admin()
    admin.allowed.update(("policy", "Content Security Policy", "Trusted", "unsafe-eval", "EvalError"))
    tries = {
        "document.body.innerHTML = '<b>x</b>'": "TypeError",
        "window.eval('1')": "EvalError",
        "new Function('return 1')": "EvalError",
        "document.createElement('script').text = '1'": "TypeError",
    }
    for attempt, error in tries.items():
        # In a task of the page: the driver's own expressions may use eval.
        caught = await admin.evaluate(f"""new Promise((done) => setTimeout(() => {{
          try {{ {attempt}; done(null); }} catch (error) {{ done(error.name); }} }}))""")
        assert caught == error, attempt
    await admin.evaluate("""(() => { const style = document.createElement("style");
      style.textContent = "body { color: red }"; document.head.append(style); })()""")
    assert await admin.evaluate("getComputedStyle(document.body).color") != "rgb(255, 0, 0)"
    refused = await admin.evaluate("fetch('http://127.0.0.1:9/').then(() => null, (error) => error.name)")
    assert refused == "TypeError"


async def test_a_csp_violation_is_detected_by_these_tests(place: Place) -> None:
    admin = await place.admin()
    await admin.evaluate("document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.1:9/x.png' }))")
    await admin.heard("http://127.0.0.1:9/x.png")
    assert admin.faults
    admin.faults.clear()
