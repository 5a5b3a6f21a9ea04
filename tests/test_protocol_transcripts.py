"""Every transcript of protocol.md is played against a real daemon."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from tests.api.served import serving_api
from tests.chat.daemon import daemon
from tests.chat.people import chatting
from tests.transcripts import PROTOCOL, Fence, Player, fences, steps
from tests.webhooks.receiver import write_config
from tests.webhooks.scripted import scripted

FENCES: Final = list(fences(PROTOCOL.read_text()))


@pytest.mark.parametrize("fence", FENCES, ids=lambda fence: f"line {fence.line}: {fence.section}")
async def test_a_transcript_matches_the_daemon(tmp_path: Path, fence: Fence) -> None:
    async with playing(tmp_path, fence) as player:
        for step in steps(fence):
            await player.play(step)


@contextlib.asynccontextmanager
async def playing(folder: Path, fence: Fence) -> AsyncIterator[Player]:
    """A player against a daemon with the settings of the transcript, and with the API or a webhook if it has one."""
    if fence.hook:
        async with scripted() as receiver:
            config = write_config(folder, receiver.url, name=fence.hook)
            async with daemon(folder / "chatd.db", "--config", config, *fence.flags) as chatd:
                yield Player(chatd.client, hooks={fence.hook: receiver})
        return
    if "api" in fence.settings:
        async with serving_api(folder, *fence.flags[2:]) as api:
            yield Player(api.chatd.client, api.client, key=api.key)
        return
    async with chatting(folder / "chatd.db", **fence.settings) as chat:
        yield Player(chat.client)


def test_every_fence_of_the_page_is_a_transcript() -> None:
    """So every fenced block is played."""
    assert {fence.kind for fence in FENCES} == {"transcript"}
    assert PROTOCOL.read_text().count("```") == 2 * len(FENCES)


def test_every_section_with_rules_has_a_transcript() -> None:
    """Except sections about several servers."""
    sections = PROTOCOL.read_text().split("\n## ")[1:]
    parts = [part for section in sections for part in section.split("\n### ")]
    without = [part.split("\n")[0] for part in parts if "\n- **" in part and "```transcript" not in part]
    assert without == ["4.14 Several nodes", "4.15 Node.js neighbours"]


def test_every_transcript_has_a_line_of_the_server() -> None:
    assert [fence.line for fence in FENCES if not any(" < " in step.text for step in steps(fence))] == []
