"""A bot: it answers users while no admin is connected, and stops once an admin has claimed the conversation.

Needs only Python. README.md, "A bot that answers at night", says how to run it.
"""

import base64
import hmac
import json
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

API = "http://127.0.0.1:8600/v1"
KEY = Path("bot.key").read_text().strip()
SECRET = base64.b64decode(Path("bot.secret").read_text().strip().removeprefix("whsec_"))


def ask(path: str, body: object = None) -> Any:
    """Call the API. A refusal raises HTTPError: then the event is not acknowledged, and chatd sends it again."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()  # urllib sends POST if there is data
    with urllib.request.urlopen(urllib.request.Request(API + path, data, headers), timeout=10) as answer:
        return json.load(answer)


def on_message(message: dict[str, Any]) -> None:
    case = ask(f"/conversaciones/{quote(message['de'], safe='')}").get("caso", {})
    if case.get("atiende") is None and not ask("/atencion")["atendido"]:
        text = "We are here again at 9 in the morning, and answer then."
        ask("/mensajes", {"para": message["de"], "mensaje": text, "cid": message["id"]})  # stored once by its cid


class Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + body
        signature = "v1," + base64.b64encode(hmac.digest(SECRET, signed, "sha256")).decode()
        is_ours = hmac.compare_digest(self.headers["webhook-signature"] or "", signature)
        if is_ours and (event := json.loads(body))["type"] == "mensaje":
            on_message(event["data"])
        self.send_response(204 if is_ours else 401)
        self.end_headers()


ThreadingHTTPServer(("127.0.0.1", 8700), Hook).serve_forever()
