#!/bin/sh
# Chromium keeps a page in the back/forward cache together with its open WebSocket, and the server does not notice: there
# is no close frame and no TCP FIN, the browser answers WebSocket pings, and it drops messages. The page gets "close"
# (1006) when it is shown again, and only then the server gets a close (1001). A page that closes its WebSocket in
# `pagehide` is not affected.
#
# Seen with Chromium 156.0.8078.108 (Debian 12), its default features. Until `DisconnectWebSocketOnBFCache` an open
# WebSocket kept a page out of that cache, so that leaving it closed the connection; the third run shows that.
#
# Needs python3 with venv, and Chromium ($CHROMIUM, or what Debian calls it). Takes half a minute, leaves nothing behind.
# Fails if any of this is not so.
set -eu

chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome)}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check websockets==17.4
"$chromium" --version 2>/dev/null

cat > "$folder/run.py" <<'PYTHON'
"""One server, which notes what it sees of a WebSocket; one browser, which opens a page with it, and leaves that page."""
import asyncio
import http
import itertools
import json
import re
import subprocess
import sys
import time

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.http11 import Response

chromium, folder, pagehide, *features = sys.argv[1:]
STAYS_AWAY_S = 8.0
PAGE = """<!doctype html><title>page</title><script>
window.heard = [];
const socket = new WebSocket(`ws://${location.host}/socket`);
socket.onmessage = () => { if (heard.at(-1) === "pageshow, persisted: true") heard.push("message"); };
socket.onclose = (event) => heard.push(`close ${event.code}`);
addEventListener("pagehide", (event) => { heard.push(`pagehide, persisted: ${event.persisted}`); PAGEHIDE });
addEventListener("pageshow", (event) => heard.push(`pageshow, persisted: ${event.persisted}`));
</script>"""
seen = {"opened": 0, "pongs": 0, "end": None}
left = asyncio.Event()


def answer(connection, request):
    if request.path == "/socket":
        return None
    body = PAGE.replace("PAGEHIDE", pagehide).encode()
    headers = Headers({"Content-Type": "text/html", "Content-Length": str(len(body)), "Connection": "close"})
    return Response(http.HTTPStatus.OK, "OK", headers, body)


async def socket(connection):
    seen["opened"] += 1
    if seen["opened"] > 1:  # the page was loaded again
        await connection.wait_closed()
        return
    watching = asyncio.ensure_future(ping(connection))
    await connection.wait_closed()
    watching.cancel()
    seen["end"] = (time.monotonic(), connection.close_code)


async def ping(connection):
    """While the page is away."""
    await left.wait()
    await asyncio.sleep(1)
    while True:
        await connection.send("a message")
        await (await connection.ping())
        seen["pongs"] += 1
        await asyncio.sleep(1)


class Browser:
    def __init__(self, connection):
        self.connection, self.numbers = connection, itertools.count(1)

    async def order(self, method, session=None, **params):
        number = next(self.numbers)
        named = {"id": number, "method": method, "params": params}
        await self.connection.send(json.dumps(named if session is None else {**named, "sessionId": session}))
        while True:
            packet = json.loads(await self.connection.recv())
            if packet.get("id") == number:
                return packet.get("result", packet)


async def main():
    async with serve(socket, "127.0.0.1", 0, process_request=answer, ping_interval=None) as server:
        url = f"http://localhost:{server.sockets[0].getsockname()[1]}/page"
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        process = subprocess.Popen(
            [chromium, *flags, *features, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        try:
            for line in process.stderr:
                if found := re.search(r"DevTools listening on (\S+)", line):
                    break
            async with connect(found[1], max_size=None, ping_interval=None) as connection:
                await look(Browser(connection), url)
        finally:
            process.kill()
            process.communicate()


async def look(browser, url):
    target = await browser.order("Target.createTarget", url="about:blank")
    attached = await browser.order("Target.attachToTarget", targetId=target["targetId"], flatten=True)
    session = attached["sessionId"]
    await browser.order("Page.enable", session)
    await browser.order("Page.navigate", session, url=url)
    while not seen["opened"]:
        await asyncio.sleep(0.05)
    await asyncio.sleep(1)
    since = time.monotonic()
    await browser.order("Page.navigate", session, url="about:blank")
    left.set()
    await asyncio.sleep(STAYS_AWAY_S)
    ended_while_away, pongs = seen["end"], seen["pongs"]
    await browser.order("Runtime.evaluate", session, expression="history.back()")
    await asyncio.sleep(2)
    evaluated = await browser.order("Runtime.evaluate", session, expression="JSON.stringify(heard)", returnByValue=True)
    print(json.dumps({
        "while the page was away": "open for all of it" if ended_while_away is None else "ended at once"
        if ended_while_away[0] - since < 3 else "ended late",
        "pings answered": pongs > 3,
        "close code": seen["end"] and seen["end"][1],
        "the page heard": json.loads(evaluated["result"]["value"]),
    }))


asyncio.run(main())
PYTHON

look() {
    title=$1 expected=$2
    shift 2
    rm -rf "$folder/profile"
    found=$("$folder/venv/bin/python" "$folder/run.py" "$chromium" "$folder/profile" "$@" 2>"$folder/errors") || {
        cat "$folder/errors"
        exit 1
    }
    printf '%s:\n    %s\n' "$title" "$found"
    if [ "$found" != "$expected" ]; then
        printf 'it was seen before as:\n    %s\n' "$expected"
        exit 1
    fi
}

look "A page with a WebSocket is left for 8 s" \
    '{"while the page was away": "open for all of it", "pings answered": true, "close code": 1001, "the page heard": ["pageshow, persisted: false", "pagehide, persisted: true", "pageshow, persisted: true", "close 1006"]}' \
    ""
look "The same, and the page closes it in pagehide" \
    '{"while the page was away": "ended at once", "pings answered": false, "close code": 1005, "the page heard": ["pageshow, persisted: false", "pagehide, persisted: true", "pageshow, persisted: true", "close 1005"]}' \
    "socket.close();"
look "The first again, without the feature DisconnectWebSocketOnBFCache" \
    '{"while the page was away": "ended at once", "pings answered": false, "close code": 1001, "the page heard": ["pageshow, persisted: false"]}' \
    "" --disable-features=DisconnectWebSocketOnBFCache
