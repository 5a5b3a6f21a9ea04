"""`quien_soy`: the identity in the token."""

from __future__ import annotations

from tests.chat.people import Chat, cookie, join, token


async def test_the_answer_has_the_claims_of_the_token(chat: Chat) -> None:
    """C-60"""
    for user, rol in (("ana", "user"), ("root", "admin"), ("eva", "guest")):
        person = await join(chat.client, headers=cookie(token(user, rol, name="A B")))
        assert await person.ask("quien_soy") == {"ok": True, "user": user, "name": "A B", "rol": rol}


async def test_arguments_do_not_change_the_answer(chat: Chat) -> None:
    """C-60, C-03"""
    ana = await join(chat.client, headers=cookie(token("ana")), auth={"user": "root"}, user="root")
    assert (await ana.ask("quien_soy", {"user": "root", "rol": "admin"}))["user"] == "ana"


async def test_without_an_acknowledgement_there_is_no_reply(chat: Chat) -> None:
    """C-60"""
    ana = await chat.enter("ana")
    await ana.emit("quien_soy")
    assert await ana.inbox() == []
