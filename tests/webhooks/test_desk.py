"""The conversation to which events of a team's messages belong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.api.served import serving_api
from tests.store.rig import Base
from tests.webhooks.receiver import receiving, write_config

TEAM = ("--admin-messages", "team", "--payload", "full", "--presence", "on")


def refusing_the_first() -> Callable[[str], int]:
    """An answer function that refuses the first event and accepts all others."""
    first: list[str] = []

    def answer(event: str) -> int:
        if not first:
            first.append(event)
        return 503 if event == first[0] else 204

    return answer


async def test_an_answer_of_a_team_waits_behind_the_question_of_its_user(db: Base, tmp_path: Path) -> None:
    """W-04: answers of an admin who is offline, and of another system."""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url)
        async with serving_api(tmp_path, "--config", config, *TEAM, db=db) as api:
            bot, ana = await api.system(), await api.chatd.enter("ana")
            root = await api.chatd.enter("root", "admin")
            await ana.write("root", "ready")
            await receiver.until(lambda: receiver.texts() == ["ready"])
            receiver.answer = refusing_the_first()
            question = await ana.write("root", "a question")
            await receiver.until(lambda: f"mensaje-{question['id']}" in receiver.tried)
            await root.write("ana", "an answer")
            root.vanish()
            await bot.send("ana", "of a system")
            await (await api.chatd.enter("eva")).write("root", "another conversation")
            await receiver.until(lambda: "another conversation" in receiver.texts())
            assert receiver.texts() == ["ready", "another conversation"]
            receiver.answer = lambda _: 204
            await receiver.until(lambda: len(receiver.texts("ana")) == 4)
    assert receiver.texts("ana") == ["ready", "a question", "an answer", "of a system"]


async def test_a_hook_for_questions_only_gets_no_answers(tmp_path: Path) -> None:
    """W-02"""
    async with receiving() as receiver:
        config = write_config(tmp_path, receiver.url, "private_addresses = true\nprivate = true\nanswers = false")
        async with serving_api(tmp_path, "--config", config, *TEAM) as api:
            bot, ana = await api.system(), await api.chatd.enter("ana")
            root, boss = await api.chatd.enter("root", "admin"), await api.chatd.enter("boss", "admin")
            await ana.write("root", "a question")
            await root.write("ana", "an answer")
            await root.write("boss", "between admins")
            await bot.send("ana", "of a system")
            await boss.leave()
            await ana.write("root", "thank you")
            await receiver.until(lambda: len(receiver.texts()) == 2)
    assert receiver.texts() == ["a question", "thank you"]
