"""A bot: answers users while no admin is connected, and is silent once an admin has claimed the conversation.

Needs Python alone. README.md, "A bot that answers at night", says how to run it.
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


def ask(method: str, path: str, body: object = None) -> Any:
    """Raises HTTPError for a refusal: chatd gets no answer to its event then, and sends it again."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(API + path, data, headers, method=method), timeout=10) as answer:
        return json.load(answer)


def on_message(message: dict[str, Any]) -> None:
    user = message["de"]
    state = ask("GET", f"/conversaciones/{quote(user, safe='')}")
    is_of_the_desk = user == "bot" or state.get("rol") == "admin"  # a team's hooks are told of answers too
    is_claimed = state.get("caso", {}).get("atiende") is not None
    if not is_of_the_desk and not is_claimed and not ask("GET", "/atencion")["atendido"]:
        text = "We are here again at 9 in the morning, and answer then."
        ask("POST", "/mensajes", {"para": user, "mensaje": text, "cid": message["id"]})  # sent again: stored once


class Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + body
        signature = "v1," + base64.b64encode(hmac.digest(SECRET, signed, "sha256")).decode()
        is_ours = hmac.compare_digest(self.headers["webhook-signature"] or "", signature)
        event = json.loads(body) if is_ours else {}
        if event.get("type") == "mensaje":
            on_message(event["data"])
        self.send_response(204 if is_ours else 401)
        self.end_headers()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", 8700), Hook).serve_forever()
