"""`chatd replies`: copying the canned replies of a team between databases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatd.cli import EXIT_FAILED
from tests.cli.command import chatd, complaint
from tests.cli.stored import message, store
from tests.store.rig import ask

REPLIES = [{"atajo": "bye", "texto": "Bye!"}, {"atajo": "hours", "texto": "We open at 9 ☀"}]


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "chatd.db"
    store(path, [message(1)])
    return path


def test_printed_replies_can_be_imported(db: Path, tmp_path: Path) -> None:
    """D-15"""
    assert json.loads(chatd("replies", "--db", db).stdout) == []
    file = tmp_path / "replies.json"
    file.write_text(json.dumps(REPLIES))
    told = chatd("replies", "--import", file, "--db", db).stdout
    assert told.startswith("2 replies imported; the team has 2 now.")
    assert json.loads(chatd("replies", "--db", db).stdout) == REPLIES
    file.write_text(json.dumps([{"atajo": "bye", "texto": "See you!"}]))
    chatd("replies", "--import", file, "--db", db)
    assert ask(db, "SELECT texto FROM respuestas ORDER BY atajo") == [("See you!",), ("We open at 9 ☀",)]


@pytest.mark.parametrize(
    "wrong",
    [
        "no JSON",
        '{"atajo": "bye"}',
        '[{"atajo": "a b", "texto": "x"}]',
        '[{"atajo": "a", "texto": ""}]',
        '[{"atajo": "a", "texto": "x", "more": 1}]',
    ],
)
def test_an_invalid_file_is_refused_as_a_whole(db: Path, tmp_path: Path, wrong: str) -> None:
    """D-15"""
    file = tmp_path / "replies.json"
    file.write_text(wrong)
    assert str(file) in complaint(chatd("replies", "--import", file, "--db", db), EXIT_FAILED)
    assert json.loads(chatd("replies", "--db", db).stdout) == []
