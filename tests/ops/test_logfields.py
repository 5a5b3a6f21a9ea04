"""The fields of log lines are the same in code, table and README; message texts and tokens are in no line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from chatd.engineio.reasons import CloseReason
from chatd.ops.logfields import FIELDS, table
from tests.chat.daemon import daemon
from tests.chat.people import cookie, join, token
from tests.ops.logging_calls import logged_fields

ROOT = Path(__file__).parents[2]

# Fields that the formatter (chatd/logs/stderr.py) and the rate limit (chatd/logs/lines.py) add.
OF_EVERY_LINE: Final = {"time", "level", "logger", "message", "error", "left_out"}

MARK: Final = "a-text-that-nobody-must-read"


def test_the_table_has_what_the_code_logs_and_nothing_else() -> None:
    logged = logged_fields()
    assert {field: files for field, files in logged.items() if field not in FIELDS} == {}
    assert set(FIELDS) - set(logged) - OF_EVERY_LINE == set()


def test_the_readme_has_the_table() -> None:
    assert table() in (ROOT / "README.md").read_text(), "put what chatd.ops.logfields.table() says into README.md"


async def test_no_line_has_a_message_or_a_token_and_every_session_has_its_end(db: Path) -> None:
    """At level debug, with clients that obey the protocol and with clients that break each rule."""
    secret = token("ana")
    async with daemon(db, "--log-level", "debug", "--max-payload", "2000") as chatd:
        ana = await join(chatd.client, cookie(secret))
        assert (await ana.write("root", MARK))["ok"] is True
        assert (await ana.write("", MARK))["ok"] is False
        assert (await ana.ask(MARK, MARK))["ok"] is False
        await ana.websocket.send(f'42["mensaje_privado",{{"para":"root","mensaje":"{MARK}"')
        await ana.websocket.closed()
        for wrong in (MARK, f"4{MARK}", f"45{MARK}", f'452-["{MARK}"]', f"40/{MARK},{{", "4" + MARK * 100):
            websocket = await chatd.client.websocket(cookie(secret), early=b"")
            await websocket.send(wrong)
            await websocket.closed() if wrong[:3] != "40/" else websocket.abort()
        session = await chatd.client.polling({"Cookie": f"token={secret}x"})
        await session.post("40")
        await session.poll()
        await session.post(MARK)
        connection = await chatd.client.connect()
        connection.write(f"GET /{MARK} HTTP/1.1\r\nHost: {MARK}\r\nCookie: {secret}\r\n{MARK}\r\n\r\n".encode())
        assert (await connection.answer()).status == 400
        chatd.terminate()
        assert await chatd.ended() == 0
    lines = [json.dumps(line) for line in chatd.log]
    assert [line for line in lines if MARK in line] == []
    assert [line for line in lines if secret[:40] in line] == []
    opened = [line["sid"] for line in chatd.log if line["message"] == "session open"]
    closed = {line["sid"]: line["reason"] for line in chatd.log if line["message"] == "session closed"}
    assert len(opened) == 8
    assert sorted(opened) == sorted(closed)
    assert set(closed.values()) <= {reason.value for reason in CloseReason}
    assert {field for line in chatd.log for field in line} <= set(FIELDS)


async def test_a_terminal_gets_text_and_a_pipe_json(db: Path) -> None:
    async with daemon(db, "--log-format", "auto") as chatd:
        assert all(line["time"] for line in chatd.log)  # the log is a pipe here, and every line was JSON
