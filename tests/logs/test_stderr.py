from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.logs.stderr import JsonFormatter, TextFormatter

START = """
import logging
from chatd.logs.stderr import LogConfig, start
start(LogConfig({}))
log = logging.getLogger("chatd.x")
"""


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("chatd.chat", logging.INFO, "file", 1, message, args, None)
    made.created = 1_800_000_000.25
    vars(made).update(extra)
    return made


def logged(config: str, code: str) -> list[str]:
    """The lines that a child process writes to stderr; it must print nothing else."""
    done = subprocess.run(
        [sys.executable, "-c", START.format(config) + code], check=True, capture_output=True, text=True
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_a_text_line_has_time_level_logger_message_and_fields() -> None:
    line = TextFormatter().format(
        record("session open, %d now", 3, sid="abc", user="María L", reason='a"b', n=7, no="")
    )
    assert line == (
        "2027-01-15T08:00:00.250+00:00 INFO    chatd.chat session open, 3 now "
        'sid=abc user="Mar\\u00eda L" reason="a\\"b" n=7 no=""'
    )


def test_a_json_line_has_the_same_as_fields() -> None:
    assert json.loads(JsonFormatter().format(record("session open", sid="abc", n=7, who={1}))) == {
        "time": "2027-01-15T08:00:00.250+00:00",
        "level": "info",
        "logger": "chatd.chat",
        "message": "session open",
        "sid": "abc",
        "n": 7,
        "who": "{1}",
    }


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_an_exception_comes_with_its_traceback(formatter: logging.Formatter) -> None:
    try:
        raise ValueError("why")
    except ValueError as error:
        failed = record("it failed", exc_info=(ValueError, error, error.__traceback__))
    text = formatter.format(failed)
    assert "it failed" in text
    assert "ValueError: why" in text


@given(message=st.text(), value=st.text())
def test_nothing_that_a_client_sends_starts_a_new_line(message: str, value: str) -> None:
    escaped = message.replace("%", "%%")
    for formatter in (TextFormatter(), JsonFormatter()):
        line = formatter.format(record(escaped, sid=value))
        assert len(line.splitlines()) == 1
        assert line.isprintable()


def test_the_level_applies_to_chatd_and_libraries_only_log_warnings() -> None:
    code = "log.debug('one'); log.info('two'); logging.getLogger('asyncio').info('three')"
    assert [json.loads(line)["message"] for line in logged("log_format='json'", code)] == ["two"]
    assert [json.loads(line)["message"] for line in logged("log_level='debug'", code)] == ["one", "two"]
    assert logged("log_level='error'", code) == []


def test_a_stream_that_is_no_terminal_gets_json_unless_text_is_wanted() -> None:
    (line,) = logged("", "log.info('hello')")
    assert json.loads(line)["message"] == "hello"
    (line,) = logged("log_format='text'", "log.info('hello')")
    assert line.endswith("INFO    chatd.x hello")


def test_a_closed_stderr_ends_nothing() -> None:
    assert logged("", "import sys, os; os.close(2); log.info('hello'); sys.exit(0)") == []


JOURNAL = """
import os
found = os.fstat(2)
os.environ["JOURNAL_STREAM"] = f"{found.st_dev}:{found.st_ino}"
"""


def in_the_journal(config: str, code: str) -> list[tuple[str, str]]:
    """Priority and text of each line of a child process whose stderr is the journal."""
    done = subprocess.run(
        [sys.executable, "-c", JOURNAL + START.format(config) + code], check=False, capture_output=True, text=True
    )
    lines = [line.partition(">") for line in done.stderr.splitlines()]
    assert all(priority.startswith("<") for priority, _, _ in lines), done.stderr
    return [(priority[1:], rest) for priority, _, rest in lines]


def test_journal_lines_have_their_priority() -> None:
    code = "log.debug('a'); log.info('b'); log.warning('c'); log.error('d'); log.critical('e')"
    told = in_the_journal("log_level='debug'", code)
    assert [(priority, json.loads(rest)["message"]) for priority, rest in told] == [
        ("7", "a"),
        ("6", "b"),
        ("4", "c"),
        ("3", "d"),
        ("2", "e"),
    ]


def test_all_lines_of_a_traceback_have_the_same_priority() -> None:
    told = in_the_journal("log_format='text'", "raise ValueError('why')")
    assert {priority for priority, _ in told} == {"2"}
    assert "the daemon was ended by a bug" in told[0][1]
    assert told[-1][1] == "ValueError: why"


def test_a_bug_that_ends_the_daemon_is_one_line_of_json() -> None:
    done = subprocess.run(
        [sys.executable, "-c", START.format("") + "raise ValueError('why')"],
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(done.stderr)
    assert (done.returncode, told["level"], "ValueError: why" in told["error"]) == (1, "critical", True)


def test_a_redirected_stderr_is_not_the_journal(tmp_path: Path) -> None:
    """JOURNAL_STREAM is inherited by child processes."""
    here = tmp_path.stat()
    with (tmp_path / "log").open("w") as file:
        environ = {**os.environ, "JOURNAL_STREAM": f"{here.st_dev}:{here.st_ino}"}
        subprocess.run([sys.executable, "-c", START.format("") + "log.info('b')"], check=True, stderr=file, env=environ)
    assert json.loads((tmp_path / "log").read_text())["message"] == "b"
