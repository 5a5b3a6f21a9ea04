"""Log lines that a client can cause are rate limited; lines that operators cause are always written."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from chatd.logs.lines import INFO_BURST, INFO_RATE, OPERATORS, SILENCE_S, WARNING_BURST, WARNING_RATE, LineLimit
from tests.clock import Clock
from tests.ops.logging_calls import log_calls

PACKAGE = Path(__file__).parents[2] / "chatd"

# Lines of the operators' loggers, which have no limit. A line that a client can cause needs another logger.
OF_OPERATORS = {
    "a file is open to others",
    "admin socket open",
    "an operator follows the messages",
    "listening",
    "listening for operators",
    "max_connections is more than the system lets us have: raise its limit of open files (LimitNOFILE)",
    "messages were not stored, and none of them acknowledged",
    "nothing was reloaded",
    "the daemon cannot run",
    "open files",
    "reloaded",
    "stopped",
    "stopping",
    "the ids of messages are coming to an end: run chatd check",
    "the limit of open files stays as it is",
    "the stop took too long; connections were cut",
    "there is no admin socket",
    "these settings wait for the next start",
}

FLOOD = """
import json, logging, sys
from chatd.logs import stderr as logs
logs.start(logs.LogConfig(log_format="json"))
for name, level, text, times in json.load(sys.stdin):
    args = ("x",) * text.count("%s")
    for _ in range(times):
        getattr(logging.getLogger(name), level)(text, *args)
"""


def test_every_line_that_a_client_can_cause_is_limited() -> None:
    """A child process with the daemon's logging setup writes each line more often than its burst."""
    lines = [line for line in log_calls() if line.logger not in OPERATORS and line.file != "base/refusals.py"]
    kinds = sorted({(line.logger, line.level, line.text or "") for line in lines})
    assert len(kinds) > 15
    times = {"info": INFO_BURST + 1_000}
    flood = [(*kind, times.get(kind[1], WARNING_BURST + 1_000)) for kind in kinds]
    done = subprocess.run(
        [sys.executable, "-c", FLOOD], input=json.dumps(flood), check=True, capture_output=True, text=True
    )
    written = Counter((line["logger"], line["message"]) for line in map(json.loads, done.stderr.splitlines()))
    for logger, level, text in kinds:
        burst, rate = (INFO_BURST, INFO_RATE) if level == "info" else (WARNING_BURST, WARNING_RATE)
        count = written[logger, text.replace("%s", "x")]
        assert burst <= count <= burst + 60 * rate, text  # the process takes less than a minute


def test_the_text_of_every_line_is_a_constant() -> None:
    assert [line for line in log_calls() if line.text is None] == []


def test_loggers_without_a_limit_have_only_lines_that_operators_cause() -> None:
    assert {line.text for line in log_calls() if line.logger in OPERATORS} == OF_OPERATORS


def test_nothing_in_chatd_bypasses_the_limit() -> None:
    """Only logs.py installs a handler, and no server code writes to stderr directly."""
    source = {str(path.relative_to(PACKAGE)): path.read_text() for path in PACKAGE.rglob("*.py")}
    served = {name: text for name, text in source.items() if not name.startswith("cli/")}
    assert {name for name, text in source.items() if "Handler(sys." in text or "addHandler" in text} == {
        "logs/stderr.py"
    }
    assert [name for name, text in served.items() if "print(" in text or "stderr.write" in text] == []


def record(text: str = "user expelled", level: int = logging.WARNING, name: str = "chatd.chat") -> logging.LogRecord:
    return logging.LogRecord(name, level, "file", 1, text, (), None)


def test_a_flood_of_one_line_suppresses_no_other_line() -> None:
    limit = LineLimit(Clock().time)
    assert sum(limit.filter(record()) for _ in range(1_000)) == WARNING_BURST
    assert limit.filter(record("another"))
    assert limit.filter(record(level=logging.ERROR))
    assert all(limit.filter(record("reloaded", name="chatd.settings.reload")) for _ in range(1_000))
    assert all(limit.filter(record("frame", level=logging.DEBUG)) for _ in range(1_000))
    assert limit.suppressed == 1_000 - WARNING_BURST


def test_a_library_whose_lines_all_differ_is_limited_too() -> None:
    """asyncio, for example, puts the connection into the text."""
    limit = LineLimit(Clock().time)
    texts = [f"Fatal error on transport fd={number}" for number in range(1_000)]
    written = [text for text in texts if limit.filter(record(text, logging.ERROR, "asyncio"))]
    assert written == texts[:WARNING_BURST]
    assert limit.filter(record("another", logging.ERROR, "websockets.server"))
    assert len(limit._last) + len(limit._left_out) <= 2


def test_the_limit_lets_all_sessions_open_at_once_and_ten_a_second_afterwards() -> None:
    clock = Clock()
    limit = LineLimit(clock.time)
    opened = [limit.filter(record("session open", logging.INFO)) for _ in range(INFO_BURST)]
    for _ in range(1_000):
        clock.pass_seconds(1 / INFO_RATE)
        opened.append(limit.filter(record("session open", logging.INFO)))
    assert all(opened)


async def test_the_last_suppressed_line_is_written_with_their_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limit = LineLimit(Clock().time)
    caplog.handler.addFilter(limit)
    try:
        for number in range(WARNING_BURST + 50):
            logging.getLogger("chatd.store").warning("%s are stored again", "messages", extra={"failures": number})
        assert len(caplog.records) == WARNING_BURST
        limit.tell_all()
        last = vars(caplog.records[-1])
        assert (last["failures"], last["left_out"]) == (WARNING_BURST + 49, 49)
        assert limit.suppressed == 49
    finally:
        caplog.handler.removeFilter(limit)


async def test_the_last_suppressed_line_is_written_without_a_further_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatd.logs.lines.SILENCE_S", 0.01)
    limit, written = LineLimit(Clock().time), asyncio.Event()

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if hasattr(record, "left_out"):
                written.set()

    handler = Handler()
    handler.addFilter(limit)
    logger = logging.getLogger("chatd.chat")
    logger.addHandler(handler)
    try:
        for _ in range(WARNING_BURST + 2):
            logger.warning("user expelled")
        assert not written.is_set()
        async with asyncio.timeout(10):
            await written.wait()
    finally:
        logger.removeHandler(handler)
    assert SILENCE_S == 10.0
