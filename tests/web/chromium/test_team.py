"""A team of admins in the console: assignment, waiting users, notes, canned replies, names."""

from __future__ import annotations

import pytest

from tests.chat.people import enter
from tests.conformance.wire import Client
from tests.web.chromium.place import Place

TEAM = ["--admin-messages", "team", "--claim-timeout", "1", "--presence-grace", "0.2"]


@pytest.fixture
def flags() -> list[str]:
    return ["--console", "--payload", "full", "--echo", "on", "--recovery", "on", "--presence", "on", *TEAM]


async def test_two_admins_see_each_others_answers_and_the_assignee(place: Place) -> None:
    """D-01, D-06, D-07"""
    root, boss, ana = await place.admin("root"), await place.admin("boss"), await place.user("ana")
    await ana.say("¿hola?")
    for admin in (root, boss):
        await admin.click("#list a", "Ana")
        await admin.see(".case", "Nobody is on it · waiting: just now")
    await root.say("dime")
    await boss.see(".case", "Root is on it")
    await boss.see(".message.colleague", "dime")
    await boss.see(".colleague .author", "Root")
    await root.see(".case", "You are on it")
    assert await root.texts("#list .waits") == []
    await root.gone(".filters button", "Unanswered 1")
    await root.see(".filters button", "Mine 1")
    # Drawn on the team's side.
    right = "document.querySelector({!r}).getBoundingClientRect().right"
    edges = f"{right.format('#messages')} - {right.format('.message.colleague')}"
    assert await boss.evaluate(edges) < 60
    # The other admin must confirm before answering too.
    await boss.say("yo también")
    await boss.see(".ask-first", "Root is on this conversation.")
    await boss.click(".ask-first button", "Do not send")
    assert await boss.evaluate("document.querySelector('#box').value") == "yo también"
    await boss.click(".case button", "Take over")
    await boss.see(".case", "You are on it")
    await root.see(".case", "Boss is on it")
    await root.until("document.querySelector('#list .claimed')?.title === 'Boss'")
    await boss.click("#box")
    await boss.press("Enter")
    await root.see(".message.colleague", "yo también")


async def test_a_conversation_is_resolved_and_opened_by_the_next_message(place: Place) -> None:
    """D-08, D-12"""
    root, ana = await place.admin("root"), await place.user("ana")
    await ana.say("¿hola?")
    await root.click("#list a", "Ana")
    await root.click(".case button", "Resolve")
    await root.see(".case", "Resolved by Root")
    await root.see(".filters button", "Resolved 1")
    await root.click(".filters button", "Unanswered")
    await root.gone("#list a", "Ana")
    await ana.say("otra cosa")
    await root.see("#list a", "otra cosa")
    await root.see(".case", "Nobody is on it")
    await root.see(".filters button", "Unanswered 1")


async def test_the_list_shows_the_longest_waits_first(place: Place) -> None:
    """D-12"""
    root = await place.admin("root")
    for user in ("ana", "eva", "leo"):
        window = await place.user(user)
        await window.say(f"soy {user}")
        await root.see("#list a", f"soy {user}")
    await root.click(".filters button", "Unanswered")
    await root.until(
        "[...document.querySelectorAll('#list .name')].map((one) => one.firstChild.data).join() === 'Ana,Eva,Leo'"
    )
    await root.click("#list a", "Eva")
    await root.click(".case button", "Claim")
    await root.click(".filters button", "Mine")
    await root.see("#list a", count=1)
    await root.see("#list a .claimed", "You")


async def test_notes_are_for_admins_and_appear_at_once(place: Place) -> None:
    """D-14"""
    root, boss, ana = await place.admin("root"), await place.admin("boss"), await place.user("ana")
    await ana.say("¿hola?")
    for admin in (root, boss):
        await admin.click("#list a", "Ana")
        await admin.click(".notes summary")
    await root.write(".notes textarea", "pays late")
    await root.click(".notes button")
    await boss.see(".note-list li", "pays late")
    await boss.see(".note-list .meta", "Root")
    assert "pays late" not in await ana.text()
    await boss.reload()
    await boss.see(".notes .count", "1")


async def test_a_slash_brings_a_canned_reply_into_the_box(place: Place) -> None:
    """D-15"""
    root, boss, ana = await place.admin("root"), await place.admin("boss"), await place.user("ana")
    await ana.say("¿hola?")
    await root.click("#list a", "Ana")
    await root.write("#box", "/")
    await root.press("Enter")
    await root.write(".canned-editor input", "hours")
    await root.write(".canned-editor textarea", "We are open from 9 to 5.")
    await root.click(".canned-editor button", "Keep")
    await root.see(".canned-editor li", "/hours")
    await root.click(".canned-editor button", "Close")
    await boss.click("#list a", "Ana")
    await boss.write("#box", "/ho")
    await boss.see("#canned li", "/hours We are open from 9 to 5.")
    await boss.press("Enter")
    assert await boss.evaluate("document.querySelector('#box').value") == "We are open from 9 to 5."
    await boss.press("Enter")
    await ana.see(".message", "We are open from 9 to 5.")


async def test_names_are_found_without_accents_and_unknown_users_need_a_confirmation(place: Place) -> None:
    """D-04, D-05, D-16"""
    root = await place.admin("root")
    await place.admin("boss")
    ana = await place.enter("/chatd/demo", "jgarcia", "user", name="José García")
    await ana.click("chatd-widget button, button")
    await ana.see("#messages li:not(.notLoaded)")
    await ana.say("¿hola?")
    await root.see("#list .name", "José García")
    await root.see("#list .snippet", "jgarcia · ¿hola?")
    await root.see("#list .role", "admin")
    await root.write("#search", "GARCIA")
    await root.see("#list .name", "José García")
    await root.press("Enter")
    await root.see("#thread-name", "José García")
    await root.write("#search", "nobody-at-all")
    await root.press("Enter")
    await root.see("#thread-name", "nobody-at-all")
    await root.say("hola")
    await root.see(".ask-first", "Nobody called nobody-at-all was ever here.")
    await root.click(".ask-first button", "Send anyway")
    await root.see(".message.mine", "hola")


async def test_messages_between_users_show_their_addressee(place: Place) -> None:
    """D-01: they are listed under their author."""
    root, eva = await place.admin("root"), await place.user("eva")
    await eva.say("¿hola?")
    await root.see("#list a", "Eva")
    async with Client("127.0.0.1", place.server.port, "/socket.io/") as client:
        ana = await enter(client, "ana")
        await ana.write("eva", "un secreto")
        await root.click("#list a", "un secreto")
        await root.see(".message .author", " → Eva")
